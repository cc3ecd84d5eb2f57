package webhook

import (
	"context"
	"errors"
	"net/http"
	"time"

	"farrier/shared/dynamo"
)

// round is one attempt: a call of the endpoint's URL and, where that one is down, of its other ones in turn.
type round struct {
	attempts []Attempt
	last     outcome
	url      int // the one that was called last
	next     int // the one to begin with next time, where there was no time left for it
}

// slowAfter is how long an attempt may take without a place.
const slowAfter = 2 * time.Second

// margin is what a process needs to record what came of an attempt.
const margin = 5 * time.Second

var errNoPlace = errors.New("webhook: no place is free for an attempt that takes long")

// attempt makes one round. With placed, a place was taken beforehand and the whole time may be used.
func (c Courier) attempt(ctx context.Context, f found, request parcel, p *place) round {
	urls, now := f.endpoint.urls(), c.now()
	first := f.state.from(now) % len(urls)
	var r round
	for i := range urls {
		r.url = (first + i) % len(urls)
		at := c.now()
		r.last = c.patiently(ctx, urls[r.url], request, p)
		r.attempts = append(r.attempts, Attempt{
			At: at, URL: r.url, Status: r.last.Status, Millis: r.last.Took.Milliseconds(), Answer: r.last.Answer, Error: r.last.Trouble, Sent: request.sent(),
		})
		if r.last.cut || !r.mayGoOn() {
			break
		}
		if r.next = (r.url + 1) % len(urls); !c.timeFor(ctx, request.Limit) {
			break
		}
	}
	return r
}

// mayGoOn says whether another URL is worth trying: this one is down, or it is a fallback that is gone.
func (r round) mayGoOn() bool {
	return r.last.down() || (r.url > 0 && r.last.Status == http.StatusGone)
}

// gone says whether the endpoint itself has said that it is no more.
func (r round) gone() bool { return r.url == 0 && r.last.Status == http.StatusGone }

// timeFor says whether there is time for one more call.
func (c Courier) timeFor(ctx context.Context, limit time.Duration) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() == nil && (!ok || time.Until(end) > limit+margin)
}

// patiently makes one call. After slowAfter the endpoint is noted as slow, and the call goes on only if there is a place for it.
func (c Courier) patiently(ctx context.Context, url string, request parcel, p *place) outcome {
	calling, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	looked := make(chan struct{})
	watch := time.AfterFunc(c.slowAfter(), func() {
		defer close(looked)
		p.slow(ctx)
		if !p.take(ctx) {
			cut(errNoPlace)
		}
	})
	out := c.Client.post(calling, url, request)
	if !watch.Stop() {
		<-looked
	}
	if out.Status == 0 && errors.Is(context.Cause(calling), errNoPlace) {
		out.cut, out.Trouble = true, troubleNoPlace
	}
	return out
}

func (c Courier) slowAfter() time.Duration {
	if c.SlowAfter > 0 {
		return c.SlowAfter
	}
	return slowAfter
}

// place is one attempt's, if it needs one.
type place struct {
	courier Courier
	of      *State // the endpoint's, which is noted as slow when a place is asked for
	who     string
	length  time.Duration
	taken   bool
}

func (c Courier) placeFor(f *found, length time.Duration) *place {
	return &place{courier: c, of: &f.state, who: f.delivery.ID(), length: length + margin}
}

// slow notes the endpoint as slow, while the attempt is under way, so that others see it at once.
func (p *place) slow(ctx context.Context) {
	now := p.courier.now()
	state, err := p.courier.States.change(ctx, *p.of, func(s State) State { return s.slowed(p.courier.slowAfter(), now) })
	if err != nil {
		p.courier.Log.WarnContext(ctx, "a slow endpoint could not be noted", "endpoint", p.of.Endpoint, "error", err)
		return
	}
	*p.of = state
}

// take takes a place for the attempt. Where it cannot be asked for, there is none: the places' table has too much to do
// just when many attempts take long.
func (p *place) take(ctx context.Context) bool {
	if p.taken {
		return true
	}
	whose := map[string]string{"endpoint": p.of.Endpoint, "merchant": p.of.Merchant}
	err := p.courier.Places.Take(ctx, holder{Who: p.who, Endpoint: p.of.Endpoint, Merchant: p.of.Merchant}, p.length)
	switch {
	case err == nil:
		p.taken = true
	case errors.Is(err, errAllTaken):
		p.courier.Metrics.Count("NoPlace", 1, whose)
	case errors.Is(err, errOwnTaken):
		p.courier.Metrics.Count("OwnPlacesTaken", 1, whose)
	default:
		p.courier.Log.WarnContext(ctx, "a place could not be asked for", "endpoint", p.of.Endpoint, "error", err)
	}
	return p.taken
}

func (p *place) giveBack(ctx context.Context) {
	if !p.taken {
		return
	}
	if err := p.courier.Places.GiveBack(ctx, p.who); err != nil {
		p.courier.Log.WarnContext(ctx, "a place is free only when its time is over", "error", err)
	}
}

// turn says whether the attempt may be made now, and whether it tries an endpoint that rested. It waits for a turn that
// comes within a second.
func (c Courier) turn(ctx context.Context, job Job, f *found) (mayGo, trying bool, err error) {
	if job.Trial {
		return true, f.state.RestUntil != nil, nil
	}
	for range stateTries {
		now := c.now()
		switch {
		case f.state.resting(now): // it may have begun to after this one had its turn
			return false, false, nil
		case f.state.toBeTried(now):
			trying = true
			f.state, err = c.States.write(ctx, f.state.trial(now).joined())
		case f.endpoint.Limit == 0:
			return true, false, nil
		case job.Turn != nil && now.Sub(*job.Turn) <= time.Second: // an older one is over: many of them would come at once
			return true, false, c.until(ctx, *job.Turn)
		default:
			next, turns := f.state.turns(f.endpoint.Limit, 1, now, time.Second)
			if len(turns) == 0 {
				return false, false, nil
			}
			if f.state, err = c.States.write(ctx, next); err == nil {
				return true, false, c.until(ctx, turns[0])
			}
		}
		if err == nil {
			return true, trying, nil
		}
		if !errors.Is(err, dynamo.ErrStale) {
			return false, false, err
		}
		if f.state, err = c.States.Get(ctx, f.delivery.Merchant, f.delivery.Endpoint); err != nil {
			return false, false, err
		}
	}
	return false, false, nil
}

// until waits for a moment that is near.
func (c Courier) until(ctx context.Context, at time.Time) error {
	if wait := at.Sub(c.Now()); wait > 0 {
		return c.Sleep(ctx, min(wait, time.Second))
	}
	return nil
}

// note writes how the endpoint does now. It does so before the attempt is recorded: should it be stopped in between, the
// attempt is made again, whereas a success that was not noted could get an endpoint disabled that does well.
func (c Courier) note(ctx context.Context, f *found, r round, trying bool, at time.Time) {
	now := c.now()
	state, err := c.States.change(ctx, f.state, func(s State) State {
		if s.FailingSince != nil && s.FailingSince.Before(f.endpoint.enabledSince()) {
			s = s.afresh()
		}
		switch {
		case r.last.delivered():
			s = s.succeeded().using(r.url, now)
		case r.last.cut:
			s = s.rested(0, now)
		default:
			s = s.failed(r.last, trying, at, now).using(r.next, now)
		}
		if took := r.last.Took; took >= c.slowAfter() && !r.last.cut {
			s = s.slowed(took, now)
		}
		return s
	})
	if err != nil {
		c.Log.WarnContext(ctx, "how an endpoint does could not be noted", "endpoint", f.delivery.Endpoint, "error", err)
		return
	}
	f.state = state
}
