package payout

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/problem"
)

const (
	usdt   = money.Asset("eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f")
	pol    = money.Asset("eip155:137/slip44:966")
	wallet = "0x1111111111111111111111111111111111111111"
	payee  = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
	payeeS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // EIP-55's first example
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

const chains = `[{"id":"eip155:137","name":"Polygon","endpoints":["http://node.invalid"],"finality":{"tag":"finalized"},"block_time":"2s",
	"native":{"symbol":"POL","decimals":18,"coin_type":966},"tokens":[{"symbol":"USDT","decimals":6,"address":"0xc2132d05d31c914a87c6611c10748aeb04b58e8f"}]},
	{"id":"tron:0x2b6653dc","name":"TRON","endpoints":["http://node.invalid"],"finality":{"depth":20},"block_time":"3s","native":{"symbol":"TRX","decimals":6}}]`

func assets(t *testing.T) *chain.Set {
	t.Helper()
	set, err := chain.ParseSet(chains)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func sample() Payout {
	return Payout{
		PK: "mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", SK: "out_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", ID: "out_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", Asset: usdt, Symbol: "USDT", Decimals: 6,
		Amount: money.Units(10_500_000), To: payee, Wallet: wallet, FeeMost: money.Units(40_000_000_000_000_000), Reference: `salary "17" <é>`,
		Requester: "key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M", State: Requested, CreatedAt: noon, UpdatedAt: noon, Version: 1,
		OpenChain: "eip155:137", Events: []string{"payout.requested"},
	}
}

func TestTheCanonicalFormIsGolden(t *testing.T) {
	const want = `{"amount_units":"10500000","asset":"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f","fee_most_units":"40000000000000000",` +
		`"form":"farrier.payout.1","id":"out_01JD0Z5T3N8Q4W7R2X9Y6V1K5M","merchant":"mer_01JD0Z5T3N8Q4W7R2X9Y6V1K5M","reference":"salary \"17\" <é>",` +
		`"requester":"key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M","to":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed","wallet":"0x1111111111111111111111111111111111111111"}`
	text, err := sample().Canonical()
	if err != nil || string(text) != want {
		t.Fatalf("%s, %v\nwant\n%s", text, err, want)
	}
	// sha256sum of the text above.
	const sum = "652badc3f791bea94bee3d8fb466ee0e22727d2d9a77de942af60bf3525c7e00"
	if hash, _ := sample().Hash(); hash != sum {
		t.Fatalf("hash %s, want %s", hash, sum)
	}
}

// draw is any payout, of texts that are near to each other and to JSON's own signs.
func draw(t *rapid.T, name string) Payout {
	text := rapid.OneOf(rapid.StringOfN(rapid.SampledFrom([]rune(`ab"\,:{}u0028<>é`)), 0, 6, -1), rapid.String())
	amount := rapid.Map(rapid.Int64(), money.Units)
	p := sample()
	for i, field := range []*string{&p.ID, &p.PK, &p.Reference, &p.Requester, &p.To, &p.Wallet} {
		if rapid.IntRange(0, 2).Draw(t, name+"changes") == 0 {
			*field = text.Draw(t, name+string(rune('a'+i)))
		}
	}
	if rapid.Bool().Draw(t, name+"asset?") {
		p.Asset = money.Asset(text.Draw(t, name+"asset"))
	}
	if rapid.Bool().Draw(t, name+"amounts?") {
		p.Amount, p.FeeMost = amount.Draw(t, name+"amount"), amount.Draw(t, name+"fee")
	}
	return p
}

// is says whether two are the same payout, field by field.
func is(a, b Payout) bool {
	return a.ID == b.ID && a.PK == b.PK && a.Reference == b.Reference && a.Requester == b.Requester && a.To == b.To && a.Wallet == b.Wallet &&
		a.Asset == b.Asset && a.Amount.Cmp(b.Amount) == 0 && a.FeeMost.Cmp(b.FeeMost) == 0
}

func TestTwoDifferentPayoutsNeverHaveTheSameCanonicalForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t, "a"), draw(t, "b")
		textA, errA := a.Canonical()
		textB, errB := b.Canonical()
		if errA != nil || errB != nil {
			t.Skip("has no form")
		}
		if is(a, b) != (string(textA) == string(textB)) {
			t.Fatalf("%s\n%s", textA, textB)
		}
		var read map[string]string
		if err := json.Unmarshal(textA, &read); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(read) // sorts the names
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(again, &back); err != nil || back["reference"] != a.Reference || back["to"] != a.To || len(read) != 10 {
			t.Fatalf("%s came back as %v, %v", textA, back, err)
		}
	})
}

func TestWhatHappensToAPayoutIsNotInItsCanonicalForm(t *testing.T) {
	p := sample()
	before, _ := p.Hash()
	p.State, p.Version, p.Reason, p.Attempts, p.Metadata, p.Round = Broadcast, 9, "x", []Attempt{{N: 1}}, map[string]string{"a": "b"}, 2
	p.Nonce, p.Contract, p.Speed, p.OpenChain, p.Events = new(uint64), true, Fast, "eip155:137", []string{"payout.broadcast"}
	if after, err := p.Hash(); err != nil || after != before {
		t.Fatalf("%s became %s, %v", before, after, err)
	}
}

func TestATextThatCannotBePrintedHasNoCanonicalForm(t *testing.T) {
	for _, text := range []string{"\xff", "a\x00", "a\nb", "\u2028", "\u202e"} {
		p := sample()
		p.Reference = text
		if _, err := p.Hash(); !errors.Is(err, ErrText) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func attempt(n int, nonce uint64, price int64, hash string) Attempt {
	return Attempt{N: n, Nonce: nonce, FeePerGas: money.Units(price), TipPerGas: money.Units(price / 2), Gas: 65_000, Hash: hash, SignedAt: noon}
}

// TestAPayoutMovesOnlyAlongItsArrows does anything to a payout, in any order, and judges each step by the table and by what
// must always hold.
func TestAPayoutMovesOnlyAlongItsArrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := sample()
		if rapid.Bool().Draw(t, "signed") {
			p = signed(t)
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			before := p
			past, history := slices.Clone(p.Attempts), slices.Clone(p.History)
			var next Payout
			var err error
			n := rapid.IntRange(0, 4).Draw(t, "n")
			block := rapid.SampledFrom([]string{"", "0xb1", "0xb2", "0xee"}).Draw(t, "block")
			mined := Mined{Attempt: n, Height: 7, BlockHash: block, Reverted: rapid.Bool().Draw(t, "reverted")}
			switch rapid.IntRange(0, 16).Draw(t, "what") {
			case 0:
				next, err = p.Check(noon)
			case 1:
				next, err = p.Approve(noon)
			case 2:
				next, err = p.Reserve(noon)
			case 3:
				next, err = p.Hold("why", noon)
			case 4:
				next, err = p.Resume(noon)
			case 5:
				next, err = p.Refuse("why", noon)
			case 6:
				next, err = p.Cancel("why", noon)
			case 7:
				price := rapid.SampledFrom([]int64{10, 20, 22, 40, 1 << 55}).Draw(t, "price")
				next, err = p.Sign(attempt(n, uint64(5+n/4), price, "0x"+string(rune('0'+n))), noon)
			case 8:
				next, err = p.Sent(n, noon)
			case 9:
				next, err = p.Include(mined, noon)
			case 10:
				if rapid.Bool().Draw(t, "none") {
					next, err = p.Lose(block, nil, noon)
				} else {
					next, err = p.Lose(block, &mined, noon)
				}
			case 11:
				next, err = p.Settle(noon)
			case 12:
				next, err = p.Overtake("0xee", noon)
			case 13:
				next, err = p.Allocate(uint64(5+n/4), noon)
			case 14:
				next, err = p.Deallocate(noon)
			case 15:
				next, err = p.Close(noon.Add(WatchFor))
			case 16:
				next, err = p.Unwant("why", noon)
			}
			if !slices.EqualFunc(before.Attempts, past, func(a, b Attempt) bool {
				return a.Outcome == b.Outcome && a.Hash == b.Hash && a.BroadcastAt == b.BroadcastAt
			}) {
				t.Fatal("a step changed the payout before it")
			}
			if !slices.Equal(before.History, history) {
				t.Fatal("a step changed the history of the payout before it")
			}
			if err != nil || next.Version == before.Version {
				if next.State != before.State || next.Version != before.Version || len(next.Attempts) != len(before.Attempts) {
					t.Fatalf("refused, and changed from %+v to %+v: %v", before, next, err)
				}
				continue
			}
			if next.State != before.State && !CanMove(before.State, next.State) {
				t.Fatalf("%s became %s", before.State, next.State)
			}
			if next.Version != before.Version+1 || !is(next, before) {
				t.Fatalf("%+v became %+v", before, next)
			}
			sound(t, next)
			tells(t, before, next)
			remembers(t, before, next)
			p = next
		}
	})
}

// sound is what holds of every payout.
func sound(t *rapid.T, p Payout) {
	from := p.State
	if from == Held {
		from = p.HeldFrom
	}
	if p.Ended() == (p.OpenChain == OpenOn(p.Chain())) || p.OpenChain == WatchedOn(p.Chain()) && len(p.Attempts) == 0 {
		t.Fatalf("%s, open on %q", p.State, p.OpenChain)
	}
	if p.Nonce != nil && len(p.Attempts) == 0 && p.State != Reserved {
		t.Fatalf("%s, and something may be signed with the nonce %d", p.State, *p.Nonce)
	}
	if p.Unwanted != "" && (p.Nonce != nil || !p.Booked) {
		t.Fatalf("%s, unwanted, reserved %t, nonce %v", p.State, p.Booked, p.Nonce)
	}
	reserved := slices.Contains([]State{Reserved, Signed, Broadcast, Confirming}, from)
	if p.Booked != reserved {
		t.Fatalf("a payout that is %s (%s) has its money reserved: %t", p.State, p.HeldFrom, p.Booked)
	}
	if (p.State == Held) != (p.HeldFrom != "") || p.HeldFrom == Held {
		t.Fatalf("%s, held from %q", p.State, p.HeldFrom)
	}
	if len(p.Attempts) > 0 && slices.Contains([]State{Requested, Checked, Approved, Reserved, Cancelled, Held}, p.State) {
		t.Fatalf("%s with %d attempts", p.State, len(p.Attempts))
	}
	if (p.Mined != nil) != (p.State == Confirming || p.State == Final || p.State == Failed && len(p.Attempts) > 0) {
		t.Fatalf("%s, mined %v", p.State, p.Mined)
	}
	succeeded := 0
	for i, a := range p.Attempts {
		if a.N != i+1 || a.Nonce != *p.Nonce || a.Cost().Cmp(p.FeeMost) > 0 {
			t.Fatalf("attempt %+v", a)
		}
		if i > 0 && (a.FeePerGas.Cmp(p.Attempts[i-1].FeePerGas) <= 0 || a.TipPerGas.Cmp(p.Attempts[i-1].TipPerGas) <= 0) {
			t.Fatalf("the fee does not rise: %+v", p.Attempts)
		}
		if a.Outcome == Succeeded {
			succeeded++
		}
		if (a.Outcome != "") != p.Ended() {
			t.Fatalf("%s with outcome %q", p.State, a.Outcome)
		}
	}
	if (succeeded == 1) != (p.State == Final) {
		t.Fatalf("%s, and %d attempts succeeded", p.State, succeeded)
	}
}

// remembers is a judge of what a step adds to the history.
func remembers(t *rapid.T, before, after Payout) {
	want := slices.Clone(before.History)
	if before.State != after.State {
		want = append(want, Change{State: after.State, At: noon, Reason: after.Reason})
	}
	if !slices.EqualFunc(want, after.History, func(a, b Change) bool { return a.State == b.State && a.Reason == b.Reason }) {
		t.Fatalf("%+v became %+v", before.History, after.History)
	}
}

// tells is a judge of which events a step stands for.
func tells(t *rapid.T, before, after Payout) {
	var want []string
	switch {
	case before.State == after.State:
	case before.Ended():
		want = []string{"payout.reopened"}
	case !slices.Contains([]State{Checked, Reserved, Signed}, after.State):
		want = []string{"payout." + string(after.State)}
	}
	if !slices.Equal(after.Events, want) {
		t.Fatalf("%s became %s and stands for %v", before.State, after.State, after.Events)
	}
	if len(before.Events) == 0 && after.Before != before.Before || len(before.Events) > 0 && !strings.Contains(string(after.Before), before.Events[0]) {
		t.Fatalf("after %v stands %q", before.Events, after.Before)
	}
}

func signed(t interface {
	Helper()
	Fatal(...any)
}) Payout {
	t.Helper()
	p := sample()
	var err error
	for _, step := range []func(Payout, time.Time) (Payout, error){Payout.Check, Payout.Approve, Payout.Reserve, allocate} {
		if p, err = step(p, noon); err != nil {
			t.Fatal(err)
		}
	}
	if p, err = p.Sign(attempt(1, 5, 100, "0xa1"), noon); err != nil {
		t.Fatal(err)
	}
	return p
}

func allocate(p Payout, now time.Time) (Payout, error) { return p.Allocate(5, now) }

func TestWhatMayBeSignedAlreadyIsNotGivenUp(t *testing.T) {
	p := sample()
	for _, step := range []func(Payout, time.Time) (Payout, error){Payout.Check, Payout.Approve, Payout.Reserve, allocate, allocate} {
		var err error
		if p, err = step(p, noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.Allocate(6, noon); !errors.Is(err, ErrNonce) {
		t.Errorf("another nonce: %v", err)
	}
	for name, f := range map[string]func(string, time.Time) (Payout, error){"hold": p.Hold, "cancel": p.Cancel, "refuse": p.Refuse} {
		var no *MoveError
		if _, err := f("why", noon); !errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
	free, err := p.Deallocate(noon)
	if err != nil || free.Nonce != nil {
		t.Fatalf("%+v, %v", free, err)
	}
	if _, err := free.Cancel("why", noon); err != nil {
		t.Error(err)
	}
	if _, err := free.Sign(attempt(1, 5, 100, "0xa1"), noon); !errors.Is(err, ErrNonce) {
		t.Errorf("signed without a nonce: %v", err)
	}
	if _, err := signed(t).Deallocate(noon); !errors.Is(err, ErrNonce) {
		t.Errorf("a signed one: %v", err)
	}
}

func TestWhatIsNotWantedAnyMoreIsNeverSigned(t *testing.T) {
	p := sample()
	if gone, err := p.Unwant("why", noon); err != nil || gone.State != Cancelled || gone.Reason != "why" {
		t.Errorf("one without a reserve: %+v, %v", gone, err)
	}
	for _, step := range []func(Payout, time.Time) (Payout, error){Payout.Check, Payout.Approve, Payout.Reserve} {
		var err error
		if p, err = step(p, noon); err != nil {
			t.Fatal(err)
		}
	}
	waits, err := p.Unwant("why", noon)
	if err != nil || waits.State != Reserved || waits.Unwanted != "why" {
		t.Fatalf("%+v, %v", waits, err)
	}
	if again, err := waits.Unwant("another", noon); err != nil || again.Version != waits.Version {
		t.Errorf("again: %+v, %v", again, err)
	}
	var no *MoveError
	if _, err := waits.Allocate(5, noon); !errors.As(err, &no) {
		t.Errorf("it gets a nonce: %v", err)
	}
	if gone, err := waits.Cancel(waits.Unwanted, noon); err != nil || gone.State != Cancelled || gone.Booked || gone.Unwanted != "" {
		t.Errorf("%+v, %v", gone, err)
	}
	late, _ := p.Allocate(5, noon)
	if _, err := late.Unwant("why", noon); !errors.As(err, &no) {
		t.Errorf("one that may be signed already: %v", err)
	}
}

func TestAHistoryIsBounded(t *testing.T) {
	p := sample().in(Checked, noon)
	for range maxHistory {
		p, _ = p.Hold("why", noon)
		p, _ = p.Resume(noon)
	}
	if n := len(p.History); n != maxHistory || p.History[0].State != Checked || p.History[n-2].State != Held || p.History[n-2].Reason != "why" {
		t.Errorf("%d: %+v", n, p.History)
	}
}

func TestAnEndOnTheChainIsWatchedForAWhile(t *testing.T) {
	p, err := signed(t).Overtake("0xee", noon)
	if err != nil || p.OpenChain != WatchedOn("eip155:137") {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := p.Close(noon.Add(WatchFor - time.Millisecond)); !errors.Is(err, ErrWatched) {
		t.Errorf("too early: %v", err)
	}
	closed, err := p.Close(noon.Add(WatchFor))
	if err != nil || closed.OpenChain != "" || len(closed.Events) != 0 {
		t.Fatalf("%+v, %v", closed, err)
	}
	back, err := closed.Lose("0xee", nil, noon.Add(2*WatchFor))
	if err != nil || back.OpenChain != OpenOn("eip155:137") || !slices.Equal(back.Events, []string{Reopened}) {
		t.Errorf("%+v, %v", back, err)
	}
	if none, err := sample().Cancel("why", noon); err != nil || none.OpenChain != "" {
		t.Errorf("one that never was on the chain: %+v, %v", none, err)
	}
	if _, err := signed(t).Close(noon.Add(WatchFor)); !errors.Is(err, ErrWatched) {
		t.Errorf("one that is on its way: %v", err)
	}
}

func TestEveryStateIsReachedAndTheTableNamesNoOther(t *testing.T) {
	reached := map[State]bool{}
	for from, all := range moves {
		for _, to := range all {
			reached[to] = true
			if !slices.Contains(States(), to) || from != "" && !slices.Contains(States(), from) {
				t.Errorf("%s → %s names a state that does not exist", from, to)
			}
		}
	}
	for _, s := range States() {
		if !reached[s] {
			t.Errorf("no arrow leads to %s", s)
		}
	}
	if CanMove(Cancelled, Requested) || len(moves[Cancelled]) != 0 {
		t.Error("what is cancelled moves")
	}
}

func TestASignedPayoutIsNeitherHeldNorCancelledNorRefused(t *testing.T) {
	p := signed(t)
	for name, f := range map[string]func(string, time.Time) (Payout, error){"hold": p.Hold, "cancel": p.Cancel, "refuse": p.Refuse} {
		var no *MoveError
		if _, err := f("why", noon); !errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALaterAttemptHasTheSameNonceAndAHigherFeeUpToTheCap(t *testing.T) {
	p := signed(t)
	for name, c := range map[string]struct {
		a    Attempt
		want error
	}{
		"another nonce":      {attempt(2, 6, 110, "0xa2"), ErrNonce},
		"the same fee":       {attempt(2, 5, 100, "0xa2"), ErrBump},
		"9% more":            {attempt(2, 5, 109, "0xa2"), ErrBump},
		"above the cap":      {attempt(2, 5, 1<<50, "0xa2"), ErrFee},
		"above any number":   {Attempt{N: 2, Nonce: 5, FeePerGas: money.Units(1 << 62), TipPerGas: money.Units(1 << 61), Gas: 1 << 63, Hash: "0xa2"}, ErrFee},
		"a number left out":  {attempt(3, 5, 110, "0xa2"), ErrOrder},
		"a tip above all":    {Attempt{N: 2, Nonce: 5, FeePerGas: money.Units(110), TipPerGas: money.Units(111), Gas: 1, Hash: "0xa2"}, ErrTip},
		"the same hash":      {attempt(2, 5, 110, "0xa1"), ErrHash},
		"another of its own": {attempt(1, 5, 110, "0xa2"), ErrOrder},
		"10% more":           {attempt(2, 5, 110, "0xa2"), nil},
		"the one it has":     {attempt(1, 5, 100, "0xa1"), nil},
	} {
		if _, err := p.Sign(c.a, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAReorganisationOpensTheNextRoundAndLateNewsOfAnOlderForkDoesNot(t *testing.T) {
	p := signed(t)
	p, _ = p.Sent(1, noon)
	p, err := p.Include(Mined{Attempt: 1, Height: 7, BlockHash: "0xb1"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	p, err = p.Settle(noon)
	if err != nil || p.State != Final || p.Booked {
		t.Fatalf("%+v, %v", p, err)
	}
	if same, err := p.Include(Mined{Attempt: 1, Height: 7, BlockHash: "0xb1"}, noon); err != nil || same.Version != p.Version {
		t.Fatalf("the same block again: %v", err)
	}
	if _, err := p.Include(Mined{Attempt: 1, Height: 8, BlockHash: "0xb2"}, noon); !errors.Is(err, ErrElsewhere) {
		t.Fatalf("another block: %v", err)
	}
	if same, err := p.Lose("0xb0", nil, noon); err != nil || same.Version != p.Version {
		t.Fatalf("an older fork: %v", err)
	}
	back, err := p.Lose("0xb1", &Mined{Attempt: 1, Height: 8, BlockHash: "0xb2"}, noon)
	if err != nil || back.State != Confirming || back.Round != 1 || !back.Booked || back.Attempts[0].Outcome != "" {
		t.Fatalf("%+v, %v", back, err)
	}
	gone, err := p.Lose("0xb1", nil, noon)
	if err != nil || gone.State != Broadcast || gone.Round != 1 || gone.Mined != nil {
		t.Fatalf("%+v, %v", gone, err)
	}
}

// facts are fixed answers.
type facts struct {
	ours  bool
	least int64
	known []Destination
}

func (f facts) Ours(context.Context, chain.ID, string) (bool, error) { return f.ours, nil }
func (f facts) Least(context.Context, money.Asset) (money.Amount, error) {
	return money.Units(f.least), nil
}
func (f facts) Known(context.Context, string, chain.ID, Ends) ([]Destination, error) {
	return f.known, nil
}

func asking() Request {
	return Request{Merchant: "mer_1", Requester: "key_1", Asset: string(usdt), Amount: "10.50", To: payeeS, Reference: "salary-17", Wallet: wallet, FeeMost: money.Units(5)}
}

func TestWhatCannotBePaidIsRefusedByTheFieldsName(t *testing.T) {
	lookalike := "0x5aae" + strings.Repeat("0", 32) + "eaed"
	for name, c := range map[string]struct {
		change func(*Request)
		facts  facts
		field  string // empty: taken
	}{
		"as it should be":                  {func(*Request) {}, facts{}, ""},
		"lower case":                       {func(r *Request) { r.To = payee }, facts{}, ""},
		"wrong checksum":                   {func(r *Request) { r.To = strings.Replace(payeeS, "aA", "AA", 1) }, facts{}, "to"},
		"no address":                       {func(r *Request) { r.To = "" }, facts{}, "to"},
		"a name":                           {func(r *Request) { r.To = "vitalik.eth" }, facts{}, "to"},
		"another family's":                 {func(r *Request) { r.To = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t" }, facts{}, "to"},
		"the zero address":                 {func(r *Request) { r.To = "0x0000000000000000000000000000000000000000" }, facts{}, "to"},
		"an asset of another family":       {func(r *Request) { r.To, r.Asset = zeroTron, "tron:0x2b6653dc/slip44:195" }, facts{}, "asset"},
		"a built-in contract":              {func(r *Request) { r.To = "0x0000000000000000000000000000000000000001" }, facts{}, "to"},
		"dead":                             {func(r *Request) { r.To = "0x000000000000000000000000000000000000dEaD" }, facts{}, "to"},
		"the token itself":                 {func(r *Request) { r.To = usdt.Reference() }, facts{}, "to"},
		"the wallet itself":                {func(r *Request) { r.To = wallet }, facts{}, "to"},
		"one of ours":                      {func(*Request) {}, facts{ours: true}, "to"},
		"zero":                             {func(r *Request) { r.Amount = "0.00" }, facts{}, "amount"},
		"negative":                         {func(r *Request) { r.Amount = "-1" }, facts{}, "amount"},
		"an unknown speed":                 {func(r *Request) { r.Speed = "soon" }, facts{}, "speed"},
		"fast":                             {func(r *Request) { r.Speed = Fast }, facts{}, ""},
		"over-precise":                     {func(r *Request) { r.Amount = "1.0000001" }, facts{}, "amount"},
		"dust":                             {func(*Request) {}, facts{least: 10_500_001}, "amount"},
		"the least":                        {func(*Request) {}, facts{least: 10_500_000}, ""},
		"no asset":                         {func(r *Request) { r.Asset = "USDT" }, facts{}, "asset"},
		"an unknown asset":                 {func(r *Request) { r.Asset = "eip155:1/slip44:60" }, facts{}, "asset"},
		"no reference":                     {func(r *Request) { r.Reference = "" }, facts{}, "reference"},
		"an unprintable one":               {func(r *Request) { r.Reference = "a\u202eb" }, facts{}, "reference"},
		"large metadata":                   {func(r *Request) { r.Metadata = map[string]string{"a": strings.Repeat("b", 400)} }, facts{}, "metadata"},
		"a look-alike":                     {func(*Request) {}, facts{known: []Destination{{Address: lookalike, AllowedAt: &noon}}}, "to"},
		"a look-alike, meant":              {func(r *Request) { r.Lookalike = true }, facts{known: []Destination{{Address: lookalike, AllowedAt: &noon}}}, ""},
		"an allowed one with a look-alike": {func(*Request) {}, facts{known: []Destination{{Address: lookalike, PaidAt: &noon}, {Address: payee, AllowedAt: &noon}}}, ""},
		"a paid one with a look-alike":     {func(*Request) {}, facts{known: []Destination{{Address: lookalike, PaidAt: &noon}, {Address: payee, PaidAt: &noon}}}, "to"},
	} {
		r := asking()
		c.change(&r)
		s := Store{Assets: assets(t), Facts: c.facts}
		p, err := read(s.Assets, r)
		if err == nil {
			p, err = s.asked(context.Background(), r, p)
		}
		var e *problem.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.field == "" && (p.To != payee || p.Amount.String() != "10500000"):
			t.Errorf("%s: %+v", name, p)
		case c.field != "" && (!errors.As(err, &e) || e.Field != c.field):
			t.Errorf("%s: %v; the field is %q", name, err, c.field)
		}
	}
}

func TestALookAlikeIsToldApartAndShown(t *testing.T) {
	const real, false1 = "0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27853", "0xd6d9aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa7853"
	known := []Destination{{Address: real, PaidAt: &noon}, {Address: "0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27854", AllowedAt: &noon}}
	got := Likenesses(false1, known)
	if len(got) != 1 || got[0] != (Likeness{real, "paid"}) {
		t.Fatalf("%+v", got)
	}
	if detail := got[0].Detail("eip155:137"); !strings.Contains(detail, "0xD6d9f05b") && !strings.Contains(strings.ToLower(detail), real) {
		t.Errorf("the detail does not show what it looks like: %s", detail)
	}
	if got := Likenesses(real, known); got != nil {
		t.Errorf("an address looks like itself: %+v", got)
	}
	p := sample()
	p.Likenesses = got
	if v := p.View(); len(v.Lookalikes) != len(got) {
		t.Errorf("the view leaves it out: %+v", v)
	}
}

func TestEndsLeaveOutWhatAllAddressesOfAKindHave(t *testing.T) {
	for address, want := range map[string]Ends{
		"0xd6d9f05b8e5f2fb0e4c0a1d5e7f8a9b0c1d27853": {"d6d9", "7853"},
		"TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t":         {"tr7n", "lj6t"},
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4": {"w508", "f3t4"},
		"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa":         {"1a1z", "vfna"},
	} {
		if got := EndsOf(address); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestANewDestinationWaitsAndOneThatIsNotListedIsNeverPaid(t *testing.T) {
	d := Destination{Address: payee, AllowedAt: &noon}
	if d.May(UsualWait, noon.Add(UsualWait-time.Millisecond)) || !d.May(UsualWait, noon.Add(UsualWait)) {
		t.Error("the wait is not kept")
	}
	if (Destination{Address: payee, PaidAt: &noon}).May(0, noon.Add(UsualWait)) {
		t.Error("one that is not on the list may be paid")
	}
}

func TestAFreezeIsSetByOneAndLiftedByTwoDifferentPeople(t *testing.T) {
	f, err := Freeze{}.Set("ann", "theft", noon)
	if err != nil || Frozen([]Freeze{f}) == nil {
		t.Fatal(err)
	}
	one, err := f.Lift("ann", noon)
	if err != nil || !one.On {
		t.Fatalf("%+v, %v", one, err)
	}
	same, err := one.Lift("ann", noon.Add(time.Minute))
	if err != nil || !same.On || same.Version != one.Version {
		t.Fatalf("one person lifted it: %+v, %v", same, err)
	}
	late, err := one.Lift("bob", noon.Add(LiftWithin+time.Second))
	if err != nil || !late.On {
		t.Fatalf("a wish that is over counted: %+v, %v", late, err)
	}
	again, err := one.Set("cat", "more theft", noon)
	if err != nil || len(again.LiftedBy) != 0 {
		t.Fatalf("a wish outlived a new freeze: %+v, %v", again, err)
	}
	two, err := one.Lift("bob", noon.Add(time.Minute))
	if err != nil || two.On || Frozen([]Freeze{two}) != nil {
		t.Fatalf("%+v, %v", two, err)
	}
	if _, err := two.Lift("cat", noon); !errors.Is(err, ErrNotFrozen) {
		t.Error(err)
	}
	if done, err := two.Lift("bob", noon); err != nil || done.Version != two.Version {
		t.Errorf("the same wish again: %v", err)
	}
	if _, err := f.Lift("", noon); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
}

func TestAFreezeIsLiftedOnlyWhenTheLastTwoWishesAreOfTwoPeople(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		f, _ := Freeze{}.Set("ann", "why", now)
		wishes := map[string]time.Time{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "hours")) * time.Hour)
			who := rapid.SampledFrom([]string{"ann", "bob", "cat"}).Draw(t, "who")
			if rapid.IntRange(0, 3).Draw(t, "freeze") == 0 {
				f, _ = f.Set(who, "why", now)
				wishes = map[string]time.Time{}
				continue
			}
			next, err := f.Lift(who, now)
			if !f.On {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if !next.On {
				others := 0
				for other, at := range wishes {
					if other != who && now.Sub(at) <= LiftWithin {
						others++
					}
				}
				if others == 0 {
					t.Fatalf("lifted by %v alone", next.LiftedBy)
				}
			}
			if next.Version != f.Version {
				wishes[who] = now
			}
			f = next
		}
	})
}

func TestAFreezeStopsWhatItIsOfAndNothingElse(t *testing.T) {
	p := sample()
	for _, c := range []struct {
		stop Stop
		hit  bool
	}{{Stop{}, true}, {Stop{Asset: usdt}, true}, {Stop{Merchant: p.PK}, true}, {Stop{Asset: pol}, false}, {Stop{Merchant: "mer_2"}, false}} {
		if slices.Contains(StopsOf(p), c.stop.Key()) != c.hit {
			t.Errorf("%+v: %t", c.stop, !c.hit)
		}
	}
}

func TestNoLimitIsEverPassed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := func(name string) money.Amount { return money.Units(rapid.Int64Range(0, 300).Draw(t, name)) }
		limits := Limits{{Asset: usdt, Scope: EachPayout, Most: most("payout")}, {Asset: usdt, Scope: AssetDay, Most: most("day")}}
		for _, scope := range []Scope{MerchantDay, DestinationDay} {
			for _, whose := range []string{"", "mer_1", "0xd1"} {
				if rapid.Bool().Draw(t, "set") {
					limits = append(limits, Limit{Asset: usdt, Scope: scope, Whose: whose, Most: most("most")})
				}
			}
		}
		counts, now := Counts{}, noon
		type paid struct {
			p   Payout
			day string
		}
		var all []paid
		for range rapid.IntRange(1, 30).Draw(t, "payouts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "hours")) * time.Hour)
			p := sample()
			p.PK, p.To = rapid.SampledFrom([]string{"mer_1", "mer_2"}).Draw(t, "merchant"), rapid.SampledFrom([]string{"0xd1", "0xd2"}).Draw(t, "to")
			p.Amount = money.Units(rapid.Int64Range(1, 120).Draw(t, "amount"))
			day := now.Format(time.DateOnly)
			err := limits.Check(p, counts, now)
			over := false // as a judge sums it who knows no counters
			for _, l := range limits {
				sum := p.Amount
				for _, before := range all {
					if before.day == day && (l.Scope == AssetDay || l.Scope == MerchantDay && before.p.PK == p.PK || l.Scope == DestinationDay && before.p.To == p.To) {
						sum = sum.Add(before.p.Amount)
					}
				}
				about := l.Whose == "" || l.Scope == MerchantDay && l.Whose == p.PK || l.Scope == DestinationDay && l.Whose == p.To
				over = over || about && sum.Cmp(l.Most) > 0
			}
			if over != (err != nil) {
				t.Fatalf("%s of %s to %s: %v, and it is over a limit: %t", p.Amount, p.PK, p.To, err, over)
			}
			if err == nil {
				counts, all = counts.Add(p, now), append(all, paid{p, day})
			}
		}
	})
}

func TestWhatHasNoLimitIsNotPaidOut(t *testing.T) {
	p := sample()
	for name, limits := range map[string]Limits{
		"none at all":         {},
		"of another asset":    {{Asset: pol, Scope: EachPayout, Most: money.Units(1 << 60)}, {Asset: pol, Scope: AssetDay, Most: money.Units(1 << 60)}},
		"of the day alone":    {{Asset: usdt, Scope: AssetDay, Most: money.Units(1 << 60)}},
		"of one payout alone": {{Asset: usdt, Scope: EachPayout, Most: money.Units(1 << 60)}},
	} {
		var none *UnlimitedError
		if err := limits.Check(p, nil, noon); !errors.As(err, &none) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p.Amount = money.Units(-1)
	if err := (Limits{}).Check(p, nil, noon); err == nil {
		t.Error("a negative amount keeps limits")
	}
}

func TestAConfigurationOfLimitsThatCannotBeMeantIsRefused(t *testing.T) {
	for text, ok := range map[string]bool{
		`[{"asset":"` + string(usdt) + `","scope":"payout","most":"5"}]`:                       true,
		`[{"asset":"` + string(usdt) + `","scope":"merchant_day","whose":"mer_1","most":"5"}]`: true,
		`[{"asset":"` + string(usdt) + `","scope":"day","whose":"mer_1","most":"5"}]`:          false,
		`[{"asset":"` + string(usdt) + `","scope":"week","most":"5"}]`:                         false,
		`[{"asset":"USDT","scope":"day","most":"5"}]`:                                          false,
		`[{"asset":"` + strings.ToUpper(string(usdt)) + `","scope":"day","most":"5"}]`:         false,
		`[{"asset":"` + string(usdt) + `","scope":"day","most":"-5"}]`:                         false,
	} {
		var l Limits
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if err := l.Known(); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
