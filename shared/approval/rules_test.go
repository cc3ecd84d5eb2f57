package approval

import (
	"encoding/base32"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/shared/money"
)

const usdt = money.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f")

var (
	noon  = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	names = []string{"apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5A", "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5B", "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5C"}
	hash  = strings.Repeat("ab", 32)
	asked = Asked{Payout: "out_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", Hash: hash, Requester: "key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", Asset: usdt, Amount: money.Units(1000)}
)

// The secret of the vectors of RFC 4226, appendix D, and of RFC 6238, appendix B.
var vector = []byte("12345678901234567890")

func TestCodesAreThoseOfRFC4226(t *testing.T) {
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := codeOf(vector, int64(step)); got != want {
			t.Errorf("step %d: %s, want %s", step, got, want)
		}
	}
}

func TestCodesAreThoseOfRFC6238(t *testing.T) {
	for seconds, want := range map[int64]string{ // the last six of the eight digits that the RFC shows
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := codeOf(vector, stepAt(time.Unix(seconds, 0))); got != want {
			t.Errorf("at %d: %s, want %s", seconds, got, want)
		}
	}
}

func TestTheStepOfACodeIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), secretLength, secretLength).Draw(t, "secret")
		at := time.Unix(rapid.Int64Range(1_700_000_000, 4_000_000_000).Draw(t, "at"), 0)
		away := rapid.IntRange(-drift-3, drift+3).Draw(t, "away")
		code := codeOf(secret, stepAt(at)+int64(away))
		step, off, found := stepOf(secret, code, at)
		switch {
		case !found && away >= -drift && away <= drift:
			t.Fatalf("a code %d steps away was not found", away)
		case found && (codeOf(secret, step) != code || step != stepAt(at)+int64(off) || max(off, -off) > max(away, -away)):
			t.Fatalf("found %d for %d", off, away)
		}
	})
}

func TestTheAddressForAuthenticatorsHasWhatTheyNeed(t *testing.T) {
	u, err := url.Parse(otpauth(vector, "Ann & Co"))
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Farrier:Ann & Co" {
		t.Fatalf("%v, %v", u, err)
	}
	q := u.Query()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(q.Get("secret"))
	if err != nil || string(secret) != string(vector) || q.Get("issuer") != "Farrier" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" {
		t.Fatalf("%v, %v", q, err)
	}
}

// people are the three approvers.
func people() map[string]Approver {
	all := map[string]Approver{}
	for _, name := range names {
		all[name] = Approver{ID: name}
	}
	return all
}

func said(who int, after time.Duration) Approval {
	return Approval{PK: asked.Payout, SK: names[who], Payout: asked.Payout, Approver: names[who], Hash: hash, Decision: Approve, Code: "123456", MadeAt: noon.Add(after), Version: 1}
}

func allRight(Approver, Approval) error { return nil }

func two(inOrder bool) Policy {
	return Policy{Rules: []Rule{{Asset: usdt, Above: money.Units(100), Need: 1, Of: names}, {Asset: usdt, Above: money.Units(500), Need: 2, Of: names, InOrder: inOrder}}}
}

func TestTheRuleIsThatOfTheGreatestAmountBelow(t *testing.T) {
	for amount, need := range map[int64]int{1: 0, 100: 0, 101: 1, 500: 1, 501: 2, 1 << 60: 2} {
		rule, err := two(false).RuleFor(usdt, money.Units(amount))
		if err != nil || rule.Need != need {
			t.Errorf("%d needs %d, %v; want %d", amount, rule.Need, err, need)
		}
	}
	var none *NoRuleError
	if _, err := two(false).RuleFor("eip155:137/slip44:966", money.Units(1)); !errors.As(err, &none) {
		t.Errorf("an asset without a rule: %v", err)
	}
}

func TestAnApprovalThatDoesNotCountIsToldWithItsReason(t *testing.T) {
	now := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*Approval, map[string]Approver)
		check  error
		want   Reason
	}{
		"as it should be": {func(*Approval, map[string]Approver) {}, nil, ""},
		"unknown":         {func(_ *Approval, p map[string]Approver) { delete(p, names[0]) }, nil, Unknown},
		"disabled":        {func(_ *Approval, p map[string]Approver) { p[names[0]] = Approver{ID: names[0], DisabledAt: &noon} }, nil, Disabled},
		"requester": {func(_ *Approval, p map[string]Approver) {
			p[names[0]] = Approver{ID: names[0], Keys: []string{asked.Requester}}
		}, nil, Requester},
		"not named": {func(a *Approval, p map[string]Approver) {
			a.Approver = "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5D"
			p[a.Approver] = Approver{ID: a.Approver}
		}, nil, NotNamed},
		"another payout":  {func(a *Approval, _ map[string]Approver) { a.Payout = "out_01JD0Z5T3N8Q4W7R2X9Y6V1K5N" }, nil, OtherOne},
		"another hash":    {func(a *Approval, _ map[string]Approver) { a.Hash = strings.Repeat("cd", 32) }, nil, OtherHash},
		"too old":         {func(a *Approval, _ map[string]Approver) { a.MadeAt = now.Add(-UsualAge - time.Second) }, nil, TooOld},
		"just young":      {func(a *Approval, _ map[string]Approver) { a.MadeAt = now.Add(-UsualAge) }, nil, ""},
		"of the future":   {func(a *Approval, _ map[string]Approver) { a.MadeAt = now.Add(futureBy + time.Second) }, nil, Future},
		"no decision":     {func(a *Approval, _ map[string]Approver) { a.Decision = "maybe" }, nil, OtherOne},
		"of a wrong code": {func(*Approval, map[string]Approver) {}, failure(names[0], WrongCode, "wrong"), WrongCode},
	} {
		a, all := said(0, 0), people()
		c.change(&a, all)
		policy := Policy{Rules: []Rule{{Asset: usdt, Need: 1, Of: names}}}
		v, err := policy.Judge(asked, []Approval{a}, all, func(Approver, Approval) error { return c.check }, now)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == "" && (!v.Granted || len(v.Failures) != 0):
			t.Errorf("%s: %v", name, v.Error())
		case c.want != "" && (v.Granted || len(v.Failures) != 1 || v.Failures[0].Reason != c.want || v.Failures[0].Approver != a.Approver):
			t.Errorf("%s: %+v, want %s", name, v, c.want)
		}
		if strings.Contains(v.Error(), a.Code) {
			t.Errorf("%s: the verdict tells the code: %s", name, v.Error())
		}
	}
}

func TestARejectionEndsAPayoutWhateverElseIsSaid(t *testing.T) {
	no := said(2, time.Minute)
	no.Decision, no.Hash, no.MadeAt = Reject, strings.Repeat("cd", 32), noon.Add(-1000*time.Hour)
	v, err := two(false).Judge(asked, []Approval{said(0, 0), said(1, 0), no}, people(), func(Approver, Approval) error {
		t.Error("a code was used up for a payout that was rejected")
		return nil
	}, noon)
	if err != nil || v.Granted || v.Rejected != names[2] {
		t.Fatalf("%+v, %v", v, err)
	}
	stranger := no
	stranger.Approver = "apr_01JD0Z5T3N8Q4W7R2X9Y6V1K5D"
	v, err = two(false).Judge(asked, []Approval{said(0, 0), said(1, 0), stranger}, people(), allRight, noon)
	if err != nil || !v.Granted {
		t.Fatalf("a stranger stopped it: %+v, %v", v, err)
	}
}

func TestApprovalsCountInTheOrderThatTheRuleWants(t *testing.T) {
	for name, c := range map[string]struct {
		at      [3]int // minutes; -1 for not at all
		granted bool
	}{
		"in order":                   {[3]int{1, 2, -1}, true},
		"out of order":               {[3]int{2, 1, -1}, false},
		"at the same moment":         {[3]int{1, 1, -1}, false},
		"the first too late":         {[3]int{5, 1, 2}, true}, // two others are in order
		"the first and last":         {[3]int{1, -1, 2}, true},
		"all the wrong way around":   {[3]int{3, 2, 1}, false},
		"one alone":                  {[3]int{-1, 1, -1}, false},
		"a middle one before both":   {[3]int{2, 1, 3}, true},
		"a last one before the rest": {[3]int{2, 3, 1}, true},
	} {
		var all []Approval
		for who, at := range c.at {
			if at >= 0 {
				all = append(all, said(who, time.Duration(at)*time.Minute))
			}
		}
		v, err := two(true).Judge(asked, all, people(), allRight, noon.Add(time.Hour))
		if err != nil || v.Granted != c.granted || len(v.Counted)+len(v.Failures) != len(all) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		loose, err := two(false).Judge(asked, all, people(), allRight, noon.Add(time.Hour))
		if err != nil || loose.Granted != (len(all) >= 2) {
			t.Errorf("%s, without order: %+v, %v", name, loose, err)
		}
	}
}

// TestNothingIsGrantedWithoutEnoughGoodApprovals draws approvals with any faults and compares with a judge who counts simply.
func TestNothingIsGrantedWithoutEnoughGoodApprovals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, now := people(), noon.Add(time.Hour)
		need, ordered := rapid.IntRange(1, 3).Draw(t, "need"), rapid.Bool().Draw(t, "ordered")
		of := names[:rapid.IntRange(need, 3).Draw(t, "of")]
		policy := Policy{Rules: []Rule{{Asset: usdt, Need: need, Of: of, InOrder: ordered}}}
		var given []Approval
		good, rejected := map[int]int{}, false // whose approval is right, and in which minute
		var wrongCodes []string
		for who, name := range names {
			if rapid.Bool().Draw(t, "silent") {
				continue
			}
			minute := rapid.IntRange(0, 5).Draw(t, "minute")
			a, faulty, named := said(who, time.Duration(minute)*time.Minute), false, who < len(of)
			switch rapid.IntRange(0, 8).Draw(t, "fault") {
			case 0:
				a.Hash, faulty = strings.Repeat("0", 64), true
			case 1:
				a.MadeAt, faulty = now.Add(-UsualAge-time.Minute), true
			case 2:
				all[name], faulty = Approver{ID: name, Keys: []string{"key_x", asked.Requester}}, true
			case 3:
				wrongCodes, faulty = append(wrongCodes, name), true
			case 4:
				a.Decision, faulty = Reject, true
				rejected = rejected || named
			case 5:
				all[name], faulty = Approver{ID: name, DisabledAt: &noon}, true
			}
			if !faulty && named {
				good[who] = minute
			}
			given = append(given, a)
		}
		if rapid.Bool().Draw(t, "turned") {
			slices.Reverse(given)
		}
		check := func(by Approver, a Approval) error {
			if by.ID != a.Approver {
				t.Fatalf("%s checked for %s", a.Approver, by.ID)
			}
			if slices.Contains(wrongCodes, by.ID) {
				return failure(by.ID, WrongCode, "wrong")
			}
			return nil
		}
		v, err := policy.Judge(asked, given, all, check, now)
		if err != nil {
			t.Fatal(err)
		}
		if want := !rejected && longest(good, ordered) >= need; v.Granted != want || rejected != (v.Rejected != "") {
			t.Fatalf("%+v; granted should be %t", v, want)
		}
	})
}

// longest tries every choice of the good ones.
func longest(good map[int]int, ordered bool) int {
	best := 0
	for choice := range 8 {
		last, n, fits := -1, 0, true
		for who := range 3 {
			if choice>>who&1 == 0 {
				continue
			}
			at, is := good[who]
			fits = fits && is && (!ordered || at > last)
			last, n = at, n+1
		}
		if fits {
			best = max(best, n)
		}
	}
	return best
}

func TestTroubleWithACodeEndsTheJudging(t *testing.T) {
	trouble := errors.New("KMS is away")
	v, err := two(false).Judge(asked, []Approval{said(0, 0), said(1, 0)}, people(), func(Approver, Approval) error { return trouble }, noon)
	if !errors.Is(err, trouble) || v.Granted {
		t.Fatalf("%+v, %v", v, err)
	}
}

func TestASecondApprovalOfTheSameApproverCountsNothing(t *testing.T) {
	v, err := two(false).Judge(asked, []Approval{said(0, 0), said(0, time.Minute)}, people(), allRight, noon.Add(time.Hour))
	if err != nil || v.Granted || len(v.Counted) != 1 {
		t.Fatalf("%+v, %v", v, err)
	}
}

func TestAPolicyThatCannotBeMeantIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		rules []Rule
		ok    bool
	}{
		"two steps":        {two(true).Rules, true},
		"none needed":      {[]Rule{{Asset: usdt}}, true},
		"more than named":  {[]Rule{{Asset: usdt, Need: 4, Of: names}}, false},
		"less than none":   {[]Rule{{Asset: usdt, Need: -1, Of: names}}, false},
		"the same twice":   {[]Rule{{Asset: usdt, Need: 1, Of: []string{names[0], names[0]}}}, false},
		"no approver":      {[]Rule{{Asset: usdt, Need: 1, Of: []string{"key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"}}}, false},
		"two of an amount": {[]Rule{{Asset: usdt, Need: 1, Of: names}, {Asset: usdt, Need: 2, Of: names}}, false},
		"negative":         {[]Rule{{Asset: usdt, Above: money.Units(-1), Need: 1, Of: names}}, false},
		"no asset":         {[]Rule{{Asset: "USDT", Need: 1, Of: names}}, false},
	} {
		if err := (Policy{Rules: c.rules}).Known(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
