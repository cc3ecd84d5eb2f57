package chain

import (
	"fmt"
	"strings"
	"testing"

	"farrier/shared/money"
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

func TestALargeTransferSettlesDeeper(t *testing.T) {
	const coin = `{"symbol":"POL","decimals":18,"coin_type":966}`
	set, err := ParseSet(one(coin, `{"depth":3,"deeper":[
		{"symbol":"USDT","amount":"1000","blocks":20},{"symbol":"USDT","amount":"50000.5","blocks":100},
		{"asset":"eip155:137/slip44:966","amount":"0.5","blocks":7}]}`, tether))
	if err != nil {
		t.Fatal(err)
	}
	c, _ := set.Chain("eip155:137")
	usdt, pol := c.TokenAsset("0xc2132D05D31c914a87C6611C10748AEb04B58e8F"), c.NativeAsset()
	for _, x := range []struct {
		asset money.Asset
		units string
		want  uint64
	}{
		{usdt, "1", 50}, {usdt, "999999999", 50}, {usdt, "1000000000", 70}, {usdt, "50000499999", 70}, {usdt, "50000500000", 150},
		{pol, "499999999999999999", 50}, {pol, "500000000000000000", 57}, {"eip155:1/slip44:60", "500000000000000000", 50},
	} {
		amount, err := money.ParseUnits(x.units)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Settles(Transfer{Asset: x.asset, Amount: amount, Block: Block{Height: 50}}); got != x.want {
			t.Errorf("%s of %s settles at %d, want %d", x.units, x.asset, got, x.want)
		}
	}
}

func TestARuleAboutAmountsIsWholeOrItsFaultIsNamed(t *testing.T) {
	const coin, other = `{"symbol":"POL","decimals":18,"coin_type":966}`, `{"symbol":"USDT","decimals":6,"address":"0x5fbdb2315678afecb367f032d93f642f64180aa3"}`
	for rule, fault := range map[string]string{
		`{"symbol":"POL","amount":"1","blocks":5}`: "",
		`{"asset":"eip155:137/erc20:0xC2132d05d31c914a87c6611c10748aeb04b58e8f","amount":"1.000001","blocks":10000}`: "",
		`{"amount":"1","blocks":5}`: "finality.deeper[0].asset",
		`{"asset":"eip155:137/slip44:966","symbol":"POL","amount":"1","blocks":5}`: "finality.deeper[0].asset",
		`{"asset":"eip155:1/slip44:60","amount":"1","blocks":5}`:                   "finality.deeper[0].asset",
		`{"symbol":"ETH","amount":"1","blocks":5}`:                                 "finality.deeper[0].symbol",
		`{"symbol":"USDT","amount":"1","blocks":5}`:                                "finality.deeper[0].symbol",
		`{"symbol":"POL","amount":"0","blocks":5}`:                                 "finality.deeper[0].amount",
		`{"symbol":"POL","amount":"-1","blocks":5}`:                                "finality.deeper[0].amount",
		`{"symbol":"POL","amount":"1e3","blocks":5}`:                               "finality.deeper[0].amount",
		`{"symbol":"POL","amount":"0.0000000000000000001","blocks":5}`:             "finality.deeper[0].amount",
		`{"symbol":"POL","blocks":5}`:                                              "finality.deeper[0].amount",
		`{"symbol":"POL","amount":"1"}`:                                            "finality.deeper[0].blocks",
		`{"symbol":"POL","amount":"1","blocks":10001}`:                             "finality.deeper[0].blocks",
		`{"symbol":"POL","amount":"1","blocks":-1}`:                                "chains",
	} {
		_, err := ParseSet(one(coin, `{"depth":3,"deeper":[`+rule+`]}`, tether+","+other))
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want one that names %q", rule, err, fault)
		}
	}
	slow := strings.Replace(one(coin, `{"depth":3,"deeper":[{"symbol":"POL","amount":"1","blocks":145}]}`, ""), "2s", "10m", 1)
	if _, err := ParseSet(slow); err == nil || !strings.Contains(err.Error(), "day") {
		t.Errorf("more than a day: %v", err)
	}
}
