package merchant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/payment"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

// Limits of what is asked for.
const (
	MaxName   = 100
	MaxShards = 64
)

// Merchant is somebody who is paid.
type Merchant struct {
	PK string `dynamodbav:"pk"` // the merchant's id
	SK string `dynamodbav:"sk"` // always "merchant"

	ID        string          `dynamodbav:"id"`
	Name      string          `dynamodbav:"name"`
	Accounts  wallet.Accounts `dynamodbav:"xpubs"`  // where addresses come from
	Home      payment.Home    `dynamodbav:"home"`   // where its references are claimed; fixed, since one claimed elsewhere would be free again
	Shards    int             `dynamodbav:"shards"` // of each of its accounts; fixed, since entries are spread by it
	CreatedAt time.Time       `dynamodbav:"created_at"`
	Version   int64           `dynamodbav:"version"`

	// What its payments have where they say nothing else.
	Tolerance payment.Tolerance `dynamodbav:"tolerance"`
	Policy    payment.Policy    `dynamodbav:"policy"`
}

// Terms are what the merchant's payments have where they say nothing else.
func (m Merchant) Terms() payment.Terms {
	return payment.Terms{Tolerance: m.Tolerance, Policy: m.Policy}
}

// View is a merchant as the API shows it.
type View struct {
	ID        string          `json:"id" example:"mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"`
	Name      string          `json:"name" example:"Demo shop"`
	XPub      string          `json:"xpub,omitempty" doc:"the extended public key (BIP-32) of the account from which payments get their addresses on EVM chains; the operator alone sees it"`
	XPubs     wallet.Accounts `json:"xpubs,omitempty" doc:"the extended public keys by family of chains: eip155, bip122 (BIP-84), tron; the operator alone sees them"`
	Shards    int             `json:"shards" doc:"how many parts each of its accounts has; fixed" example:"1"`
	CreatedAt time.Time       `json:"created_at"`

	Tolerance payment.Tolerance `json:"tolerance" doc:"of payments that name none"`
	Policy    payment.Policy    `json:"policy" doc:"of payments that name none"`
}

// View shows the merchant.
func (m Merchant) View() View {
	return View{ID: m.ID, Name: m.Name, XPub: m.Accounts["eip155"], XPubs: m.Accounts, Shards: m.Shards, CreatedAt: m.CreatedAt,
		Tolerance: m.Tolerance, Policy: m.Policy.Or(payment.Usual)}
}

// WithoutKeys is what the merchant's own keys are shown: whoever has an extended public key knows every address that is and
// will be made from it.
func (v View) WithoutKeys() View {
	v.XPub, v.XPubs = "", nil
	return v
}

// Store keeps merchants and their keys.
type Store struct {
	Table  dynamo.Table
	Now    func() time.Time
	Random io.Reader
}

// Request asks for a merchant; Shards 0 is 1.
type Request struct {
	Name     string
	Accounts wallet.Accounts
	Shards   int
}

// Create makes a merchant. Run again with the same moment and randomness it finds the one that it made.
func (s Store) Create(ctx context.Context, r Request) (Merchant, error) {
	if r.Shards == 0 {
		r.Shards = 1
	}
	if err := r.check(); err != nil {
		return Merchant{}, err
	}
	now := s.Now().UTC().Truncate(time.Millisecond)
	name, err := id.New("mer", now, s.Random)
	if err != nil {
		return Merchant{}, err
	}
	m := Merchant{PK: name, SK: "merchant", ID: name, Name: r.Name, Accounts: r.Accounts, Home: payment.HomeOf(r.Accounts), Shards: r.Shards, CreatedAt: now, Version: 1}
	err = s.Table.Create(ctx, m)
	var stored Merchant
	if exists, readErr := dynamo.Exists(err, &stored); exists && readErr == nil && stored.isSame(m) {
		return stored, nil
	}
	return m, err
}

func (m Merchant) isSame(other Merchant) bool {
	return m.ID == other.ID && m.Name == other.Name && maps.Equal(m.Accounts, other.Accounts) && m.Shards == other.Shards
}

// row is a merchant as it lies in the table: before there were several families of chains, with the key for EVM chains alone.
type row struct {
	Merchant
	XPub string `dynamodbav:"xpub"`
}

func (r row) merchant() Merchant {
	m := r.Merchant
	if len(m.Accounts) == 0 && r.XPub != "" {
		m.Accounts = wallet.Accounts{"eip155": r.XPub}
	}
	m.Home = cmp.Or(m.Home, payment.HomeOf(m.Accounts)) // it was as the accounts said before it was stored
	return m
}

// Get reads a merchant.
func (s Store) Get(ctx context.Context, name string) (Merchant, error) {
	if !id.Valid("mer", name) {
		return Merchant{}, ErrNone
	}
	var read row
	err := s.Table.Get(ctx, dynamo.Key{PK: name, SK: "merchant"}, &read)
	if errors.Is(err, dynamo.ErrMissing) {
		return Merchant{}, ErrNone
	}
	return read.merchant(), err
}

// Change is what is to be otherwise about a merchant; what is not asked for stays.
type Change struct {
	Terms    payment.TermsAsked // what its payments have where they say nothing else; those that are made keep what they have
	Accounts wallet.Accounts    // for families of chains that it has none for
}

// Change changes a merchant. An account that is there stays: addresses were made from it. So does where its references are
// claimed: what Get said of that is stored with the new account.
func (s Store) Change(ctx context.Context, name string, asked Change) (Merchant, error) {
	for {
		m, err := s.Get(ctx, name)
		if err != nil {
			return m, err
		}
		terms, err := asked.Terms.Or(m.Terms())
		if err != nil {
			return m, err
		}
		accounts, err := m.Accounts.With(asked.Accounts)
		if err != nil || terms == m.Terms() && maps.Equal(accounts, m.Accounts) {
			return m, err
		}
		before := m.Version
		m.Tolerance, m.Policy, m.Accounts, m.Version = terms.Tolerance, terms.Policy, accounts, before+1
		if err := s.Table.Replace(ctx, m, before); !errors.Is(err, dynamo.ErrStale) {
			return m, err
		}
	}
}

// ErrNone says that there is no such merchant, or none that the caller may know of.
var ErrNone = problem.New(problem.NotFound, "there is no such merchant")

func (r Request) check() error {
	if err := problem.Text("name", r.Name, MaxName); err != nil {
		return err
	}
	if r.Shards < 1 || r.Shards > MaxShards {
		return problem.Field("shards", fmt.Sprintf("must be from 1 to %d", MaxShards))
	}
	return r.Accounts.Check()
}
