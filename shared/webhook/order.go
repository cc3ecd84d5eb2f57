package webhook

import (
	"context"
	"errors"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/problem"
)

// orderedFor bounds how long a delivery waits for one of which nothing was ever heard.
const orderedFor = 24 * time.Hour

// chainAtMost bounds how many events are looked through for the one before that the endpoint chooses too.
const chainAtMost = 50

// waitsBehind says whether the delivery has to wait for an earlier event about the same object, and has it wait then: in
// the table, where it is woken when the earlier one is settled.
func (c Courier) waitsBehind(ctx context.Context, f *found) (bool, error) {
	for {
		ahead, ok, err := c.ahead(ctx, f)
		if err != nil || !ok {
			return false, err
		}
		if ahead.Then == f.delivery.Event && f.delivery.DueAt != "" && !f.delivery.due(c.now()) {
			return true, nil
		}
		// First the one that waits, so that it is never forgotten; it looks again by itself after a while.
		waiting := f.delivery.behind(c.now())
		err = c.Deliveries.write(ctx, waiting)
		if errors.Is(err, dynamo.ErrStale) { // a later event has just named itself as the one that waits for this one
			again, err := c.again(ctx, f)
			if err != nil || !again {
				return true, err
			}
			continue
		}
		if err != nil {
			return false, err
		}
		f.delivery = waiting
		err = c.Deliveries.write(ctx, ahead.followed(waiting.Event, c.now()))
		if !errors.Is(err, dynamo.ErrStale) {
			return err == nil, err
		}
	}
}

// again reads a delivery that someone else has written, and says whether its attempt is still to be made.
func (c Courier) again(ctx context.Context, f *found) (bool, error) {
	stored, err := c.Deliveries.read(ctx, f.delivery.key())
	if err != nil {
		return false, err
	}
	stored.Merchant = f.delivery.Merchant
	f.delivery = stored
	return decide(f.job, stored, c.now()) == pursue, nil
}

// ahead is the delivery of the last event before this one, about the same object, that the endpoint gets too, if that is not
// settled. Where it has failed or is held, nobody waits for it.
func (c Courier) ahead(ctx context.Context, f *found) (Delivery, bool, error) {
	told := *f.told
	for range chainAtMost {
		if told.Previous == "" {
			return Delivery{}, false, nil
		}
		d, err := c.Deliveries.read(ctx, dynamo.Key{PK: told.Previous, SK: f.delivery.Endpoint})
		if err != nil {
			return Delivery{}, false, err
		}
		if d.Version > 0 && !d.announced() {
			return d, d.Status == Pending && !d.lost(c.now()), nil
		}
		earlier, err := c.Events.Get(ctx, f.delivery.Merchant, told.Previous)
		switch {
		case problem.Is(err, problem.NotFound): // nobody wanted it at the time
			return Delivery{}, false, nil
		case err != nil:
			return Delivery{}, false, err
		case !c.mayCome(earlier, *f.endpoint):
			return Delivery{}, false, nil
		case f.endpoint.Chooses(earlier):
			d.Merchant = f.delivery.Merchant
			return d, true, nil
		}
		told = earlier
	}
	return Delivery{}, false, nil
}

// mayCome says whether a job for an event of which nothing was heard can still be under way.
func (c Courier) mayCome(earlier event.Event, e Endpoint) bool {
	return !earlier.CreatedAt.Before(e.ChosenAt) && !earlier.CreatedAt.Before(e.enabledSince()) && c.now().Sub(earlier.CreatedAt) < orderedFor
}

// wake sends the job of the delivery that waited for this one.
func (c Courier) wake(ctx context.Context, d Delivery) error {
	waiting, err := c.Deliveries.read(ctx, dynamo.Key{PK: d.Then, SK: d.Endpoint})
	if err != nil || waiting.Version == 0 || waiting.settled() {
		return err
	}
	return c.Jobs.Send(ctx, waiting.job().Message(0))
}
