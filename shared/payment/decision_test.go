package payment

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/shared/money"
)

// said writes decisions as "late held 3,0 by policy".
func said(decisions []Decision) string {
	var all []string
	for _, d := range decisions {
		var amounts []string
		for _, a := range d.Amounts {
			amounts = append(amounts, a.String())
		}
		all = append(all, fmt.Sprintf("%s %s %s by %s", d.About, d.State, strings.Join(amounts, ","), d.By))
	}
	return strings.Join(all, "; ")
}

func TestWhatIsNotAsAskedGoesByThePolicy(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		came    []got
		policy  Policy
		at      time.Time
		settled bool
		said    string
	}{
		"a part, while there is time":                {[]got{{100, 60, 0}}, Policy{}, opens, false, ""},
		"a part is held unless somebody said else":   {[]got{{100, 60, 0}}, Policy{}, later, false, "partial held 60 by policy"},
		"a part that the policy accepts":             {[]got{{100, 60, 0}}, Policy{Partial: Accept}, later, true, "partial accepted 60 by policy"},
		"a part that the policy sends back":          {[]got{{100, 60, 0}}, Policy{Partial: Refund}, later, false, "partial refund 60 by policy"},
		"nothing is no part":                         {[]got{{100, 0, 0}}, Policy{Partial: Accept}, later, false, ""},
		"paid":                                       {[]got{{100, 100, 0}}, Policy{}, opens, true, ""},
		"over is settled, whatever the policy":       {[]got{{100, 130, 0}}, Policy{Over: Hold}, opens, true, "over held 30 by policy"},
		"over, to be sent back":                      {[]got{{100, 130, 0}}, Policy{Over: Refund}, later, true, "over refund 30 by policy"},
		"paid, and late money besides is over":       {[]got{{100, 100, 20}}, Policy{Late: Hold, Over: Refund}, later, true, "over refund 20 by policy"},
		"late money that is accepted settles":        {[]got{{100, 60, 40}}, Policy{Late: Accept}, later, true, "late accepted 40 by policy"},
		"late money is held unless somebody said so": {[]got{{100, 60, 40}}, Policy{}, later, false, "late held 40 by policy; partial held 60 by policy"},
		"late money that is too little":              {[]got{{100, 60, 10}}, Policy{Late: Accept}, later, false, "late accepted 10 by policy; partial held 70 by policy"},
		"late money that is too much":                {[]got{{100, 60, 100}}, Policy{Late: Accept, Over: Refund}, later, true, "late accepted 100 by policy; over refund 60 by policy"},
		"late money to be sent back":                 {[]got{{100, 0, 100}}, Policy{Late: Refund}, later, false, "late refund 100 by policy"},
		"too much is taken from the last option":     {[]got{{100, 100, 0}, {50, 25, 0}}, Policy{Over: Hold}, opens, true, "over held 0,25 by policy"},
		"and from the one before where that is all":  {[]got{{100, 160, 0}, {50, 25, 0}}, Policy{Over: Hold}, opens, true, "over held 60,25 by policy"},
	} {
		p := one(c.came...)
		p.Policy = c.policy
		decisions, settled := p.Standing(c.at)
		if settled != c.settled || said(decisions) != c.said {
			t.Errorf("%s: settled %t, %q, want %t, %q", name, settled, said(decisions), c.settled, c.said)
		}
	}
}

func decide(t *testing.T, p Payment, about About, action Action, at time.Time) Payment {
	t.Helper()
	p, is, changed := p.Decide(about, action, "merchant", at)
	if !is || !changed {
		t.Fatalf("%s %s: there is %t, changed %t", about, action, is, changed)
	}
	return p
}

func TestAMerchantsWordStandsForWhatItWasAbout(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	p := one(got{100, 60, 0})
	p.Policy.Late = Accept
	p = decide(t, p, AboutPartial, Accept, later)
	if d, settled := p.Standing(later); !settled || said(d) != "partial accepted 60 by merchant" {
		t.Fatalf("%t %s", settled, said(d))
	}
	if _, is, changed := p.Decide(AboutPartial, Accept, "merchant", later.Add(time.Second)); !is || changed {
		t.Error("the same word again changes something")
	}
	// More that is late goes by the policy; the goods are handed over all the same.
	p, _ = p.Credit(usdtAsset, money.Units(10), true, later)
	if d, settled := p.Standing(later); !settled || said(d) != "late accepted 10 by policy; partial accepted 60 by merchant; partial held 10 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
	// The chain takes back what was accepted: the word was about money that is not there.
	q, _ := p.Credit(usdtAsset, money.Units(-60), false, later)
	if d, settled := q.Standing(later); settled || said(d) != "late accepted 10 by policy; partial held 10 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
	// Paid in time after all: nothing is left to decide about.
	p, _ = p.Credit(usdtAsset, money.Units(40), false, later)
	if d, settled := p.Standing(later); !settled || said(d) != "over accepted 10 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
}

func TestWhatIsSentBackCountsForNothingAnyMore(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		came    []got
		about   About
		then    func(Payment) Payment
		settled bool
		said    string
	}{
		"nothing else comes": {[]got{{100, 40, 0}}, AboutPartial, nil, false, "partial refund 40 by merchant"},
		"the rest comes late": {[]got{{100, 40, 0}}, AboutPartial, func(p Payment) Payment { return credit(p, usdtAsset, 60, true) }, false,
			"partial refund 40 by merchant; late accepted 60 by policy; partial held 60 by policy"},
		"the rest, mined in time, is final late": {[]got{{100, 40, 0}}, AboutPartial, func(p Payment) Payment { return credit(p, usdtAsset, 60, false) }, false,
			"partial refund 40 by merchant; partial held 60 by policy"},
		"all of it comes late": {[]got{{100, 40, 0}}, AboutPartial, func(p Payment) Payment { return credit(p, usdtAsset, 100, true) }, true,
			"partial refund 40 by merchant; late accepted 100 by policy"},
		"late money goes back, and another asset is final late": {[]got{{100, 0, 0}, {100, 0, 100}}, AboutLate, func(p Payment) Payment { return credit(p, usdtAsset, 100, false) }, true,
			"late refund 0,100 by merchant"},
		"too much goes back, and the chain takes one": {[]got{{100, 150, 0}}, AboutOver, func(p Payment) Payment { return credit(p, usdtAsset, -1, false) }, false,
			"over refund 50 by merchant; partial held 99 by policy"},
		"too much goes back, and the chain takes all but that": {[]got{{100, 150, 0}}, AboutOver, func(p Payment) Payment { return credit(credit(p, usdtAsset, -100, false), usdtAsset, 50, false) }, false,
			"over refund 50 by merchant; partial held 50 by policy"},
	} {
		p := one(c.came...)
		p.Policy.Late = Accept
		if c.about == AboutLate {
			p.Policy.Late = Hold
		}
		p = decide(t, p, c.about, Refund, later)
		if c.then != nil {
			p = c.then(p)
		}
		if d, settled := p.Standing(later); settled != c.settled || said(d) != c.said {
			t.Errorf("%s: settled %t, %q, want %t, %q", name, settled, said(d), c.settled, c.said)
		}
	}
}

func credit(p Payment, asset money.Asset, units int64, late bool) Payment {
	p, _ = p.Credit(asset, money.Units(units), late, opens.Add(2*time.Hour))
	return p
}

func TestMoreCanBeSentBackAndNothingIsTakenFromThat(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	p := decide(t, one(got{100, 0, 100}), AboutLate, Refund, later)
	for action, is := range map[Action]bool{Refund: true, Accept: false} { // he may have sent it
		if _, got, changed := p.Decide(AboutLate, action, "merchant", later); got != is || changed {
			t.Errorf("%s again: %t, changed %t", action, got, changed)
		}
	}
	p = credit(p, usdtAsset, 5, true)
	if d, settled := p.Standing(later); settled || said(d) != "late refund 100 by merchant; late held 5 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
	both := decide(t, p, AboutLate, Refund, later)
	if d, settled := both.Standing(later); settled || said(d) != "late refund 105 by merchant" || len(both.Verdicts) != 1 {
		t.Fatalf("%t %s", settled, said(d))
	}
	one := decide(t, p, AboutLate, Accept, later)
	if d, settled := one.Standing(later); settled || said(d) != "late refund 100 by merchant; late accepted 5 by merchant; partial held 5 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
	one = decide(t, one, AboutLate, Refund, later)
	if d, _ := one.Standing(later); said(d) != "late refund 105 by merchant" {
		t.Fatal(said(d))
	}
}

func TestTheMoneyOfACancelledPaymentIsNotAcceptedWithoutAWord(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	p := one(got{100, 0, 0})
	p.CancelledAt, p.Policy = &opens, Policy{Partial: Accept, Late: Accept}
	p = credit(p, usdtAsset, 100, true)
	if d, settled := p.Standing(later); settled || said(d) != "late held 100 by policy" {
		t.Fatalf("%t %s", settled, said(d))
	}
	if d, settled := decide(t, p, AboutLate, Accept, later).Standing(later); !settled || said(d) != "late accepted 100 by merchant" {
		t.Fatalf("%t %s", settled, said(d))
	}
}

func TestWhatRemainsIsOfWhatCounts(t *testing.T) {
	later := opens.Add(2 * time.Hour)
	for name, c := range map[string]struct {
		late Action
		back bool
		want int64
	}{
		"held late money does not count": {Hold, false, 60},
		"accepted late money does":       {Accept, false, 0},
		"what is sent back does not":     {Accept, true, 100},
	} {
		p := one(got{100, 40, 60})
		p.Policy.Late = c.late
		if c.back {
			p = one(got{100, 40, 0})
			p = decide(t, p, AboutPartial, Refund, later)
		}
		if got := p.Remaining()[0]; got.Cmp(money.Units(c.want)) != 0 {
			t.Errorf("%s: %s remains, want %d", name, got, c.want)
		}
	}
}

func TestThereIsNothingToDecideOfWhatIsAsAsked(t *testing.T) {
	for _, p := range []Payment{one(got{100, 0, 0}), one(got{100, 100, 0}), one(got{100, 60, 0})} {
		for _, about := range []About{AboutPartial, AboutOver, AboutLate} {
			if _, is, changed := p.Decide(about, Accept, "merchant", opens); is || changed {
				t.Errorf("%+v about %s", p.Option, about)
			}
		}
	}
}

// What decisions are about is never more than what came, and what is taken as enough stays enough when more comes.
func TestDecisionsAreAboutMoneyThatCame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := one(randomCame(t)...)
		actions := []Action{"", Accept, Hold, Refund}
		p.Policy = Policy{rapid.SampledFrom(actions).Draw(t, "partial"), rapid.SampledFrom(actions).Draw(t, "over"), rapid.SampledFrom(actions).Draw(t, "late")}
		at := opens.Add(2 * time.Hour)
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "decide") {
				about := rapid.SampledFrom([]About{AboutPartial, AboutOver, AboutLate}).Draw(t, "about")
				p, _, _ = p.Decide(about, rapid.SampledFrom([]Action{Accept, Refund}).Draw(t, "action"), "merchant", at)
				continue
			}
			options := p.Options()
			o := rapid.SampledFrom(options).Draw(t, "option")
			p, _ = p.Credit(o.Asset, money.Units(rapid.Int64Range(1, 100).Draw(t, "more")), rapid.Bool().Draw(t, "late"), at)
		}
		decisions, settled := p.Standing(at)
		options := p.Options()
		for _, about := range []About{AboutPartial, AboutOver, AboutLate} {
			sum := make([]money.Amount, len(options))
			for _, d := range decisions {
				if d.About == about {
					sum = plus(sum, d.Amounts)
				}
			}
			for i, a := range sum {
				if a.Sign() < 0 || a.Cmp(options[i].Received()) > 0 || about == AboutLate && a.Cmp(options[i].After) > 0 {
					t.Fatalf("%s is about %s of %s: %s", about, a, options[i].Received(), said(decisions))
				}
			}
		}
		back := len(p.sentBack()) > 0
		if status := p.StatusAt(at); (status == Paid || status == Over) && !settled && !back {
			t.Fatalf("%s and not settled", status)
		}
		if settled && !p.Credited() {
			t.Fatal("settled with nothing")
		}
	})
}
