package book

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/chain"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payout"
)

const (
	merchant = "mer_1"
	coin     = money.Asset("eip155:137/slip44:966")
	chains   = `[{"id":"eip155:137","name":"Polygon","endpoints":["http://node.invalid"],"finality":{"tag":"finalized"},"block_time":"2s",
		"native":{"symbol":"POL","decimals":18,"coin_type":966},"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132d05d31c914a87c6611c10748aeb04b58e8f"}]}]`
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

type decision = func(payout.Payout, time.Time) (payout.Payout, error)

// office is a merchant's account and the books over it.
type office struct {
	Books
	t      *testing.T
	faults parts.Faults
}

// open is an account whose parts have these amounts available.
func open(t *testing.T, amounts ...int64) *office {
	t.Helper()
	o := &office{t: t}
	client := o.faults.Tables(t)
	set, err := chain.ParseSet(chains)
	if err != nil {
		t.Fatal(err)
	}
	o.Books = Books{
		Payouts: payout.Store{Payouts: parts.TableOn(t, client), Assets: set, Now: func() time.Time { return noon }},
		Ledger:  ledger.Store{Entries: parts.TableOn(t, client), Balances: parts.TableOn(t, client)},
		Random:  rand.Int64N, Sleep: cloud.Sleep,
	}
	for shard, amount := range amounts {
		o.credit(shard, amount, 0)
	}
	return o
}

// credit books a deposit, or a reversal, as package credit does.
func (o *office) credit(shard int, amount int64, n int) {
	o.t.Helper()
	e := ledger.Entry{
		PK: ledger.PartitionOf(merchant, shard), SK: fmt.Sprintf("pay_%d_%d/dep_1/000/credit", shard, n), Kind: ledger.Credit, Merchant: merchant, Shard: shard,
		Asset: dollar, Decimals: 6, Legs: between(ledger.Custody, ledger.Available, money.Units(amount)), At: noon,
	}
	for {
		b, err := o.Ledger.Balance(context.Background(), merchant, dollar, 6, shard)
		if err != nil {
			o.t.Fatal(err)
		}
		err = dynamo.Transact(context.Background(), o.Ledger.Entries.Client, []dynamo.Write{
			{Table: o.Ledger.Entries, Item: e}, {Table: o.Ledger.Balances, Item: b.Add(noon, e), Expected: b.Expected()},
		})
		var cancelled *dynamo.Cancelled
		if err == nil {
			return
		}
		if !errors.As(err, &cancelled) {
			o.t.Fatal(err)
		}
	}
}

// approved stores a payout that is approved.
func (o *office) approved(n int, amount int64) payout.Payout {
	o.t.Helper()
	name := fmt.Sprintf("out_01JD0Z5T3N8Q4W7R2X9Y6V%04d", n)
	p := payout.Payout{
		PK: merchant, SK: name, ID: name, Asset: dollar, Symbol: "USDT", Decimals: 6, Amount: money.Units(amount), FeeMost: money.Units(1_000_000),
		To: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Wallet: "0x1111111111111111111111111111111111111111", State: payout.Approved, CreatedAt: noon, UpdatedAt: noon, Version: 3,
		History: []payout.Change{{State: payout.Approved, At: noon}},
	}
	if err := o.Payouts.Payouts.Create(context.Background(), p); err != nil {
		o.t.Fatal(err)
	}
	return p
}

// step makes moves one after another.
func (o *office) step(p payout.Payout, decisions ...decision) payout.Payout {
	o.t.Helper()
	for _, decide := range decisions {
		next, err := o.Step(context.Background(), merchant, p.ID, decide)
		if err != nil {
			o.t.Fatal(err)
		}
		p = next
	}
	return p
}

// expect checks the account, all parts together, and that every balance is the sum of its entries.
func (o *office) expect(available, reserved, custody, fees int64) {
	o.t.Helper()
	totals, err := o.Ledger.Totals(context.Background(), merchant)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, total := range totals {
		want := ledger.Legs{ledger.Available: money.Units(available), ledger.Reserved: money.Units(reserved), ledger.Custody: money.Units(custody)}
		if total.Asset == coin {
			want = ledger.Legs{ledger.Fees: money.Units(fees), ledger.Custody: money.Units(-fees)}
		}
		if !total.Legs.Equal(want) {
			o.t.Errorf("%s: %v, want %v", total.Asset, total.Legs, want)
		}
	}
	if fees != 0 && len(totals) < 2 {
		o.t.Error("no fee is booked")
	}
	o.rebuild()
}

func (o *office) rebuild() {
	o.t.Helper()
	if _, _, err := o.Ledger.Check(context.Background(), func(d ledger.Difference) { o.t.Error(d) }); err != nil {
		o.t.Error(err)
	}
}

// kinds are those of a payout's entries, in the order of the book.
func (o *office) kinds(p payout.Payout) (kinds []string) {
	o.t.Helper()
	if err := o.Ledger.EachOf(context.Background(), merchant, p.ID, 4, func(e ledger.Entry) error {
		kinds = append(kinds, fmt.Sprintf("%d/%s %s", e.Shard, e.SK[len(p.ID)+4:], e.Tx))
		return nil
	}); err != nil {
		o.t.Fatal(err)
	}
	return kinds
}

func allocate(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Allocate(5, now) }

func sign(p payout.Payout, now time.Time) (payout.Payout, error) {
	return p.Sign(payout.Attempt{N: 1, Nonce: 5, FeePerGas: money.Units(9), TipPerGas: money.Units(1), Gas: 21_000, Hash: "0xa1", SignedAt: now}, now)
}

func sent(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Sent(1, now) }

func cancel(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Cancel("why", now) }

func mined(block string, reverted bool) decision {
	return func(p payout.Payout, now time.Time) (payout.Payout, error) {
		return p.Include(payout.Mined{Attempt: 1, Height: 7, BlockHash: block, Fee: money.Units(21), Reverted: reverted}, now)
	}
}

func lost(block string) decision {
	return func(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Lose(block, nil, now) }
}

func overtake(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Overtake("0xee", now) }

func (o *office) onItsWay(n int, amount int64) payout.Payout {
	o.t.Helper()
	return o.step(o.approved(n, amount), payout.Payout.Reserve, allocate, sign, sent)
}

func TestConformanceAPayoutThatIsMadeLeavesTheBookWithItsFee(t *testing.T) {
	o := open(t, 6, 5)
	p := o.onItsWay(1, 10)
	o.expect(1, 10, -11, 0)
	p = o.step(p, mined("0xb1", false), payout.Payout.Settle)
	o.expect(1, 0, -1, -21)
	want := []string{"0/000/fee 0xa1", "0/000/paid 0xa1", "0/000/reserve ", "1/000/paid 0xa1", "1/000/reserve "}
	if got := o.kinds(p); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestConformanceAPayoutThatIsNotMadeGivesItsMoneyBack(t *testing.T) {
	for name, c := range map[string]struct {
		rest []decision
		fees int64
	}{
		"cancelled": {[]decision{cancel}, 0},
		"held and cancelled": {[]decision{
			func(p payout.Payout, now time.Time) (payout.Payout, error) { return p.Hold("why", now) }, cancel}, 0},
		"reverted": {[]decision{allocate, sign, sent, mined("0xb1", true), payout.Payout.Settle}, -21},
		"replaced": {[]decision{allocate, sign, overtake}, 0},
	} {
		o := open(t, 7, 7)
		p := o.step(o.approved(1, 10), payout.Payout.Reserve)
		o.expect(4, 10, -14, 0)
		o.step(p, c.rest...)
		o.expect(14, 0, -14, c.fees)
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestConformanceAnEndThatTheChainTakesBackIsTakenBackInTheBook(t *testing.T) {
	o := open(t, 6, 5)
	p := o.step(o.onItsWay(1, 10), mined("0xb1", false), payout.Payout.Settle, lost("0xb1"))
	o.expect(1, 10, -11, 0)
	p = o.step(p, mined("0xb2", false), payout.Payout.Settle, lost("0xb2"), mined("0xb3", true), payout.Payout.Settle)
	o.expect(11, 0, -11, -21)
	// The reverted transaction is gone, too, and the money was used in the meantime: it may leave all the same.
	other := o.step(o.approved(2, 8), payout.Payout.Reserve)
	p = o.step(p, lost("0xb3"))
	o.expect(-7, 18, -11, 0)
	if _, err := o.Step(context.Background(), merchant, o.approved(3, 1).ID, payout.Payout.Reserve); !isNegative(err) {
		t.Errorf("a payout of an account that owes: %v", err)
	}
	o.step(p, overtake)
	o.step(other, cancel)
	o.expect(11, 0, -11, 0)
}

func isNegative(err error) bool {
	var short *ShortError
	return errors.As(err, &short) && short.Negative()
}

func TestConformanceWhatIsNotThereIsNotReserved(t *testing.T) {
	o := open(t, 6, 3)
	p := o.approved(1, 10)
	var short *ShortError
	if _, err := o.Step(context.Background(), merchant, p.ID, payout.Payout.Reserve); !errors.As(err, &short) || short.Negative() {
		t.Fatal(err)
	}
	if stored, err := o.Payouts.Get(context.Background(), merchant, p.ID); err != nil || !stored.Same(p) {
		t.Errorf("%+v, %v", stored, err)
	}
	o.expect(9, 0, -9, 0)
	o.credit(1, 1, 1)
	o.step(p, payout.Payout.Reserve)
	o.expect(0, 10, -10, 0)
}

func TestConformanceAMoveThatTheBookDoesNotKnowWritesNoEntry(t *testing.T) {
	o := open(t, 10)
	p := o.step(o.approved(1, 10), payout.Payout.Reserve, allocate)
	same := o.step(p, allocate)
	if same.Version != p.Version || len(o.kinds(p)) != 1 {
		t.Errorf("%+v, %q", same, o.kinds(p))
	}
}

func TestConformancePayoutsAndCreditsAtOnceNeverTakeTheSameMoneyTwice(t *testing.T) {
	o := open(t, 20, -4, 9)
	o.credit(3, 1, 0)
	var made, short int
	var mu sync.Mutex
	var wait sync.WaitGroup
	for n := range 12 {
		p := o.approved(n, 4)
		wait.Go(func() {
			for {
				_, err := o.Step(context.Background(), merchant, p.ID, payout.Payout.Reserve)
				if errors.Is(err, errBusy) {
					continue
				}
				var none *ShortError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made++
				case errors.As(err, &none):
					short++
				default:
					t.Error(err)
				}
				return
			}
		})
	}
	wait.Go(func() {
		for n := range 6 {
			o.credit(n%4, 1, n+1)
		}
	})
	wait.Wait()
	if made < 26/4 || made > 32/4 || made+short != 12 {
		t.Errorf("%d payouts of 4 from 26 to 32, %d short", made, short)
	}
	o.expect(32-int64(made)*4, int64(made)*4, -32, 0)
}

func TestATransactionThatMetAnotherIsDecidedAnew(t *testing.T) {
	o := open(t, 10)
	p := o.approved(1, 10)
	conflicts := 3
	o.faults.Before = func(operation string) error {
		if operation == "TransactWriteItems" && conflicts > 0 {
			conflicts--
			return &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("None")}, {Code: aws.String("TransactionConflict")}, {Code: aws.String("None")},
			}}
		}
		return nil
	}
	o.step(p, payout.Payout.Reserve)
	o.expect(0, 10, -10, 0)
}

func TestAMoveWhoseAnswerWasLostIsFoundDone(t *testing.T) {
	o := open(t, 10)
	p := o.approved(1, 10)
	lost := false
	o.faults.After = func(operation string) error { // as where the SDK sends it again, and the second finds what the first has written
		if operation == "TransactWriteItems" && !lost {
			lost = true
			return &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("ConditionalCheckFailed")}, {Code: aws.String("ConditionalCheckFailed")}, {Code: aws.String("ConditionalCheckFailed")},
			}}
		}
		return nil
	}
	if p = o.step(p, payout.Payout.Reserve); p.State != payout.Reserved || !lost {
		t.Errorf("%+v", p)
	}
	o.expect(0, 10, -10, 0)

	o.faults.After = func(operation string) error {
		if operation == "TransactWriteItems" {
			return context.DeadlineExceeded
		}
		return nil
	}
	if _, err := o.Step(context.Background(), merchant, p.ID, cancel); err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	o.faults.After = nil
	var no *payout.MoveError
	if _, err := o.Step(context.Background(), merchant, p.ID, cancel); !errors.As(err, &no) {
		t.Error(err)
	}
	o.expect(10, 0, -10, 0)
}

func TestABookThatContradictsItsPayoutIsAnErrorAndNothingIsMoved(t *testing.T) {
	o := open(t, 10)
	p := o.approved(1, 10)
	account, err := o.Ledger.Balance(context.Background(), merchant, dollar, 6, 0)
	if err != nil {
		t.Fatal(err)
	}
	foreign := ledger.Outgoing{Merchant: merchant, Payout: p.ID}.Entry(account, ledger.Reserve, legsOf(ledger.Reserve, money.Units(0)), noon)
	if err := o.Ledger.Entries.Create(context.Background(), foreign); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(context.Background(), merchant, p.ID, payout.Payout.Reserve); !errors.Is(err, ErrConflict) {
		t.Error(err)
	}
	q := o.approved(2, 10)
	q.Parts, q.Booked, q.State = []payout.Part{{Shard: 0, Amount: money.Units(9)}}, true, payout.Reserved
	q.Version++
	if err := o.Payouts.Payouts.Replace(context.Background(), q, q.Version-1); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(context.Background(), merchant, q.ID, cancel); !errors.Is(err, ErrParts) {
		t.Error(err)
	}
	r := o.approved(3, 10)
	r.Decimals, r.Version = 18, r.Version+1
	if err := o.Payouts.Payouts.Replace(context.Background(), r, r.Version-1); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(context.Background(), merchant, r.ID, payout.Payout.Reserve); !errors.Is(err, ErrUnit) {
		t.Error(err)
	}
}
