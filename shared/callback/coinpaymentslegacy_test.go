package callback

import (
	"crypto/sha512"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
)

const ipnSecret = "an IPN secret: !$%&/()=?"

func coinPaymentsLegacySenders(t testing.TB) []provider {
	const address, tx = "1BitcoinAddress", "0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100"
	priced := func(n Notice, on chain.ID, units string) []Notice {
		known, _ := coinOf(on)
		n.Chain, n.Asset, n.Decimals, n.Amount = on, known.Asset, known.Decimals, smallest(t, units)
		return []Notice{n}
	}
	const bitcoin = "bip122:000000000019d6689c085ae165831e93"
	payment := "ipn_version=1.0&ipn_mode=hmac&ipn_id=i-1&merchant=m-1&ipn_type=api&txn_id=CPDA4V&custom=order-7&currency1=USD&currency2=BTC&amount1=10.00&amount2=0.0002"
	deposit := "ipn_id=i-2&merchant=m-1&ipn_type=deposit&deposit_id=d-1&label=user+7&txn_id=" + tx + "&address=" + address + "&currency=BTC&amount=0.00012&amounti=12000&fiat_coin=USD"
	withdrawal := "ipn_id=i-3&merchant=m-1&ipn_type=withdrawal&id=w-1&address=" + address + "&currency=BTC&amount=1.50000000&amounti=150000000"
	order := Notice{Object: "CPDA4V", Reference: "order-7"}
	said := func(n Notice, kind Kind, status string) Notice { n.Kind, n.Detail = kind, status; return n }
	waiting := func(kind Kind, status string) []Notice {
		n := said(order, kind, status)
		n.Chain, n.Code = bitcoin, "BTC"
		return []Notice{n}
	}
	in := Notice{Object: "d-1", Reference: "user 7", Tx: tx, Address: address}
	out := Notice{Object: "w-1", Address: address}
	sent := out
	sent.Tx = tx
	token := in
	token.Kind, token.Detail, token.Chain, token.Code = DepositSeen, "0", "eip155:137", "USDT.PRC20"
	return []provider{{
		name: "coinpayments-legacy", connection: connected(t, "coinpayments-legacy", Settings{}), keys: withSecrets(ipnSecret), others: withSecrets("another IPN secret"),
		signature: inHeader("hmac"), body: payment + "&status=0", event: "i-1",
		sign: func(_ testing.TB, _ time.Time, body []byte) Delivery {
			return Delivery{Body: body, Headers: Headers{"hmac": inHex.encode(hmacOf(sha512.New, ipnSecret, string(body)))}}
		},
		reads: []reading{
			{payment + "&status=0&status_text=Waiting&received_amount=0.00000000", waitingWith(waiting(PaymentPending, "0"), t, "0")},
			{payment + "&status=1", waiting(PaymentPending, "1")},
			{payment + "&status=3", waiting(PaymentPending, "3")},
			{payment + "&status=99", waiting(PaymentPending, "99")},
			{payment + "&status=2&received_amount=0.0002", priced(said(order, PaymentPaid, "2"), bitcoin, "20000")},
			{payment + "&status=100&received_amount=0.0002", priced(said(order, PaymentPaid, "100"), bitcoin, "20000")},
			{payment + "&status=-1", waiting(PaymentExpired, "-1")},
			{payment + "&status=-2", waiting(PaymentRefunded, "-2")},
			{payment + "&status=-3", waiting(PaymentFailed, "-3")},
			{deposit + "&status=0", priced(said(in, DepositSeen, "0"), bitcoin, "12000")},
			{deposit + "&status=100", priced(said(in, DepositConfirmed, "100"), bitcoin, "12000")},
			{deposit + "&status=-1", priced(said(in, DepositReverted, "-1"), bitcoin, "12000")},
			{"ipn_id=i-4&ipn_type=deposit&deposit_id=d-1&label=user+7&status=0&txn_id=" + tx + "&address=" + address + "&currency=USDT.PRC20&amount=5", []Notice{token}},
			{withdrawal + "&status=0", priced(said(out, Other, "0"), bitcoin, "150000000")},
			{withdrawal + "&status=1", priced(said(out, Other, "1"), bitcoin, "150000000")},
			{withdrawal + "&status=2&txn_id=" + tx, priced(said(sent, PayoutFinal, "2"), bitcoin, "150000000")},
			{withdrawal + "&status=-1", priced(said(out, PayoutFailed, "-1"), bitcoin, "150000000")},
		},
		unknown: "ipn_id=i-1&ipn_type=lottery&status=100",
	}}
}

// waitingWith is a payment of which nothing, or less than all, has come.
func waitingWith(n []Notice, t testing.TB, units string) []Notice {
	known, _ := coinOf(n[0].Chain)
	n[0].Code, n[0].Asset, n[0].Decimals, n[0].Amount = "", known.Asset, known.Decimals, smallest(t, units)
	return n
}

func TestCoinPaymentsLegacyAsALibraryOfOthersVerifies(t *testing.T) {
	agrees(t, "coinpayments-legacy", "coinpaymentslegacy.json")
}

func TestCoinPaymentsLegacyNamesTheFieldThatIsMissing(t *testing.T) {
	for body, want := range map[string]string{
		"status=100":                                           "ipn_type is missing, or is no text",
		"ipn_type=api":                                         "status is missing, or is no integer",
		"ipn_type=api&status=paid":                             "status is missing, or is no integer",
		"ipn_type=api&status=100&currency2=BTC":                "received_amount is missing, or is no amount",
		"ipn_type=deposit&status=100&currency=BTC":             "amount is missing, or is no amount",
		"ipn_type=deposit&status=100&currency=BTC&amount=1e-9": "amount is no amount of an asset with so many decimals",
		`{"ipn_type":"api"}`:                                   "ipn_type is missing, or is no text",
	} {
		if got, err := readCoinPaymentsLegacy([]byte(body), Settings{}, Keys{}); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want %s", body, got, err, want)
		}
	}
}

func TestAnIPNSecretIsWhatTheMerchantChose(t *testing.T) {
	for secret, good := range map[string]bool{"hunter22": true, ipnSecret: true, "short": false, "two\nlines": false, strings.Repeat("x", 257): false} {
		if err := coinPaymentsLegacy.CheckSecret(secret); (err == nil) != good {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
