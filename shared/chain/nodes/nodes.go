// Package nodes opens the way to a chain of any family.
//
// It promises: every chain that chain.ParseSet takes can be opened, or the error says which family cannot.
package nodes

import (
	"fmt"
	"time"

	"farrier/shared/chain"
	bitcoin "farrier/shared/chain/bitcoin/node"
	evm "farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
	tron "farrier/shared/chain/tron/node"
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
