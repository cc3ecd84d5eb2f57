package statement

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payment"
)

// MaxLines is how many deposits a statement reads and lists: anybody can send dust to an address, in any number.
const MaxLines = 500

// atOnce is how many deposits' entries are asked for at the same time.
const atOnce = 8

// Reader reads what a statement is made of.
type Reader struct {
	Payments payment.Store
	Deposits deposit.Store
	Ledger   ledger.Store
}

// Statement is all that there is to say of a payment.
type Statement struct {
	Payment payment.View `json:"payment" doc:"what was asked for, how it stands, and what is decided"`
	Sums    []Sum        `json:"sums" doc:"what is booked for it, an option each"`
	Others  []Other      `json:"others" doc:"what counts for nothing here and is the merchant's: what came in assets that were not asked for, and what was booked when there was no payment to count it for"`
	Lines   []Line       `json:"lines" doc:"the deposits, five hundred at most, those that were noticed last before the others"`

	More      bool `json:"more,omitempty" doc:"more deposits came than are read here: the lines and the others are of five hundred of them, and the sums, which are of all, are the payment's own. GET /v1/deposits and GET /v1/entries have all"`
	Meanwhile bool `json:"meanwhile,omitempty" doc:"the payment changed while this was read: its lines and sums can be of moments that lie apart. Ask again"`
}

// Sum is what is booked for one option, as the entries have it.
type Sum struct {
	Asset          string `json:"asset" doc:"CAIP-19"`
	Asked          string `json:"asked" doc:"where all is paid in this asset, in its own unit"`
	AskedUnits     string `json:"asked_units"`
	InTime         string `json:"in_time"`
	InTimeUnits    string `json:"in_time_units"`
	Late           string `json:"late"`
	LateUnits      string `json:"late_units"`
	Remaining      string `json:"remaining" doc:"what the payer must still send where the rest is paid in this asset alone"`
	RemainingUnits string `json:"remaining_units"`
}

// Other is what came in an asset and counts for nothing here.
type Other struct {
	Asset       string `json:"asset" doc:"CAIP-19, or iso4217:EUR for money of a state"`
	Amount      string `json:"amount" doc:"in the asset's own unit"`
	AmountUnits string `json:"amount_units"`
}

// Counts says what a line's money counts for.
type Counts string

// What money counts for.
const (
	InTime  Counts = "in_time"
	Late    Counts = "late"
	Nothing Counts = "nothing"
	NotYet  Counts = "not_yet"
)

// Line is one deposit.
type Line struct {
	Deposit deposit.View `json:"deposit"`
	Counts  Counts       `json:"counts" enum:"in_time,late,nothing,not_yet" doc:"what its money counts for"`
	Why     string       `json:"why" doc:"for people"`
	Entries []Booked     `json:"entries" doc:"that booked it, in their order"`
}

// Booked is an entry of the book.
type Booked struct {
	ID          string      `json:"id"`
	Kind        ledger.Kind `json:"kind" enum:"credit,reversal,void"`
	Amount      string      `json:"amount" doc:"change of what is available, in the asset's own unit"`
	AmountUnits string      `json:"amount_units"`
	At          time.Time   `json:"at"`
}

// Of makes the statement of a payment at a moment. Shards are those of the merchant's accounts. All is read once.
func (r Reader) Of(ctx context.Context, merchant, name string, shards int, now time.Time) (Statement, error) {
	before, err := r.Payments.Get(ctx, merchant, name)
	if err != nil {
		return Statement{}, err
	}
	deposits, more, err := r.deposits(ctx, before)
	if err != nil {
		return Statement{}, err
	}
	b := newBook(deposits)
	if err := r.entries(ctx, before, deposits, more, shards, b); err != nil {
		return Statement{}, err
	}
	p, err := r.Payments.Get(ctx, merchant, name)
	if err != nil {
		return Statement{}, err
	}
	s := Statement{Payment: p.ViewWithLinks(now), Sums: b.sums(p), Others: b.others(), Lines: []Line{}, More: more, Meanwhile: p.Version != before.Version}
	if more {
		s.Sums = sums(p, p.Options())
	}
	for _, d := range deposits {
		s.Lines = append(s.Lines, b.line(p, d))
	}
	return s, nil
}

var errEnough = errors.New("statement: no more is read")

// deposits are as many as are listed, and whether there are more.
func (r Reader) deposits(ctx context.Context, p payment.Payment) (listed []deposit.Deposit, more bool, err error) {
	err = r.Deposits.EachOf(ctx, p.PK, p.ID, func(d deposit.Deposit) error {
		if len(listed) == MaxLines {
			return errEnough
		}
		listed = append(listed, d)
		return nil
	})
	slices.SortStableFunc(listed, func(a, b deposit.Deposit) int { return b.NoticedAt.Compare(a.NoticedAt) })
	if errors.Is(err, errEnough) {
		return listed, true, nil
	}
	return listed, false, err
}

// entries puts into the book all that the payment has or, where that is more than is read, those of the deposits alone.
func (r Reader) entries(ctx context.Context, p payment.Payment, deposits []deposit.Deposit, more bool, shards int, b *book) error {
	if !more {
		return r.Ledger.EachOf(ctx, p.PK, p.ID, shards, b.add)
	}
	found := make([][]ledger.Entry, len(deposits))
	questions, ctx := errgroup.WithContext(ctx)
	questions.SetLimit(atOnce)
	for i, d := range deposits {
		questions.Go(func() (err error) {
			found[i], err = r.Ledger.Of(ctx, d)
			return err
		})
	}
	if err := questions.Wait(); err != nil {
		return err
	}
	for _, e := range slices.Concat(found...) {
		if err := b.add(e); err != nil {
			return err
		}
	}
	return nil
}

// book is what the entries of a payment say.
type book struct {
	of       map[string][]ledger.Entry // by deposit, of those that are listed
	toward   map[ledger.Toward]map[money.Asset]money.Amount
	decimals map[money.Asset]int
	order    []money.Asset // as they came first
}

func newBook(deposits []deposit.Deposit) *book {
	b := &book{of: map[string][]ledger.Entry{}, toward: map[ledger.Toward]map[money.Asset]money.Amount{}, decimals: map[money.Asset]int{}}
	for _, d := range deposits {
		b.of[d.ID] = nil
	}
	return b
}

func (b *book) add(e ledger.Entry) error {
	if _, listed := b.of[e.Deposit]; listed {
		b.of[e.Deposit] = append(b.of[e.Deposit], e)
	}
	if _, known := b.decimals[e.Asset]; !known {
		b.decimals[e.Asset] = e.Decimals
		b.order = append(b.order, e.Asset)
	}
	if b.toward[e.Toward] == nil {
		b.toward[e.Toward] = map[money.Asset]money.Amount{}
	}
	b.toward[e.Toward][e.Asset] = b.toward[e.Toward][e.Asset].Add(e.Legs[ledger.Available])
	return nil
}

// sums adds up the entries that count for the payment.
func (b *book) sums(p payment.Payment) []Sum {
	booked := p.Options()
	for i, o := range booked {
		booked[i].InTime, booked[i].After = b.toward[ledger.TowardInTime][o.Asset], b.toward[ledger.TowardAfter][o.Asset]
	}
	return sums(p, booked)
}

// sums are of what the options say is booked, be they of the book or the payment's own.
func sums(p payment.Payment, booked []payment.Option) []Sum {
	all := []Sum{}
	remaining := p.Remaining()
	for i, o := range booked {
		all = append(all, Sum{
			Asset: string(o.Asset), Asked: o.Amount.Decimal(o.Decimals), AskedUnits: o.Amount.String(),
			InTime: o.InTime.Decimal(o.Decimals), InTimeUnits: o.InTime.String(), Late: o.After.Decimal(o.Decimals), LateUnits: o.After.String(),
			Remaining: remaining[i].Decimal(o.Decimals), RemainingUnits: remaining[i].String(),
		})
	}
	return all
}

// others adds up the entries that count for nothing.
func (b *book) others() []Other {
	all := []Other{}
	for _, asset := range b.order {
		if amount := b.toward[""][asset]; amount.Sign() != 0 {
			all = append(all, Other{Asset: string(asset), Amount: amount.Decimal(b.decimals[asset]), AmountUnits: amount.String()})
		}
	}
	return all
}

// line says of one deposit what it counts for. The book decides, since it is what was decided; where it has nothing yet,
// the deposit's state says why.
func (b *book) line(p payment.Payment, d deposit.Deposit) Line {
	l := Line{Deposit: d.View(), Entries: []Booked{}}
	var stands *ledger.Entry
	for i, e := range b.of[d.ID] {
		switch e.Kind {
		case ledger.Credit:
			stands = &b.of[d.ID][i]
		case ledger.Reversal:
			stands = nil
		}
		amount := e.Legs[ledger.Available]
		l.Entries = append(l.Entries, Booked{ID: e.ID, Kind: e.Kind, Amount: amount.Decimal(e.Decimals), AmountUnits: amount.String(), At: e.At})
	}
	l.Counts, l.Why = reason(p, d, stands)
	return l
}

func reason(p payment.Payment, d deposit.Deposit, stands *ledger.Entry) (Counts, string) {
	switch {
	case stands != nil && stands.Toward == ledger.TowardInTime:
		return InTime, "it came by the payment's end, " + shown(p.EndsAt())
	case stands != nil && stands.Toward == ledger.TowardAfter:
		return Late, "it came after the payment's end, " + shown(p.EndsAt())
	case stands != nil && p.Asks(stands.Asset):
		return Nothing, "it was booked when there was no payment to count it for"
	case stands != nil:
		return Nothing, "it is in an asset that was not asked for"
	case d.State == deposit.Final:
		return NotYet, "it is final and about to be booked"
	case d.State == deposit.Seen, d.State == deposit.Confirming:
		return NotYet, "it is not final yet"
	case d.State == deposit.Dropped:
		return Nothing, "it was gone from the chain before it was final"
	case d.State == deposit.Conflict:
		return Nothing, "the chain told something else of this transfer than it had told before; a person has to look at it"
	default:
		return Nothing, "it was taken back after it was final"
	}
}

func shown(t time.Time) string { return t.UTC().Format(time.RFC3339) }
