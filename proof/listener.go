package proof

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"farrier/shared/event"
	"farrier/shared/problem"
	"farrier/shared/task"
	"farrier/shared/webhook"
)

// Listener is an endpoint of the merchant's, with the shop behind it and what the merchant did about it.
type Listener struct {
	*Shop
	Endpoint string // its id
	Settings webhook.Settings

	rechosen  bool            // what is sent there may be other than Settings say, or was
	resent    map[string]int  // how often each event was asked for once more, by hand
	pressed   int             // recovers and replays that were asked for, the same replay once
	replays   map[string]bool // those that were
	disturbed map[string]int  // runs that may have made an attempt of an event and not recorded it
}

// Ordered, Limited and Falling are further endpoints that a world may have, which hear of the first one's trouble too.
var (
	Ordered = Listening(func(s *webhook.Settings) { s.Ordered = true })
	Limited = Listening(func(s *webhook.Settings) { s.Ordered, s.Limit = true, 1 })
	Falling = Listening(func(s *webhook.Settings) { s.Fallbacks, s.URL = []string{s.URL}, nobody })
)

// nobody is a URL where nothing listens (port 9 is the protocol that discards).
const nobody = "http://127.0.0.1:9/"

// Listening is a world with one more endpoint.
func Listening(change func(*webhook.Settings)) Setting {
	return func(w *World) { w.more = append(w.more, change) }
}

// listen makes an endpoint with a shop behind it.
func (w *World) listen(patterns []string, change func(*webhook.Settings)) *Listener {
	l := &Listener{Shop: newShop(w.T, w.Wait), resent: map[string]int{}, replays: map[string]bool{}, disturbed: map[string]int{}}
	l.Settings = webhook.Settings{URL: l.URL, Events: patterns}
	change(&l.Settings)
	made, secret, err := w.in().endpoints.Create(context.Background(), webhook.Request{Merchant: Merchant, Settings: l.Settings})
	if err != nil {
		w.T.Fatalf("%v", err)
	}
	l.Endpoint = made.ID
	l.Learn(secret, w.Now(), 0)
	w.Listeners = append(w.Listeners, l)
	return l
}

// listener is one of them.
func (h *History) listener(a int) *Listener { return h.Listeners[a%len(h.Listeners)] }

// stored is a listener's endpoint as it stands.
func (h *History) stored(l *Listener) webhook.Endpoint {
	for _, e := range newest[webhook.Endpoint](h, "endpoints") {
		if e.ID == l.Endpoint {
			return e
		}
	}
	h.T.Fatalf("the endpoint %s is not there", l.Endpoint)
	return webhook.Endpoint{}
}

// insist makes a request until it is answered: without trouble, from the second time on.
func (h *History) insist(what string, call func(context.Context) error) bool {
	for range 5 {
		err := h.Run("api", what, call)
		h.Expect(nil)
		if err == nil {
			return true
		}
	}
	return false
}

// Rotate gives an endpoint a new secret, unless an older one signs yet.
func (h *History) Rotate(l *Listener, overlap time.Duration) {
	if l.Rotating(h.Now().Add(-apart)) {
		return
	}
	at, secret := h.Now(), ""
	if h.insist("rotates "+l.Endpoint, func(ctx context.Context) (err error) {
		_, secret, err = h.in().endpoints.Rotate(ctx, Merchant, l.Endpoint, overlap, h.Now())
		return err
	}) {
		l.Learn(secret, at, overlap)
	}
}

// Switch disables an endpoint, or enables it.
func (h *History) Switch(l *Listener, on bool) bool {
	return nil == h.Run("api", fmt.Sprintf("switches %s to %t", l.Endpoint, on), func(ctx context.Context) (err error) {
		if on {
			_, err = h.in().endpoints.Enable(ctx, Merchant, l.Endpoint)
		} else {
			_, err = h.in().endpoints.Disable(ctx, Merchant, l.Endpoint, "by request")
		}
		return err
	})
}

// Choose changes which events are sent to an endpoint.
func (h *History) Choose(l *Listener, patterns ...string) bool {
	l.rechosen = true
	return nil == h.Run("api", l.Endpoint+" chooses "+strings.Join(patterns, " "), func(ctx context.Context) error {
		_, err := h.in().endpoints.Update(ctx, Merchant, l.Endpoint, func(s *webhook.Settings) { s.Events = patterns }, webhook.Private{})
		return err
	})
}

// Resend asks for a delivery once more.
func (h *History) Resend(d webhook.Delivery) {
	for _, l := range h.Listeners {
		if l.Endpoint == d.Endpoint {
			l.resent[d.Event]++
		}
	}
	_ = h.Run("api", "resends "+d.ID(), func(ctx context.Context) error {
		_, err := h.in().sender.Resend(ctx, Merchant, d.ID())
		return err
	})
}

// MakeUp asks for what an endpoint missed: since a moment, or since it may have missed something.
func (h *History) MakeUp(l *Listener, since *time.Time) error {
	l.pressed++
	return h.Run("api", "recovers "+l.Endpoint, func(ctx context.Context) error {
		_, err := h.in().replays.Recover(ctx, webhook.Again{Merchant: Merchant, Endpoint: l.Endpoint, Since: since})
		return err
	})
}

// Replay asks for all of a time again. However often it is pressed, it is one.
func (h *History) Replay(l *Listener, from, until time.Time, round int) {
	if name := fmt.Sprint(from, until, round); !l.replays[name] {
		l.replays[name] = true
		l.pressed++
	}
	_ = h.Run("api", fmt.Sprintf("replays %s, round %d", l.Endpoint, round), func(ctx context.Context) error {
		_, err := h.in().replays.Replay(ctx, webhook.Again{Merchant: Merchant, Endpoint: l.Endpoint, From: &from, Until: &until, Round: round})
		return err
	})
}

// tasks are those that are not at their end.
func (h *History) tasks() []task.Task {
	return slices.DeleteFunc(newest[task.Task](h, "tasks"), func(t task.Task) bool { return t.State != task.Running && t.State != task.Paused })
}

// mend is a merchant who finds an endpoint disabled, enables it, and has what it missed sent; and who chooses again what it
// chose at first. It says whether there was anything to do. To a shop that is closed nobody sees.
func (h *History) mend() bool {
	did := false
	for _, l := range h.Listeners {
		paused := slices.DeleteFunc(h.tasks(), func(t task.Task) bool { return t.Subject != l.Endpoint }) // as the endpoint was disabled: the system is at rest
		e := h.stored(l)
		switch {
		case l.Closed():
			did = did || len(paused) > 0
			h.each(paused, "ends", task.Tasks.Cancel)
			continue
		case e.Enabled && e.MissedSince == nil && !l.rechosen && len(paused) == 0:
			continue
		}
		did = true
		var since *time.Time
		if l.rechosen {
			begun := Start.Add(-time.Minute) // by any clock
			l.rechosen, since = false, &begun
			h.must("chooses as at first", func(ctx context.Context) error {
				_, err := h.in().endpoints.Update(ctx, Merchant, l.Endpoint, func(s *webhook.Settings) { s.Events = l.Settings.Events }, webhook.Private{})
				return err
			})
			h.Wait(11 * time.Minute) // what is younger may be on its way
		}
		h.must("enables "+l.Endpoint, func(ctx context.Context) error {
			_, err := h.in().endpoints.Enable(ctx, Merchant, l.Endpoint)
			return err
		})
		if since == nil && h.stored(l).MissedSince == nil {
			h.each(paused, "goes on with", task.Tasks.Resume)
			continue
		}
		h.Wait(time.Second)
		switch err := h.MakeUp(l, since); {
		case problem.Is(err, problem.Conflict): // first the one that is on its way
			l.rechosen = l.rechosen || since != nil
			h.each(paused, "goes on with", task.Tasks.Resume)
		case err != nil:
			h.T.Fatalf("broken: a merchant is answered once everything is well\n    %v\n\n%s", err, h.Timeline())
		}
	}
	return did
}

// each is what a merchant does about tasks.
func (h *History) each(tasks []task.Task, what string, act func(task.Tasks, context.Context, string, string) (task.Task, error)) {
	for _, t := range tasks {
		h.must(what+" "+t.ID, func(ctx context.Context) error {
			_, err := act(h.in().replays.Tasks, ctx, t.Owner, t.ID)
			return err
		})
	}
}

// poll reads on after the cursor, and says whether to ask again: there was something, or no answer.
func (h *History) poll(most int) bool {
	var page []event.Event
	next := ""
	if h.Run("api", "polls", func(ctx context.Context) (err error) {
		page, next, err = h.Feed.Feed(ctx, Merchant, int32(most), h.cursor) // #nosec G115 -- at most 100
		return err
	}) != nil {
		return true
	}
	for _, e := range page {
		h.polled[e.ID] = true
	}
	more := next != h.cursor
	h.cursor = next
	return more
}

func (h *History) must(what string, call func(context.Context) error) {
	if err := h.Run("api", what, call); err != nil {
		h.T.Fatalf("broken: a merchant is answered once everything is well\n    %s: %v\n\n%s", what, err, h.Timeline())
	}
}
