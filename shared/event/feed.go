package event

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Feed gives a merchant's events in the order in which they happened, the oldest first, and never ends: whoever goes on
// from its cursor gets every event that is ever recorded, at least once.
//
// It looks back by feedDelay. Events that were recorded too late to be found in their order are given as they were recorded,
// where the reader has passed their place; one that was recorded just in time may so be given twice.

// place is how far a reader has come.
type place struct {
	Event string `json:"e"` // all events up to this id, in the order in which they happened
	Late  string `json:"l"` // all that were noted as late up to this
}

// Begin is a cursor before everything that happened at a moment or later; the zero time is the beginning.
func (s Store) Begin(from time.Time) string {
	var event string
	if !from.IsZero() {
		event = startOf(from)
	}
	return place{Event: event, Late: latePlace(s.horizon())}.cursor() // what was noted before now has been recorded: it is found in its order
}

func (s Store) horizon() time.Time { return s.Now().Add(-feedDelay) }

func (p place) cursor() string {
	b, _ := json.Marshal(p)
	return base64.RawURLEncoding.EncodeToString(b)
}

var lateForm = regexp.MustCompile(`^[0-9]{13}/$`)

func placeOf(cursor string) (place, error) {
	wrong := problem.Field("after", "is not one that this list gave")
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return place{}, wrong
	}
	var p place
	if json.Unmarshal(b, &p) != nil || (p.Event != "" && !id.Valid("evt", p.Event)) {
		return place{}, wrong
	}
	if at, name := p.Late[:min(len(p.Late), 14)], p.Late[min(len(p.Late), 14):]; !lateForm.MatchString(at) || (name != "" && !id.Valid("evt", name)) {
		return place{}, wrong
	}
	return p, nil
}

// Feed reads on after a cursor. There is always a next one; an empty page says that nothing is new yet.
func (s Store) Feed(ctx context.Context, merchant string, limit int32, cursor string) (page []Event, next string, err error) {
	p, err := placeOf(cursor)
	if err != nil {
		return nil, "", err
	}
	horizon := s.horizon() // before anything is read
	page, p.Late, err = s.lateAfter(ctx, merchant, limit, p, latePlace(horizon))
	if err != nil {
		return nil, "", err
	}
	if left := limit - int32(len(page)); left > 0 { // #nosec G115 -- at most limit
		inOrder, err := s.between(ctx, merchant, left, p.Event, startOf(horizon))
		if err != nil {
			return nil, "", err
		}
		if len(inOrder) > 0 {
			p.Event = inOrder[len(inOrder)-1].ID
		}
		page = append(page, inOrder...)
	}
	return page, p.cursor(), nil
}

// lateAfter are the events noted as late, as far as the reader has passed their places: the others it will find in their
// order, since an event is there before it is noted. It gives how far it has read.
func (s Store) lateAfter(ctx context.Context, merchant string, limit int32, p place, until string) (page []Event, to string, err error) {
	if p.Late >= until {
		return nil, p.Late, nil
	}
	noted, _, err := dynamo.List[late](ctx, s.Table, dynamo.Query{PK: merchant + lateSuffix, From: p.Late + beyond, To: until, Limit: limit})
	if err != nil {
		return nil, p.Late, err
	}
	to = p.Late
	for _, one := range noted {
		to = one.SK
		_, name, _ := strings.Cut(one.SK, "/")
		if name > p.Event {
			continue
		}
		e, err := s.Get(ctx, merchant, name)
		if err != nil {
			return nil, p.Late, err
		}
		page = append(page, e)
	}
	return page, to, nil
}

// between are the events after one id and before another.
func (s Store) between(ctx context.Context, merchant string, limit int32, after, before string) ([]Event, error) {
	if after >= before {
		return nil, nil
	}
	q := dynamo.Query{PK: merchant, To: before, Limit: limit}
	if after != "" {
		q.From = after + beyond
	}
	events, _, err := dynamo.List[Event](ctx, s.Table, q)
	return events, err
}

// beyond makes of a key the least that is more: none has anything behind it but letters and digits.
const beyond = "!"
