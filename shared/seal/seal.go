// Package seal keeps small secrets under a KMS key.
//
// It promises: what is sealed for one owner opens for that owner alone (the owner is the encryption
// context, which KMS checks and CloudTrail shows); opened secrets stay in memory for a minute at most
// and are never logged.
package seal

import (
	"context"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// KeepFor is how long an opened secret is kept in memory.
const KeepFor = time.Minute

// Owner is the encryption context: what the secret belongs to, such as {"connection": "con_…"}.
type Owner map[string]string

// Sealer seals and opens with one symmetric KMS key.
type Sealer struct {
	Client *kms.Client
	KeyID  string // needed to seal only
	Now    func() time.Time

	mu     sync.Mutex
	opened map[string]opened
}

type opened struct {
	secret []byte
	until  time.Time
}

// Seal encrypts at most 4,096 bytes for their owner; the result is text for a table.
func (s *Sealer) Seal(ctx context.Context, owner Owner, secret []byte) (string, error) {
	out, err := s.Client.Encrypt(ctx, &kms.EncryptInput{KeyId: &s.KeyID, Plaintext: secret, EncryptionContext: owner})
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.StdEncoding.EncodeToString(out.CiphertextBlob), nil
}

// Open decrypts what Seal made for the same owner.
func (s *Sealer) Open(ctx context.Context, owner Owner, sealed string) ([]byte, error) {
	name := fmt.Sprint(owner, sealed)
	if secret, ok := s.kept(name); ok {
		return secret, nil
	}
	blob, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	in := &kms.DecryptInput{CiphertextBlob: blob, EncryptionContext: owner}
	if s.KeyID != "" {
		in.KeyId = &s.KeyID
	}
	out, err := s.Client.Decrypt(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	s.keep(name, out.Plaintext)
	return out.Plaintext, nil
}

func (s *Sealer) kept(name string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.opened[name]
	return o.secret, ok && s.Now().Before(o.until)
}

func (s *Sealer) keep(name string, secret []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil || len(s.opened) > 10_000 {
		s.opened = map[string]opened{}
	}
	s.opened[name] = opened{secret: secret, until: s.Now().Add(KeepFor)}
}
