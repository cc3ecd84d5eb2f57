package payment

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/shared/money"
	"farrier/shared/problem"
)

var opens = time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)

const (
	usdtAsset = money.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f")
	usdcAsset = money.Asset("eip155:137/erc20:0x3c499c542cef5e3811e1192ce70d8cc03d5c3359")
)

// got is what came in one asset of so many asked.
type got struct{ asked, inTime, after int64 }

func one(of ...got) Payment {
	var all []Option
	for i, g := range of {
		all = append(all, Option{
			Asset: []money.Asset{usdtAsset, usdcAsset, "bip122:000000000019d6689c085ae165831e93/slip44:0"}[i], Decimals: 6,
			Amount: money.Units(g.asked), InTime: money.Units(g.inTime), After: money.Units(g.after),
		})
	}
	return Payment{CreatedAt: opens, ExpiresAt: opens.Add(time.Hour), Version: 1}.withOptions(all)
}

func TestTheStatusIsWhatWasAskedWhatCameAndTheTime(t *testing.T) {
	for name, c := range map[string]struct {
		came      []got
		tolerance Tolerance
		open, end Status // before and after its time is over
		cancelled Status // had the merchant cancelled it
	}{
		"nothing":                        {[]got{{100, 0, 0}}, Tolerance{}, Waiting, Expired, Cancelled},
		"a part":                         {[]got{{100, 99, 0}}, Tolerance{}, Partial, Expired, Cancelled},
		"all":                            {[]got{{100, 100, 0}}, Tolerance{}, Paid, Paid, Paid},
		"one unit more":                  {[]got{{100, 101, 0}}, Tolerance{}, Over, Over, Over},
		"all, and more late":             {[]got{{100, 100, 1}}, Tolerance{}, Over, Over, Over},
		"a part, and the rest late":      {[]got{{100, 50, 50}}, Tolerance{}, Late, Late, Late},
		"less within the tolerance":      {[]got{{10000, 9900, 0}}, Tolerance{Under: 100}, Paid, Paid, Paid},
		"less beyond the tolerance":      {[]got{{10000, 9899, 0}}, Tolerance{Under: 100}, Partial, Expired, Cancelled},
		"more within the tolerance":      {[]got{{10000, 10100, 0}}, Tolerance{Over: 100}, Paid, Paid, Paid},
		"more beyond the tolerance":      {[]got{{10000, 10101, 0}}, Tolerance{Over: 100}, Over, Over, Over},
		"half in one and half in other":  {[]got{{100, 50, 0}, {7, 0, 0}, {300, 150, 0}}, Tolerance{}, Paid, Paid, Paid},
		"thirds, which have no decimals": {[]got{{3, 1, 0}, {3, 1, 0}, {9, 3, 0}}, Tolerance{}, Paid, Paid, Paid},
		"a unit short of thirds":         {[]got{{3e9, 1e9, 0}, {3e9, 1e9, 0}, {9e9, 3e9 - 1, 0}}, Tolerance{}, Partial, Expired, Cancelled},
		"both in full":                   {[]got{{100, 100, 0}, {100, 100, 0}}, Tolerance{}, Over, Over, Over},
		"one in time, the other late":    {[]got{{100, 50, 0}, {100, 0, 50}}, Tolerance{}, Late, Late, Late},
	} {
		p := one(c.came...)
		p.Tolerance = c.tolerance
		if got := p.StatusAt(opens); got != c.open {
			t.Errorf("%s: %s, want %s", name, got, c.open)
		}
		if got := p.StatusAt(p.ExpiresAt); got != c.end {
			t.Errorf("%s, after its time: %s, want %s", name, got, c.end)
		}
		p.CancelledAt = &opens
		for _, at := range []time.Time{opens, p.ExpiresAt} {
			if got := p.StatusAt(at); got != c.cancelled {
				t.Errorf("%s, cancelled, at %s: %s, want %s", name, at, got, c.cancelled)
			}
		}
	}
}

// judged says a status once more, by whole numbers: everything is brought to one denominator.
func judged(came []got, under, over int64, closed bool) Status {
	all := big.NewInt(1)
	for _, g := range came {
		all.Mul(all, big.NewInt(g.asked))
	}
	inTime, total := new(big.Int), new(big.Int)
	for _, g := range came {
		each := new(big.Int).Quo(all, big.NewInt(g.asked))
		inTime.Add(inTime, new(big.Int).Mul(each, big.NewInt(g.inTime)))
		total.Add(total, new(big.Int).Mul(each, big.NewInt(g.inTime+g.after)))
	}
	least := new(big.Int).Mul(all, big.NewInt(10000-under))
	most := new(big.Int).Mul(all, big.NewInt(10000+over))
	ten := big.NewInt(10000)
	several, coarse := 0, new(big.Int) // what remains is rounded up to a unit of the asset that it is paid in
	for _, g := range came {
		if unit := new(big.Int).Quo(all, big.NewInt(g.asked)); g.inTime+g.after > 0 {
			several++
			if unit.Cmp(coarse) > 0 {
				coarse = unit
			}
		}
	}
	tooMuch := new(big.Int).Mul(total, ten).Cmp(most) > 0
	if several > 1 {
		tooMuch = new(big.Int).Mul(new(big.Int).Sub(total, coarse), ten).Cmp(most) >= 0
	}
	enough := new(big.Int).Mul(inTime, ten).Cmp(least) >= 0
	late := total.Cmp(inTime) > 0
	switch {
	case enough && tooMuch:
		return Over
	case enough:
		return Paid
	case late:
		return Late
	case closed:
		return Expired
	case inTime.Sign() > 0:
		return Partial
	}
	return Waiting
}

func randomCame(t *rapid.T) []got {
	var came []got
	for range rapid.IntRange(1, 3).Draw(t, "options") {
		asked := rapid.Int64Range(1, 1000).Draw(t, "asked")
		came = append(came, got{asked, rapid.Int64Range(0, 2*asked).Draw(t, "in time"), max(0, rapid.Int64Range(-asked, asked).Draw(t, "after"))})
	}
	return came
}

func TestStatusesAreThoseOfWholeNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		came := randomCame(t)
		p := one(came...)
		p.Tolerance = Tolerance{Under: rapid.SampledFrom([]int64{0, 1, 100, 5000, 9999}).Draw(t, "under"), Over: rapid.SampledFrom([]int64{0, 1, 100, 10000}).Draw(t, "over")}
		for _, closed := range []bool{false, true} {
			at := opens
			if closed {
				at = p.ExpiresAt
			}
			if got, want := p.StatusAt(at), judged(came, p.Tolerance.Under, p.Tolerance.Over, closed); got != want {
				t.Fatalf("%v with %+v, closed %t: %s, want %s", came, p.Tolerance, closed, got, want)
			}
		}
	})
}

func TestWhatRemainsPaysAndAUnitLessDoesNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		came := randomCame(t)
		for i := range came {
			came[i].after = 0
		}
		p := one(came...)
		p.Tolerance.Under = rapid.SampledFrom([]int64{0, 100, 9999}).Draw(t, "under")
		options := p.Options()
		for i, rest := range p.Remaining() {
			enough := p.StatusAt(opens) == Paid || p.StatusAt(opens) == Over
			if enough != (rest.Sign() == 0) {
				t.Fatalf("%v is %s and %s remains of option %d", came, p.StatusAt(opens), rest, i)
			}
			if enough {
				continue
			}
			after, _ := p.Credit(options[i].Asset, rest, false, opens)
			if s := after.StatusAt(opens); s != Paid {
				t.Fatalf("%v: with %s more of option %d it is %s", came, rest, i, s)
			}
			p := p
			p.Tolerance.Under = 0
			before, _ := p.Credit(options[i].Asset, rest.Sub(money.Units(1)), false, opens)
			if s := before.StatusAt(opens); s != Partial && s != Waiting {
				t.Fatalf("%v: with a unit less than %s of option %d it is %s", came, rest, i, s)
			}
		}
	})
}

func TestMoneyIsLateAfterTheEndWhicheverCameFirst(t *testing.T) {
	p := one(got{100, 0, 0})
	if p.IsAfter(p.ExpiresAt) || !p.IsAfter(p.ExpiresAt.Add(time.Second)) {
		t.Error("the time is not the end")
	}
	cancelled := opens.Add(time.Minute)
	p.CancelledAt = &cancelled
	if p.IsAfter(cancelled) || !p.IsAfter(cancelled.Add(time.Second)) {
		t.Error("cancelling is not the end")
	}
}

func TestACreditCountsInItsAssetAlone(t *testing.T) {
	p := one(got{100, 0, 0}, got{200, 0, 0})
	before := p
	q, event := p.Credit(usdcAsset, money.Units(100), false, opens)
	if event != "payment.partial" || q.InTime.Sign() != 0 || q.Others[0].InTime.Cmp(money.Units(100)) != 0 {
		t.Errorf("%s %+v", event, q.Options())
	}
	if before.Others[0].InTime.Sign() != 0 {
		t.Error("the payment that was read has changed")
	}
	q, event = q.Credit(usdtAsset, money.Units(50), false, opens)
	if event != "payment.paid" || q.Status != Paid {
		t.Errorf("%s %+v", event, q)
	}
	q, event = q.Credit(usdcAsset, money.Units(-100), false, opens)
	if event != "payment.reversed" || q.Status != Partial {
		t.Errorf("%s %+v", event, q)
	}
}

func TestAToleranceAndAPolicyAreRefusedByTheFieldsName(t *testing.T) {
	for field, err := range map[string]error{
		"tolerance.under_bps": Tolerance{Under: 10000}.Check(),
		"tolerance.over_bps":  Tolerance{Over: -1}.Check(),
		"policy.partial":      Policy{Partial: "keep"}.Check(),
		"policy.over":         Policy{Over: "Accept"}.Check(),
		"policy.late":         Policy{Late: "x"}.Check(),
	} {
		if p := problem.Of(err); p.Code != problem.Invalid || p.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if (Tolerance{Under: 9999, Over: 10000}).Check() != nil || (Policy{Partial: Refund}).Check() != nil {
		t.Error("refused")
	}
}

func TestAVersionStandsOnceForATypeAndTheLastOneIsWhatCameOfIt(t *testing.T) {
	for _, c := range []struct{ events, want []string }{
		{nil, nil},
		{[]string{"payment.partial", "payment.partial", "payment.paid"}, []string{"payment.partial", "payment.paid"}},
		{[]string{"payment.over", "payment.reversed", "payment.over"}, []string{"payment.reversed", "payment.over"}},
	} {
		if got := (Payment{}).Next(time.Now(), c.events...).Events; !slices.Equal(got, c.want) {
			t.Errorf("%v stand for %v, want %v", c.events, got, c.want)
		}
	}
}
