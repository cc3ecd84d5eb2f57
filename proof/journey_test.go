package proof_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"farrier/proof"
	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payment"
)

// history is one run of the scenario: a payment, the payer's transfer, the provider's callback.
type history struct {
	*proof.World
	payment payment.Payment
}

func begin(t *testing.T, name string, a *proof.AWS, tables proof.Tables) *history {
	t.Helper()
	return &history{World: proof.NewWorld(t, name, a, tables)}
}

// ask is the merchant's back end: it asks again, with the same Idempotency-Key, until it is answered.
func (h *history) ask() {
	h.T.Helper()
	for range 10 {
		ended := h.Run("api", func(ctx context.Context) error {
			p, err := h.Payments.Create(ctx, payment.Request{
				Merchant: h.Merchant, XPub: proof.XPub, Shards: 1, Asset: string(h.Asset), Amount: "10.50", Reference: "order 1", IdempotencyKey: "order 1",
			})
			if err == nil {
				h.payment = p
			}
			return err
		})
		if ended {
			return
		}
	}
	h.T.Fatal("the payment could not be made")
}

func (h *history) pay(tx string, amount int64) chain.Transfer {
	transfer := proof.Token(h.Asset, tx, "log-0", h.payment.Address, amount)
	h.Chain.Mine(h.Now(), transfer)
	return transfer
}

// drain lets time pass until nothing waits.
func (h *history) drain(blocks int) {
	idle := 0
	for range 60 + blocks {
		if blocks > 0 {
			h.Chain.Mine(h.Now())
			blocks--
		}
		h.Wait(20 * time.Second)
		if h.Round() || blocks > 0 {
			idle = 0
		} else if idle++; idle == 3 {
			return
		}
	}
	h.T.Error("it never came to rest")
}

// check compares what the system holds with the final chain.
func (h *history) check(status payment.Status, received int64, events ...string) {
	h.T.Helper()
	ctx := context.Background()
	p, err := h.Payments.Get(ctx, h.Merchant, h.payment.ID)
	if err != nil {
		h.T.Fatal(err)
	}
	if p.Status != status || p.Received().Cmp(money.Units(received)) != 0 {
		h.T.Errorf("payment is %s with %s, want %s with %d", p.Status, p.Received(), status, received)
	}
	totals, err := h.Ledger.Totals(ctx, h.Merchant)
	if err != nil {
		h.T.Fatal(err)
	}
	available := money.Units(0)
	for _, t := range totals {
		available = available.Add(t.Legs[ledger.Available])
		if t.Legs.Sum().Sign() != 0 {
			h.T.Errorf("the balance of %s sums to %s", t.Asset, t.Legs.Sum())
		}
	}
	if available.Cmp(money.Units(received)) != 0 {
		h.T.Errorf("%s available, want %d", available, received)
	}
	entries, _, err := h.Ledger.List(ctx, h.Merchant, 1, 100, "")
	if err != nil {
		h.T.Fatal(err)
	}
	booked := map[string]int{}
	for _, e := range entries {
		switch e.Kind {
		case ledger.Credit:
			booked[e.Deposit]++
		case ledger.Reversal:
			booked[e.Deposit]--
		}
		if e.Legs.Sum().Sign() != 0 {
			h.T.Errorf("entry %s sums to %s", e.SK, e.Legs.Sum())
		}
	}
	for _, transfer := range h.Chain.Canonical() {
		if name := deposit.IDOf(transfer.Chain, transfer.Tx, transfer.Index); booked[name] != 1 {
			h.T.Errorf("the transfer %s %s is booked %d times", transfer.Tx, transfer.Index, booked[name])
		} else {
			delete(booked, name)
		}
	}
	for name, times := range booked {
		if times != 0 {
			h.T.Errorf("%s is booked %d times, and the chain does not hold it", name, times)
		}
	}
	got := map[string]int{}
	for _, kind := range h.Shop.Types {
		got[kind]++
	}
	for _, kind := range events {
		if got[kind] != 1 {
			h.T.Errorf("the shop knows of %d events %s, want one; it has %v", got[kind], kind, got)
		}
		delete(got, kind)
	}
	if len(got) > 0 {
		h.T.Errorf("the shop was told %v besides", got)
	}
	for _, aside := range []string{"interpret-dead-letters", "credit-dead-letters", "notify-dead-letters", "deliveries-dead-letters"} {
		if letters := h.AWS.Waiting(aside); len(letters) > 0 {
			h.T.Errorf("%s holds %v", aside, letters)
		}
	}
}

func account(t *testing.T) (*proof.AWS, proof.Tables) {
	t.Helper()
	a := proof.NewAWS(parts.Config(t, "FARRIER_TEST_DYNAMODB"), time.Now)
	return a, proof.MakeTables(t, a)
}

func paid(h *history) {
	h.Round() // the watcher begins at the head
	h.ask()
	transfer := h.pay("0x"+fmt.Sprintf("%064x", 1), 10_500_000)
	h.Callback("evt-1", transfer.Tx)
	h.drain(6)
	h.check(payment.Paid, 10_500_000, "payment.paid")
}

func TestAPaymentGoesAllTheWay(t *testing.T) {
	a, tables := account(t)
	paid(begin(t, "plain", a, tables))
}

func reorganisedBeforeFinality(h *history) {
	h.Round()
	h.ask()
	h.pay("0x"+fmt.Sprintf("%064x", 2), 10_500_000)
	h.Round()
	h.Chain.Reorganise(1)
	h.Chain.Mine(h.Now())
	h.drain(8)
	h.check(payment.Waiting, 0)
}

func reorganisedAfterTheCredit(h *history) {
	h.Round()
	h.ask()
	h.pay("0x"+fmt.Sprintf("%064x", 3), 10_500_000)
	h.drain(5)
	gone := h.Chain.Reorganise(6)
	for range 8 {
		h.Chain.Mine(h.Now())
	}
	h.drain(4)
	h.check(payment.Waiting, 0, "payment.paid", "payment.reversed")
	h.Chain.Mine(h.Now(), gone...)
	h.drain(6)
}

func TestEveryStopIsSurvived(t *testing.T) {
	for _, scenario := range []struct {
		name string
		run  func(*history)
	}{{"paid", paid}, {"reorganised before it is final", reorganisedBeforeFinality}, {"reorganised after the credit", reorganisedAfterTheCredit}} {
		t.Run(scenario.name, func(t *testing.T) {
			a, tables := account(t)
			plain := begin(t, "count-"+scenario.name, a, tables)
			scenario.run(plain)
			calls := plain.Calls()
			t.Logf("%d calls", calls)
			if calls < 20 {
				t.Fatalf("only %d calls were counted", calls)
			}
			for k := 1; k <= calls; k++ { // a stop before a call is the same as one after the call before it
				name := fmt.Sprintf("%s-%d", scenario.name, k)
				t.Run(name, func(t *testing.T) {
					fresh := proof.NewAWS(parts.Config(t, "FARRIER_TEST_DYNAMODB"), time.Now)
					fresh.Adopt(tables)
					h := begin(t, name, fresh, tables)
					h.StopAt(k, true)
					scenario.run(h)
				})
			}
		})
	}
}
