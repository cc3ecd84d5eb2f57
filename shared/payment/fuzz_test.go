package payment

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// FuzzRequest: a request is refused by the name of a field that it has and without a word of what it holds, or it
// asks for a whole positive number of units that the payment shows as it was asked for, in no more bytes than the limits promise.
func FuzzRequest(f *testing.F) {
	assets, err := chain.ParseSet(`[{"id":"eip155:137","native":{"symbol":"POL","decimals":18,"coin_type":966},"block_time":"2s","finality":{"tag":"finalized"},
		"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132D05D31c914a87C6611C10748AEb04B58e8F"},{"symbol":"ODD","decimals":255,"address":"0x0000000000000000000000000000000000000001"}]}]`)
	if err != nil {
		f.Fatal(err)
	}
	const usdt, odd = "eip155:137/erc20:0xc2132D05D31c914a87C6611C10748AEb04B58e8F", "eip155:137/erc20:0x0000000000000000000000000000000000000001"
	f.Add(usdt, "10.50", "order-1", int64(600), "customer", "c-77")
	f.Add(odd, "0."+strings.Repeat("0", 254)+"1", "o", int64(0), "", "")
	f.Add("eip155:137/slip44:966", "115792089237316195423570985008687907853269984665640564039457.584007913129639935", strings.Repeat("馬", 128), int64(60), strings.Repeat("k", 40), strings.Repeat("v", 200))
	f.Add("eip155:137/slip44:60", "1", "r", int64(-1), "\x00", "\xff")
	f.Add(usdt, "0.00", "r", int64(600), "", "")
	f.Add(usdt, "1e3", "r\n", int64(2592001), "k", "v")
	f.Add(usdt, "0.0000001", "\u202e", int64(1)<<62, "k", "")
	f.Add(usdt, "1", strings.Repeat("\U0001F40E", 128), int64(600), "k", strings.Repeat("v", 200))
	s := Store{Assets: assets}
	now := time.Date(2026, 11, 20, 12, 0, 0, 999e6, time.UTC)
	f.Fuzz(func(t *testing.T, asset, amount, reference string, expires int64, key, value string) {
		r := Request{Merchant: "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", Asset: asset, Amount: amount, Reference: reference, ExpiresIn: expires}
		if key != "" || value != "" {
			r.Metadata = map[string]string{key: value}
		}
		p, err := s.asked(r)
		if err != nil {
			named := problem.Of(err)
			place, _, _ := strings.Cut(named.Field, ".")
			if named.Code != problem.Invalid || !slices.Contains([]string{"asset", "amount", "reference", "expires_in", "metadata"}, place) {
				t.Fatalf("%+v: %v", r, err)
			}
			for _, sent := range []string{asset, amount, reference, value} {
				if len(sent) > 20 && strings.Contains(named.Detail, sent) {
					t.Fatalf("%v repeats %q", err, sent)
				}
			}
			return
		}
		p = p.at(wallet.Address{Payment: "pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", Address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", CreatedAt: now})
		configured, ok := assets.Asset(p.Asset)
		if !ok || !strings.EqualFold(asset, string(p.Asset)) || p.Decimals != configured.Decimals || p.Amount.Sign() <= 0 || p.Amount.Big().BitLen() > 256 {
			t.Fatalf("%+v asks for %s of %s", r, p.Amount, p.Asset)
		}
		view := p.View(now)
		if back, err := money.ParseDecimal(view.Amount, p.Decimals); err != nil || back.Cmp(p.Amount) != 0 || view.AmountUnits != p.Amount.String() || view.Status != Waiting {
			t.Fatalf("%+v is shown as %+v", r, view)
		}
		if asked := p.ExpiresAt.Sub(p.CreatedAt); asked < MinExpiry || asked > MaxExpiry || expires != 0 && asked != time.Duration(expires)*time.Second {
			t.Fatalf("%+v expires after %v", r, asked)
		}
		if !maps.Equal(view.Metadata, r.Metadata) || view.Reference != reference {
			t.Fatalf("%+v is shown as %+v", r, view)
		}
		beyond := max(len(reference)-MaxReference, 0) + max(len(view.AmountUnits)-19, 0) // see the limits
		if n := parts.ItemSize(p); n > 1024+beyond {
			t.Fatalf("%+v takes %d bytes", r, n)
		}
	})
}
