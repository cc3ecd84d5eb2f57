package statement_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/cloud"
	"farrier/shared/credit"
	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payment"
	"farrier/shared/payment/statement"
)

const (
	merchant = "mer_1"
	name     = "pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"
	usdt     = money.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f")
	usdc     = money.Asset("eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359")
	dai      = money.Asset("eip155:137/erc20:0x8f3cf7ad23cd3cadbd9735aff958023239c6a063")
	shards   = 3
)

var opening = time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)

// desk is the tables of a merchant with a payment in two assets, the crediter over them, and a reader.
type desk struct {
	t *testing.T
	*credit.Crediter
	statement.Reader
	*wire
	transfers int
}

// wire is how the reader asks the book: it counts the questions, and does something before the next one.
type wire struct {
	questions atomic.Int64
	before    func()
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	w.questions.Add(1)
	if do := w.before; do != nil {
		w.before = nil
		do()
	}
	return http.DefaultClient.Do(r)
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, wire: &wire{}}
	payments, deposits, book := parts.Table(t), parts.Table(t), ledger.Store{Entries: parts.Table(t), Balances: parts.Table(t)}
	d.Crediter = &credit.Crediter{
		Deposits: deposits, Payments: payments, Ledger: book, Metrics: cloud.Metrics{Out: io.Discard, Now: time.Now}, Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return opening.Add(3 * time.Hour) }, Random: rand.New(rand.NewPCG(1, 1)), Sleep: func(context.Context, time.Duration) error { return nil },
	}
	d.Reader = statement.Reader{Payments: payment.Store{Payments: payments, Now: time.Now}, Deposits: deposit.Store{Table: deposits}, Ledger: book}
	wired := parts.Config(t, "FARRIER_TEST_DYNAMODB")
	wired.HTTPClient = d.wire
	d.Reader.Ledger.Entries.Client = dynamodb.NewFromConfig(wired)
	err := payments.Create(context.Background(), payment.Payment{
		PK: merchant, SK: name, ID: name, Status: payment.Waiting, Version: 1, CreatedAt: opening, ExpiresAt: opening.Add(time.Hour), UpdatedAt: opening,
		Option: payment.Option{Asset: usdt, Symbol: "USDT", Decimals: 6, Amount: money.Units(10_000_000)},
		Others: []payment.Option{{Asset: usdc, Symbol: "USDC", Decimals: 6, Amount: money.Units(20_000_000)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// comes stores a deposit and, where it is booked, has it credited; then it is moved on to the state.
func (d *desk) comes(asset money.Asset, units int64, at time.Time, booked bool, then deposit.State) {
	d.t.Helper()
	d.transfers++
	tx := fmt.Sprintf("0x%04x", d.transfers)
	key := deposit.KeyOf(merchant, name, "eip155:137", tx, "log-0")
	one := deposit.Deposit{
		PK: key.PK, SK: key.SK, ID: deposit.IDOf("eip155:137", tx, "log-0"), Merchant: merchant, Payment: name, Shard: d.transfers % shards, Chain: "eip155:137", Tx: tx, Index: "log-0",
		Asset: asset, Decimals: 6, Amount: money.Units(units), State: then, BlockTime: at, Height: 7, BlockHash: "0xb", NoticedAt: opening.Add(-time.Duration(d.transfers) * time.Second), UpdatedAt: opening, Version: 1,
	}
	record := events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{Keys: map[string]events.DynamoDBAttributeValue{
		"pk": events.NewStringAttribute(key.PK), "sk": events.NewStringAttribute(key.SK),
	}}}
	handle := func() {
		if err := d.Handle(context.Background(), []events.DynamoDBEventRecord{record})[0]; err != nil {
			d.t.Fatal(err)
		}
	}
	if booked {
		one.State = deposit.Final
	}
	if err := d.Crediter.Deposits.Create(context.Background(), one); err != nil {
		d.t.Fatal(err)
	}
	if !booked {
		return
	}
	handle()
	if then != deposit.Final {
		one.State, one.Round, one.Version = then, 1, 2
		if err := d.Crediter.Deposits.Replace(context.Background(), one, 1); err != nil {
			d.t.Fatal(err)
		}
		handle()
	}
}

func (d *desk) statement() (statement.Statement, payment.Payment) {
	d.t.Helper()
	s, err := d.Of(context.Background(), merchant, name, shards, opening.Add(3*time.Hour))
	if err != nil {
		d.t.Fatal(err)
	}
	p, err := d.Reader.Payments.Get(context.Background(), merchant, name)
	if err != nil {
		d.t.Fatal(err)
	}
	return s, p
}

// agrees says where a statement's sums are not those of its payment, or of its own lines.
func agrees(t *testing.T, s statement.Statement, p payment.Payment) {
	t.Helper()
	lines := map[string]money.Amount{}
	for _, l := range s.Lines {
		for _, e := range l.Entries {
			amount, err := money.ParseUnits(e.AmountUnits)
			if err != nil {
				t.Fatal(err)
			}
			of := string(l.Counts) + " " + l.Deposit.Asset
			if l.Counts == statement.Nothing && l.Deposit.Status == deposit.Reversed {
				of = "back" // it sums to zero
			}
			lines[of] = lines[of].Add(amount)
		}
	}
	remaining := p.Remaining()
	for i, o := range p.Options() {
		sum := s.Sums[i]
		if sum.Asset != string(o.Asset) || sum.InTimeUnits != o.InTime.String() || sum.LateUnits != o.After.String() || sum.RemainingUnits != remaining[i].String() {
			t.Errorf("%+v, and the payment has %+v", sum, o)
		}
		if !s.More && (lines["in_time "+sum.Asset].String() != sum.InTimeUnits || lines["late "+sum.Asset].String() != sum.LateUnits) {
			t.Errorf("%+v, and the lines have %v", sum, lines)
		}
	}
	for _, other := range s.Others {
		if !s.More && lines["nothing "+other.Asset].String() != other.AmountUnits {
			t.Errorf("%+v, and the lines have %v", other, lines)
		}
	}
	if lines["back"].Sign() != 0 {
		t.Errorf("%s is taken back", lines["back"])
	}
}

func TestAStatementSaysOfEachDepositWhatItCountsForAndWhy(t *testing.T) {
	d := open(t)
	early, late := opening.Add(time.Minute), opening.Add(2*time.Hour)
	d.comes(usdt, 4_000_000, early, true, deposit.Final)
	d.comes(usdc, 5_000_000, late, true, deposit.Final)
	d.comes(dai, 6_000_000, early, true, deposit.Final)
	d.comes(usdt, 7_000_000, early, false, deposit.Confirming)
	d.comes(usdt, 8_000_000, early, false, deposit.Final)
	d.comes(usdt, 9_000_000, early, false, deposit.Dropped)
	d.comes(usdt, 1_000_000, early, true, deposit.Reversed)
	s, p := d.statement()
	agrees(t, s, p)
	want := map[string]string{
		"0x0001": "in_time, 1 entries: it came by the payment's end, 2026-11-29T11:00:00Z",
		"0x0002": "late, 1 entries: it came after the payment's end, 2026-11-29T11:00:00Z",
		"0x0003": "nothing, 1 entries: it is in an asset that was not asked for",
		"0x0004": "not_yet, 0 entries: it is not final yet",
		"0x0005": "not_yet, 0 entries: it is final and about to be booked",
		"0x0006": "nothing, 0 entries: it was gone from the chain before it was final",
		"0x0007": "nothing, 2 entries: it was taken back after it was final",
	}
	for i, l := range s.Lines { // noticed last, first
		if tx := fmt.Sprintf("0x%04x", i+1); l.Deposit.Transaction != tx {
			t.Errorf("line %d is of %s, want %s", i, l.Deposit.Transaction, tx)
		}
		if got := fmt.Sprintf("%s, %d entries: %s", l.Counts, len(l.Entries), l.Why); got != want[l.Deposit.Transaction] {
			t.Errorf("%s: %s, want %s", l.Deposit.Transaction, got, want[l.Deposit.Transaction])
		}
		delete(want, l.Deposit.Transaction)
	}
	if len(want) != 0 || len(s.Others) != 1 || s.Others[0].Amount != "6.00" || s.Payment.Status != payment.Late || s.Sums[1].Late != "5.00" || s.Sums[0].Remaining != "6.00" {
		t.Errorf("%v %+v %+v", want, s.Others, s.Sums)
	}
	if len(s.Payment.Decisions) != 2 {
		t.Errorf("%+v", s.Payment.Decisions)
	}
}

func TestTheSumsAreThePaymentsWhateverCame(t *testing.T) {
	for seed := range uint64(3) {
		d, random := open(t), rand.New(rand.NewPCG(seed, 1))
		for range 40 {
			asset := []money.Asset{usdt, usdc, dai}[random.IntN(3)]
			at := opening.Add(time.Duration(random.IntN(120)) * time.Minute)
			booked := random.IntN(4) > 0
			then := []deposit.State{deposit.Final, deposit.Final, deposit.Reversed}[random.IntN(3)]
			if !booked {
				then = []deposit.State{deposit.Seen, deposit.Confirming, deposit.Dropped}[random.IntN(3)]
			}
			d.comes(asset, 1+random.Int64N(5_000_000), at, booked, then)
		}
		s, p := d.statement()
		agrees(t, s, p)
		if len(s.Lines) != 40 {
			t.Errorf("%d lines", len(s.Lines))
		}
	}
}

func TestMoreDepositsThanLinesAreInTheSumsAlone(t *testing.T) {
	d := open(t)
	for range 3 {
		d.comes(usdt, 1_000_000, opening, true, deposit.Final)
	}
	for range statement.MaxLines - 3 {
		d.comes(usdt, 1, opening, false, deposit.Seen)
	}
	s, p := d.statement()
	agrees(t, s, p)
	if len(s.Lines) != statement.MaxLines || s.More || s.Sums[0].InTime != "3.00" {
		t.Errorf("%d lines, more: %t, %+v", len(s.Lines), s.More, s.Sums)
	}
	d.comes(usdt, 1, opening, false, deposit.Seen)
	d.comes(usdt, 1, opening, false, deposit.Seen)
	d.questions.Store(0)
	s, p = d.statement()
	agrees(t, s, p)
	if len(s.Lines) != statement.MaxLines || !s.More || s.Sums[0].InTime != "3.00" {
		t.Errorf("%d lines, more: %t, %+v", len(s.Lines), s.More, s.Sums)
	}
	booked := 0
	for _, l := range s.Lines {
		booked += len(l.Entries)
	}
	if booked == 0 || d.questions.Load() > statement.MaxLines {
		t.Errorf("%d entries, by %d questions", booked, d.questions.Load())
	}
}

// Money that is booked without pause makes no statement read without end: it says that it may be uneven.
func TestAllIsReadOnceAndAStatementSaysWhatWasBookedMeanwhile(t *testing.T) {
	d := open(t)
	d.comes(usdt, 1_000_000, opening, true, deposit.Final)
	if s, _ := d.statement(); s.Meanwhile {
		t.Error("nothing was booked meanwhile")
	}
	d.questions.Store(0)
	d.before = func() { d.comes(usdt, 2_000_000, opening, true, deposit.Final) }
	s, err := d.Of(context.Background(), merchant, name, shards, opening)
	if err != nil || !s.Meanwhile || s.Payment.Received != "3.00" {
		t.Errorf("%+v, %v", s, err)
	}
	if n := d.questions.Load(); n != shards {
		t.Errorf("the entries of %d shards took %d questions", shards, n)
	}
}

func TestAStatementIsOfThePaymentsOwnMerchant(t *testing.T) {
	d := open(t)
	if _, err := d.Of(context.Background(), "mer_2", name, shards, opening); err == nil {
		t.Error("another merchant reads it")
	}
}
