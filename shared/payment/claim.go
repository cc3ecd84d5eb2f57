package payment

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

const (
	receivingBranch   = 0  // BIP-44: the external chain
	maxAddressProbes  = 16 // collisions of 31-bit indexes: one is rare, two are not to be seen
	addressSpaceShift = 1  // non-hardened indexes have 31 bits (BIP-32)
)

// Home says where a merchant's references are claimed, whatever a payment's own options are: two requests with one reference
// must meet at one item. So it is fixed when the merchant is made, and stays where the merchant gets further accounts.
type Home string

// The homes.
const (
	AtAddress Home = "eip155"    // at the reference's address on EVM chains
	AtName    Home = "reference" // at an item of its own, for a merchant that had no EVM account when it was made
)

// HomeOf is the home for a merchant that is made with these accounts.
func HomeOf(accounts wallet.Accounts) Home {
	if _, has := accounts[string(AtAddress)]; has {
		return AtAddress
	}
	return AtName
}

// homeChain is any EVM chain: one key has one address on all of them.
const homeChain = chain.ID(AtAddress) + ":1"

// claimed is an item of the table of addresses that is none: it says that a name is taken.
type claimed struct {
	PK        string    `dynamodbav:"pk"`
	SK        string    `dynamodbav:"sk"` // what kind of name
	Merchant  string    `dynamodbav:"merchant"`
	Payment   string    `dynamodbav:"payment,omitempty"`
	Key       string    `dynamodbav:"key,omitempty"`
	Request   string    `dynamodbav:"request"` // fingerprint of the request that claimed it; empty for a key that is free again
	CreatedAt time.Time `dynamodbav:"created_at"`
	Version   int64     `dynamodbav:"version,omitempty"` // of a key: raised by every write
}

// The kinds of names.
const (
	keyClaim       = "key"       // an Idempotency-Key
	referenceClaim = "reference" // a reference of a merchant whose home is AtName
)

var errKeyReused = problem.New(problem.KeyReused, "this Idempotency-Key was used for another payment request")

// keyOf is what is kept of a request's Idempotency-Key.
func keyOf(r Request) string {
	if r.IdempotencyKey == "" {
		return ""
	}
	return id.Short(r.Merchant, "key:"+r.IdempotencyKey)
}

// claimKey binds the Idempotency-Key, where there is one, to the request, so that the same key for another is refused
// before anything else is claimed. It gives the item that binds it.
func (s Store) claimKey(ctx context.Context, r Request, p Payment) (claimed, error) {
	key := keyOf(r)
	if key == "" {
		return claimed{}, nil
	}
	mine := claimed{PK: keyClaim + ":" + key, SK: keyClaim, Merchant: p.PK, Request: p.Fingerprint, CreatedAt: s.now(), Version: 1}
	for {
		err := s.Addresses.Create(ctx, mine)
		var stored claimed
		taken, readErr := dynamo.Exists(err, &stored)
		switch {
		case !taken:
			return mine, err
		case readErr != nil:
			return claimed{}, readErr
		case stored.Request == "":
			again := mine
			again.Version = stored.Version + 1
			if err := s.Addresses.Replace(ctx, again, stored.Version); !errors.Is(err, dynamo.ErrStale) {
				return again, err
			}
		case stored.Request != p.Fingerprint:
			return claimed{}, errKeyReused
		default:
			return stored, nil
		}
	}
}

// freeKey lets go of the Idempotency-Key of a request whose reference is another's. No payment ever comes of that request,
// since what holds a reference holds it for ever; so the key is there for the request that is put right. A key that has
// moved on meanwhile stays, and one that a stop left bound is freed when the refused request comes again.
func (s Store) freeKey(ctx context.Context, key claimed) error {
	if key.PK == "" {
		return nil
	}
	free := key
	free.Request, free.Version = "", key.Version+1
	if err := s.Addresses.Replace(ctx, free, key.Version); !errors.Is(err, dynamo.ErrStale) {
		return err
	}
	return nil
}

func (s Store) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// claim binds the reference to the request and gives the payment its id, its moment and an address for each option. What an
// earlier run of the same request claimed is found by the same derivation.
func (s Store) claim(ctx context.Context, r Request, p Payment) (Payment, error) {
	now := s.now()
	name, err := id.New("pay", now, s.Random)
	if err != nil {
		return Payment{}, err
	}
	mine := wallet.Address{
		Merchant: p.PK, Payment: name, Shards: max(r.Shards, 1), Key: keyOf(r), Request: p.Fingerprint, CreatedAt: now,
		Fingerprint: id.Short(p.PK, "reference:"+p.Reference),
	}
	first, err := s.claimReference(ctx, cmp.Or(r.Home, HomeOf(r.Accounts)), r.Accounts, mine)
	if err != nil {
		return Payment{}, err
	}
	if first.Request != mine.Request || mine.Key != "" && first.Key != mine.Key {
		return Payment{}, problem.New(problem.ReferenceUsed, fmt.Sprintf("this reference is that of the payment %s, which was asked for in another request; "+
			"where there is no such payment yet it may still be being made, and sending that first request again finishes it", first.Payment))
	}
	mine.Payment, mine.CreatedAt = first.Payment, first.CreatedAt
	options := p.Options()
	have := map[string]wallet.Address{first.PK: first}
	for i := range options {
		address, err := s.claimAddress(ctx, r.Accounts, options[i].chain(), mine, have)
		if err != nil {
			return Payment{}, err
		}
		if address.Payment != mine.Payment { // two payments at one address would each take the other's money
			return Payment{}, fmt.Errorf("payment: %s cannot have the address %s, which is that of %s", mine.Payment, address.Address, address.Payment)
		}
		have[address.PK], options[i].Address = address, address.Address
	}
	return p.withOptions(options).at(first), nil
}

// claimReference gives the item that the reference is claimed by: an address or an item of its own, as the home says. It is
// the one that says the payment's id, whoever asked first.
func (s Store) claimReference(ctx context.Context, home Home, accounts wallet.Accounts, mine wallet.Address) (wallet.Address, error) {
	if home == AtAddress {
		return s.claimAddress(ctx, accounts, homeChain, mine, nil)
	}
	err := s.Addresses.Create(ctx, claimed{
		PK: referenceClaim + ":" + mine.Fingerprint, SK: referenceClaim, Merchant: mine.Merchant, Payment: mine.Payment,
		Key: mine.Key, Request: mine.Request, CreatedAt: mine.CreatedAt,
	})
	var stored claimed
	taken, readErr := dynamo.Exists(err, &stored)
	switch {
	case !taken:
		return mine, err
	case readErr != nil:
		return wallet.Address{}, readErr
	}
	mine.Payment, mine.Key, mine.Request, mine.CreatedAt = stored.Payment, stored.Key, stored.Request, stored.CreatedAt
	return mine, nil
}

// claimAddress finds or makes the reference's address on a chain. Its item carries the payment's id and moment, so that a
// second run of the same request makes the same payment. What is in have is claimed already.
func (s Store) claimAddress(ctx context.Context, accounts wallet.Accounts, on chain.ID, mine wallet.Address, have map[string]wallet.Address) (wallet.Address, error) {
	account, err := accounts.Of(on)
	if err != nil {
		return wallet.Address{}, err
	}
	for probe := range maxAddressProbes {
		index := indexOf(mine.Fingerprint, probe)
		spelling, err := account.Address(on, receivingBranch, index)
		if err != nil {
			continue // BIP-32: an index in 2^127 has no key; take the next
		}
		key := wallet.KeyOf(on.Namespace(), spelling)
		if known, is := have[key.PK]; is {
			return known, nil
		}
		claim := mine
		claim.PK, claim.SK, claim.Address = key.PK, key.SK, spelling
		claim.Path = strconv.Itoa(receivingBranch) + "/" + strconv.FormatUint(uint64(index), 10)
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
		case stored.Fingerprint != mine.Fingerprint || stored.Merchant != mine.Merchant:
			continue // another payment's address
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

// at gives the payment the id and the moment that its reference's claim fixed.
func (p Payment) at(first wallet.Address) Payment {
	p.ID, p.SK = first.Payment, first.Payment
	p.CreatedAt, p.UpdatedAt = first.CreatedAt, first.CreatedAt
	p.ExpiresAt = first.CreatedAt.Add(p.ExpiresAt.Sub(time.Time{}))
	return p
}
