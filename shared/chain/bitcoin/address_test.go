package bitcoin_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/base58"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"farrier/shared/chain/bitcoin"
)

// The valid addresses of BIP-173 and BIP-350 ("Test vectors") that are of a kind that is taken, with the script that each stands for.
func TestThePublishedSegwitAddressesAreRead(t *testing.T) {
	for text, script := range map[string]string{
		"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4":                     "0014751e76e8199196d454941c45d1b3a323f1433bd6",
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7": "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262",
		"tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy": "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
		"tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433",
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
	} {
		networks := []string{mainnet}
		if strings.HasPrefix(text, "tb1") {
			networks = []string{testnet3, testnet4, signet}
		}
		for _, network := range networks {
			for _, spelling := range []string{text, strings.ToLower(text), strings.ToUpper(text)} {
				if got, err := bitcoin.ParseAddress(network, spelling); err != nil || got != strings.ToLower(text) {
					t.Errorf("%s on %s: %q, %v", spelling, network, got, err)
				}
			}
			n, _ := bitcoin.NetworkOf(network)
			if got, ok := n.Paid(unhex(t, script)); !ok || got != strings.ToLower(text) {
				t.Errorf("the script %s pays %q, want %s", script, got, text)
			}
		}
	}
}

// The texts of BIP-173 and BIP-350 that are valid bech32 or bech32m and no address, that are invalid, and valid addresses
// of witness versions that the network does not know yet: money sent there is anybody's.
func TestThePublishedFaultsAreRefused(t *testing.T) {
	for text, want := range map[string]error{
		// BIP-350
		"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": bitcoin.ErrKind, // 40 bytes
		"BC1SW50QGDZ25J":                       bitcoin.ErrKind, // version 16
		"bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": bitcoin.ErrKind, // version 2
		"tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut": bitcoin.ErrAddress,  // prefix of nobody
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd": bitcoin.ErrEncoding, // bech32 instead of bech32m
		"tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf": bitcoin.ErrEncoding, // the same
		"BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL": bitcoin.ErrEncoding, // the same
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh":                     bitcoin.ErrEncoding, // bech32m instead of bech32
		"tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47": bitcoin.ErrEncoding, // the same
		"bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4": bitcoin.ErrAddress,  // a character that bech32 has not
		"BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R": bitcoin.ErrAddress,  // witness version 17
		"bc1pw5dgrnzv": bitcoin.ErrKind, // 1 byte
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav": bitcoin.ErrKind,    // 41 bytes
		"BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P":                                         bitcoin.ErrKind,    // 16 bytes
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq":               bitcoin.ErrCase,    // mixed case
		"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf":             bitcoin.ErrAddress, // padding of more than 4 bits
		"tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j":               bitcoin.ErrAddress, // padding that is not zero
		"bc1gmk9yu": bitcoin.ErrAddress, // no data
		"A1LQFN3A":  bitcoin.ErrAddress, // bech32m, and no address
		"?1v759aa":  bitcoin.ErrAddress, // the same
		"11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8": bitcoin.ErrAddress,
		// BIP-173
		"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx": bitcoin.ErrEncoding, // valid before BIP-350
		"BC1SW50QA3JX3S":                             bitcoin.ErrEncoding, // the same
		"bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj":       bitcoin.ErrEncoding, // the same
		"tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty": bitcoin.ErrAddress,
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5": bitcoin.ErrChecksum,
		"BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2": bitcoin.ErrAddress,
		"bc1rw5uspcuh":                               bitcoin.ErrEncoding,
		"bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90":                bitcoin.ErrEncoding,
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7":                              bitcoin.ErrCase,
		"bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du":                                                       bitcoin.ErrAddress,
		"tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv":                              bitcoin.ErrAddress,
		"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx": bitcoin.ErrAddress,
		"pzry9x0s0muk": bitcoin.ErrAddress, "1pzry9x0s0muk": bitcoin.ErrAddress, "x1b4n0q5v": bitcoin.ErrAddress, "li1dgmt3": bitcoin.ErrAddress,
		"de1lg7wt\xff": bitcoin.ErrAddress, "A1G7SGD8": bitcoin.ErrAddress, "10a06t8": bitcoin.ErrAddress, "1qzzfhee": bitcoin.ErrAddress,
		"\x201nwldj5": bitcoin.ErrAddress, "\x7f1axkwrx": bitcoin.ErrAddress, "\x801eym55h": bitcoin.ErrAddress,
		// others'
		"": bitcoin.ErrAddress, "hello": bitcoin.ErrAddress, strings.Repeat("1", 10_000): bitcoin.ErrAddress, " BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": bitcoin.ErrAddress,
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266": bitcoin.ErrAddress, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": bitcoin.ErrAddress, // Ethereum, TRON
		"175tWpb8K1S7NmH4Zx6rewF9WQrcZv245X": bitcoin.ErrChecksum, "175tWpb8K1S7NmH4Zx6rewF9WQrcZv2450": bitcoin.ErrAddress,
		"bc1pfeessrawgf": bitcoin.ErrKind, // pay to anchor: anybody may spend it
	} {
		network := mainnet
		if strings.HasPrefix(text, "tb1") {
			network = testnet3
		}
		if got, err := bitcoin.ParseAddress(network, text); !errors.Is(err, want) || got != "" {
			t.Errorf("%.100q: %q, %v; want %v", text, got, err, want)
		}
	}
}

func TestAnAddressOfAnotherNetworkIsToldWhereItBelongs(t *testing.T) {
	key, err := btcec.ParsePubKey(unhex(t, "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"))
	if err != nil {
		t.Fatal(err)
	}
	for of, p := range parameters {
		script, err := btcutil.NewAddressScriptHash([]byte{txscript.OP_TRUE}, p)
		if err != nil {
			t.Fatal(err)
		}
		old, err := btcutil.NewAddressPubKeyHash(btcutil.Hash160(key.SerializeCompressed()), p)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := bitcoin.NetworkOf(of)
		for _, address := range []string{bitcoin.AddressOf(of, key.SerializeCompressed()), script.EncodeAddress(), old.EncodeAddress()} {
			for on := range parameters {
				got, err := bitcoin.ParseAddress(on, address)
				decoded, judge := btcutil.DecodeAddress(address, parameters[on])
				if belongs := judge == nil && decoded.IsForNet(parameters[on]); belongs {
					if err != nil || got != address {
						t.Errorf("%s on %s: %q, %v", address, on, got, err)
					}
					continue
				}
				var other *bitcoin.NetworkError
				if !errors.As(err, &other) || !strings.Contains(err.Error(), name.Name) || strings.Contains(err.Error(), address) {
					t.Errorf("%s of %s on %s: %q, %v", address, name.Name, on, got, err)
				}
			}
		}
	}
	if _, err := bitcoin.ParseAddress("nowhere", bitcoin.AddressOf(mainnet, key.SerializeCompressed())); err == nil {
		t.Error("an address is taken on a network that is not known")
	}
}

// A P2PKH or P2SH address of simnet may look like the beginning of a bech32 one.
func TestABase58AddressThatBeginsLikeBech32IsRead(t *testing.T) {
	found := map[string]bool{}
	for _, first := range []byte{chaincfg.SimNetParams.PubKeyHashAddrID, chaincfg.SimNetParams.ScriptHashAddrID} {
		for high := range 256 {
			for low := 0; low < 256; low++ {
				hash := make([]byte, 20)
				hash[0], hash[1] = byte(high), byte(low)
				address := base58.CheckEncode(hash, first)
				if !strings.HasPrefix(strings.ToLower(address), "sb1") {
					continue
				}
				found[address[:3]] = true
				if got, err := bitcoin.ParseAddress(simnet, address); err != nil || got != address {
					t.Fatalf("%s: %q, %v", address, got, err)
				}
			}
		}
	}
	if len(found) == 0 {
		t.Error("none begins so")
	}
}

// BIP-84, "Test vectors": the account's key there, and what comes of it.
func TestAddressesAreDerivedAsBIP84Says(t *testing.T) {
	const account = "zprvAdG4iTXWBoARxkkzNpNh8r6Qag3irQB8PzEMkAFeTRXxHpbF9z4QgEvBRmfvqWvGp42t42nvgGpNgYSJA9iefm1yYNZKEm7z6qUWCroSQnE"
	chaincfg.RegisterHDKeyID([]byte{0x04, 0xb2, 0x47, 0x46}, []byte{0x04, 0xb2, 0x43, 0x0c}) //nolint:errcheck // SLIP-132
	root, err := hdkeychain.NewKeyFromString(account)
	if err != nil {
		t.Fatal(err)
	}
	public, err := root.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[[2]uint32]string{
		{0, 0}: "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", {0, 1}: "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g", {1, 0}: "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el",
	} {
		if got := bitcoin.AddressOf(mainnet, derived(t, public, path[:]...)); got != want {
			t.Errorf("%v is %s, want %s", path, got, want)
		}
	}
}

func derived(t *testing.T, key *hdkeychain.ExtendedKey, path ...uint32) []byte {
	t.Helper()
	for _, step := range path {
		var err error
		if key, err = key.Derive(step); err != nil {
			t.Fatal(err)
		}
	}
	public, err := key.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	return public.SerializeCompressed()
}

// Every script that txscript can make, and some that look like one.
func TestAScriptIsReadAsTxscriptReadsIt(t *testing.T) {
	n, _ := bitcoin.NetworkOf(mainnet)
	hash20, hash32 := strings.Repeat("11", 20), strings.Repeat("22", 32)
	key := "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	for script, what := range map[string]string{
		"0014" + hash20: "P2WPKH", "0020" + hash32: "P2WSH", "5120" + key[2:]: "P2TR", "76a914" + hash20 + "88ac": "P2PKH", "a914" + hash20 + "87": "P2SH",
		"21" + key + "ac": "", "6a0568656c6c6f": "", "5121" + key + "51ae": "", "": "", "6a": "", "51": "", "51024e73": "", // P2PK, OP_RETURN, multisig, P2A
		"5220" + hash32: "", "6020" + hash32: "", "0014" + hash20 + "00": "", "0015" + hash20 + "11": "", "0020" + hash20: "", "5114" + hash20: "",
		"76a914" + hash20 + "88": "", "76a914" + hash20 + "87ac": "", "a914" + hash20 + "88": "", "4c14" + hash20: "",
	} {
		b := unhex(t, script)
		address, ok := n.Paid(b)
		_, told, _, err := txscript.ExtractPkScriptAddrs(b, &chaincfg.MainNetParams)
		class := txscript.GetScriptClass(b)
		judged := ""
		if err == nil && len(told) == 1 && class != txscript.PubKeyTy && class != txscript.MultiSigTy {
			judged = told[0].EncodeAddress()
		}
		if ok != (what != "") || address != judged {
			t.Errorf("%s (%s) pays %q, by txscript %q (%s)", script, what, address, judged, class)
		}
		if ok {
			if back, err := bitcoin.ParseAddress(mainnet, address); err != nil || back != address {
				t.Errorf("%s: %q, %v", address, back, err)
			}
		}
	}
}

// independent is what bitcoinjs-lib, bip32 and bip21 made; testdata/judge.mjs says how.
type independent struct {
	Addresses []struct {
		Network, Account, Path, Address string
		Branch, Index                   uint32
	}
	URIs []struct{ Address, Satoshis, Label, Message, URI string }
}

func judgement(t *testing.T) (made independent) {
	t.Helper()
	text, err := os.ReadFile("testdata/bitcoinjs.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &made); err != nil || len(made.Addresses) < 10 || len(made.URIs) < 10 {
		t.Fatalf("%d addresses, %d URIs, %v", len(made.Addresses), len(made.URIs), err)
	}
	return made
}

func TestAddressesAreThoseOfAnIndependentLibrary(t *testing.T) {
	for _, v := range judgement(t).Addresses {
		account, err := hdkeychain.NewKeyFromString(v.Account)
		if err != nil {
			t.Fatal(err)
		}
		if got := bitcoin.AddressOf(v.Network, derived(t, account, v.Branch, v.Index)); got != v.Address {
			t.Errorf("%s on %s is %s, by bitcoinjs-lib %s", v.Path, v.Network, got, v.Address)
		}
		if got, err := bitcoin.ParseAddress(v.Network, strings.ToUpper(v.Address)); err != nil || got != v.Address {
			t.Errorf("%s: %q, %v", v.Address, got, err)
		}
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
