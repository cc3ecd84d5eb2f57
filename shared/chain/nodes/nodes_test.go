package nodes_test

import (
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/nodes"
)

func TestAChainIsOpenedByItsFamilyOrRefused(t *testing.T) {
	for id, ok := range map[chain.ID]bool{"eip155:137": true, "tron:0x2b6653dc": true, "bip122:000000000019d6689c085ae165831e93": true, "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": false, "": false} {
		n, err := nodes.Open(chain.Config{ID: id, Native: chain.Native{Ignore: true}}, []string{"https://node.example"}, time.Now, nil)
		if (err == nil) != ok || ok && n == nil {
			t.Errorf("%s: %v, %v", id, n, err)
		}
	}
}
