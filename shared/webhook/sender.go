package webhook

import (
	"context"
	"errors"
	"io"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/problem"
	"farrier/shared/queue"
)

// Sender sends what a merchant asks for by hand.
type Sender struct {
	Events     event.Store
	Endpoints  Endpoints
	Deliveries Deliveries
	Jobs       queue.Queue
	Now        cloud.Clock
	Random     io.Reader
}

// TestedView is what an endpoint.test event tells.
type TestedView struct {
	Endpoint string `json:"endpoint"`
	Message  string `json:"message"`
}

// Test makes an endpoint.test event for one endpoint and asks for its delivery.
func (s Sender) Test(ctx context.Context, merchant, endpoint string) (event.Event, error) {
	one, err := enabled(ctx, s.Endpoints, merchant, endpoint)
	if err != nil {
		return event.Event{}, err
	}
	now := s.now()
	name, err := id.New("evt", now, s.Random)
	if err != nil {
		return event.Event{}, err
	}
	test, err := event.New(
		event.Event{Merchant: merchant, ID: name, Type: event.EndpointTest, CreatedAt: now, Object: one.ID, Version: one.Version},
		TestedView{Endpoint: one.ID, Message: "This is a test. Nothing has happened."})
	if err != nil {
		return event.Event{}, err
	}
	if err := s.Events.Record(ctx, test); err != nil {
		return event.Event{}, err
	}
	return test, s.Jobs.Send(ctx, Job{Merchant: merchant, Event: test.ID, Endpoint: one.ID, Attempt: 1}.tried().Message(0))
}

// Resend asks for one more attempt of a delivery, whatever became of it, under the same webhook-id.
// An attempt that is to be made just now is not doubled by asking again.
func (s Sender) Resend(ctx context.Context, merchant, delivery string) (Delivery, error) {
	d, err := s.Deliveries.Get(ctx, merchant, delivery)
	if err != nil {
		return Delivery{}, err
	}
	if _, err := enabled(ctx, s.Endpoints, merchant, d.Endpoint); err != nil {
		if problem.Is(err, problem.NotFound) {
			err = problem.New(problem.Conflict, "the delivery's endpoint was deleted")
		}
		return Delivery{}, err
	}
	now := s.now()
	if d.Status == Pending && d.inLine() {
		return d, s.Jobs.Send(ctx, d.job().tried().Message(0))
	}
	if d.Status == Pending && d.early(now) == 0 && !d.lost(now) {
		return d, nil
	}
	again := d.reopened(Resent, "", now)
	err = s.Deliveries.write(ctx, again)
	if errors.Is(err, dynamo.ErrStale) {
		again, err = s.overtaken(ctx, again)
	}
	if err != nil {
		return Delivery{}, err
	}
	return again, s.Jobs.Send(ctx, again.job().tried().Message(0))
}

// overtaken: the delivery was reopened by someone else, or by this very call whose answer was lost; or
// an attempt was made, which the merchant does not know of.
func (s Sender) overtaken(ctx context.Context, again Delivery) (Delivery, error) {
	stored, err := s.Deliveries.read(ctx, again.key())
	if err == nil && (stored.Status != Pending || stored.Made != again.Made || stored.early(s.now()) > 0) {
		err = problem.New(problem.Conflict, "an attempt of this delivery has just been made; look at it first")
	}
	return stored, err
}

// enabled finds an endpoint that may be sent to.
func enabled(ctx context.Context, endpoints Endpoints, merchant, name string) (Endpoint, error) {
	one, err := endpoints.Get(ctx, merchant, name)
	if err == nil && !one.Enabled {
		err = problem.New(problem.Conflict, "the endpoint is disabled: enable it first")
	}
	return one, err
}

func (s Sender) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }
