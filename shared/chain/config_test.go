package chain

import (
	"fmt"
	"strings"
	"testing"
)

const tether = `{"symbol":"USDT","decimals":6,"address":"0xc2132D05D31c914a87C6611C10748AEb04B58e8F"}`

func one(native, finality, tokens string) string {
	return fmt.Sprintf(`[{"id":"eip155:137","name":"Polygon","native":%s,"block_time":"2s","finality":%s,"tokens":[%s]}]`, native, finality, tokens)
}

func TestAChainIsConfiguredOrItsFaultIsNamed(t *testing.T) {
	coin := `{"symbol":"POL","decimals":18,"coin_type":966}`
	for text, fault := range map[string]string{
		one(coin, `{"tag":"finalized"}`, tether):                            "",
		one(coin, `{"depth":20}`, ""):                                       "",
		one(coin, `{"tag":"latest"}`, tether):                               "finality.tag",
		one(coin, `{}`, tether):                                             "finality",
		one(coin, `{"tag":"safe","depth":3}`, tether):                       "finality",
		one(coin, `{"depth":3}`, tether+","+tether):                         "tokens[1]",
		one(coin, `{"depth":3}`, `{"symbol":"X","decimals":6}`):             "tokens[0].address",
		strings.Replace(one(coin, `{"depth":3}`, ""), "2s", "soon", 1):      "chains",
		strings.Replace(one(coin, `{"depth":3}`, ""), "eip155:137", "1", 1): "id",
		`{`: "chains",
	} {
		_, err := ParseSet(text)
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want one that names %q", text, err, fault)
		}
	}
}

func TestACoinThatIsNotWatchedIsNotOffered(t *testing.T) {
	set, err := ParseSet(one(`{"symbol":"POL","decimals":18,"coin_type":966,"ignore":true}`, `{"depth":3}`, tether))
	if err != nil {
		t.Fatal(err)
	}
	if _, offered := set.Asset("eip155:137/slip44:966"); offered {
		t.Error("nobody watches it")
	}
	if _, offered := set.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"); !offered {
		t.Error("the token is watched")
	}
}
