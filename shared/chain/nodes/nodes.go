// Package nodes opens the way to a chain of any family.
//
// It promises: every chain that chain.ParseSet takes can be opened, or the error says which family cannot.
package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"farrier/shared/chain"
	bitcoin "farrier/shared/chain/bitcoin/node"
	evm "farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
	tron "farrier/shared/chain/tron/node"
	"farrier/shared/cloud"
)

// Open is the node of a chain over its endpoints, in the order of preference. It tells of endpoints in trouble. Nothing
// goes over the network before it is asked something.
func Open(c chain.Config, endpoints []string, now func() time.Time, tell func(pool.News)) (chain.Node, error) {
	switch family := c.ID.Namespace(); family {
	case "eip155":
		return evm.New(evm.Options{Config: c, Endpoints: endpoints, Now: now, Tell: tell})
	case "bip122":
		return bitcoin.New(bitcoin.Options{Config: c, Endpoints: endpoints, Now: now, Tell: tell})
	case "tron":
		return tron.New(tron.Options{Config: c, Endpoints: endpoints, Now: now, Tell: tell})
	default:
		return nil, fmt.Errorf("nodes: %s: nothing here speaks to nodes of the family %q", c.ID, family)
	}
}

// Endpoints reads CHAIN_ENDPOINTS: {"eip155:137":["https://…"]}. Every configured chain must have one.
func Endpoints(text string, chains *chain.Set) (map[chain.ID][]string, error) {
	var out map[chain.ID][]string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, errors.New("CHAIN_ENDPOINTS is not a JSON object of lists")
	}
	for _, c := range chains.Chains() {
		if len(out[c.ID]) == 0 {
			return nil, fmt.Errorf("%s has no endpoint in CHAIN_ENDPOINTS", c.ID)
		}
		if urls := slices.Sorted(slices.Values(out[c.ID])); len(slices.Compact(urls)) < len(out[c.ID]) {
			return nil, fmt.Errorf("%s has an endpoint twice in CHAIN_ENDPOINTS: it would agree with itself", c.ID)
		}
	}
	return out, nil
}

// Teller tells people of endpoints.
type Teller struct {
	Log     *slog.Logger
	Metrics cloud.Metrics
}

// Tell notes that one of a chain's endpoints has entered or left trouble. The host's name alone is logged: the rest of a URL
// may hold a key.
func (t Teller) Tell(n pool.News) {
	if !n.Entered {
		t.Log.Info("endpoint is well again", "chain", n.Chain, "endpoint", n.Endpoint, "kind", n.Kind, "resting", n.Resting)
		return
	}
	t.Log.Warn("endpoint in trouble", "chain", n.Chain, "endpoint", n.Endpoint, "kind", n.Kind, "error", n.Err.Error(), "resting", n.Resting)
	t.Metrics.Count("EndpointTrouble", 1, map[string]string{"chain": string(n.Chain), "endpoint": n.Endpoint, "kind": string(n.Kind)})
}
