package transaction

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// The example of https://eips.ethereum.org/assets/eip-712/Example.js.
const mail = `{"types": {
  "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "version", "type": "string"}, {"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
  "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
  "Mail": [{"name": "from", "type": "Person"}, {"name": "to", "type": "Person"}, {"name": "contents", "type": "string"}]},
 "primaryType": "Mail",
 "domain": {"name": "Ether Mail", "version": "1", "chainId": 1, "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},
 "message": {"from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"}, "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"}, "contents": "Hello, Bob!"}}`

func TestTheExampleOfEIP712HasItsDigest(t *testing.T) {
	digest, err := TypedDigest("eip155:1", []byte(mail))
	if err != nil || hex.EncodeToString(digest[:]) != "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2" {
		t.Errorf("%x, %v", digest, err)
	}
}

func TestAPersonalMessageHasThePrefixOfEIP191(t *testing.T) {
	for message, want := range map[string]string{ // as eth_account.messages.encode_defunct and viem's hashMessage have them
		"hello world": "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68",
		"":            "5f35dce98ba4fba25530a026ed80b2cecdaa31091ba4958b99b52ea1d068adad",
	} {
		if digest := PersonalDigest([]byte(message)); hex.EncodeToString(digest[:]) != want {
			t.Errorf("%q: %x", message, digest)
		}
	}
}

func number(value string) []byte {
	return []byte(strings.NewReplacer(`"contents", "type": "string"`, `"contents", "type": "uint256"`, `"Hello, Bob!"`, value).Replace(mail))
}

func TestANumberOfTypedDataIsNeverRounded(t *testing.T) {
	const large = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	asNumber, err := TypedDigest("eip155:1", number(large))
	if err != nil {
		t.Fatal(err)
	}
	asText, err := TypedDigest("eip155:1", number(`"`+large+`"`))
	if err != nil || asNumber != asText {
		t.Errorf("%x and %x, %v", asNumber, asText, err)
	}
	if below, err := TypedDigest("eip155:1", number(large[:len(large)-1]+"4")); err != nil || below == asText {
		t.Errorf("%x, %v", below, err)
	}
	for _, value := range []string{"1.5", "1e3", "-1", large + "0", "null", "true", `""x`, "[]"} {
		if digest, err := TypedDigest("eip155:1", number(value)); err == nil {
			t.Errorf("%s has the digest %x", value, digest)
		}
	}
}

func TestTypedDataThatIsNotPlainIsRefused(t *testing.T) {
	for what, c := range map[string]struct{ old, now, field string }{
		"another chain":            {`"chainId": 1`, `"chainId": 137`, "domain.chainId"},
		"no chain":                 {`"chainId": 1, `, ``, "domain.chainId"},
		"a chain beside the types": {`, {"name": "chainId", "type": "uint256"}`, ``, ""},
		"no such type":             {`"primaryType": "Mail"`, `"primaryType": "Letter"`, "primaryType"},
		"its own domain":           {`"primaryType": "Mail"`, `"primaryType": "EIP712Domain"`, "primaryType"},
		"a value too many":         {`"contents": "Hello, Bob!"`, `"contents": "Hello, Bob!", "more": "x"`, ""},
		"a value too few":          {`, "contents": "Hello, Bob!"`, ``, ""},
		"a number for a text":      {`"Hello, Bob!"`, `5`, ""},
		"no address":               {`"0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"`, `"0xbB"`, ""},
		"a field beside":           {`"primaryType"`, `"more": 1, "primaryType"`, ""},
		"a type of itself":         {`"to", "type": "Person"`, `"to", "type": "Mail"`, ""},
	} {
		text := strings.Replace(mail, c.old, c.now, 1)
		if text == mail {
			t.Fatal(what)
		}
		digest, err := TypedDigest("eip155:1", []byte(text))
		var wrong *Error
		if err == nil || c.field != "" && (!errors.As(err, &wrong) || wrong.Field != c.field) {
			t.Errorf("%s: %x, %v", what, digest, err)
		}
	}
	for _, text := range []string{"", "null", "[]", "{}", mail + mail, strings.Replace(mail, "Hello", strings.Repeat("o", longestTyped), 1)} {
		if digest, err := TypedDigest("eip155:1", []byte(text)); err == nil {
			t.Errorf("%.20s has the digest %x", text, digest)
		}
	}
	var wrong *Error
	if _, err := TypedDigest("", []byte(mail)); !errors.As(err, &wrong) || wrong.Field != "chain" {
		t.Errorf("no chain: %v", err)
	}
}

// FuzzTypedDigest: whatever is sent, there is a digest or an error; the same text has the same digest.
func FuzzTypedDigest(f *testing.F) {
	f.Add([]byte(mail))
	f.Add(number("5"))
	f.Add([]byte(strings.ReplaceAll(mail, `"Person"`, `"Person[]"`)))
	f.Add([]byte(`{"types":{"A":[{"name":"b","type":"B"}],"B":[{"name":"a","type":"A"}]},"primaryType":"A","domain":{"chainId":"0x1"},"message":{"b":{"a":{}}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		digest, err := TypedDigest("eip155:1", text)
		if err != nil {
			return
		}
		if again, err := TypedDigest("eip155:1", text); err != nil || again != digest || !json.Valid(text) {
			t.Fatalf("%x, then %x, %v", digest, again, err)
		}
	})
}
