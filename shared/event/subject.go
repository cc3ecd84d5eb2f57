package event

import (
	"encoding/json"
	"slices"
)

// Subject is what an event is about, as far as endpoints choose by it.
type Subject struct {
	Assets   []string          // CAIP-19: all that a payment may be paid in, or the deposit's or payout's own
	Metadata map[string]string // of the payment or payout, or of the payment that the deposit counts for
}

// Subject reads it from the record of the event, so that an event is chosen alike whenever it is sent. Events about
// endpoints have none.
func (e Event) Subject() (subject Subject, has bool) {
	kind := e.Type.kind()
	if kind == "endpoint" {
		return Subject{}, false
	}
	var data struct {
		Asset    string                   `json:"asset"`
		Options  []struct{ Asset string } `json:"options"`
		Metadata map[string]string        `json:"metadata"`
	}
	_ = json.Unmarshal(e.data(), &data) // New wrote them
	subject = Subject{Assets: []string{data.Asset}, Metadata: data.Metadata}
	for _, o := range data.Options {
		subject.Assets = append(subject.Assets, o.Asset)
	}
	if kind == "deposit" {
		subject.Metadata = e.Metadata
	}
	slices.Sort(subject.Assets)
	subject.Assets = slices.Compact(subject.Assets)
	return subject, true
}
