package proof_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"farrier/proof"
	"farrier/shared/chain"
	"farrier/shared/parts"
	"farrier/shared/payment"
)

func config(t testing.TB) aws.Config { return parts.Config(t, "FARRIER_TEST_DYNAMODB") }

// scenario is a history with a known end.
type scenario struct {
	run    func(*proof.History)
	status payment.Status
	told   []string // the events that the shop must hear of
	may    []string // and those that it hears of or not, as the stop falls
}

// The scenarios and their ends.
var (
	ofPaid                      = scenario{paid, payment.Paid, []string{"payment.paid"}, nil}
	ofInTwoParts                = scenario{inTwoParts, payment.Paid, []string{"payment.paid"}, []string{"payment.partial"}}
	ofLate                      = scenario{late, payment.Late, []string{"payment.late"}, []string{"payment.expired"}}
	ofReorganisedBeforeFinality = scenario{reorganisedBeforeFinality, payment.Expired, []string{"payment.expired"}, nil}
	ofReorganisedAfterTheCredit = scenario{reorganisedAfterTheCredit, payment.Late, []string{"payment.late"}, []string{"payment.paid", "payment.reversed", "payment.expired"}}
	ofStated                    = scenario{stated, payment.Paid, []string{"payment.paid"}, []string{"payment.partial"}}
	ofStatedAndRefunded         = scenario{statedAndRefunded, payment.Expired, []string{"payment.expired"}, []string{"payment.paid", "payment.reversed"}}
	ofAFailingShop              = scenario{failingShop, payment.Paid, []string{"payment.paid"}, nil}
)

// Each of these stops the function that makes the k-th call of a scenario right after that call, for every k.
// (A stop before a call is one after the call before it.)

func TestEveryStopOfPaid(t *testing.T)       { everyStop(t, ofPaid) }
func TestEveryStopOfInTwoParts(t *testing.T) { everyStop(t, ofInTwoParts) }
func TestEveryStopOfLate(t *testing.T)       { everyStop(t, ofLate) }
func TestEveryStopOfReorganisedBeforeFinality(t *testing.T) {
	everyStop(t, ofReorganisedBeforeFinality)
}
func TestEveryStopOfReorganisedAfterTheCredit(t *testing.T) {
	everyStop(t, ofReorganisedAfterTheCredit)
}
func TestEveryStopOfStated(t *testing.T)            { everyStop(t, ofStated) }
func TestEveryStopOfStatedAndRefunded(t *testing.T) { everyStop(t, ofStatedAndRefunded) }
func TestEveryStopOfAFailingShop(t *testing.T)      { everyStop(t, ofAFailingShop) }

// ask is the merchant's back end: it asks again, with the same Idempotency-Key, until it is answered.
func ask(h *proof.History) string {
	for range 10 {
		if h.Ask("order", "10.5", time.Hour) {
			return h.Addresses()[0].Address
		}
	}
	h.T.Fatalf("the payment could not be made")
	return ""
}

func transfer(h *proof.History, to string, units int64) chain.Transfer {
	return h.Include(h.Transfer(to, units))[0]
}

func mine(h *proof.History, blocks int) {
	for range blocks {
		h.Chain.Mine(h.Now())
	}
}

func paid(h *proof.History) {
	t := transfer(h, ask(h), 10_500_000)
	h.Callback(h.Provider.Mined("evt-1", t.Tx))
}

func inTwoParts(h *proof.History) {
	to := ask(h)
	transfer(h, to, 4_000_000)
	mine(h, 3)
	h.Round()
	transfer(h, to, 6_500_000)
}

func late(h *proof.History) {
	to := ask(h)
	h.Wait(2 * time.Hour)
	h.Round()
	transfer(h, to, 10_500_000)
}

func reorganisedBeforeFinality(h *proof.History) {
	transfer(h, ask(h), 10_500_000)
	h.Round()
	h.Chain.Reorganise(1)
	mine(h, 1)
}

// reorganisedAfterTheCredit breaks the chain's own promise of finality.
func reorganisedAfterTheCredit(h *proof.History) {
	transfer(h, ask(h), 10_500_000)
	mine(h, 3)
	for range 3 {
		h.Round()
	}
	gone := h.Chain.Reorganise(6)
	mine(h, 8)
	h.Wait(2 * time.Hour)
	h.Round()
	h.Include(gone...)
}

// stated is a payment that a gateway takes, in two parts, telling of each more than once.
func stated(h *proof.History) {
	ask(h)
	h.Told("order", "partially_paid", "4")
	h.Round()
	h.Told("order", "finished", "10.5")
	h.Told("order", "finished", "10.5")
	h.Round()
}

// statedAndRefunded is one that it pays back after it was credited.
func statedAndRefunded(h *proof.History) {
	ask(h)
	h.Told("order", "finished", "10.5")
	for range 3 {
		h.Round()
	}
	h.Told("order", "refunded", "10.5")
}

func failingShop(h *proof.History) {
	h.Shop.Behave(proof.Broken, 2)
	paid(h)
}

// end lets the history come to rest and says what is not as it should be.
func (s scenario) end(h *proof.History) []string {
	broken := h.End()
	if got := h.Status("order"); got != s.status {
		broken = append(broken, fmt.Sprintf("the payment is %s, and should be %s", got, s.status))
	}
	var told []string
	for _, t := range h.Shop.Received() {
		_, kind, _ := strings.Cut(t.Body, `"type":"`)
		if kind, _, _ = strings.Cut(kind, `"`); !slices.Contains(s.may, kind) {
			told = append(told, kind)
		}
	}
	if slices.Sort(told); !slices.Equal(told, s.told) {
		broken = append(broken, fmt.Sprintf("the shop was told %v, and should be told %v", told, s.told))
	}
	return broken
}

func play(t *testing.T, h *proof.History, s scenario, stopAt int) (calls int) {
	t.Helper()
	begun := h.Calls()
	if stopAt > 0 {
		h.StopAt(begun + stopAt)
	}
	s.run(h)
	if broken := s.end(h); len(broken) > 0 {
		t.Fatalf("stopped after call %d\n%s\n\n%s", stopAt, strings.Join(broken, "\n"), h.Timeline())
	}
	return h.Calls() - begun
}

func everyStop(t *testing.T, s scenario) {
	t.Helper()
	t.Parallel() // each waits for the store most of the time
	a, tables := account(t)
	stops(t, s, 1, func() *proof.History { return proof.NewHistory(t, a, tables) })
}

// stops plays a scenario plain, and with a stop after every n-th of its calls.
func stops(t *testing.T, s scenario, n int, begin func() *proof.History) {
	t.Helper()
	calls := play(t, begin(), s, 0)
	if calls < 20 {
		t.Fatalf("only %d calls were counted", calls)
	}
	survived := 0
	for k := n; k <= calls; k += n {
		play(t, begin(), s, k)
		survived++
	}
	t.Logf("%d stops survived, of a journey of %d calls", survived, calls)
}
