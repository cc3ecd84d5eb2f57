package event

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Subject is what an event is about, as far as endpoints choose by it.
type Subject struct {
	Assets   []string          // CAIP-19: all that a payment may be paid in, or the deposit's own
	Metadata map[string]string // of the payment, or of the payment that the deposit counts for
}

// Subject reads it from the record of the event, so that an event is chosen alike whenever it is sent. Events about
// neither a payment nor a deposit have none.
func (e Event) Subject() (subject Subject, has bool) {
	var sent struct {
		Data struct {
			Asset    string                   `json:"asset"`
			Options  []struct{ Asset string } `json:"options"`
			Metadata map[string]string        `json:"metadata"`
		} `json:"data"`
	}
	if !e.about("payment") && !e.about("deposit") {
		return Subject{}, false
	}
	_ = json.Unmarshal([]byte(e.Payload), &sent) // New wrote it
	subject = Subject{Assets: []string{sent.Data.Asset}, Metadata: maps.Clone(e.Metadata)}
	for _, o := range sent.Data.Options {
		subject.Assets = append(subject.Assets, o.Asset)
	}
	if e.about("payment") {
		subject.Metadata = sent.Data.Metadata
	}
	slices.Sort(subject.Assets)
	subject.Assets = slices.Compact(subject.Assets)
	return subject, true
}

func (e Event) about(kind string) bool { return strings.HasPrefix(string(e.Type), kind+".") }
