package notify

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	lambda "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/parts"
	"farrier/shared/payout"
	"farrier/shared/webhook"
)

// asked is the payout of the files as it was asked for.
func asked(t *testing.T) payout.Payout {
	t.Helper()
	_, batch := records(t, "notify-payout-requested")
	var p payout.Payout
	if err := dynamo.Unmarshal(dynamo.Image(batch[0].Change.NewImage), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// step is what happens to a payout at a moment.
type step func(payout.Payout, time.Time) (payout.Payout, error)

// written is the record of a version of a payout.
func written(p payout.Payout) lambda.DynamoDBEventRecord {
	item := dynamo.Must(p).(*types.AttributeValueMemberM).Value
	return lambda.DynamoDBEventRecord{EventName: "MODIFY", Change: lambda.DynamoDBStreamRecord{NewImage: dynamo.Told(item)}}
}

// TestAPayoutIsToldFromTheRequestToItsEndAndThroughAReorganisation has a payout go all its way, twice priced, held once and
// taken back by the chain once: each version is told as what it stands for, and each event names the one before it.
func TestAPayoutIsToldFromTheRequestToItsEndAndThroughAReorganisation(t *testing.T) {
	signed := func(n int, price int64) step {
		return func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Sign(payout.Attempt{N: n, Nonce: 7, FeePerGas: money.Units(price), TipPerGas: money.Units(price), Gas: 65_000, Hash: "0xa" + string(rune('0'+n)), SignedAt: at}, at)
		}
	}
	sent := func(n int) step {
		return func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Sent(n, at) }
	}
	found := func(block string) step {
		return func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Include(payout.Mined{Attempt: 2, Height: 42, BlockHash: block, Fee: money.Units(7)}, at)
		}
	}
	lost := func(block string) step {
		return func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Lose(block, nil, at) }
	}
	p := asked(t)
	at, before := p.CreatedAt, ""
	for i, one := range []struct {
		what step
		want event.Type // "" where nothing is told
	}{
		{nil, event.PayoutRequested},
		{payout.Payout.Check, ""},
		{func(p payout.Payout, at time.Time) (payout.Payout, error) {
			return p.Hold("the balance is too small", at)
		}, event.PayoutHeld},
		{payout.Payout.Resume, ""},
		{payout.Payout.Approve, event.PayoutApproved},
		{payout.Payout.Reserve, ""},
		{func(p payout.Payout, at time.Time) (payout.Payout, error) { return p.Allocate(7, at) }, ""},
		{signed(1, 1_000_000_000), ""},
		{sent(1), event.PayoutBroadcast},
		{signed(2, 1_100_000_000), ""},
		{sent(2), ""},
		{found("0xb1"), event.PayoutConfirming},
		{payout.Payout.Settle, event.PayoutFinal},
		{lost("0xb1"), event.PayoutReopened},
		{found("0xb2"), event.PayoutConfirming},
		{lost("0xb2"), event.PayoutBroadcast},
		{found("0xb3"), event.PayoutConfirming},
		{payout.Payout.Settle, event.PayoutFinal},
	} {
		if one.what != nil {
			at = at.Add(time.Second)
			next, err := one.what(p, at)
			if err != nil || next.Version != p.Version+1 {
				t.Fatalf("step %d: %v", i, err)
			}
			p = next
		}
		told, err := derive(written(p))
		if err != nil || told.onlyWanted || told.merchant != merchant || len(told.events) > 1 || (len(told.events) == 0) != (one.want == "") {
			t.Fatalf("step %d, %s: %+v, %v", i, p.State, told, err)
		}
		for _, e := range told.events {
			view, _ := json.Marshal(p.View())
			if e.Type != one.want || e.Object != p.ID || e.Version != p.Version || !e.CreatedAt.Equal(at) || e.Previous != before || !same(t, e.View().Data, view) {
				t.Errorf("step %d: %+v after %s, want %s and data %s", i, e, before, one.want, view)
			}
			before = e.ID
		}
	}
}

func TestAPayoutThatCannotBeReadIsUnfit(t *testing.T) {
	for name, spoil := range map[string]func(*payout.Payout){
		"a type without meaning":            func(p *payout.Payout) { p.Events = []string{"payout.payed"} },
		"decimals that no asset has":        func(p *payout.Payout) { p.Decimals = -1 },
		"an attempt that there is not":      func(p *payout.Payout) { p.Mined = &payout.Mined{Attempt: 2, Fee: money.Units(1)} },
		"an attempt before the first":       func(p *payout.Payout) { p.Mined = &payout.Mined{Attempt: 0, Fee: money.Units(1)} },
		"a mark of an event that came then": func(p *payout.Payout) { p.Before = event.MarkOf(p.Version, p.UpdatedAt, p.Events, "") },
		"no version":                        func(p *payout.Payout) { p.Version = 0 },
	} {
		p := asked(t)
		p.Attempts = []payout.Attempt{{N: 1}}
		if _, err := derive(written(p)); err != nil {
			t.Fatal(err)
		}
		spoil(&p)
		if told, err := derive(written(p)); err == nil {
			t.Errorf("%s: it is told: %+v", name, told)
		}
	}
}

func TestRecordingThatAPayoutIsPaidCostsOneUnit(t *testing.T) {
	_, batch := records(t, "notify-payout-final")
	told, err := derive(batch[0])
	if err != nil || len(told.events) != 1 {
		t.Fatal(told, err)
	}
	if size := parts.ItemSize(told.events[0]); size > 1024 {
		t.Errorf("%d bytes", size)
	}
}

func TestConformanceAPayoutIsChosenByItsAssetAndItsMetadata(t *testing.T) {
	r, key := newRoom(t), newKey(t)
	asset := string(asked(t).Asset)
	want := []string{
		r.choosing(t, key, webhook.Where{Assets: []string{asset}}, "payout.*").ID,
		r.choosing(t, key, webhook.Where{Metadata: map[string]string{"shop": "north"}}, "payout.final").ID,
	}
	r.choosing(t, key, webhook.Where{Assets: []string{filesAsset}}, "*")
	r.choosing(t, key, webhook.Where{Metadata: map[string]string{"shop": "south"}}, "*")
	r.endpoint(t, key, "payment.*", "payout.failed")
	_, batch := records(t, "notify-payout-final")
	if answers := r.notifier.Handle(context.Background(), batch); answers[0] != nil {
		t.Fatal(answers)
	}
	var got []string
	for _, j := range jobs(t, r) {
		got = append(got, j.Endpoint)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestConformanceAPayoutsEventIsRecordedThoughNobodyListens(t *testing.T) {
	r := newRoom(t)
	_, batch := records(t, "notify-payout-requested")
	_, paid := records(t, "notify-payout-final")
	for range 2 { // a stream tells more than once
		for _, err := range r.notifier.Handle(context.Background(), append(slices.Clone(batch), paid...)) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if kept := listed(t, r); len(kept) != 2 || len(jobs(t, r)) != 0 {
		t.Errorf("want two events and no job: %+v", kept)
	}
}
