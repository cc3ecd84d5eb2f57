package api

import (
	"slices"
	"strings"
	"time"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/webhook"
)

// exampleOf is an event of a type, made as real ones are.
func exampleOf(t event.Type) (event.Event, error) {
	at, data := exampleTime.Add(6*time.Minute), any(nil)
	origin := event.Origin{Table: "example", Key: dynamo.Key{PK: "mer_" + exampleULID, SK: string(t)}, Version: 2, At: at, Object: "ep_" + exampleULID}
	switch about := typed(event.Kind{Type: t}).Object; {
	case about == "payment":
		p := became(t, at)
		origin.Object, data = p.ID, p.View(p.UpdatedAt)
		origin.At = p.UpdatedAt
	case about == "deposit":
		d := exampleDeposit
		d.Status = deposit.State(strings.TrimPrefix(string(t), "deposit."))
		origin.Object, data = d.ID, d
	case about == "payout":
		p := paidOut(t)
		origin.Object, data = p.ID, p.View()
		origin.At, origin.Version = p.UpdatedAt, p.Version
	case t == event.EndpointTest:
		data = webhook.TestedView{Endpoint: origin.Object, Message: "This is a test. Nothing has happened."}
	case t == event.EndpointDisabled:
		data = webhook.TroubleView{ID: origin.Object, Server: "https://shop.example.com", Reason: "by request", Since: &at}
	case t == event.EndpointFailing:
		data = webhook.TroubleView{ID: origin.Object, Reason: "status 500: only 2xx is success", Since: &exampleTime, Streak: 12}
	default:
		data = webhook.TroubleView{ID: origin.Object}
	}
	return event.Derived(origin, t, data)
}

// became is the example of a payment after what an event of a type tells.
func became(t event.Type, at time.Time) payment.Payment {
	p, ended := exampleAsked, exampleAsked.ExpiresAt
	some, all, much := money.Units(4_000_000), money.Units(10_500_000), money.Units(13_500_000)
	switch t {
	case event.PaymentPartial:
		p, _ = p.Credit(p.Asset, some, false, at)
	case event.PaymentOver:
		p, _ = p.Credit(p.Asset, much, false, at)
	case event.PaymentLate:
		at = ended.Add(time.Minute)
		p, _ = p.Credit(p.Asset, all, true, at)
	case event.PaymentExpired:
		at = ended
		p, _ = p.Expire(at)
	case event.PaymentCancelled:
		p = cancelled(p)
		at = exampleTime
	case event.PaymentDecided:
		p = decided(p)
		at = exampleTime.Add(2 * time.Hour)
	case event.PaymentReversed:
		p, _ = p.Credit(p.Asset, all, false, at)
		p, _ = p.Credit(p.Asset, all.Neg(), false, at)
	default:
		p, _ = p.Credit(p.Asset, all, false, at)
	}
	return p.Next(at, string(t))
}

// examplePayout is a payout as it is stored when it is asked for.
var examplePayout = payout.Payout{
	PK: "mer_" + exampleULID, SK: "out_" + exampleULID, ID: "out_" + exampleULID,
	Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Symbol: "USDT", Decimals: 6, Amount: money.Units(10_500_000),
	To: "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", Wallet: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", FeeMost: money.Units(40_000_000_000_000_000),
	Reference: "salary-17", Requester: "key_" + exampleULID, Metadata: map[string]string{"employee": "e-17"},
	State: payout.Requested, CreatedAt: exampleTime, UpdatedAt: exampleTime, Version: 1,
	Events: []string{string(event.PayoutRequested)},
}

// step is what happens to a payout at a moment.
type step func(payout.Payout, time.Time) (payout.Payout, error)

// paidOut is the example of a payout after what an event of a type tells.
func paidOut(t event.Type) payout.Payout {
	in := payout.Mined{Attempt: 1, Height: exampleDeposit.BlockHeight, BlockHash: exampleDeposit.BlockHash, Fee: money.Units(1_890_000_000_000_000)}
	undone := in
	undone.Reverted = true
	way := []step{payout.Payout.Check, payout.Payout.Approve, payout.Payout.Reserve, allocated, signed, broadcast, mined(in), payout.Payout.Settle}
	asked, checked, approved, sent, included := way[:0], way[:1], way[:2], way[:6], way[:7]
	steps := map[event.Type][]step{
		event.PayoutRequested:  asked,
		event.PayoutHeld:       then(checked, reasoned(payout.Payout.Hold, "the balance is too small")),
		event.PayoutCancelled:  then(checked, reasoned(payout.Payout.Cancel, "by the merchant")),
		event.PayoutApproved:   approved,
		event.PayoutBroadcast:  sent,
		event.PayoutReplaced:   then(sent, overtaken),
		event.PayoutConfirming: included,
		event.PayoutFailed:     then(sent, mined(undone), payout.Payout.Settle),
		event.PayoutFinal:      way,
		event.PayoutReopened:   then(way, lost(in.BlockHash)),
	}[t]
	p := examplePayout
	for i, one := range steps {
		p, _ = one(p, exampleTime.Add(time.Duration(i+1)*10*time.Second))
	}
	return p
}

func then(steps []step, more ...step) []step { return slices.Concat(steps, more) }

func reasoned(give func(payout.Payout, string, time.Time) (payout.Payout, error), reason string) step {
	return func(p payout.Payout, at time.Time) (payout.Payout, error) { return give(p, reason, at) }
}

func mined(m payout.Mined) step {
	return func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Include(m, at) }
}

func lost(block string) step {
	return func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Lose(block, nil, at) }
}

func allocated(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Allocate(7, at) }

func signed(p payout.Payout, at time.Time) (payout.Payout, error) {
	return p.Sign(payout.Attempt{N: 1, Nonce: 7, FeePerGas: money.Units(45_000_000_000), TipPerGas: money.Units(30_000_000_000), Gas: 65_000, Hash: exampleTransaction, SignedAt: at}, at)
}

func broadcast(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Sent(1, at) }

func overtaken(p payout.Payout, at time.Time) (payout.Payout, error) {
	return p.Overtake("0x"+strings.Repeat("7e", 32), at)
}
