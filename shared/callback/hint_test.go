package callback

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const (
	txA = "0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	txB = "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func TestABodySaysWhereToLook(t *testing.T) {
	for name, c := range map[string]struct {
		settings Settings
		body     string
		want     []Hint
	}{
		"chain and transaction":          {Settings{}, `{"data":{"chain":"eip155:137","transaction":"` + txA + `"}}`, []Hint{{"eip155:137", txA}}},
		"a hash in capitals":             {Settings{}, `{"data":{"chain":"eip155:137","transaction":"0x` + strings.ToUpper(txA[2:]) + `"}}`, []Hint{{"eip155:137", txA}}},
		"transaction missing":            {Settings{}, `{"data":{"chain":"eip155:137"}}`, []Hint{{"eip155:137", ""}}},
		"transaction null":               {Settings{}, `{"data":{"chain":"eip155:137","transaction":null}}`, []Hint{{"eip155:137", ""}}},
		"transaction empty":              {Settings{}, `{"data":{"chain":"eip155:137","transaction":""}}`, []Hint{{"eip155:137", ""}}},
		"several transactions":           {Settings{}, `{"data":{"chain":"eip155:137","transaction":["` + txA + `","` + txB + `"]}}`, []Hint{{"eip155:137", txA}, {"eip155:137", txB}}},
		"a list of none":                 {Settings{}, `{"data":{"chain":"eip155:137","transaction":[]}}`, []Hint{{"eip155:137", ""}}},
		"other paths":                    {Settings{ChainPath: "net", TransactionPath: "logs.1.hash"}, `{"net":"eip155:1","logs":[{},{"hash":"` + txB + `"}]}`, []Hint{{"eip155:1", txB}}},
		"a fixed chain":                  {Settings{Chain: "eip155:10"}, `{"data":{"chain":"eip155:137","transaction":"` + txA + `"}}`, []Hint{{"eip155:10", txA}}},
		"a fixed chain and nothing else": {Settings{Chain: "eip155:10"}, `[]`, []Hint{{"eip155:10", ""}}},
		"a path that leads nowhere":      {Settings{Chain: "eip155:10", TransactionPath: "a.b.c"}, `{"a":"text"}`, []Hint{{"eip155:10", ""}}},
		"a position past the list":       {Settings{Chain: "eip155:10", TransactionPath: "a.7"}, `{"a":[]}`, []Hint{{"eip155:10", ""}}},
		"a chain of another family":      {Settings{}, `{"data":{"chain":"bip122:000000000019d6689c085ae165831e93","transaction":"AbC"}}`, []Hint{{"bip122:000000000019d6689c085ae165831e93", "AbC"}}},
		"a name that is no chain's":      {Settings{}, `{"data":{"chain":"polygon"}}`, []Hint{{"polygon", ""}}},
	} {
		notices, err := readPaths([]byte(c.body), c.settings, Keys{})
		var got []Hint
		for _, n := range notices {
			hint, _ := n.Hint()
			got = append(got, hint)
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestABodyThatSaysNothingIsUnreadable(t *testing.T) {
	for name, body := range map[string]string{
		"empty":                       "",
		"malformed":                   `{"data":`,
		"two values":                  `{"data":{"chain":"eip155:1"}} {}`,
		"not UTF-8":                   "{\"data\":{\"chain\":\"eip155:1\",\"note\":\"\xff\"}}",
		"a form":                      "data.chain=eip155:1",
		"XML":                         "<data><chain>eip155:1</chain></data>",
		"a byte order mark":           "\ufeff" + `{"data":{"chain":"eip155:1"}}`,
		"no chain":                    `{"data":{}}`,
		"the chain is a number":       `{"data":{"chain":137}}`,
		"the chain is empty":          `{"data":{"chain":""}}`,
		"the chain is long":           `{"data":{"chain":"` + strings.Repeat("x", 129) + `"}}`,
		"the data is a list":          `{"data":["eip155:1"]}`,
		"the transaction is a number": `{"data":{"chain":"eip155:1","transaction":7}}`,
		"the transaction is true":     `{"data":{"chain":"eip155:1","transaction":true}}`,
		"the transaction is no hash":  `{"data":{"chain":"eip155:1","transaction":"0x12"}}`,
		"the hash lacks its 0x":       `{"data":{"chain":"eip155:1","transaction":"` + txA[2:] + `"}}`,
		"the hash has 65 digits":      `{"data":{"chain":"eip155:1","transaction":"` + txA + `a"}}`,
		"the hash has two 0x":         `{"data":{"chain":"eip155:1","transaction":"0x0x` + txA[4:] + `"}}`,
		"a list with a number":        `{"data":{"chain":"eip155:1","transaction":["` + txA + `",7]}}`,
		"a list of too many":          `{"data":{"chain":"eip155:1","transaction":["` + strings.Repeat(`","`, 100) + `"]}}`,
		"spaces in a name":            `{"data":{"chain":"solana:x","transaction":"a b"}}`,
		"nested without end":          strings.Repeat("[", 20_000),
	} {
		hints, err := readPaths([]byte(body), Settings{}, Keys{})
		var unreadable ReadError
		if !errors.As(err, &unreadable) || hints != nil {
			t.Errorf("%s: %v, %v", name, hints, err)
		}
	}
}

func TestWhyABodyIsUnreadableRepeatsNothingOfIt(t *testing.T) {
	_, err := readPaths([]byte(`{"data":{"chain":"eip155:1","transaction":"hunter2"}}`), Settings{}, Keys{})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
}
