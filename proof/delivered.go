package proof

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/payment"
	"farrier/shared/webhook"
)

// due is an event that a write stands for.
type tellable struct {
	event.Event
	about    string // for a reader
	newest   bool   // nothing was written of the same thing since
	previous string // the event before it
}

// tellables are all of them.
func (h *History) tellables() (all []tellable, err error) {
	last := map[string]int64{}
	for _, p := range newest[payment.Payment](h, "payments") {
		last[p.ID] = p.Version
	}
	before := map[string]string{} // the last event about each payment so far: its versions were written in their order
	add := func(o event.Origin, kinds []string, about string, newest, chained bool) error {
		for _, kind := range kinds {
			e, err := event.Derived(o, event.Type(kind), nil)
			if err != nil {
				return err
			}
			one := tellable{Event: e, about: fmt.Sprintf("%s of %s, version %d,", kind, about, o.Version), newest: newest}
			if chained {
				one.previous, before[o.Object] = before[o.Object], e.ID
			}
			all = append(all, one)
		}
		return nil
	}
	for _, item := range h.AWS.Written("payments") {
		var p payment.Payment
		if err := dynamo.Unmarshal(item, &p); err != nil {
			return nil, err
		}
		origin := event.Origin{Table: "payments", Key: p.Key(), Version: p.Version, At: p.UpdatedAt, Object: p.ID}
		if err := add(origin, p.Events, p.Reference, p.Version == last[p.ID], true); err != nil {
			return nil, err
		}
	}
	for _, item := range h.AWS.Written("endpoints") {
		var e webhook.Endpoint
		if err := dynamo.Unmarshal(item, &e); err != nil {
			return nil, err
		}
		if err := add(e.Origin(), e.Told, e.ID, false, false); err != nil {
			return nil, err
		}
	}
	for _, item := range h.AWS.Written("states") {
		var s webhook.State
		if err := dynamo.Unmarshal(item, &s); err != nil {
			return nil, err
		}
		if err := add(s.Origin(), s.Events, s.Endpoint, false, false); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// chooses says whether a listener is to get an event: one of the types that it chose at first, and not about itself.
func (l *Listener) chooses(e event.Event) bool {
	return e.Object != l.Endpoint && slices.ContainsFunc(l.Settings.Events, func(pattern string) bool {
		return strings.HasPrefix(string(e.Type), strings.TrimSuffix(pattern, "*"))
	})
}

// eventsAreTold goes by every version of every payment, endpoint and state that was ever written, and by every endpoint that
// is to get its events. Of what a stream forgot, the newest version of each payment has to be told.
func eventsAreTold(h *History) (found []string) {
	all, err := h.tellables()
	if err != nil {
		return []string{err.Error()}
	}
	for _, l := range h.Listeners {
		found = append(found, h.areTold(l, all)...)
	}
	return found
}

func rightlySigned(h *History) (found []string) {
	for _, l := range h.Listeners {
		found = append(found, l.Wrong()...)
	}
	return found
}

func (h *History) areTold(l *Listener, all []tellable) []string {
	var found []string
	received, stored, way := l.Received(), h.stored(l), map[string]webhook.Delivery{}
	for _, d := range h.deliveries() {
		if d.Endpoint == l.Endpoint {
			way[d.Event] = d
		}
	}
	expected := map[string]bool{}
	for _, e := range all {
		if !l.chooses(e.Event) {
			continue
		}
		expected[e.ID] = true
		told, is := received[e.ID]
		switch {
		case !is && h.trimmed && !e.newest:
		case !is && !h.excused(l, stored, way[e.ID]):
			found = append(found, fmt.Sprintf("%s was never told to %s: its delivery is %q %q, after %d attempts", e.about, l.Endpoint, way[e.ID].Status, way[e.ID].Reason, way[e.ID].Made))
		case is && !strings.Contains(told.Body, `"type":"`+string(e.Type)+`"`):
			found = append(found, fmt.Sprintf("%s was told as %s", e.about, told.Body))
		case is && previousOf(told.Body) != e.previous:
			found = append(found, fmt.Sprintf("%s comes after %q, and was told so: %s", e.about, e.previous, told.Body))
		}
	}
	for name, told := range received {
		if !expected[name] {
			found = append(found, fmt.Sprintf("the shop was told %s, which nothing stands for: %s", name, told.Body))
		}
	}
	return found
}

// excused says why an event need not have arrived: it was given up, or its endpoint was disabled in the end, as its shop is
// closed.
func (h *History) excused(l *Listener, stored webhook.Endpoint, d webhook.Delivery) bool {
	switch {
	case d.Reason == webhook.Exhausted:
		return d.Made >= 10 && h.letter(d.Event, l.Endpoint)
	case d.Version == 0, d.Status == webhook.Held, d.Reason == webhook.Gone:
		return l.Closed() && !stored.Enabled
	default:
		return false
	}
}

// previousOf is the id of the event before it that a webhook names.
func previousOf(body string) string {
	var sent struct {
		Previous string `json:"previous"`
	}
	_ = json.Unmarshal([]byte(body), &sent)
	return sent.Previous
}

func (h *History) letter(name, endpoint string) bool {
	return slices.ContainsFunc(h.AWS.Waiting(givenUp), func(m Message) bool {
		var l webhook.Letter
		return json.Unmarshal([]byte(m.Body), &l) == nil && l.Reason == webhook.Exhausted && l.Job.Event == name && l.Job.Endpoint == endpoint
	})
}

// noteDelivery hears of each delivery as it is written.
func (h *History) noteDelivery(item dynamo.Item) {
	var d webhook.Delivery
	if err := dynamo.Unmarshal(item, &d); err != nil {
		h.T.Fatalf("%v", err)
	}
	h.noting.Lock()
	defer h.noting.Unlock()
	name := d.Event + " " + d.Endpoint
	if d.Status != webhook.Pending {
		h.settled[name] = true
	}
	if n := len(d.Attempts); n > 0 && d.Made > h.made[name] {
		last := d.Attempts[n-1]
		if last.Status == 0 {
			h.unanswered[name]++
		}
		if last.Status/100 == 2 {
			h.succeeded[d.Endpoint] = last.At
		}
	}
	h.made[name] = d.Made
}

// inOrder is what a listener that wants events in their order has to complain of, when it takes one for the first time: each
// that comes before it about the same thing must have been taken, or settled otherwise, or need not come.
func (h *History) inOrder(l *Listener) func(name, body string) {
	return func(name, body string) {
		if why := h.tooEarly(l, body); why != "" {
			h.noting.Lock()
			defer h.noting.Unlock()
			h.early = append(h.early, name+" came before "+why)
		}
	}
}

// disabled is what a listener has to complain of whose endpoint is disabled.
func (h *History) disabled(l *Listener) func(time.Time) string {
	return func(at time.Time) string {
		if e := h.stored(l); !e.Enabled && at.After(e.DisabledAt.Add(apart)) {
			return "was sent though the endpoint was disabled at " + e.DisabledAt.Format(time.RFC3339)
		}
		return ""
	}
}

func (h *History) tooEarly(l *Listener, body string) string {
	stored := h.stored(l)
	for before := previousOf(body); before != ""; {
		h.noting.Lock()
		settled := h.settled[before+" "+l.Endpoint]
		h.noting.Unlock()
		if settled || l.Has(before) {
			return ""
		}
		earlier, is := h.recorded(before)
		chosen := is && slices.ContainsFunc(stored.Events, func(p string) bool { return strings.HasPrefix(string(earlier.Type), strings.TrimSuffix(p, "*")) })
		switch {
		case !is && h.trimmed:
			return ""
		case !is:
			return before + ", of which nothing is recorded"
		case earlier.CreatedAt.Before(stored.ChosenAt), stored.EnabledAt != nil && earlier.CreatedAt.Before(*stored.EnabledAt), h.Now().Sub(earlier.CreatedAt) > 24*time.Hour:
			return "" // it need not come
		case chosen:
			return before
		}
		before = earlier.Previous
	}
	return ""
}

func (h *History) recorded(name string) (event.Event, bool) {
	for _, e := range newest[event.Event](h, "events") {
		if e.ID == name {
			return e, true
		}
	}
	return event.Event{}, false
}

// polledAll: who polls has been given every event.
func polledAll(h *History) (found []string) {
	for _, e := range newest[event.Event](h, "events") {
		if e.Merchant == Merchant && !h.polled[e.ID] {
			found = append(found, fmt.Sprintf("%s (%s) was never given", e.ID, e.Type))
		}
	}
	return found
}

// sentAsAsked: each event is answered by 2xx once, and once more for each time that somebody asked for it: by hand, or by a
// recover or replay. A run that was disturbed may have made an attempt and not recorded it, and an attempt without an answer
// may have been taken.
func sentAsAsked(h *History) (found []string) {
	for _, l := range h.Listeners {
		for name, told := range l.Received() {
			key := name + " " + l.Endpoint
			if most := 1 + l.resent[name] + l.pressed + l.disturbed[name] + h.unanswered[key]; told.Answered > most {
				found = append(found, fmt.Sprintf("%s was answered %d times by %s, and is sent %d times at the most", name, told.Answered, l.Endpoint, most))
			}
		}
	}
	slices.Sort(found)
	return found
}

// nothingIsStranded: no delivery and no task waits, no line and no place is left over.
func nothingIsStranded(h *History) (found []string) {
	for _, d := range h.deliveries() {
		if d.Status == webhook.Pending {
			found = append(found, d.ID()+" is pending")
		}
	}
	for _, t := range h.tasks() {
		found = append(found, fmt.Sprintf("task %s is %s", t.ID, t.State))
	}
	for _, s := range h.states() {
		if s.Line != "" {
			found = append(found, s.Endpoint+" has a line")
		}
	}
	for _, item := range h.AWS.Items("states") {
		var places struct {
			Taken []struct {
				Who   string    `dynamodbav:"who"`
				Until time.Time `dynamodbav:"until"`
			} `dynamodbav:"taken"`
		}
		if err := dynamo.Unmarshal(item, &places); err != nil {
			return []string{err.Error()}
		}
		for _, one := range places.Taken {
			if one.Until.After(h.Now().Add(10 * time.Minute)) {
				found = append(found, fmt.Sprintf("%s holds a place until %s", one.Who, one.Until))
			}
		}
	}
	return found
}

// states are how endpoints do, as it stands.
func (h *History) states() []webhook.State {
	return slices.DeleteFunc(newest[webhook.State](h, "states"), func(s webhook.State) bool { return !strings.HasPrefix(s.Endpoint, "ep_") })
}

// troubleIsToldOnce: an endpoint's being disabled is told by one event each time; that it fails and that it has recovered are
// told in turns, unless it was enabled again in between; and no endpoint was disabled for failing that had a success in 72 hours.
func troubleIsToldOnce(h *History) []string {
	found := slices.Clone(h.hasty)
	enabled, again := map[string]bool{}, map[string][]time.Time{}
	for _, item := range h.AWS.Written("endpoints") {
		var e webhook.Endpoint
		if err := dynamo.Unmarshal(item, &e); err != nil {
			return []string{err.Error()}
		}
		if ends := enabled[e.ID] && !e.Enabled; ends != (len(e.Told) > 0) || len(e.Told) > 1 {
			found = append(found, fmt.Sprintf("version %d of %s stands for %v", e.Version, e.ID, e.Told))
		}
		enabled[e.ID] = e.Enabled
		if e.EnabledAt != nil {
			again[e.ID] = append(again[e.ID], *e.EnabledAt)
		}
	}
	fails := map[string]*time.Time{} // since when, as it was told last
	for _, item := range h.AWS.Written("states") {
		var s webhook.State
		if err := dynamo.Unmarshal(item, &s); err != nil {
			return []string{err.Error()}
		}
		for _, kind := range s.Events {
			before, failing := fails[s.Endpoint], kind == string(event.EndpointFailing)
			afresh := failing && before != nil && slices.ContainsFunc(again[s.Endpoint], func(at time.Time) bool { return before.Before(at) && !s.FailingSince.Before(at) })
			if failing == (before != nil) && !afresh {
				found = append(found, fmt.Sprintf("version %d of how %s does stands for %s once more", s.Version, s.Endpoint, kind))
			}
			if fails[s.Endpoint] = nil; failing {
				fails[s.Endpoint] = s.FailingSince
			}
		}
	}
	return found
}

// noteEndpoint hears of each version of an endpoint as it is written.
func (h *History) noteEndpoint(item dynamo.Item) {
	var e webhook.Endpoint
	if err := dynamo.Unmarshal(item, &e); err != nil {
		h.T.Fatalf("%v", err)
	}
	h.noting.Lock()
	defer h.noting.Unlock()
	if last, has := h.succeeded[e.ID]; has && e.DisabledReason == string(webhook.Failing) && e.DisabledAt != nil && e.DisabledAt.Equal(e.UpdatedAt) && e.DisabledAt.Sub(last) < 72*time.Hour-apart {
		h.hasty = append(h.hasty, fmt.Sprintf("%s was disabled as failing at %s, and had a success at %s", e.ID, e.DisabledAt, last))
	}
}
