package evm_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"farrier/shared/chain/evm"
)

// The vectors of https://eips.ethereum.org/EIPS/eip-55.
var eip55 = []string{
	"0x52908400098527886E0F7030069857D2E4169EE7", // all capitals
	"0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77", // all lower case
	"0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
	"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
}

func TestTheVectorsOfEIP55AreSpeltAsPublished(t *testing.T) {
	for _, want := range eip55 {
		if got := evm.Checksum(strings.ToLower(want)); got != want {
			t.Errorf("Checksum = %s, want %s", got, want)
		}
	}
}

func TestAnAddressHasOneCanonicalSpelling(t *testing.T) {
	for _, s := range eip55 {
		lower := strings.ToLower(s)
		for _, spelling := range []string{s, lower, "0x" + strings.ToUpper(s[2:])} {
			if got, err := evm.ParseAddress(spelling); err != nil || got != lower {
				t.Errorf("ParseAddress(%s) = %s, %v; want %s", spelling, got, err, lower)
			}
		}
	}
}

func TestAMistypedAddressIsRefused(t *testing.T) {
	for _, s := range []string{
		"", "0x", "0x0", "hello",
		"5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",     // without 0x
		"0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",   // with 0X
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",    // too short
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",  // too long
		"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",   // one letter in the wrong case
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee",   // one digit wrong under a checksum
		"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",   // not hex
		" 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",  // a space
		"0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea\xff", // not UTF-8
		"XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS",           // ICAP
	} {
		if got, err := evm.ParseAddress(s); err == nil {
			t.Errorf("ParseAddress(%q) = %s, want an error", s, got)
		}
	}
}

// The published vectors are the first two accounts of the well-known mnemonic "test test … junk"
// (https://hardhat.org/hardhat-network/docs/reference#accounts), whose public keys follow from their
// published private keys, and the key of Mastering Ethereum, chapter 4.
func TestAnAddressFollowsFromItsPublicKey(t *testing.T) {
	for key, want := range map[string]string{
		"048318535b54105d4a7aae60c08fc45f9687181b4fdfc625bd1a753fa7397fed753547f11ca8696646f2f3acb08e31016afac23e630c5d11f59f61fef57b0d2aa5": "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
		"046e145ccef1033dea239875dd00dfb4fee6e3348b84985c92f103444683bae07b83b5c38e5e2b0c8529d7fa3f64d46daa1ece2d9ac14cab9477d042c84c32ccd0": "0x001d3f1ef827552ae1114027bd3ecf1f086ba0f9",
	} {
		b, err := hex.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		if got := evm.AddressOf(b); got != want {
			t.Errorf("AddressOf = %s, want %s", got, want)
		}
		if got := evm.AddressOf(b[1:]); got != want {
			t.Errorf("AddressOf without 0x04 = %s, want %s", got, want)
		}
	}
}
