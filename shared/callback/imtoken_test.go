package callback

import "testing"

func imTokenSenders(t testing.TB) []provider {
	const tron = "588c6797534d09e8e0b149c06c11bfd6ca7b96f0d4bba87700fffe7a87b0d988"
	return []provider{unsigned(t, "imtoken", `{"chain": "eip155:137", "hash": "`+txA+`"}`, "order-7/"+txA+"/", []reading{
		{`{"chain":"eip155:137","hash":"` + txA + `","reference":"order-7"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA, Reference: "order-7"}}},
		{`{"chainId":"0x89","hash":"` + txA + `"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}}},
		{`{"chainId":137,"hash":"` + txA + `"}`, []Notice{{Kind: DepositSeen, Chain: "eip155:137", Tx: txA}}},
		{`{"chain":"tron:0x2b6653dc","hash":"` + tron + `"}`, []Notice{{Kind: DepositSeen, Chain: "tron:0x2b6653dc", Tx: tron}}},
		{`{"chain":"eip155:137","error":{"code":4001},"reference":"order-7"}`, []Notice{{Kind: PaymentFailed, Chain: "eip155:137", Reference: "order-7", Detail: "4001"}}},
	}, "")}
}

func TestImTokenNamesWhatThePageLeftOut(t *testing.T) {
	for body, want := range map[string]string{
		`{"hash":"` + txA + `"}`:                       "chain is missing, or is no chain",
		`{"chainId":"-1","hash":"` + txA + `"}`:        "chain is missing, or is no chain",
		`{"chain":"eip155:137"}`:                       "hash is missing",
		`{"chain":"eip155:137","hash":"0x12"}`:         "hash is not the hash of a transaction",
		`{"chain":"solana:5eykt4","hash":"two words"}`: "hash is not the name of a transaction",
	} {
		if got, err := readImToken([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want %s", body, got, err, want)
		}
	}
	got, err := readImToken([]byte(`{"hash":"`+txA+`"}`), Settings{Chain: "eip155:8453"}, Keys{})
	if err != nil || got[0].Chain != "eip155:8453" {
		t.Errorf("%+v, %v", got, err)
	}
}
