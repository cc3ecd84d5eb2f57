package nodes_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/jsonrpc"
	"farrier/shared/chain/nodes"
	"farrier/shared/chain/pool"
	"farrier/shared/cloud"
)

func TestAChainIsOpenedByItsFamilyOrRefused(t *testing.T) {
	for id, ok := range map[chain.ID]bool{"eip155:137": true, "tron:0x2b6653dc": true, "bip122:000000000019d6689c085ae165831e93": true, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": false, "": false} {
		n, err := nodes.Open(chain.Config{ID: id, Native: chain.Native{Ignore: true}}, []string{"https://node.example"}, time.Now, nil)
		if (err == nil) != ok || ok && n == nil {
			t.Errorf("%s: %v, %v", id, n, err)
		}
	}
}

func TestEveryConfiguredChainNeedsAnEndpoint(t *testing.T) {
	set, err := chain.ParseSet(`[{"id":"eip155:137","name":"Polygon","native":{"symbol":"POL","decimals":18},"block_time":"2s","finality":{"tag":"finalized"}}]`)
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		`{"eip155:137":["https://x"]}`: true, `{"eip155:137":["https://x","https://y"]}`: true, `{"eip155:137":["https://x","https://y","https://x"]}`: false, `{"eip155:137":[]}`: false, `{}`: false, `[]`: false, `{"eip155:137":"https://x"}`: false, ``: false,
	} {
		if _, err := nodes.Endpoints(text, set); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestAnEndpointInTroubleIsLoggedAndCountedByItsName(t *testing.T) {
	var log, metrics bytes.Buffer
	teller := nodes.Teller{Log: slog.New(slog.NewTextHandler(&log, nil)), Metrics: cloud.Metrics{Out: &metrics, Now: time.Now}}
	n := pool.News{Chain: "eip155:137", Endpoint: "node.example", Kind: pool.Throttled, Entered: true, Err: &jsonrpc.StatusError{Status: 429, RetryAfter: time.Second}, Resting: 1}
	teller.Tell(n)
	n.Entered, n.Err, n.Resting = false, nil, 0
	teller.Tell(n)
	for _, part := range []string{"in trouble", "well again", "node.example", "throttled", "429"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("the log has no %q: %s", part, &log)
		}
	}
	if got := metrics.String(); strings.Count(got, `"EndpointTrouble":1`) != 1 || !strings.Contains(got, `"kind":"throttled"`) {
		t.Errorf("%s", got)
	}
}
