package interpreter

import (
	"context"
	"testing"

	"farrier/shared/callback"
	"farrier/shared/chain"
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
