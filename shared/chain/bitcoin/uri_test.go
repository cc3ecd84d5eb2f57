package bitcoin_test

import (
	"net/url"
	"testing"

	"farrier/shared/chain/bitcoin"
	"farrier/shared/money"
)

// The first four are the examples of BIP-21 (https://bips.dev/21).
func TestPaymentURIsFollowBIP21(t *testing.T) {
	const to = "175tWpb8K1S7NmH4Zx6rewF9WQrcZv245W"
	const bitcoins = 100_000_000
	for want, r := range map[string]bitcoin.Request{
		"bitcoin:" + to:                                {Address: to},
		"bitcoin:" + to + "?label=Luke-Jr":             {Address: to, Label: "Luke-Jr"},
		"bitcoin:" + to + "?amount=20.3&label=Luke-Jr": {Address: to, Label: "Luke-Jr", Amount: money.Units(2030 * bitcoins / 100)},
		"bitcoin:" + to + "?amount=50&label=Luke-Jr&message=Donation%20for%20project%20xyz": {Address: to, Label: "Luke-Jr", Message: "Donation for project xyz", Amount: money.Units(50 * bitcoins)},

		"bitcoin:bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu?amount=0.00000001":                     {Address: "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", Amount: money.Units(1)},
		"bitcoin:" + to + "?amount=20999999.9769":                                                  {Address: to, Amount: money.Units(20999999_97690000)},
		"bitcoin:" + to + "?amount=100":                                                            {Address: to, Amount: money.Units(100 * bitcoins)},
		"bitcoin:" + to + "?amount=0.1&message=%E9%A9%AC%E8%B9%84%20%26%20a%3Db%3F%2B%23%25%2F%22": {Address: to, Amount: money.Units(bitcoins / 10), Message: `马蹄 & a=b?+#%/"`},
	} {
		got := bitcoin.PaymentURI(r)
		if got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "bitcoin" || u.Opaque != r.Address || u.Query().Get("label") != r.Label || u.Query().Get("message") != r.Message {
			t.Errorf("%s is read as %+v, %v", got, u, err)
		}
	}
	if got := bitcoin.PaymentURI(bitcoin.Request{Address: to, Amount: money.Units(-5)}); got != "bitcoin:"+to {
		t.Errorf("an amount that cannot be: %s", got)
	}
}

func TestPaymentURIsAreThoseOfAnIndependentLibrary(t *testing.T) {
	for _, v := range judgement(t).URIs {
		amount, err := money.ParseUnits(v.Satoshis)
		if err != nil {
			t.Fatal(err)
		}
		if got := bitcoin.PaymentURI(bitcoin.Request{Address: v.Address, Amount: amount, Label: v.Label, Message: v.Message}); got != v.URI {
			t.Errorf("\n got %s\nwant %s", got, v.URI)
		}
	}
}
