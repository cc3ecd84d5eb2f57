package merchant

import (
	"strings"
	"testing"

	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// FuzzKeyText: a bearer token is looked up only where it has a key's whole form, and then by ids that a table can be asked for.
func FuzzKeyText(f *testing.F) {
	whole := "fk_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_" + strings.Repeat("A", 43)
	for _, s := range []string{whole, whole + "A", whole[1:], strings.ToLower(whole), strings.Replace(whole, "_0", "_8", 1), strings.Replace(whole, "M_", "Mx", 1), "fk_op_" + strings.Repeat("x", 43), strings.Repeat("_", textLength), "", "fk_"} {
		f.Add(s)
	}
	door := Door{OperatorKeyHash: hashOf("fk_op_for_tests")}
	f.Fuzz(func(t *testing.T, token string) {
		merchant, key, ok := idsIn(token)
		if ok {
			if !id.Valid("mer", merchant) || !id.Valid("key", key) || len(token) != textLength || !strings.HasPrefix(token, "fk_"+merchant[4:]+"_"+key[4:]+"_") {
				t.Fatalf("%q is %q of %q", token, key, merchant)
			}
			return
		}
		caller, err := door.Authenticate(t.Context(), token) // without a table: none is asked
		if operator := token == "fk_op_for_tests"; operator != (err == nil) || operator != caller.Operator {
			t.Fatalf("%q: %+v, %v", token, caller, err)
		}
		if err != nil && (!problem.Is(err, problem.Unauthorized) || len(token) > 20 && strings.Contains(err.Error(), token)) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}

// FuzzRequest: a merchant is refused by a field's name without a word of it, or has a name that can be printed in one line.
func FuzzRequest(f *testing.F) {
	f.Add("Shop", xpub, 1)
	f.Add("馬蹄 é", xpub, 64)
	f.Add("", xpub, 0)
	f.Add("a\nb", xprv, -1)
	f.Add("\u202e", xpub, 65)
	f.Add("\xff", xpub+"x", 1)
	f.Fuzz(func(t *testing.T, name, key string, shards int) {
		err := Request{Name: name, Accounts: wallet.Accounts{"eip155": key}, Shards: shards}.check()
		if err == nil {
			if name == "" || len(name) > 4*MaxName || strings.ContainsAny(name, "\n\r\t\x00\x1b") || key[:4] != "xpub" || shards < 1 || shards > MaxShards {
				t.Fatalf("%q, %q, %d pass", name, key, shards)
			}
			return
		}
		p := problem.Of(err)
		if p.Code != problem.Invalid || p.Field != "name" && p.Field != "xpub" && p.Field != "shards" {
			t.Fatalf("%q, %q, %d: %v", name, key, shards, err)
		}
		for _, sent := range []string{name, key} {
			if len(sent) > 20 && strings.Contains(err.Error(), sent) {
				t.Fatalf("the error repeats %q", sent)
			}
		}
	})
}
