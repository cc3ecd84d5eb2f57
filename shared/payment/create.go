package payment

import (
	"context"
	"fmt"
	"io"
	"time"

	"farrier/shared/chain"
	"farrier/shared/dynamo"
	"farrier/shared/problem"
	"farrier/shared/wallet"
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

// Request asks for a payment, either by Asset and Amount or by Options. Amounts are in the asset's own unit; ExpiresIn is in
// seconds, 0 for DefaultExpiry.
type Request struct {
	Merchant       string
	Accounts       wallet.Accounts // the merchant's, where addresses come from
	Home           Home            // of the merchant's references; empty where that is as its accounts say
	Shards         int             // of the merchant's accounts
	Asset          string
	Amount         string
	Options        []OptionAsked
	Reference      string
	ExpiresIn      int64
	Metadata       map[string]string
	Terms          TermsAsked
	Usual          Terms  // the merchant's, for what Terms does not say
	PageURL        string // empty for none
	IdempotencyKey string // empty for none

	WalletCallback string                                                            // names where the payer's wallet calls back to; empty for nowhere
	WalletURL      func(ctx context.Context, payment string) (url string, err error) // says where that is; nil for nowhere
}

// OptionAsked is one asset that a payment may be paid in, and how much of it is all.
type OptionAsked struct{ Asset, Amount string }

// Create makes the payment, or finds the one that the same request made before: the same reference is the same payment.
// Errors are problems that name the field, or trouble with AWS, after which the same call may be made again.
func (s Store) Create(ctx context.Context, r Request) (Payment, error) {
	p, err := s.asked(r)
	if err != nil {
		return Payment{}, err
	}
	if err := checkAccounts(r.Accounts, p); err != nil {
		return Payment{}, err
	}
	key, err := s.claimKey(ctx, r, p)
	if err != nil {
		return Payment{}, err
	}
	p, err = s.claim(ctx, r, p)
	if problem.Is(err, problem.ReferenceUsed) {
		if err := s.freeKey(ctx, key); err != nil {
			return Payment{}, err
		}
	}
	if err != nil {
		return Payment{}, err
	}
	if r.WalletURL != nil {
		if p.WalletURL, err = r.WalletURL(ctx, p.ID); err != nil {
			return Payment{}, err
		}
	}
	if now := s.Now(); p.over(now) { // the request is made again long after it was stopped, and its timer may have rung
		p, _ = p.Expire(now)
		return s.record(ctx, p)
	}
	if err := s.Expiry.At(ctx, p.ID, p.ExpiresAt, Expiry{Merchant: p.PK, Payment: p.ID}); err != nil {
		return Payment{}, err
	}
	return s.record(ctx, p)
}

// checkAccounts refuses what the merchant has no account for, before anything is claimed.
func checkAccounts(accounts wallet.Accounts, p Payment) error {
	for _, o := range p.Options() {
		if _, err := accounts.Of(o.chain()); err != nil {
			return problem.New(problem.Conflict, fmt.Sprintf("no address can be made on %s: the merchant's %v", o.chain(), err))
		}
	}
	return nil
}

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
	default:
		return stored, nil
	}
}
