package custody

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"farrier/shared/parts"
	"farrier/shared/seal"
)

func TestASealedSeedOpensForItsOwnerAlone(t *testing.T) {
	client, id := parts.Key(t)
	_, other := parts.Key(t)
	v := Vault{Client: client, KeyID: id}
	ctx, owner := t.Context(), seal.Owner{"wallet": "wal_1", "purpose": "seed"}
	s := seedOf(t, vectors[4][0])
	sealed, err := v.Seal(ctx, owner, s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed.Seed)+string(sealed.Key), string(s.secret[:])) {
		t.Error("the seed is stored as it is")
	}
	opened, err := v.Open(ctx, owner, sealed)
	if err != nil || *opened.secret != *s.secret {
		t.Fatal(err)
	}
	again, err := v.Seal(ctx, owner, s)
	if err != nil || slices.Equal(again.Seed, sealed.Seed) || slices.Equal(again.Nonce, sealed.Nonce) || slices.Equal(again.Key, sealed.Key) {
		t.Errorf("two seals are the same, or %v", err)
	}
	bit := func(b []byte, at int) []byte {
		b = slices.Clone(b)
		b[at] ^= 1
		return b
	}
	for what, c := range map[string]struct {
		v      Vault
		owner  seal.Owner
		sealed Sealed
	}{
		"another owner":       {v, seal.Owner{"wallet": "wal_2", "purpose": "seed"}, sealed},
		"more of an owner":    {v, seal.Owner{"wallet": "wal_1", "purpose": "seed", "more": ""}, sealed},
		"less of an owner":    {v, seal.Owner{"wallet": "wal_1"}, sealed},
		"another key of KMS":  {Vault{client, other}, owner, sealed},
		"another seal's key":  {v, owner, Sealed{1, again.Key, sealed.Nonce, sealed.Seed}},
		"another seal's seed": {v, owner, Sealed{1, sealed.Key, sealed.Nonce, again.Seed}},
		"a changed nonce":     {v, owner, Sealed{1, sealed.Key, bit(sealed.Nonce, 0), sealed.Seed}},
		"a short nonce":       {v, owner, Sealed{1, sealed.Key, sealed.Nonce[1:], sealed.Seed}},
		"no nonce":            {v, owner, Sealed{1, sealed.Key, nil, sealed.Seed}},
		"a changed seed":      {v, owner, Sealed{1, sealed.Key, sealed.Nonce, bit(sealed.Seed, 0)}},
		"a changed tag":       {v, owner, Sealed{1, sealed.Key, sealed.Nonce, bit(sealed.Seed, len(sealed.Seed)-1)}},
		"half a seed":         {v, owner, Sealed{1, sealed.Key, sealed.Nonce, sealed.Seed[:16]}},
		"no seed":             {v, owner, Sealed{1, sealed.Key, sealed.Nonce, nil}},
		"another version":     {v, owner, Sealed{2, sealed.Key, sealed.Nonce, sealed.Seed}},
	} {
		if s, err := c.v.Open(ctx, c.owner, c.sealed); !errors.Is(err, ErrSealed) || s != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := v.Open(ctx, owner, Sealed{1, nil, sealed.Nonce, sealed.Seed}); err == nil {
		t.Error("it opens without a key")
	}
}

func TestAVaultNeedsAKeyAndASeedAnOwnerAndLife(t *testing.T) {
	client, id := parts.Key(t)
	s := seedOf(t, vectors[4][0])
	owner := seal.Owner{"wallet": "wal_1"}
	for _, c := range []struct {
		v     Vault
		owner seal.Owner
		want  error
	}{{Vault{client, ""}, owner, ErrKeyID}, {Vault{client, id}, nil, ErrOwner}, {Vault{client, id}, seal.Owner{}, ErrOwner}} {
		if _, err := c.v.Seal(t.Context(), c.owner, s); !errors.Is(err, c.want) {
			t.Errorf("seal: %v", err)
		}
		if _, err := c.v.Open(t.Context(), c.owner, Sealed{Version: 1}); !errors.Is(err, c.want) {
			t.Errorf("open: %v", err)
		}
	}
	s.Close()
	if _, err := (Vault{client, id}).Seal(t.Context(), owner, s); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed seed: %v", err)
	}
}

// dataKeys stands in for a KMS of which a test must see the buffers.
type dataKeys struct{ generated, decrypted []byte }

func (d *dataKeys) GenerateDataKey(context.Context, *kms.GenerateDataKeyInput, ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error) {
	d.generated = []byte(strings.Repeat("k", 32))
	return &kms.GenerateDataKeyOutput{Plaintext: d.generated, CiphertextBlob: []byte("wrapped")}, nil
}

func (d *dataKeys) Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error) {
	d.decrypted = []byte(strings.Repeat("k", 32))
	return &kms.DecryptOutput{Plaintext: d.decrypted}, nil
}

func TestADataKeyIsOverwrittenAfterUseAndTheOwnerIsInTheSealItself(t *testing.T) {
	d := &dataKeys{}
	v, owner := Vault{d, "id"}, seal.Owner{"a": "b", "c": "d"}
	sealed, err := v.Seal(t.Context(), owner, seedOf(t, vectors[4][0]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Open(t.Context(), owner, sealed); err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{d.generated, d.decrypted} {
		if len(b) != 32 || !slices.Equal(b, make([]byte, 32)) {
			t.Errorf("the data key is still there: %q", b)
		}
	}
	for _, other := range []seal.Owner{{"a": "b"}, {"a": "bc", "": "d"}, {"a": "d", "c": "b"}, {"ab": "", "c": "d"}} {
		if _, err := v.Open(t.Context(), other, sealed); !errors.Is(err, ErrSealed) { // this KMS does not ask who it is
			t.Errorf("%v: %v", other, err)
		}
	}
}
