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
		one(coin, `{"tag":"finalized"}`, tether):                                                          "",
		one(coin, `{"depth":20}`, ""):                                                                     "",
		one(coin, `{"tag":"latest"}`, tether):                                                             "finality.tag",
		one(coin, `{}`, tether):                                                                           "finality",
		one(coin, `{"tag":"safe","depth":3}`, tether):                                                     "finality",
		one(coin, `{"depth":3}`, tether+","+tether):                                                       "tokens[1]",
		one(coin, `{"depth":3}`, `{"symbol":"X","decimals":6}`):                                           "tokens[0].address",
		strings.Replace(one(coin, `{"depth":3}`, ""), "2s", "soon", 1):                                    "chains",
		strings.Replace(one(coin, `{"depth":3}`, ""), "eip155:137", "1", 1):                               "id",
		one(`{"symbol":"POL","decimals":18,"traces":"trace_block"}`, `{"depth":3}`, ""):                   "",
		one(`{"symbol":"POL","decimals":18,"traces":"debug_traceBlockByNumber"}`, `{"depth":3}`, ""):      "",
		one(`{"symbol":"POL","decimals":18,"traces":"trace_transaction"}`, `{"depth":3}`, ""):             "native.traces",
		one(`{"symbol":"POL","decimals":18,"traces":"trace_block","ignore":true}`, `{"depth":3}`, tether): "native.traces",
		one(coin, `{"depth":3,"agree":-1}`, tether):                                                       "finality.agree",
		one(coin, `{"depth":3,"agree":3}`, tether):                                                        "",
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
	usdt, pol := c.TokenAsset(c.Tokens[0].Address), c.NativeAsset()
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

func TestEachFamilyIsConfiguredByItsOwnRules(t *testing.T) {
	const bitcoin, tron = "bip122:000000000019d6689c085ae165831e93", "tron:0x2b6653dc"
	const trc20 = `{"symbol":"USDT","decimals":6,"address":"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}`
	on := func(id, finality, tokens string) string {
		decimals := 8
		if id == tron {
			decimals = 6
		}
		return fmt.Sprintf(`[{"id":%q,"native":{"symbol":"COIN","decimals":%d},"block_time":"1m","finality":%s,"tokens":[%s]}]`, id, decimals, finality, tokens)
	}
	for text, want := range map[string]string{ // a fault, or an asset that is offered
		on(bitcoin, `{"depth":6}`, ""):                                               bitcoin + "/slip44:0",
		on(bitcoin, `{"tag":"finalized"}`, ""):                                       "finality.tag",
		on(bitcoin, `{"depth":6}`, tether):                                           "tokens",
		on("bip122:00", `{"depth":6}`, ""):                                           "id",
		on("bip122:00000000000000000000000000000000", `{"depth":6}`, ""):             "id", // no network that is known
		strings.Replace(on(bitcoin, `{"depth":6}`, ""), `:8}`, `:18}`, 1):            "native.decimals",
		on(tron, `{"tag":"solid"}`, trc20):                                           tron + "/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
		on(tron, `{"tag":"finalized"}`, ""):                                          tron + "/slip44:195",
		on(tron, `{"depth":18}`, ""):                                                 "finality.depth: must be at least 19",
		on(tron, `{"depth":19}`, ""):                                                 tron + "/slip44:195",
		strings.Replace(on(tron, `{"depth":20}`, ""), `:6}`, `:18}`, 1):              "native.decimals",
		on(tron, `{"depth":20}`, ""):                                                 tron + "/slip44:195",
		on(tron, `{"tag":"safe"}`, trc20):                                            "finality.tag",
		on(tron, `{"depth":20}`, tether):                                             "tokens[0].address",
		on("tron:728126428", `{"depth":20}`, ""):                                     "id",
		on("solana:5eykt4UsFv8P8NJdTREpY1vzq", `{"depth":1}`, ""):                    "id",
		on("eip155:137", `{"depth":20,"agree":-1}`, ""):                              "finality.agree",
		one(`{}`, `{"depth":3}`, strings.Replace(tether, "c2132D05", "C2132D05", 1)): "tokens[0].address",
	} {
		set, err := ParseSet(text)
		if err != nil {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want one that names %q", text, err, want)
			}
			continue
		}
		if _, offered := set.Asset(money.Asset(want)); !offered {
			t.Errorf("%s: %s is not offered", text, want)
		}
	}
}
