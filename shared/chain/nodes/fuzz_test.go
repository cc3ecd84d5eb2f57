package nodes_test

import (
	"strings"
	"testing"

	"farrier/shared/chain"
	"farrier/shared/chain/nodes"
)

// FuzzEndpoints: CHAIN_ENDPOINTS is refused without a word of it, since it holds keys, or every configured chain has an endpoint.
func FuzzEndpoints(f *testing.F) {
	for _, s := range []string{
		`{"eip155:137":["https://node.example/v2/a-secret-key"]}`, `{"eip155:1":["https://node.example/v2/a-secret-key"]}`, `{"eip155:137":[]}`, `{"eip155:137":"https://node.example/v2/a-secret-key"}`,
		`{"eip155:137":["a-secret-key"`, `null`, `[]`, ``, `{"eip155:137":[null]}`, `{"eip155:137":["x"]}{`,
	} {
		f.Add(s)
	}
	set, err := chain.ParseSet(`[{"id":"eip155:137","block_time":"2s","finality":{"depth":3}}]`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		endpoints, err := nodes.Endpoints(text, set)
		if err == nil && len(endpoints["eip155:137"]) == 0 {
			t.Fatalf("%q: %v", text, endpoints)
		}
		if err != nil && (len(text) > 20 && strings.Contains(err.Error(), text) || strings.Contains(text, "a-secret-key") && strings.Contains(err.Error(), "secret")) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
