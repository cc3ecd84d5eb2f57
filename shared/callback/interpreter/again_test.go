package interpreter

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/parts"
	"farrier/shared/stream"
)

func TestAReceiptInTroubleThatIsReadAgainIsClearedOrFoundInItsNewTrouble(t *testing.T) {
	r := open(t)
	other, err := chain.ParseSet(`[{"id":"eip155:1","name":"Ethereum","block_time":"12s","finality":{"depth":1}}]`)
	if err != nil {
		t.Fatal(err)
	}
	r.bring(t, r.keep(t, "evt_1", `{"data":{"chain":"eip155:1","transaction":"`+txA+`"}}`))
	r.bring(t, r.keep(t, "evt_2", `{"data":{"chain":"eip155:1","transaction":"none"}}`))
	for event, want := range map[string]callback.Outcome{"evt_1": callback.UnknownChain, "evt_2": callback.Unreadable} {
		if got := r.stored(t, event).Outcome; got != want {
			t.Fatalf("%s: %q", event, got)
		}
	}
	r.Chains = other // the setting is mended
	first, second := r.record(t, "INSERT", r.stored(t, "evt_1")), r.record(t, "INSERT", r.stored(t, "evt_2"))
	for range 2 { // pressed twice
		if failed := r.bring(t, first, second); failed != nil {
			t.Fatal(failed)
		}
	}
	if got := r.stored(t, "evt_1"); got.Outcome != "" || got.Detail != "" || got.Trouble != "" || got.TroubleAt != "" || got.Version != 3 {
		t.Errorf("%+v", got)
	}
	if got := r.stored(t, "evt_2"); got.Outcome != callback.Unreadable || got.Version != 3 {
		t.Errorf("%+v", got)
	}
	if looks := messages(t, r.Looks); len(looks) == 0 {
		t.Error("no look was asked for")
	}
	page, _, err := r.Receipts.InTrouble(context.Background(), "mer_1", callback.UnknownChain, 10, "")
	if len(page) != 0 || err != nil {
		t.Errorf("%+v, %v", page, err)
	}
}

// What the API sends is a key: the receipt is read as it stands when its turn comes.
func TestAReceiptIsReadAgainOutOfTheFunctionsOwnQueue(t *testing.T) {
	r, ctx := open(t), context.Background()
	r.bring(t, r.keep(t, "evt_1", `{"data":{"chain":"eip155:1","transaction":"`+txA+`"}}`))
	stored := r.stored(t, "evt_1")
	if stored.Outcome != callback.UnknownChain {
		t.Fatalf("%+v", stored)
	}
	var err error
	if r.Chains, err = chain.ParseSet(`[{"id":"eip155:1","name":"Ethereum","block_time":"12s","finality":{"depth":1}}]`); err != nil {
		t.Fatal(err)
	}
	r.Consumer.Redriven = stream.Each(r.Interpreter.Redriven)
	own := parts.Queue(t)
	for range 2 {
		if err := Again(ctx, own, stored); err != nil {
			t.Fatal(err)
		}
	}
	sent := messages(t, own)
	for i, body := range append(sent, sent...) { // SQS brings some twice
		payload, err := json.Marshal(events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m", Body: body, EventSource: "aws:sqs"}}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := r.Invoke(ctx, payload)
		if err != nil || len(answer.BatchItemFailures) != 0 {
			t.Fatalf("message %d: %+v, %v", i, answer, err)
		}
	}
	if got := r.stored(t, "evt_1"); got.Outcome != "" || got.Version != stored.Version+1 || len(sent) != 2 {
		t.Errorf("%+v after %d messages", got, len(sent))
	}
}
