package custody

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"pgregory.net/rapid"

	"farrier/shared/chain"
	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/family"
	"farrier/shared/chain/tron"
	"farrier/shared/parts"
	"farrier/shared/wallet"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheListOfWordsIsThatOfBIP39(t *testing.T) {
	sum := sha256.Sum256([]byte(english))
	if len(words) != 2048 || hex.EncodeToString(sum[:]) != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("%d words, %x", len(words), sum)
	}
}

// Of https://github.com/trezor/python-mnemonic/blob/master/vectors.json, those of 24 words: entropy, words. Their seeds have
// the passphrase "TREZOR"; ours have none, and are compared by the judge.
var vectors = [][2]string{
	{strings.Repeat("00", 32), strings.Repeat("abandon ", 23) + "art"},
	{strings.Repeat("7f", 32), "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title"},
	{strings.Repeat("80", 32), "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless"},
	{strings.Repeat("ff", 32), strings.Repeat("zoo ", 23) + "vote"},
	{"68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c", "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis maple dilemma loan word shrug inflict delay length"},
	{"9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863", "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash devote level hobby quick inner drive ghost inside"},
	{"066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad", "all hour make first leader extend hole alien behind guard gospel lava path output census museum junior mass reopen famous sing advance salt reform"},
	{"f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f", "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold"},
}

func TestTheVectorsOfBIP39AreWrittenAsWords(t *testing.T) {
	for _, v := range vectors {
		text := mnemonic((*[entropyLength]byte)(unhex(t, v[0])))
		if string(text) != v[1] {
			t.Errorf("%s: %s", v[0], text)
		}
		if cap(text) != 24*9 {
			t.Errorf("%s has grown, and has left a copy behind", text)
		}
	}
}

// seedOf opens a vector; one whose bytes are all the same is not taken by NewSeed.
func seedOf(t testing.TB, entropy string) *Seed {
	t.Helper()
	return &Seed{secret: (*[entropyLength]byte)(unhex(t, entropy))}
}

// The first vector of https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki and the third, whose keys have leading zeros.
func TestTheVectorsOfBIP32AreThoseOfTheLibrary(t *testing.T) {
	const h = hdkeychain.HardenedKeyStart
	for _, v := range []struct {
		seed string
		path []uint32
		xpub string
	}{
		{"000102030405060708090a0b0c0d0e0f", nil, "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"},
		{"000102030405060708090a0b0c0d0e0f", []uint32{h, 1, h + 2, 2, 1000000000}, "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy"},
		{"4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be", []uint32{h}, "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y"},
	} {
		at, err := hdkeychain.NewMaster(unhex(t, v.seed), &chaincfg.MainNetParams)
		for _, step := range v.path {
			if err == nil {
				at, err = at.Derive(step)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if public, err := at.Neuter(); err != nil || public.String() != v.xpub {
			t.Errorf("%v: %s, %v", v.path, public, err)
		}
	}
}

// judged is an account as another library derives it.
type judged struct{ EVM, TRON, Bitcoin []string }

// BIP-84's own example has 12 words, which no seed of ours has; package bitcoin has it among its tests.
func TestConformanceKeysAreThoseThatAnotherLibraryDerives(t *testing.T) {
	var asked []string
	for _, v := range vectors {
		asked = append(asked, v[1])
	}
	var said []judged
	parts.Judge(t, "judge.py", "eth_account", asked, &said)
	if len(said) != len(vectors) {
		t.Fatal(len(said))
	}
	for i, v := range vectors {
		s := seedOf(t, v[0])
		for id, want := range map[chain.ID][]string{"eip155:137": said[i].EVM, tron.Mainnet: said[i].TRON, bitcoinMain: said[i].Bitcoin} {
			if len(want) != len(places) {
				t.Fatalf("%s: %d addresses", id, len(want))
			}
			for j, at := range places {
				k, err := s.Key(id, at[0], at[1], at[2])
				if err != nil || k.Address() != want[j] {
					t.Errorf("%s at %v: %v, %v", id, at, k.Address(), err)
				}
			}
		}
	}
}

var places = [][3]uint32{{0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {7, 0, 2147483647}}

var chains = []chain.ID{"eip155:1", "eip155:137", tron.Mainnet, bitcoinMain, "bip122:000000000933ea01ad0ee984209779ba"}

func TestAKeySpendsWhatTheAddressOfItsAccountHolds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		entropy := rapid.SliceOfN(rapid.Byte(), 32, 32).Filter(func(b []byte) bool { return !monotonous(b) }).Draw(r, "entropy")
		s, err := NewSeed(entropy)
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		id := rapid.SampledFrom(chains).Draw(r, "chain")
		number := rapid.Uint32Range(0, 1<<31-1)
		account, change, index := number.Draw(r, "account"), rapid.Uint32Range(0, 1).Draw(r, "change"), number.Draw(r, "index")
		xpub, err := s.AccountKey(id, account)
		if err != nil {
			r.Fatal(err)
		}
		x, err := wallet.Accounts{id.Namespace(): xpub}.Of(id)
		if err != nil {
			r.Fatal(err)
		}
		address, err := x.Address(id, change, index)
		if err != nil {
			r.Fatal(err)
		}
		k, err := s.Key(id, account, change, index)
		if err != nil {
			r.Fatal(err)
		}
		point, err := k.Public().Point()
		if err != nil {
			r.Fatal(err)
		}
		f, _ := family.Of(id)
		if own := f.AddressOf(id, point); own != address {
			r.Fatalf("the key's address is %s, the account's %s", own, address)
		}
		digest := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(r, "digest"))
		signature, err := k.SignDigest(context.Background(), digest)
		if err != nil {
			r.Fatal(err)
		}
		verified(t, k, digest, signature)
		k.Close()
		if _, err := k.SignDigest(context.Background(), digest); !errors.Is(err, ErrClosed) {
			r.Fatalf("a closed key signs: %v", err)
		}
	})
}

func TestAnAccountIsWrittenAsItsNetworksWalletsWriteIt(t *testing.T) {
	s := seedOf(t, vectors[0][0])
	for id, prefix := range map[chain.ID]string{bitcoinMain: "zpub", chains[4]: "vpub", "eip155:1": "xpub", tron.Mainnet: "xpub"} {
		if key, err := s.AccountKey(id, 0); err != nil || !strings.HasPrefix(key, prefix) {
			t.Errorf("%s: %s, %v", id, key, err)
		}
	}
	k, err := s.Key(bitcoinMain, 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	point, err := k.Public().Point()
	if err != nil {
		t.Fatal(err)
	}
	if address := bitcoin.AddressOf(bitcoinMain.Reference(), point.SerializeCompressed()); !strings.HasPrefix(address, "bc1q") {
		t.Error(address)
	}
}

func TestAPathThatNoAccountReachesHasNoKey(t *testing.T) {
	s := seedOf(t, vectors[4][0])
	const h = hdkeychain.HardenedKeyStart
	for _, c := range []struct {
		id                     chain.ID
		account, change, index uint32
	}{{"", 0, 0, 0}, {"solana:1", 0, 0, 0}, {"eip155:1", h, 0, 0}, {"eip155:1", 0, h, 0}, {"eip155:1", 0, 0, h}} {
		if k, err := s.Key(c.id, c.account, c.change, c.index); !errors.Is(err, ErrPath) || k != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := s.AccountKey("eip155:1", h); !errors.Is(err, ErrPath) {
		t.Error(err)
	}
}

func TestASeedNeedsThirtyTwoRandomBytes(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 16), make([]byte, 32), bytes.Repeat([]byte{7}, 32), append(unhex(t, vectors[4][0]), 1)} {
		if s, err := NewSeed(b); !errors.Is(err, ErrEntropy) || s != nil {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
	b := unhex(t, vectors[4][0])
	s, err := NewSeed(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if hex.EncodeToString(s.secret[:]) != vectors[4][0] {
		t.Error("the seed shares the caller's bytes")
	}
}

func TestAClosedSeedIsOverwrittenAndGivesNothing(t *testing.T) {
	s := seedOf(t, vectors[4][0])
	k, err := s.Key("eip155:1", 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	secret, scalar := s.secret, k.secret
	s.Close()
	s.Close()
	k.Close()
	k.Close()
	if *secret != [entropyLength]byte{} || !scalar.Key.IsZero() {
		t.Error("what was closed is still in memory")
	}
	if _, err := s.Key("eip155:1", 0, 0, 0); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := s.AccountKey("eip155:1", 0); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestNoWayOfWritingShowsASecret(t *testing.T) {
	s := seedOf(t, vectors[4][0])
	k, err := s.Key("eip155:1", 0, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	scalar := k.secret.Serialize()
	secrets := []string{vectors[4][0], hex.EncodeToString(scalar), "hamster", string(s.secret[:]), string(scalar), fmt.Sprint(s.secret[:]), fmt.Sprint(scalar), fmt.Sprint(k.secret.Key)}
	type holder struct {
		S *Seed
		K *Derived
	}
	type hider struct {
		s *Seed
		k *Derived
	}
	open, hide := holder{s, k}, hider{s, k}
	var written []string
	for _, v := range []any{s, k, open, &open, hide, &hide, []*Seed{s}, map[string]*Derived{"k": k}, fmt.Errorf("an error: %v %v", s, k)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			written = append(written, fmt.Sprintf(verb, v))
		}
		if b, err := json.Marshal(v); err == nil {
			written = append(written, string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			written = append(written, string(b))
		}
		if item, err := attributevalue.Marshal(v); err == nil {
			written = append(written, fmt.Sprintf("%#v", item))
		}
		var out bytes.Buffer
		if err := gob.NewEncoder(&out).Encode(v); err == nil {
			written = append(written, out.String())
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("log", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("log", "v", v)
		written = append(written, out.String())
	}
	for _, text := range written {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%q shows a secret", text)
			}
		}
	}
	if len(written) < 100 || fmt.Sprint(s) != hidden || s.String() != hidden {
		t.Errorf("%d ways, %s", len(written), s)
	}
}

func TestASeedOfKMSsRandomnessIsOfItsOwn(t *testing.T) {
	client := kms.NewFromConfig(parts.Config(t, "FARRIER_TEST_AWS"))
	one, err := RandomSeed(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	other, err := RandomSeed(t.Context(), client)
	if err != nil || *one.secret == *other.secret {
		t.Errorf("two seeds are the same, or %v", err)
	}
}
