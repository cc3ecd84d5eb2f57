package credit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/cloud"
	"farrier/shared/credit"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/stream"
)

const (
	merchant = "mer_1"
	dollar   = money.Asset("eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3")
)

var opening = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// shop is a merchant's tables with one crediter over them.
type shop struct {
	t *testing.T
	*credit.Crediter
	faults parts.Faults
}

func open(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t}
	client := s.faults.Tables(t)
	s.Crediter = &credit.Crediter{
		Deposits: parts.TableOn(t, client), Payments: parts.TableOn(t, client),
		Ledger:  ledger.Store{Entries: parts.TableOn(t, client), Balances: parts.TableOn(t, client)},
		Metrics: cloud.Metrics{Out: io.Discard, Now: time.Now}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return opening.Add(10 * time.Minute) }, Random: rand.New(rand.NewPCG(1, 2)), Sleep: cloud.Sleep,
	}
	return s
}

func (s *shop) payment(name string, amount int64) {
	s.t.Helper()
	err := s.Payments.Create(context.Background(), payment.Payment{
		PK: merchant, SK: name, ID: name, Option: payment.Option{Asset: dollar, Decimals: 6, Amount: money.Units(amount)},
		Status: payment.Waiting, CreatedAt: opening, ExpiresAt: opening.Add(time.Hour), UpdatedAt: opening, Version: 1,
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// deposit stores a final deposit, or the next version of one, and returns the record that its stream carries.
func (s *shop) deposit(pay, tx string, amount int64, change ...func(*deposit.Deposit)) events.DynamoDBEventRecord {
	s.t.Helper()
	key := deposit.KeyOf(merchant, pay, "eip155:31337", tx, "log-0")
	d := deposit.Deposit{
		PK: key.PK, SK: key.SK, ID: deposit.IDOf("eip155:31337", tx, "log-0"), Merchant: merchant, Payment: pay, Chain: "eip155:31337",
		Tx: tx, Index: "log-0", Asset: dollar, Decimals: 6, Amount: money.Units(amount), BlockTime: opening.Add(time.Minute),
		State: deposit.Final, NoticedAt: opening.Add(time.Minute), UpdatedAt: opening, Version: 1,
	}
	for _, c := range change {
		c(&d)
	}
	if err := s.Deposits.PutIf(context.Background(), d, "attribute_not_exists(pk) OR attribute_exists(pk)", nil); err != nil {
		s.t.Fatal(err)
	}
	return events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{Keys: map[string]events.DynamoDBAttributeValue{
		"pk": events.NewStringAttribute(d.PK), "sk": events.NewStringAttribute(d.SK),
	}}}
}

func reversed(round int) func(*deposit.Deposit) {
	return func(d *deposit.Deposit) { d.State, d.Round = deposit.Reversed, round }
}

func again(round int) func(*deposit.Deposit) {
	return func(d *deposit.Deposit) { d.Round = round }
}

func (s *shop) handle(records ...events.DynamoDBEventRecord) []error {
	return s.Handle(context.Background(), records)
}

func (s *shop) mustHandle(records ...events.DynamoDBEventRecord) {
	s.t.Helper()
	for _, err := range s.handle(records...) {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) read(name string) payment.Payment {
	s.t.Helper()
	var p payment.Payment
	if err := s.Payments.Get(context.Background(), dynamo.Key{PK: merchant, SK: name}, &p); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// expect compares the payment and the balance, and the balance with the entries.
func (s *shop) expect(pay string, status payment.Status, received, available int64, entries int) {
	s.t.Helper()
	if p := s.read(pay); p.Status != status || p.Received().Cmp(money.Units(received)) != 0 {
		s.t.Errorf("payment is %s with %s, want %s with %d", p.Status, p.Received(), status, received)
	}
	totals, err := s.Ledger.Totals(context.Background(), merchant)
	if err != nil {
		s.t.Fatal(err)
	}
	book, _, err := s.Ledger.List(context.Background(), merchant, 1, 1000, "")
	if err != nil {
		s.t.Fatal(err)
	}
	if len(book) != entries {
		s.t.Errorf("%d entries, want %d", len(book), entries)
	}
	var legs ledger.Legs
	for _, e := range book {
		if e.Legs.Sum().Sign() != 0 {
			s.t.Errorf("entry %s sums to %s", e.SK, e.Legs.Sum())
		}
		legs = legs.Plus(e.Legs)
	}
	if len(totals) != 1 || totals[0].Legs[ledger.Available].Cmp(money.Units(available)) != 0 || !totals[0].Legs.Equal(legs) || totals[0].Entries != int64(entries) {
		s.t.Errorf("balance %+v, want %d available, of entries %+v", totals, available, legs)
	}
}

func TestADepositIsBookedOnceHoweverOftenItIsTold(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	record := s.deposit("pay_1", "0xaa", 10)
	s.mustHandle(record, record)
	s.mustHandle(record)
	s.expect("pay_1", payment.Paid, 10, 10, 1)
	if p := s.read("pay_1"); p.Version != 2 || !slices.Equal(p.Events, []string{"payment.paid"}) {
		t.Errorf("version %d for %v, want one change for payment.paid", p.Version, p.Events)
	}
}

func TestTheStatusFollowsWhatCame(t *testing.T) {
	afterTheEnd := func(d *deposit.Deposit) { d.BlockTime = opening.Add(2 * time.Hour) }
	for _, c := range []struct {
		name     string
		amounts  []int64
		change   func(*deposit.Deposit)
		status   payment.Status
		received int64
		events   []string
	}{
		{"paid in two parts", []int64{4, 6}, nil, payment.Paid, 10, []string{"payment.partial", "payment.paid"}},
		{"paid short", []int64{9}, nil, payment.Partial, 9, []string{"payment.partial"}},
		{"paid over", []int64{11}, nil, payment.Over, 11, []string{"payment.over"}},
		{"paid late", []int64{10}, afterTheEnd, payment.Late, 10, []string{"payment.late"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.payment("pay_1", 10)
			var records []events.DynamoDBEventRecord
			for i, amount := range c.amounts {
				records = append(records, s.deposit("pay_1", fmt.Sprint("0xa", i), amount, func(d *deposit.Deposit) {
					d.NoticedAt = d.NoticedAt.Add(time.Duration(i) * time.Second)
					if c.change != nil {
						c.change(d)
					}
				}))
			}
			s.mustHandle(records...)
			s.expect("pay_1", c.status, c.received, c.received, len(c.amounts))
			if p := s.read("pay_1"); !slices.Equal(p.Events, c.events) {
				t.Errorf("stands for %v, want %v", p.Events, c.events)
			}
		})
	}
}

func TestAnotherAssetIsCreditedButDoesNotPay(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10, func(d *deposit.Deposit) { d.Asset = "eip155:31337/slip44:60" }))
	s.expect("pay_1", payment.Waiting, 0, 10, 1)
}

func TestMoneyToAnAddressWithoutAPaymentIsCredited(t *testing.T) {
	s := open(t)
	s.payment("pay_other", 10)
	s.mustHandle(s.deposit("pay_never_written", "0xaa", 7))
	s.expect("pay_other", payment.Waiting, 0, 7, 1)
}

func TestAReversalTakesTheCreditBackOnce(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	record := s.deposit("pay_1", "0xaa", 10, reversed(1))
	s.mustHandle(record, record)
	s.mustHandle(record)
	s.expect("pay_1", payment.Waiting, 0, 0, 2)
	if p := s.read("pay_1"); !slices.Equal(p.Events, []string{"payment.reversed"}) {
		t.Errorf("stands for %v", p.Events)
	}
}

func TestAReversedDepositThatReturnsIsCreditedAgainOnce(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	record := s.deposit("pay_1", "0xaa", 10, again(1)) // the reversal's own record is still on its way
	s.mustHandle(record)
	s.mustHandle(record, record)
	s.expect("pay_1", payment.Paid, 10, 10, 3)
}

func TestADepositReversedBeforeItWasCreditedIsNeverCredited(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10, reversed(1)))
	// A crediter that read the deposit while it was final comes late with the credit.
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	s.expect("pay_1", payment.Waiting, 0, 0, 1)
}

func TestAnEntryThatSaysSomethingElseIsSetAside(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	forged := s.deposit("pay_1", "0xaa", 9)
	good := s.deposit("pay_1", "0xbb", 5)
	answers := s.handle(forged, good)
	var unfit stream.Unfit
	if !errors.As(answers[0], &unfit) || answers[1] != nil {
		t.Errorf("answers %v", answers)
	}
	s.expect("pay_1", payment.Over, 15, 15, 2)
}

func TestABatchLargerThanATransactionIsBookedInParts(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 1_000)
	var records []events.DynamoDBEventRecord
	for i := range 120 {
		records = append(records, s.deposit("pay_1", fmt.Sprintf("0x%03d", i), 1))
	}
	s.mustHandle(records...)
	s.expect("pay_1", payment.Partial, 120, 120, 120)
}

func TestCreditersAtOnceBookEachDepositOnce(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 1_000)
	var records []events.DynamoDBEventRecord
	for i := range 20 {
		records = append(records, s.deposit("pay_1", fmt.Sprintf("0x%03d", i), 1))
	}
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			other := *s.Crediter
			other.Random = rand.New(rand.NewPCG(uint64(n), 1))
			for _, r := range records {
				for {
					if err := other.Handle(context.Background(), []events.DynamoDBEventRecord{r})[0]; err == nil {
						break
					}
				}
			}
		})
	}
	wait.Wait()
	s.expect("pay_1", payment.Partial, 20, 20, 20)
}

func TestATransactionConflictIsTriedAgain(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	record := s.deposit("pay_1", "0xaa", 10)
	conflicts := 3
	s.faults.Before = func(operation string) error {
		if operation == "TransactWriteItems" && conflicts > 0 {
			conflicts--
			return &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
				{Code: aws.String("None")}, {Code: aws.String("TransactionConflict")}, {Code: aws.String("ThrottlingError")},
			}}
		}
		return nil
	}
	s.mustHandle(record)
	s.expect("pay_1", payment.Paid, 10, 10, 1)
}

func TestAnAnswerLostAfterTheCommitIsNoSecondCredit(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	record := s.deposit("pay_1", "0xaa", 10)
	s.faults.After = func(operation string) error {
		if operation == "TransactWriteItems" {
			return context.DeadlineExceeded
		}
		return nil
	}
	if err := s.handle(record)[0]; err == nil {
		t.Fatal("the lost answer went unnoticed")
	}
	s.faults.After = nil
	s.mustHandle(record)
	s.expect("pay_1", payment.Paid, 10, 10, 1)
}

func TestAnExpiredPaymentThatIsPaidInTimeAfterAllIsPaid(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	late := payment.Store{Payments: s.Payments, Now: func() time.Time { return opening.Add(time.Hour) }}
	if err := late.Expire(context.Background(), payment.Expiry{Merchant: merchant, Payment: "pay_1"}); err != nil {
		t.Fatal(err)
	}
	if p := s.read("pay_1"); p.Status != payment.Expired || !slices.Equal(p.Events, []string{"payment.expired"}) {
		t.Fatalf("%s, %v", p.Status, p.Events)
	}
	s.mustHandle(s.deposit("pay_1", "0xaa", 10)) // mined in time, final only now
	s.expect("pay_1", payment.Paid, 10, 10, 1)
}

func TestAReversalIsBookedInTheAssetThatWasCredited(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	// In the block that took the first one's place, the same transaction moves another asset.
	s.mustHandle(s.deposit("pay_1", "0xaa", 1, func(d *deposit.Deposit) {
		d.Round, d.Asset, d.Decimals = 1, "eip155:31337/slip44:60", 18
	}))
	totals, err := s.Ledger.Totals(context.Background(), merchant)
	if err != nil || len(totals) != 2 {
		t.Fatalf("%+v, %v", totals, err)
	}
	for _, total := range totals {
		want := money.Units(0)
		if total.Asset != dollar {
			want = money.Units(1)
		}
		if total.Legs[ledger.Available].Cmp(want) != 0 {
			t.Errorf("%s of %s, want %s", total.Legs[ledger.Available], total.Asset, want)
		}
	}
}

func TestADepositNoticedAnewIsNotCreditedTwice(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	// The table of deposits was restored to an earlier moment, and the transfer is found again.
	s.mustHandle(s.deposit("pay_1", "0xaa", 10, func(d *deposit.Deposit) { d.NoticedAt = d.NoticedAt.Add(time.Hour) }))
	s.expect("pay_1", payment.Paid, 10, 10, 1)
}
