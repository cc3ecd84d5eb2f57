package wallet

import (
	"strings"
	"testing"

	"farrier/shared/problem"
)

// The account m/44'/60'/0' of "test test test test test test test test test test test junk", the phrase of anvil and Hardhat.
const account = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"

func TestAddressesAreThoseOfOtherWallets(t *testing.T) {
	x, err := ParseXPub(account)
	if err != nil {
		t.Fatal(err)
	}
	// As anvil prints them at its start.
	for index, want := range []string{
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
	} {
		if got, err := x.Address(0, uint32(index)); err != nil || got != strings.ToLower(want) {
			t.Errorf("0/%d is %s, %v; want %s", index, got, err, want)
		}
	}
}

func TestOnlyAnAccountsExtendedPublicKeyIsTaken(t *testing.T) {
	// BIP-32, test vector 1.
	const (
		masterPrivate = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
		masterPublic  = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
	)
	for name, given := range map[string]string{
		"an extended private key": masterPrivate, "a truncated private key": masterPrivate[:60], "a master key": masterPublic,
		"a wrong checksum": account[:len(account)-1] + "Q", "nothing": "", "an address": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		"something long": strings.Repeat("x", 5000), "bytes": "\xff\x00",
	} {
		_, err := ParseXPub(given)
		p := problem.Of(err)
		if err == nil || p.Field != "xpub" {
			t.Errorf("%s: %v", name, err)
		}
		if len(given) > 20 && strings.Contains(err.Error(), given[:20]) {
			t.Errorf("%s is repeated in the error", name)
		}
		if strings.HasPrefix(given, "xprv") && !strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v does not say what it is", name, err)
		}
	}
}
