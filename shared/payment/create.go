package payment

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/money"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// Limits of a request. They keep a payment within one KB, one write unit, where the reference's letters are of one
// byte (others can make it two) and the amount has no more than 19 digits.
const (
	DefaultExpiry     = time.Hour
	MinExpiry         = time.Minute
	MaxExpiry         = 30 * 24 * time.Hour
	MaxReference      = 128
	MaxMetadataKeys   = 10
	MaxMetadataKey    = 40
	MaxMetadataValue  = 200
	MaxMetadataTotal  = 400 // bytes of all keys and values
	receivingBranch   = 0   // BIP-44: the external chain
	maxAddressProbes  = 16  // collisions of 31-bit indexes: one is rare, two are not to be seen
	addressSpaceShift = 1   // non-hardened indexes have 31 bits (BIP-32)
)

// Scheduler sends body to the expiry queue at a moment; the same name again is no error.
type Scheduler interface {
	At(ctx context.Context, name string, at time.Time, body any) error
}

// Expiry is the message that a payment's time is over.
type Expiry struct {
	Merchant string `json:"merchant"`
	Payment  string `json:"payment"`
}

// Store keeps payments.
type Store struct {
	Payments  dynamo.Table
	Addresses dynamo.Table
	Roster    *wallet.Roster // where each address is entered before it is claimed; nil where no filter needs it
	Expiry    Scheduler
	Assets    *chain.Set
	Now       func() time.Time
	Random    io.Reader
}

// Request asks for a payment. Amount is in the asset's own unit; ExpiresIn is in seconds, 0 for DefaultExpiry.
type Request struct {
	Merchant       string
	Accounts       wallet.Accounts // the merchant's, where addresses come from
	Shards         int             // of the merchant's accounts
	Asset          string
	Amount         string
	Reference      string
	ExpiresIn      int64
	Metadata       map[string]string
	IdempotencyKey string // empty for none
}

// Create makes the payment, or finds the one that the same Idempotency-Key made before.
// Errors are problems that name the field, or trouble with AWS, after which the same call may be made again.
func (s Store) Create(ctx context.Context, r Request) (Payment, error) {
	p, err := s.asked(r)
	if err != nil {
		return Payment{}, err
	}
	on := chain.ID(p.Asset.Chain())
	account, err := r.Accounts.Of(on)
	if err != nil {
		return Payment{}, problem.New(problem.Conflict, fmt.Sprintf("no address can be made on %s: the merchant's %v", on, err))
	}
	anchor, err := s.anchor(r)
	if err != nil {
		return Payment{}, err
	}
	address, err := s.claimAddress(ctx, account, on, anchor, p, r.Shards)
	if err != nil {
		return Payment{}, err
	}
	p = p.at(address)
	if now := s.Now(); p.over(now) { // the request is made again long after it was stopped, and its timer may have rung
		p, _ = p.Expire(now)
		return s.record(ctx, p)
	}
	if err := s.Expiry.At(ctx, p.ID, p.ExpiresAt, Expiry{Merchant: p.PK, Payment: p.ID}); err != nil {
		return Payment{}, err
	}
	return s.record(ctx, p)
}

var errKeyReused = problem.New(problem.KeyReused, "this Idempotency-Key was used for another payment request")

// record writes the payment, or returns the one that an earlier run of the same request wrote.
func (s Store) record(ctx context.Context, p Payment) (Payment, error) {
	err := s.Payments.Create(ctx, p)
	var stored Payment
	exists, readErr := dynamo.Exists(err, &stored)
	switch {
	case !exists:
		return p, err
	case readErr != nil:
		return Payment{}, readErr
	case stored.Fingerprint != p.Fingerprint:
		return Payment{}, errKeyReused
	default:
		return stored, nil
	}
}

// asked checks the request field by field.
func (s Store) asked(r Request) (Payment, error) {
	name, err := money.ParseAsset(r.Asset)
	if err != nil {
		return Payment{}, problem.Field("asset", err.Error())
	}
	asset, ok := s.Assets.Asset(name)
	if !ok {
		return Payment{}, problem.Field("asset", "is not configured here")
	}
	amount, err := money.ParseDecimal(r.Amount, asset.Decimals)
	if err != nil {
		return Payment{}, problem.Field("amount", err.Error())
	}
	if amount.Sign() <= 0 {
		return Payment{}, problem.Field("amount", "must be more than zero")
	}
	if err := checkText("reference", r.Reference, MaxReference); err != nil {
		return Payment{}, err
	}
	if err := checkMetadata(r.Metadata); err != nil {
		return Payment{}, err
	}
	expiry := time.Duration(r.ExpiresIn) * time.Second
	if r.ExpiresIn == 0 {
		expiry = DefaultExpiry
	}
	if r.ExpiresIn < 0 || r.ExpiresIn > int64(MaxExpiry/time.Second) || expiry < MinExpiry {
		return Payment{}, problem.Field("expires_in", fmt.Sprintf("must be from %d to %d seconds", int(MinExpiry.Seconds()), int(MaxExpiry.Seconds())))
	}
	return Payment{
		PK: r.Merchant, Option: Option{Asset: name, Symbol: asset.Symbol, Decimals: asset.Decimals, Amount: amount},
		Reference: r.Reference, Metadata: r.Metadata, Status: Waiting, Version: 1,
		Fingerprint: fingerprint(name, amount, expiry, r.Reference, r.Metadata),
		ExpiresAt:   time.Time{}.Add(expiry), // the anchor's moment is added by at
	}, nil
}

func fingerprint(asset money.Asset, amount money.Amount, expiry time.Duration, reference string, metadata map[string]string) string {
	parts := []string{string(asset), amount.String(), expiry.String(), reference}
	for k, v := range metadata {
		parts = append(parts, k+"\x00"+v)
	}
	sort.Strings(parts[4:])
	sum := id.Digest(parts...)
	return hex.EncodeToString(sum[:16])
}

// anchor is what the payment's address is derived from: merchant and key, or randomness where there is no key.
func (s Store) anchor(r Request) (string, error) {
	key := "key:" + r.IdempotencyKey
	if r.IdempotencyKey == "" {
		var b [16]byte
		if _, err := io.ReadFull(s.Random, b[:]); err != nil {
			return "", err
		}
		key = "random:" + string(b[:])
	}
	sum := id.Digest(r.Merchant, key)
	return hex.EncodeToString(sum[:16]), nil
}

// claimAddress finds or makes the anchor's address. The address's item carries the payment's id and moment,
// so that a second run of the same request makes the same payment, and the request's fingerprint, so that
// another request under the same key is refused before it has set a timer.
func (s Store) claimAddress(ctx context.Context, account wallet.XPub, on chain.ID, anchor string, p Payment, shards int) (wallet.Address, error) {
	now := s.Now().UTC().Truncate(time.Millisecond)
	name, err := id.New("pay", now, s.Random)
	if err != nil {
		return wallet.Address{}, err
	}
	for probe := range maxAddressProbes {
		index := indexOf(anchor, probe)
		spelling, err := account.Address(on, receivingBranch, index)
		if err != nil {
			continue // BIP-32: an index in 2^127 has no key; take the next
		}
		key := wallet.KeyOf(on.Namespace(), spelling)
		claim := wallet.Address{
			PK: key.PK, SK: key.SK, Address: spelling, Merchant: p.PK, Payment: name, Shards: max(shards, 1),
			Path: strconv.Itoa(receivingBranch) + "/" + strconv.FormatUint(uint64(index), 10), Fingerprint: anchor, Request: p.Fingerprint, CreatedAt: now,
		}
		err = s.Roster.Claim(ctx, s.Addresses, claim)
		var stored wallet.Address
		taken, readErr := dynamo.Exists(err, &stored)
		switch {
		case !taken && err == nil:
			return claim, nil
		case !taken:
			return wallet.Address{}, err
		case readErr != nil:
			return wallet.Address{}, readErr
		case stored.Fingerprint != anchor || stored.Merchant != p.PK:
			continue // another payment's address
		case stored.Request != p.Fingerprint:
			return wallet.Address{}, errKeyReused
		default:
			return stored, nil
		}
	}
	return wallet.Address{}, errors.New("payment: no free address index was found")
}

func indexOf(anchor string, probe int) uint32 {
	sum := id.Digest(anchor, strconv.Itoa(probe))
	return binary.BigEndian.Uint32(sum[:4]) >> addressSpaceShift
}

// at gives the payment the id, moment and address that its anchor fixed.
func (p Payment) at(a wallet.Address) Payment {
	p.ID, p.SK, p.Address = a.Payment, a.Payment, a.Address
	p.CreatedAt, p.UpdatedAt = a.CreatedAt, a.CreatedAt
	p.ExpiresAt = a.CreatedAt.Add(p.ExpiresAt.Sub(time.Time{}))
	return p
}

func checkText(field, s string, most int) error {
	switch {
	case s == "":
		return problem.Field(field, "is missing")
	case !utf8.ValidString(s):
		return problem.Field(field, "is not UTF-8")
	case utf8.RuneCountInString(s) > most:
		return problem.Field(field, fmt.Sprintf("is longer than %d characters", most))
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return problem.Field(field, "has a character that cannot be printed")
	}
	return nil
}

func checkMetadata(m map[string]string) error {
	if len(m) > MaxMetadataKeys {
		return problem.Field("metadata", fmt.Sprintf("has more than %d keys", MaxMetadataKeys))
	}
	total := 0
	for k, v := range m {
		if err := checkText("metadata", k, MaxMetadataKey); err != nil {
			return err
		}
		if v != "" {
			if err := checkText("metadata."+k, v, MaxMetadataValue); err != nil {
				return err
			}
		}
		total += len(k) + len(v)
	}
	if total > MaxMetadataTotal {
		return problem.Field("metadata", fmt.Sprintf("has more than %d bytes", MaxMetadataTotal))
	}
	return nil
}
