package watch

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"farrier/shared/chain"
)

// FuzzLook: a message asks a chain for nothing, or for a transaction by a hash in its one spelling; whatever it is, it
// is read the same when it is sent again as it was read.
func FuzzLook(f *testing.F) {
	hash := "0x" + strings.Repeat("aB", 32)
	for _, s := range []string{
		`{"chain":"eip155:137","tx":"` + hash + `"}`, `{"chain":"eip155:137"}`, `{"chain":"eip155:137","tx":"` + hash[2:] + `"}`, `{"chain":"eip155:137","tx":"0X` + hash[2:] + `"}`,
		`{"chain":"eip155:137","tx":"` + hash + `0"}`, `{"chain":"eip155:137","tx":"0x` + strings.Repeat("K", 64) + `"}`, `{"chain":7}`, `null`, `[]`, ``, `{"CHAIN":"a","Tx":""}`, "{\"tx\":\"\xff\"}",
	} {
		f.Add(s)
	}
	forms := map[bool]*regexp.Regexp{true: regexp.MustCompile(`^(0x[0-9a-f]{64})?$`), false: regexp.MustCompile(`^((0x)?[0-9a-f]{64})?$`)} // EVM chains' or others'
	f.Fuzz(func(t *testing.T, body string) {
		var said struct{ Chain, Tx string }
		readable := json.Unmarshal([]byte(body), &said) == nil && forms[chain.ID(said.Chain).Namespace() == "eip155"].MatchString(strings.ToLower(said.Tx))
		look, err := read(body)
		if (err == nil) != readable || err == nil && (!strings.HasSuffix(strings.ToLower(said.Tx), look.Tx) || string(look.Chain) != said.Chain) {
			t.Fatalf("%q asks for %+v, %v", body, look, err)
		}
		if err != nil {
			return
		}
		sent, err := json.Marshal(look)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := read(string(sent)); err != nil || again != look {
			t.Fatalf("%q is %+v and then %+v", body, look, again)
		}
	})
}
