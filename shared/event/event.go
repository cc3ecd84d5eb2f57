package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
)

// Event is one thing that a merchant is told.
type Event struct {
	Merchant string `dynamodbav:"pk"`
	ID       string `dynamodbav:"sk"`

	Type      Type      `dynamodbav:"type"`
	CreatedAt time.Time `dynamodbav:"created_at"`         // when it happened
	Object    string    `dynamodbav:"object"`             // id of what it is about
	Version   int64     `dynamodbav:"version"`            // of that object
	Previous  string    `dynamodbav:"previous,omitempty"` // id of the event before it about the same object
	Payload   Payload   `dynamodbav:"payload"`
	Recorded  Version   `dynamodbav:"recorded,omitempty"` // the version that the payload is in

	Metadata map[string]string `dynamodbav:"metadata,omitempty"` // of a deposit's payment, for endpoints that choose by it
}

// body is the form of Payload (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure).
type body struct {
	Type      Type      `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Previous  string    `json:"previous,omitempty"`
	Data      any       `json:"data"`
}

// Origin is the write that an event tells of.
type Origin struct {
	Table   string // the notion, "payments", and not a stack's name for it: that may change
	Key     dynamo.Key
	Version int64
	At      time.Time
	Object  string // id of what was written

	Previous string // id of the event before; empty where there is none
}

// Derived makes the event of a type that a write stands for. The merchant is the write's partition.
func Derived(o Origin, t Type, data any) (Event, error) {
	return New(Event{Merchant: o.Key.PK, ID: o.Name(t), Type: t, CreatedAt: o.At, Object: o.Object, Version: o.Version, Previous: o.Previous}, data)
}

// Name is the id of the event of a type that a write stands for.
func (o Origin) Name(t Type) string {
	return id.Derived("evt", o.At, o.Table, o.Key.PK, o.Key.SK, strconv.FormatInt(o.Version, 10), string(t))
}

// New gives an event its payload.
func New(e Event, data any) (Event, error) {
	if !Known(e.Type) {
		return Event{}, fmt.Errorf("event: the catalogue has no type %q", e.Type)
	}
	text, err := e.around(data)
	e.Payload, e.Recorded = Payload(text), Newest()
	return e, err
}

// around is the event's payload with these data.
func (e Event) around(data any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // payment URIs have an & in them, and nobody puts this into a page
	if err := encoder.Encode(body{Type: e.Type, Timestamp: e.CreatedAt, Previous: e.Previous, Data: data}); err != nil {
		return "", fmt.Errorf("event: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// data are those of the payload.
func (e Event) data() json.RawMessage {
	var sent struct {
		Data json.RawMessage `json:"data"`
	}
	_ = json.Unmarshal([]byte(e.Payload), &sent) // New wrote it
	return sent.Data
}

// Form is how much of an event is sent.
type Form string

// The forms.
const (
	Full Form = "full" // all that the API shows of the object; what is usual
	Thin Form = "thin" // only what the event is about, for a receiver that asks the API for the rest
)

// Named are the data of the thin form.
type Named struct {
	ID     string `json:"id" doc:"of what the event is about; ask the API for it"`
	Object string `json:"object" enum:"payment,deposit,payout,endpoint" doc:"what that is"`
}

// Body is what is sent, byte for byte, in a form and a version: the same each time. It says in which version it is, which
// is an older one than was asked for where the event is older.
func (e Event) Body(f Form, v Version) (text string, in Version, err error) {
	return e.body(versions, f, v)
}

func (e Event) body(h history, f Form, v Version) (text string, in Version, err error) {
	data, in, err := h.as(e, v)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("event: %s in version %s: %w", e.ID, v, err)
	case f == Thin:
		text, err = e.around(Named{ID: e.Object, Object: e.Type.kind()})
	case h.place(e.Recorded) == h.place(in):
		text = string(e.Payload)
	default:
		text, err = e.around(data)
	}
	return text, in, err
}

// View is an event as GET /v1/events shows it. Data is what the webhook carried.
type View struct {
	ID        string          `json:"id"`
	Type      Type            `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Object    string          `json:"object" doc:"id of what the event is about"`
	Previous  string          `json:"previous,omitempty" doc:"id of the event before it about the same object; absent on the first. Events about deposits are kept only while an endpoint wants them, so that it may name one that is not kept"`
	Version   Version         `json:"version" doc:"what its data look like"`
	Data      json.RawMessage `json:"data"`
}

// View shows the event in the version that it was recorded in.
func (e Event) View() View {
	return View{
		ID: e.ID, Type: e.Type, Timestamp: e.CreatedAt, Object: e.Object, Previous: e.Previous,
		Version: versions[versions.place(e.Recorded)].name, Data: e.data(),
	}
}
