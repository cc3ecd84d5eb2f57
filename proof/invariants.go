package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/wallet"
	"farrier/shared/webhook"
)

// Invariant is a thing that holds whenever the system has come to rest, whatever happened before.
type Invariant struct {
	Says  string
	Check func(*History) []string // what breaks it
}

// Invariants are all of them.
var Invariants = []Invariant{
	{"every entry's legs sum to zero", entriesSumToZero},
	{"what is booked is what the final chain holds: each transfer to an address of ours once, and nothing else", bookedIsChain},
	{"what a trusted provider holds is booked as it said: each object once, and never more than the last total said", heldEqualsStatements},
	{"no transfer was ever credited twice", creditedOnce},
	{"every balance is the sum of its entries", balancesEqualEntries},
	{"every deposit says what the chain says", depositsEqualChain},
	{"no deposit was ever called final in a block that was not", finalIsFinal},
	{"every payment is what its transfers make it", paymentsEqualTransfers},
	{"every event was told under one id to each endpoint that chose it, or lies in the dead-letter queue with its reason, or its endpoint is disabled", eventsAreTold},
	{"every webhook is signed by the secrets of its time, all of them and no other, and none is sent to an endpoint that is disabled", rightlySigned},
	{"an endpoint that wants events in their order never took one before the one before it was taken, or settled otherwise", func(h *History) []string { return h.early }},
	{"no event was sent more often than somebody asked for it, but for attempts that were made and not recorded", sentAsAsked},
	{"no delivery and no task is left waiting, no line is left over, and no place is taken for ever", nothingIsStranded},
	{"an endpoint's trouble is told once each time, and none was disabled as failing that had a success in 72 hours", troubleIsToldOnce},
	{"who polls for events is given every one", polledAll},
	{"no dead letter is unexplained", lettersAreExplained},
	{"every callback that was thanked for has its receipt, and a forged one left nothing", receiptsAreKept},
	{"an order is one payment, however often it is asked for", ordersAreOnePayment},
	{"what a merchant was answered about its order stands: cancelled, and decided about", wordsStand},
	{"no payment was cancelled that had money", cancelledWithout},
	{"no secret is in what the functions write", nothingIsBetrayed},
}

// Broken are the invariants that do not hold, each with what breaks it.
func (h *History) Broken() []string {
	var broken []string
	for _, i := range Invariants {
		if found := i.Check(h); len(found) > 0 {
			broken = append(broken, "broken: "+i.Says+"\n    "+strings.Join(found, "\n    "))
		}
	}
	return broken
}

func entriesSumToZero(h *History) (found []string) {
	for _, e := range newest[ledger.Entry](h, "entries") {
		if e.Legs.Sum().Sign() != 0 {
			found = append(found, fmt.Sprintf("%s sums to %s", e.SK, e.Legs.Sum()))
		}
	}
	return found
}

// due is a transfer that the final chain holds and that is a merchant's money.
type due struct {
	chain.Transfer
	owner wallet.Address
}

// dues are all of them by the deposit's id: the simple model of what has to be in the books.
func (h *History) dues() map[string]due {
	owners := map[string]wallet.Address{}
	for _, a := range h.Addresses() {
		owners[a.Address] = a
	}
	out := map[string]due{}
	for _, t := range h.Chain.Canonical() {
		if owner, ours := owners[t.To]; ours && (t.Asset == h.Asset || t.Asset == h.Other) {
			out[deposit.IDOf(t.Chain, t.Tx, t.Index)] = due{t, owner}
		}
	}
	return out
}

func bookedIsChain(h *History) (found []string) {
	booked := map[string]money.Amount{}
	for _, e := range newest[ledger.Entry](h, "entries") {
		if e.Object != "" { // a provider holds it
			continue
		}
		booked[e.Deposit] = booked[e.Deposit].Add(e.Legs[ledger.Available])
		if e.Asset != h.Asset && e.Asset != h.Other {
			found = append(found, fmt.Sprintf("%s is in %s", e.SK, e.Asset))
		}
	}
	dues := h.dues()
	for name, d := range dues {
		if booked[name].Cmp(d.Amount) != 0 {
			found = append(found, fmt.Sprintf("%s %s of %s is booked with %s", d.Tx[60:], d.Index, d.Amount, booked[name]))
		}
	}
	for name, amount := range booked {
		if _, is := dues[name]; !is && amount.Sign() != 0 {
			found = append(found, fmt.Sprintf("%s is booked with %s and the chain does not hold it", name, amount))
		}
	}
	slices.Sort(found)
	return found
}

func creditedOnce(h *History) (found []string) {
	standing := map[string]int{}
	for _, item := range h.AWS.Written("entries") {
		var e ledger.Entry
		if err := dynamo.Unmarshal(item, &e); err != nil {
			return []string{err.Error()}
		}
		switch e.Kind {
		case ledger.Credit:
			standing[e.Deposit]++
		case ledger.Reversal:
			standing[e.Deposit]--
		}
		if n := standing[e.Deposit]; n < 0 || n > 1 {
			found = append(found, fmt.Sprintf("after %s the deposit is credited %d times", e.SK, n))
		}
	}
	return found
}

func balancesEqualEntries(h *History) (found []string) {
	if _, _, err := h.Ledger.Check(context.Background(), func(d ledger.Difference) { found = append(found, d.String()) }); err != nil {
		found = append(found, err.Error())
	}
	return found
}

func finalIsFinal(h *History) []string { return h.tooSoon }

// waits is by how many blocks a deposit has to lie deeper than others, since it is large.
func waits(d deposit.Deposit) uint64 {
	if d.Amount.Cmp(money.Units(units(largeAmount))) >= 0 {
		return deeper
	}
	return 0
}

// noteFinality hears of each deposit as it is written, and notes one of the chain's that is final before its block is.
func (h *History) noteFinality(item dynamo.Item) {
	var d deposit.Deposit
	err := dynamo.Unmarshal(item, &d)
	if err == nil && d.Held == nil && d.State == deposit.Final && !h.Chain.WasFinal(d.BlockHash, waits(d)) {
		err = fmt.Errorf("version %d of %s is final in block %d", d.Version, d.ID, d.Height)
	}
	if err != nil {
		h.tooSoon = append(h.tooSoon, err.Error())
	}
}

func depositsEqualChain(h *History) (found []string) {
	dues := h.dues()
	for _, d := range newest[deposit.Deposit](h, "deposits") {
		if d.Held != nil || d.State == "" { // a provider holds it, or it says which payment that is for
			continue
		}
		there, is := dues[d.ID]
		switch {
		case is && (d.State != deposit.Final || d.BlockHash != there.Block.Hash || d.Amount.Cmp(there.Amount) != 0):
			found = append(found, fmt.Sprintf("%s is %s in block %d, and the chain has it in block %d", d.ID, d.State, d.Height, there.Block.Height))
		case !is && d.State != deposit.Dropped && d.State != deposit.Reversed:
			found = append(found, fmt.Sprintf("%s is %s in block %d, and the chain does not have it", d.ID, d.State, d.Height))
		}
		delete(dues, d.ID)
	}
	for name, d := range dues {
		found = append(found, fmt.Sprintf("%s (%s %s, block %d) was never noticed", name, d.Tx[60:], d.Index, d.Block.Height))
	}
	slices.Sort(found)
	return found
}

func paymentsEqualTransfers(h *History) (found []string) {
	for _, p := range newest[payment.Payment](h, "payments") {
		end := p.ExpiresAt
		if p.CancelledAt != nil && p.CancelledAt.Before(end) {
			end = *p.CancelledAt
		}
		var inTime, after []money.Amount // an option each
		for _, o := range p.Options() {
			before, behind := h.cameFor(p.ID, o.Asset, end)
			if o.InTime.Cmp(before) != 0 || o.After.Cmp(behind) != 0 {
				found = append(found, fmt.Sprintf("%s has %s in time and %s after in %s, and the chain has %s and %s", p.Reference, o.InTime, o.After, o.Symbol, before, behind))
			}
			inTime, after = append(inTime, before), append(after, behind)
		}
		if want := h.shouldBe(p, inTime, after); p.Status != want {
			found = append(found, fmt.Sprintf("%s with %s in time and %s after is %s and not %s", p.Reference, inTime, after, p.Status, want))
		}
	}
	return found
}

// cameFor is what the final chain and the gateway hold for a payment in one asset, up to its end and after it.
func (h *History) cameFor(name string, asset money.Asset, end time.Time) (inTime, after money.Amount) {
	count := func(amount money.Amount, at time.Time) {
		if at.After(end) {
			after = after.Add(amount)
		} else {
			inTime = inTime.Add(amount)
		}
	}
	for _, d := range h.dues() {
		if d.owner.Payment == name && d.Asset == asset {
			count(d.Amount, d.Block.Time)
		}
	}
	for _, d := range h.held() {
		if d.Payment == name && d.Asset == asset {
			count(standing(d), d.Held.At)
		}
	}
	return inTime, after
}

// shouldBe says a payment's status once more, in other words than the product does: by whole numbers alone. All is
// multiplied by what was asked in every asset and by 10,000, so that nothing has to be divided.
func (h *History) shouldBe(p payment.Payment, inTime, after []money.Amount) payment.Status {
	options := p.Options()
	whole := big.NewInt(1)
	for _, o := range options {
		whole.Mul(whole, o.Amount.Big())
	}
	weigh := func(amounts ...[]money.Amount) *big.Int {
		sum := new(big.Int)
		for _, of := range amounts {
			for i, o := range options {
				part := new(big.Int).Mul(of[i].Big(), new(big.Int).Quo(whole, o.Amount.Big()))
				sum.Add(sum, part)
			}
		}
		return sum.Mul(sum, big.NewInt(10000))
	}
	of := func(points int64) *big.Int { return new(big.Int).Mul(whole, big.NewInt(points)) }
	// What remains is rounded up to a unit of the asset that it is paid in, so less than that is not too much.
	coarse, several := new(big.Int), 0
	for i, o := range options {
		if inTime[i].Add(after[i]).Sign() > 0 {
			several++
			if unit := new(big.Int).Quo(whole, o.Amount.Big()); unit.Cmp(coarse) > 0 {
				coarse = unit
			}
		}
	}
	most := of(10000 + p.Tolerance.Over)
	if several > 1 {
		most.Add(most, coarse.Mul(coarse, big.NewInt(10000))).Sub(most, big.NewInt(1))
	}
	enough, over := weigh(inTime).Cmp(of(10000-p.Under)) >= 0, weigh(inTime, after).Cmp(most) > 0
	switch {
	case enough && over:
		return payment.Over
	case enough:
		return payment.Paid
	case weigh(after).Sign() > 0:
		return payment.Late
	case p.CancelledAt != nil:
		return payment.Cancelled
	case !h.Now().Before(p.ExpiresAt):
		return payment.Expired
	case weigh(inTime).Sign() > 0:
		return payment.Partial
	default:
		return payment.Waiting
	}
}

// givenUp is the queue of the letters of deliveries whose schedule is used up.
const givenUp = "deliveries-dead-letters"

func lettersAreExplained(h *History) (found []string) {
	for _, k := range h.in().workers {
		for _, m := range h.AWS.Waiting(k.dead) {
			found = append(found, k.dead+": "+m.Body)
		}
	}
	for _, m := range h.AWS.Waiting(givenUp) {
		if !exhausted(m) {
			found = append(found, givenUp+": "+m.Body)
		} else if refused := h.refusedBy(m); refused < 10 {
			found = append(found, fmt.Sprintf("given up, though the shop refused only %d times: %s", refused, m.Body))
		}
	}
	return found
}

// refusedBy is how often the shop refused that a letter was for.
func (h *History) refusedBy(m Message) int {
	var letter webhook.Letter
	_ = json.Unmarshal([]byte(m.Body), &letter)
	for _, l := range h.Listeners {
		if l.Endpoint == letter.Job.Endpoint {
			return l.Refused()
		}
	}
	return 0
}

func receiptsAreKept(h *History) (found []string) {
	kept := map[string][]string{}
	for _, r := range newest[callback.Receipt](h, "callbacks") {
		kept[r.Event()] = append(kept[r.Event()], string(r.Body))
	}
	for name, bodies := range h.Provider.thanked {
		for _, body := range bodies {
			if !slices.Contains(kept[name], body) {
				found = append(found, fmt.Sprintf("%s was thanked for and is not kept: %s", name, body))
			}
		}
	}
	for name := range kept {
		if strings.HasPrefix(name, "forged") {
			found = append(found, name+" is forged and was kept")
		}
	}
	return found
}

func ordersAreOnePayment(h *History) []string {
	found := slices.Clone(h.complain)
	stored := map[string][]string{}
	for _, p := range newest[payment.Payment](h, "payments") {
		stored[p.Reference] = append(stored[p.Reference], p.ID)
	}
	for order, p := range h.asked {
		if !slices.Equal(stored[order], []string{p.ID}) {
			found = append(found, fmt.Sprintf("%s was answered with %s, and stored are %v", order, p.ID, stored[order]))
		}
	}
	return found
}

func nothingIsBetrayed(h *History) (found []string) {
	written := h.logged.String()
	for what, secret := range map[string]string{"connection": h.Provider.secret, "gateway": h.Gateway.secret} {
		if strings.Contains(written, strings.TrimPrefix(secret, "whsec_")) {
			found = append(found, "the secret of the "+what+" is in the log")
		}
	}
	for _, l := range h.Listeners {
		for _, secret := range l.Secrets() {
			if strings.Contains(written, strings.TrimPrefix(secret, "whsec_")) {
				found = append(found, "a secret of an endpoint is in the log")
			}
		}
	}
	return found
}
