package payout

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

func stored(t *testing.T) *Store {
	t.Helper()
	return &Store{Payouts: parts.Table(t), References: parts.Table(t), Assets: assets(t), Facts: facts{}, Now: func() time.Time { return noon }, Random: rand.Reader}
}

func TestConformanceAReferenceIsOnePayoutForEver(t *testing.T) {
	s, ctx := stored(t), context.Background()
	made, err := s.Create(ctx, asking())
	if err != nil || made.State != Requested || made.Version != 1 ||
		made.OpenChain != OpenOn("eip155:137") || !slices.Equal(made.Events, []string{"payout.requested"}) {
		t.Fatalf("%+v, %v", made, err)
	}
	s.Now = func() time.Time { return noon.Add(time.Hour) }
	s.Facts = facts{ours: true} // what was made is not looked at again
	r := asking()
	r.FeeMost = money.Units(7) // chosen here, at another moment
	again, err := s.Create(ctx, r)
	if err != nil || !reflect.DeepEqual(again, made) {
		t.Fatalf("%+v, %v; made %+v", again, err, made)
	}
	s.Facts = facts{}
	for name, change := range map[string]func(*Request){
		"another amount":    func(r *Request) { r.Amount = "10.51" },
		"another payee":     func(r *Request) { r.To = "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359" },
		"another requester": func(r *Request) { r.Requester = "key_2" },
		"another speed":     func(r *Request) { r.Speed = Fast },
		"a contract":        func(r *Request) { r.Contract = true },
		"other metadata":    func(r *Request) { r.Metadata = map[string]string{"a": "b"} },
	} {
		r := asking()
		change(&r)
		if _, err := s.Create(ctx, r); !problem.Is(err, problem.ReferenceUsed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r = asking()
	r.Merchant = "mer_2"
	other, err := s.Create(ctx, r)
	if err != nil || other.ID == made.ID {
		t.Errorf("another merchant's reference: %+v, %v", other, err)
	}
	list, _, err := s.List(ctx, "mer_1", 10, "")
	if err != nil || len(list) != 1 || list[0].View().Hash == "" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestConformanceOfManyWhoAskAtOnceOneMakesThePayout(t *testing.T) {
	s, ctx := stored(t), context.Background()
	ids := make([]string, 8)
	var wait sync.WaitGroup
	for i := range ids {
		wait.Add(1)
		go func() {
			defer wait.Done()
			p, err := s.Create(ctx, asking())
			if err != nil {
				t.Error(err)
			}
			ids[i] = p.ID
		}()
	}
	wait.Wait()
	for _, name := range ids {
		if name != ids[0] {
			t.Fatalf("several payouts: %v", ids)
		}
	}
}

func TestConformanceAStepIsDecidedFromWhatIsStoredAndWritesNothingTwice(t *testing.T) {
	s, ctx := stored(t), context.Background()
	p, err := s.Create(ctx, asking())
	if err != nil {
		t.Fatal(err)
	}
	if p, err = s.Step(ctx, p.PK, p.ID, Payout.Check); err != nil || p.State != Checked || p.Version != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	var no *MoveError
	if _, err = s.Step(ctx, p.PK, p.ID, Payout.Check); !errors.As(err, &no) {
		t.Fatalf("checked twice: %v", err)
	}
	if p, err = s.Step(ctx, p.PK, p.ID, Payout.Approve); err != nil {
		t.Fatal(err)
	}
	if _, err = s.Step(ctx, p.PK, p.ID, Payout.Reserve); !errors.Is(err, ErrBook) {
		t.Fatalf("reserved beside the book: %v", err)
	}
	raced := false
	held, err := s.Step(ctx, p.PK, p.ID, func(p Payout, now time.Time) (Payout, error) {
		if !raced {
			raced = true
			if _, err := s.Step(ctx, p.PK, p.ID, func(p Payout, now time.Time) (Payout, error) { return p.Hold("first", now) }); err != nil {
				return p, err
			}
		}
		return p.Refuse("second", now)
	})
	if err != nil || held.State != Failed || held.Version != p.Version+2 {
		t.Fatalf("%+v, %v", held, err)
	}
}

func TestConformanceAPayoutIsReadAsItWasWritten(t *testing.T) {
	s, ctx := stored(t), context.Background()
	p := signed(t)
	p, _ = p.Sent(1, noon)
	p, err := p.Include(Mined{Attempt: 1, Height: 7, BlockHash: "0xb1", Fee: money.Units(3)}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Payouts.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(ctx, p.PK, p.ID)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("%+v, %v; written %+v", got, err, p)
	}
	v := got.View()
	if v.Transaction != "0xa1" || v.FeeUnits != "3" || v.To != payeeS || len(v.Attempts) != 1 || v.Attempts[0].Nonce != 5 {
		t.Errorf("%+v", v)
	}
	if _, err := s.Get(ctx, p.PK, "out_../../x"); !problem.Is(err, problem.NotFound) {
		t.Error(err)
	}
}

// counts does what the signer does: it counts a payout in the transaction that keeps a mark of it.
func counts(ctx context.Context, s Counted, p Payout, limits Limits) error {
	for {
		sums := p.Sums(s.Now())
		tally, err := s.Read(ctx, sums)
		if err != nil {
			return err
		}
		if err := limits.Check(p, tally.Counts, s.Now()); err != nil {
			return err
		}
		mark := dynamo.Write{Table: s.Table, Item: claim{PK: p.ID, SK: "mark"}}
		err = dynamo.Transact(ctx, s.Table.Client, append(tally.Writes(sums), mark))
		var cancelled *dynamo.Cancelled
		if !errors.As(err, &cancelled) || cancelled.Exists[len(sums)] != nil {
			return err
		}
	}
}

func TestConformanceLimitsHoldWhoeverRacesAndAPayoutCountsOnce(t *testing.T) {
	s := Counted{Table: parts.Table(t), Now: func() time.Time { return noon }}
	ctx := context.Background()
	limits := Limits{{Asset: usdt, Scope: EachPayout, Most: money.Units(10)}, {Asset: usdt, Scope: AssetDay, Most: money.Units(35)}}
	payout := func(n int) Payout {
		p := sample()
		p.ID, p.Amount, p.FeeMost = "out_"+strconv.Itoa(n), money.Units(10), money.Units(7)
		return p
	}
	results := make([]error, 6)
	var wait sync.WaitGroup
	for i := range results {
		wait.Add(1)
		go func() {
			defer wait.Done()
			results[i] = counts(ctx, s, payout(i), limits)
		}()
	}
	wait.Wait()
	let, counted := 0, 0
	for i, err := range results {
		var over *ExceededError
		switch {
		case err == nil:
			let, counted = let+1, i
		case !errors.As(err, &over):
			t.Error(err)
		}
	}
	if let != 3 {
		t.Fatalf("%d payouts of 10 under a limit of 35: %v", let, results)
	}
	var cancelled *dynamo.Cancelled
	more := append(limits[:1:1], Limit{Asset: usdt, Scope: AssetDay, Most: money.Units(100)})
	if err := counts(ctx, s, payout(counted), more); !errors.As(err, &cancelled) {
		t.Errorf("counted again: %v", err)
	}
	tally, err := s.Read(ctx, payout(0).Sums(noon))
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range payout(0).Sums(noon) {
		want := money.Units(30)
		if sum.Counter.Scope == FeeDay {
			want = money.Units(21)
		}
		if tally.Counts[sum.Counter].Cmp(want) != 0 {
			t.Errorf("%+v: %s, not %s", sum.Counter, tally.Counts[sum.Counter], want)
		}
	}
	s.Now = func() time.Time { return noon.Add(12 * time.Hour) }
	if err := counts(ctx, s, payout(9), limits); err != nil {
		t.Errorf("the next UTC day: %v", err)
	}
}

func TestConformanceDestinationsWithTheSameEndsAreNeighbours(t *testing.T) {
	clock := func() time.Time { return noon }
	k := Known{Allowed: Allowed{Table: parts.Table(t), Now: clock}, Paid: Paid{Table: parts.Table(t), Now: clock}}
	ctx := context.Background()
	const one, two, three, other = "0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27853", "0xd6d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa7853",
		"0xd6d9bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb7853", "0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27854"
	for _, address := range []string{one, other} {
		if _, err := k.Allowed.Allow(ctx, "mer_1", "eip155:137", address, "", "ann"); err != nil {
			t.Fatal(err)
		}
	}
	for _, address := range []string{one, two, two} {
		if err := k.Paid.Remember(ctx, "mer_1", "eip155:137", address); err != nil {
			t.Fatal(err)
		}
	}
	known := func() string {
		t.Helper()
		all, err := k.Like(ctx, "mer_1", "eip155:1", EndsOf(three)) // another chain of the family
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, l := range Likenesses(three, all) {
			text += l.Address[6:7] + " " + l.Known + "; "
		}
		return text
	}
	if got := known(); got != "f allowed; a paid; " {
		t.Errorf("%s", got)
	}
	if known, err := k.Like(ctx, "mer_2", "eip155:1", EndsOf(two)); err != nil || len(known) != 0 {
		t.Errorf("another merchant's: %+v, %v", known, err)
	}
	if _, err := k.Allowed.Disallow(ctx, "mer_1", "eip155:137", one); err != nil {
		t.Fatal(err)
	}
	if got := known(); got != "a paid; f paid; " {
		t.Errorf("%s", got)
	}
}

func TestConformanceWhoIsPutBackOnTheListWaitsAgain(t *testing.T) {
	s := Allowed{Table: parts.Table(t), Now: func() time.Time { return noon }}
	ctx := context.Background()
	const one = "0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27853"
	listed := func() []Destination {
		t.Helper()
		page, next, err := s.List(ctx, "mer_1", 10, "")
		if err != nil || next != "" {
			t.Fatal(next, err)
		}
		return page
	}
	if d, err := s.Allow(ctx, "mer_1", "eip155:137", one, "Bob", "ann"); err != nil || !d.AllowedAt.Equal(noon) {
		t.Fatalf("%+v, %v", d, err)
	}
	s.Now = func() time.Time { return noon.Add(time.Hour) }
	if d, err := s.Allow(ctx, "mer_1", "eip155:137", one, "", "bob"); err != nil || !d.AllowedAt.Equal(noon) || d.Label != "Bob" {
		t.Errorf("allowed again: %+v, %v", d, err)
	}
	if on := listed(); len(on) != 1 || on[0].AllowedBy != "ann" {
		t.Errorf("%+v", on)
	}
	for range 2 {
		if _, err := s.Disallow(ctx, "mer_1", "eip155:137", one); err != nil {
			t.Fatal(err)
		}
	}
	if on := listed(); len(on) != 0 {
		t.Errorf("%+v", on)
	}
	d, err := s.Allow(ctx, "mer_1", "eip155:137", one, "", "bob")
	if err != nil || d.May(UsualWait, noon.Add(UsualWait)) || !d.May(UsualWait, noon.Add(UsualWait+time.Hour)) {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestConformanceAFreezeIsReadWhereverItLies(t *testing.T) {
	s := Freezes{Table: parts.Table(t), Now: func() time.Time { return noon }}
	ctx, p := context.Background(), sample()
	for _, what := range []Stop{{}, {Asset: p.Asset}, {Merchant: p.PK}} {
		if err := s.Check(ctx, p); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Set(ctx, what, "ann", "theft"); err != nil {
			t.Fatal(err)
		}
		var frozen *FrozenError
		if err := s.Check(ctx, p); !errors.As(err, &frozen) {
			t.Errorf("%+v: %v", what, err)
		}
		for _, who := range []string{"ann", "ann", "bob"} {
			if _, err := s.Lift(ctx, what, who); err != nil {
				t.Errorf("%+v, %s: %v", what, who, err)
			}
		}
		if _, err := s.Lift(ctx, what, "cat"); !problem.Is(err, problem.Conflict) {
			t.Errorf("%+v: %v", what, err)
		}
	}
}
