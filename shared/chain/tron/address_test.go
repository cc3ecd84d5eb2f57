package tron_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"farrier/shared/chain/tron"
)

// Addresses in both spellings as others have published them (read on 2026-11-29).
var published = map[string]string{
	"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", // USDT, https://tether.to/en/supported-protocols and the logs of any explorer
	"TBhCfAytTEh52WFL6HYr64i2nmc3u3TCUp": "0x12e94f5a3c88b17d2f6e0b9a45cd310f8e7a6d29", // https://tronprotocol.github.io/documentation-en/clients/wallet-cli/typescript/commands/encoding/convert/
	"TQHgMpVzWkhSsRB4BzZgmV8uW4cFL8eaBr": "0x9d1015e669c2df831003c5c54ceb48da613d9979", // https://metacpan.org/pod/CryptoTron::AddrTools
	"T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb": "0x0000000000000000000000000000000000000000", // the "black hole", by tronweb 6.5.1
}

func TestPublishedAddressesAreReadAndWritten(t *testing.T) {
	for text, account := range published {
		if got, err := tron.ParseAddress(text); err != nil || got != text {
			t.Errorf("ParseAddress(%s) = %s, %v", text, got, err)
		}
		if got, err := tron.Hex(text); err != nil || got != account {
			t.Errorf("Hex(%s) = %s, %v", text, got, err)
		}
		for _, spelling := range []string{account, "0x" + strings.ToUpper(account[2:]), "41" + account[2:]} {
			if got, err := tron.FromHex(spelling); err != nil || got != text {
				t.Errorf("FromHex(%s) = %s, %v", spelling, got, err)
			}
		}
	}
}

func TestAddressesAreThoseOfTronWeb(t *testing.T) {
	var judge struct {
		Made []struct{ Path, PublicKey, Hex, Address string }
	}
	text, err := os.ReadFile("testdata/derived.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &judge); err != nil || len(judge.Made) != 10 {
		t.Fatal(len(judge.Made), err)
	}
	for _, made := range judge.Made {
		b, err := hex.DecodeString(made.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		key, err := btcec.ParsePubKey(b)
		if err != nil {
			t.Fatal(err)
		}
		if got := tron.AddressOf(key.SerializeUncompressed()); got != made.Address {
			t.Errorf("%s: AddressOf = %s, tronweb says %s", made.Path, got, made.Address)
		}
		if got, err := tron.FromHex(made.Hex); err != nil || got != made.Address {
			t.Errorf("%s: FromHex = %s, %v, tronweb says %s", made.Path, got, err, made.Address)
		}
	}
}

func TestAMistypedOrForeignAddressIsRefusedWithAWordOnWhy(t *testing.T) {
	for _, c := range []struct{ text, why string }{
		{"", "TRON address"}, {"T", "TRON address"}, {"hello", "TRON address"},
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u", "checksum"},                                      // the last letter
		{"tR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "checksum"},                                      // the case of a letter
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", "TRON address"},                                   // too short
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6tt", "TRON address"},                                 // too long
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj60", "TRON address"},                                  // no digit of base58
		{" TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TRON address"},                                 // a space
		{"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6\xff", "TRON address"},                               // not UTF-8
		{"0xa614f803b6fd780986a42c78ec9c7f77e6ded13c", "EVM"},                                   // the same account on an EVM chain
		{"0Xa614f803b6fd780986a42c78ec9c7f77e6ded13c", "EVM"},                                   //
		{"41a614f803b6fd780986a42c78ec9c7f77e6ded13c", "TRON address"},                          // the HTTP API's spelling: it has no checksum
		{"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "another network"},                               // bitcoin
		{"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "another network"},                               // bitcoin, P2SH
		{"27Tcm3Nm7CFh3BWzbKhcnGqGZ3k5JJqGJ9X", "TRON address"},                                 // the old test network's form with a wrong checksum
		{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "TRON address"},                          // bitcoin, segwit
		{"5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", "another network"},              // a private key in WIF (published: https://en.bitcoin.it/wiki/Wallet_import_format)
		{strings.Repeat("1", 1<<20), "TRON address"}, {strings.Repeat("z", 65), "TRON address"}, // as long as anybody likes
	} {
		got, err := tron.ParseAddress(c.text)
		if got != "" || !errors.Is(err, tron.ErrAddress) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("ParseAddress(%.50q) = %q, %v; want an error that says %q", c.text, got, err, c.why)
		}
	}
}

func TestANodesSpellingOfAnAccountIsReadWholeOrRefused(t *testing.T) {
	for _, text := range []string{
		"", "0x", "41", "0xa614f803b6fd780986a42c78ec9c7f77e6ded1", "0xa614f803b6fd780986a42c78ec9c7f77e6ded13c00", "0xg614f803b6fd780986a42c78ec9c7f77e6ded13c",
		"a614f803b6fd780986a42c78ec9c7f77e6ded13c", "0x41a614f803b6fd780986a42c78ec9c7f77e6ded13c", "a0a614f803b6fd780986a42c78ec9c7f77e6ded13c",
		"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
	} {
		if got, err := tron.FromHex(text); err == nil {
			t.Errorf("FromHex(%q) = %s, want an error", text, got)
		}
	}
	if got, err := tron.Hex("0xa614f803b6fd780986a42c78ec9c7f77e6ded13c"); err == nil {
		t.Errorf("Hex = %s of what is no canonical address", got)
	}
}
