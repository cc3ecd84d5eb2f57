package webhook

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
)

// Places are for attempts that take long. Each needs one, so that however many endpoints hang, only so many workers wait
// for them, and for one endpoint only a few. An attempt that is answered at once needs none, and costs nothing here.
type Places struct {
	Table       dynamo.Table // of the endpoints' states
	Together    int          // for all endpoints; one merchant's have a quarter of them
	PerEndpoint int
	Now         cloud.Clock
	Sleep       func(context.Context, time.Duration) error
}

// PlacesForOne is how many attempts of one endpoint may take long at the same time.
const PlacesForOne = 5

// holding is the item that says which places are taken.
type holding struct {
	PK      string    `dynamodbav:"pk"`
	SK      string    `dynamodbav:"sk"`
	Taken   []holder  `dynamodbav:"taken,omitempty"`
	Version int64     `dynamodbav:"version"`
	At      time.Time `dynamodbav:"updated_at"`
}

type holder struct {
	Who      string    `dynamodbav:"who"`
	Endpoint string    `dynamodbav:"endpoint"`
	Merchant string    `dynamodbav:"merchant"`
	Until    time.Time `dynamodbav:"until"` // when the place is free again, should nobody give it back
}

var holdingKey = dynamo.Key{PK: "places", SK: "places"}

// Why there is no place.
var (
	errAllTaken = errors.New("webhook: all places are taken")
	errOwnTaken = errors.New("webhook: the endpoint, or its merchant, has as many places as one may have")
	errCrowd    = errors.New("webhook: too many ask for a place at once")
)

// placeTries bounds how often a place is asked for where others ask at the same moment.
const placeTries = 6

// Take takes a place for a while, or says why there is none.
func (p Places) Take(ctx context.Context, h holder, length time.Duration) error {
	for try := range placeTries {
		if err := p.pause(ctx, try); err != nil {
			return err
		}
		now := p.Now()
		held, err := p.read(ctx)
		if err != nil {
			return err
		}
		next := held.without("", now)
		if next.has(h.Who) {
			return nil // by this very call, whose answer was lost
		}
		switch ofOne, ofMerchant := next.of(h); {
		case ofOne >= p.PerEndpoint || ofMerchant >= max(p.Together/4, 1):
			return errOwnTaken // even if there were more in all
		case len(next.Taken) >= p.Together:
			return errAllTaken
		}
		h.Until = now.Add(length).UTC()
		next.Taken = append(next.Taken, h)
		if err := p.write(ctx, next); !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
	return errCrowd
}

// GiveBack frees a place. Where it cannot, the place is free when its time is over.
func (p Places) GiveBack(ctx context.Context, who string) error {
	for try := range placeTries {
		if err := p.pause(ctx, try); err != nil {
			return err
		}
		held, err := p.read(ctx)
		if err != nil || !held.has(who) {
			return err
		}
		if err := p.write(ctx, held.without(who, p.Now())); !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
	return nil
}

// pause is a moment of chance before each further try, so that those who ask together do not ask together again.
func (p Places) pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	most := (10 * time.Millisecond) << try
	return p.Sleep(ctx, time.Duration(rand.Int64N(int64(most)))) // #nosec G404 -- no secret
}

func (p Places) read(ctx context.Context) (holding, error) {
	held := holding{PK: holdingKey.PK, SK: holdingKey.SK}
	err := p.Table.Get(ctx, holdingKey, &held)
	if errors.Is(err, dynamo.ErrMissing) {
		return held, nil
	}
	return held, err
}

func (p Places) write(ctx context.Context, h holding) error {
	h.Version++
	h.At = p.Now().UTC()
	return p.Table.Follow(ctx, h, h.Version-1)
}

// without is the holding without one holder and without those whose time is over.
func (h holding) without(who string, now time.Time) holding {
	h.Taken = slices.DeleteFunc(slices.Clone(h.Taken), func(t holder) bool { return t.Who == who || !now.Before(t.Until) })
	return h
}

func (h holding) has(who string) bool {
	return slices.ContainsFunc(h.Taken, func(t holder) bool { return t.Who == who })
}

// of counts the places of a holder's endpoint and of its merchant.
func (h holding) of(one holder) (endpoint, merchant int) {
	for _, t := range h.Taken {
		if t.Endpoint == one.Endpoint {
			endpoint++
		}
		if t.Merchant == one.Merchant {
			merchant++
		}
	}
	return endpoint, merchant
}
