package family

import (
	"strings"
	"testing"

	"farrier/shared/chain"
)

const (
	bitcoinMain = chain.ID("bip122:000000000019d6689c085ae165831e93")
	simnet      = chain.ID("bip122:683e86bd5c6d110d91b94b97137ba6bf")
	tronMain    = chain.ID("tron:0x2b6653dc")
)

// One key, as three families write its address: private key 1 (its public key is secp256k1's generator). The EVM chains'
// is known from many places, Bitcoin's from BIP-173, TRON's is the EVM chains' 20 bytes in base58check.
var generator = map[chain.ID]string{
	"eip155:1":  "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
	bitcoinMain: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	tronMain:    "TMVQGm1qAQYVdetCeGRRkTWYYrLXuHK2HC",
}

func TestAnAddressIsReadByItsOwnFamilyAlone(t *testing.T) {
	for id, address := range generator {
		namespace, canonical, ok := Read(address)
		if !ok || namespace != id.Namespace() || canonical != address {
			t.Errorf("%s is read as %s %s, %v", address, namespace, canonical, ok)
		}
		for other := range generator {
			f, known := Of(other)
			if !known {
				t.Fatalf("%s has no family", other)
			}
			if _, err := f.ParseAddress(other, address); (err == nil) != (other == id) {
				t.Errorf("%s on %s: %v", address, other, err)
			}
		}
	}
	for _, text := range []string{"", "0x", "0x7E5f4552091a69125d5dfcb7b8c2659029395bdf", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "TMVQGm1qAQYVdetCeGRRkTWYYrLXuHK2HD", "xpub", strings.Repeat("1", 500), "\xff"} {
		if namespace, canonical, ok := Read(text); ok {
			t.Errorf("%q is read as %s %s", text, namespace, canonical)
		}
	}
}

func TestATransactionHasOneSpelling(t *testing.T) {
	digits := strings.Repeat("aB", 32)
	for id, want := range map[chain.ID]string{"eip155:1": "0x" + strings.ToLower(digits), bitcoinMain: strings.ToLower(digits), tronMain: strings.ToLower(digits)} {
		f, _ := Of(id)
		for text, fits := range map[string]bool{
			"0x" + digits: true, "0X" + digits: true, digits: id.Namespace() != "eip155",
			digits[1:]: false, digits + "0": false, "": false, "0x": false, strings.Repeat("g", 64): false,
		} {
			got, err := f.Tx(text)
			if (err == nil) != fits || fits && got != want {
				t.Errorf("%s: %q is %q, %v", id, text, got, err)
			}
		}
	}
}

func TestPeopleAreShownAnAddressWithItsChecksum(t *testing.T) {
	for id, want := range map[chain.ID]string{
		"eip155:137": "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", bitcoinMain: generator[bitcoinMain], tronMain: generator[tronMain],
	} {
		address := generator[id]
		if id == "eip155:137" {
			address = generator["eip155:1"]
		}
		if got := Show(id, address); got != want {
			t.Errorf("%s is shown as %s", address, got)
		}
	}
}
