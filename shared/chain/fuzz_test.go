package chain

import (
	"regexp"
	"strings"
	"testing"

	"farrier/shared/money"
)

// FuzzParseSet: whatever the parameter Chains holds, it is refused with a word on where, or every chain in it can be
// watched and every asset of it has the one name that the API and the watcher both know.
func FuzzParseSet(f *testing.F) {
	coin := `{"symbol":"POL","decimals":18,"coin_type":966}`
	for _, s := range []string{
		one(coin, `{"tag":"finalized"}`, tether), one(coin, `{"depth":20}`, tether), one(`{}`, `{"tag":"safe"}`, tether+","+strings.ToUpper(tether)),
		strings.Replace(one(coin, `{"depth":3}`, tether), "2s", "-2s", 1), strings.Replace(one(coin, `{"depth":3}`, tether), `"2s"`, "2", 1),
		one(coin, `{"depth":-3}`, tether), one(coin, `{"depth":1e3}`, tether), one(coin, `{"depth":18446744073709551615}`, tether),
		one(`{"symbol":"POL","decimals":256}`, `{"depth":3}`, ""), one(`{"symbol":"POL","decimals":-1}`, `{"depth":3}`, ""), one(`{"symbol":"POL","decimals":1.5}`, `{"depth":3}`, ""),
		`[]`, `null`, `{}`, `[null]`, `[[]]`, `[`, ``, `[{"id":"eip155:137"},{"id":"eip155:137"}]`,
	} {
		f.Add(s)
	}
	id, address := regexp.MustCompile(`^eip155:[1-9][0-9]*$`), regexp.MustCompile(`^0x[0-9a-f]{40}$`)
	f.Fuzz(func(t *testing.T, text string) {
		set, err := ParseSet(text)
		if err != nil {
			if set != nil || !strings.HasPrefix(err.Error(), "chains: ") {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		offered := 0
		for _, c := range set.Chains() {
			if found, ok := set.Chain(c.ID); !ok || found.ID != c.ID || !id.MatchString(string(c.ID)) {
				t.Fatalf("%q: the chain %q", text, c.ID)
			}
			if c.BlockTime <= 0 || (c.Finality.Tag == "") == (c.Finality.Depth == 0) || c.Finality.Tag != "" && c.Finality.Tag != "finalized" && c.Finality.Tag != "safe" {
				t.Fatalf("%q: %+v", text, c)
			}
			assets := map[money.Asset]int{}
			if !c.Native.Ignore {
				assets[c.NativeAsset()] = c.Native.Decimals
			}
			for _, token := range c.Tokens {
				if !address.MatchString(token.Address) {
					t.Fatalf("%q: the address %q", text, token.Address)
				}
				assets[c.TokenAsset(token.Address)] = token.Decimals
			}
			offered += len(assets)
			for name, decimals := range assets {
				a, ok := set.Asset(name)
				if !ok || a.ID != name || a.Chain != c.ID || name.Chain() != string(c.ID) || a.Decimals != decimals || decimals < 0 || decimals > money.MaxDecimals || a.Symbol == "" {
					t.Fatalf("%q: %s is %+v", text, name, a)
				}
				if again, err := money.ParseAsset(string(name)); err != nil || again != name {
					t.Fatalf("%q: %q is asked for as %q, %v", text, name, again, err)
				}
			}
		}
		if offered != len(set.assets) {
			t.Fatalf("%q: %d assets are watched, %d offered", text, offered, len(set.assets))
		}
	})
}
