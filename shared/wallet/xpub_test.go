package wallet

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/base58"

	"farrier/shared/problem"
)

// The account m/44'/60'/0' of "test test test test test test test test test test test junk", the phrase of anvil and Hardhat.
const account = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"

func TestAddressesAreThoseOfOtherWallets(t *testing.T) {
	x, err := Accounts{"eip155": account}.Of("eip155:1")
	if err != nil {
		t.Fatal(err)
	}
	// As anvil prints them at its start.
	for index, want := range []string{
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
	} {
		if got, err := x.Address("eip155:1", 0, uint32(index)); err != nil || got != strings.ToLower(want) {
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
		_, err := Accounts{"eip155": given}.Of("eip155:1")
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

// BIP-84's test vector: the account and its first addresses. The xpub is the same key under BIP-32's own version.
func TestBitcoinAddressesAreThoseOfBIP84(t *testing.T) {
	const (
		zpub        = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
		bitcoinMain = "bip122:000000000019d6689c085ae165831e93"
	)
	decoded := base58.Decode(zpub)
	asXPub := append([]byte("\x04\x88\xb2\x1e"), decoded[4:78]...)
	for _, text := range []string{zpub, withChecksum(asXPub)} {
		x, err := Accounts{"bip122": text}.Of(bitcoinMain)
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range map[[2]uint32]string{
			{0, 0}: "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", {0, 1}: "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g", {1, 0}: "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el",
		} {
			if got, err := x.Address(bitcoinMain, at[0], at[1]); err != nil || got != want {
				t.Errorf("%v is %s, %v; BIP-84 has %s", at, got, err, want)
			}
		}
	}
	if _, err := (Accounts{"bip122": zpub}).Of("bip122:000000000933ea01ad0ee984209779ba"); err == nil || !strings.Contains(err.Error(), "another network") {
		t.Errorf("a key of the main network makes addresses of a test network: %v", err)
	}
	if _, err := (Accounts{"eip155": zpub}).Of("eip155:1"); err == nil {
		t.Error("a key for Bitcoin makes addresses of an EVM chain")
	}
}

func withChecksum(b []byte) string {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return base58.Encode(append(b, second[:4]...))
}

func TestEachFamilyNeedsAnAccountOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		accounts Accounts
		field    string
	}{
		"none":                 {nil, "xpub"},
		"an unknown family":    {Accounts{"eip155": account, "solana": account}, "xpubs.solana"},
		"a wrong one for TRON": {Accounts{"tron": account[:50]}, "xpubs.tron"},
		"an EVM one":           {Accounts{"eip155": account}, ""},
		"all three":            {Accounts{"eip155": account, "tron": account, "bip122": account}, ""},
	} {
		err := c.accounts.Check()
		if (err == nil) != (c.field == "") || err != nil && problem.Of(err).Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Accounts{"eip155": account}).Of("tron:0x2b6653dc"); problem.Of(err).Field != "xpubs.tron" {
		t.Errorf("an account that is not there makes addresses: %v", err)
	}
}

func TestAccountsAreAddedWhereThereAreNone(t *testing.T) {
	others := Accounts{"eip155": account}
	all, err := Accounts(nil).With(others)
	if err != nil || len(all) != 1 || all["eip155"] != account {
		t.Errorf("%v, %v", all, err)
	}
	all["eip155"] = "changed"
	if others["eip155"] != account {
		t.Error("the two share their keys")
	}
}
