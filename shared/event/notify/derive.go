package notify

import (
	"errors"
	"fmt"
	"strings"

	lambda "github.com/aws/aws-lambda-go/events"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/webhook"
)

// told is what one record of a stream stands for.
type told struct {
	merchant   string
	events     []event.Event
	onlyWanted bool                 // not worth recording where no endpoint wants it
	payment    string               // of a deposit
	health     *webhook.TroubleView // of an endpoint: its owner is told too
}

// derive says what a record stands for: nothing, for a removed item. What kind of thing was written is
// said by its own id, so that neither a table's name nor its stream's matters. An error lies in the content.
func derive(record lambda.DynamoDBEventRecord) (told, error) {
	if len(record.Change.NewImage) == 0 {
		return told{}, nil
	}
	item := dynamo.Image(record.Change.NewImage)
	var named struct {
		ID  string `dynamodbav:"id"`
		SK  string `dynamodbav:"sk"`
		URL string `dynamodbav:"url"`
	}
	if err := dynamo.Unmarshal(item, &named); err != nil {
		return told{}, err
	}
	switch {
	case strings.HasPrefix(named.ID, "pay_"):
		return ofPayment(item)
	case strings.HasPrefix(named.ID, "dep_"):
		return ofDeposit(item)
	case strings.HasPrefix(named.ID, "out_"):
		return ofPayout(item)
	case named.ID == "" && strings.HasPrefix(named.SK, "ep_") && named.URL != "":
		return ofEndpoint(item)
	case named.ID == "" && strings.HasPrefix(named.SK, "ep_"):
		return ofState(item)
	default:
		return told{}, errors.New("notify: the record is neither a payment, a deposit nor a payout, nor an endpoint's")
	}
}

// Plain is as much of a record as may lie in a queue: a stream.Consumer's. An endpoint's item holds sealed secrets and a
// URL whose path is often a key; whatever is told of it can be told of the rest.
func Plain(record lambda.DynamoDBEventRecord) lambda.DynamoDBEventRecord {
	if strings.HasPrefix(dynamo.StreamKey(record).SK, "ep_") {
		record.Change.NewImage = plain(record.Change.NewImage)
		record.Change.OldImage = plain(record.Change.OldImage)
	}
	return record
}

// plain leaves how an endpoint does as it is: nothing in that is secret. Its item is the one that has a URL or a secret.
func plain(image map[string]lambda.DynamoDBAttributeValue) map[string]lambda.DynamoDBAttributeValue {
	_, url := image["url"]
	_, secret := image["secret"]
	if !url && !secret {
		return image
	}
	return dynamo.Told(webhook.Plain(dynamo.Image(image)))
}

func ofPayment(item dynamo.Item) (told, error) {
	var p payment.Payment
	if err := dynamo.Unmarshal(item, &p); err != nil {
		return told{}, err
	}
	for _, o := range p.Options() {
		if err := countable(o.Decimals); err != nil {
			return told{}, err
		}
	}
	if len(p.Events) == 0 {
		return told{merchant: p.PK}, nil
	}
	origin := event.Origin{Table: "payments", Key: p.Key(), Version: p.Version, At: p.UpdatedAt, Object: p.ID}
	all, err := derived(origin, p.Before, p.Events, p.View(p.UpdatedAt))
	return told{merchant: p.PK, events: all}, err
}

func ofDeposit(item dynamo.Item) (told, error) {
	var d deposit.Deposit
	if err := dynamo.Unmarshal(item, &d); err != nil {
		return told{}, err
	}
	if len(d.Events()) == 0 {
		return told{}, nil
	}
	if err := countable(d.Decimals); err != nil {
		return told{}, err
	}
	origin := event.Origin{Table: "deposits", Key: d.Key(), Version: d.Version, At: d.UpdatedAt, Object: d.ID}
	all, err := derived(origin, d.Before, d.Events(), d.View())
	return told{merchant: d.Merchant, events: all, onlyWanted: true, payment: d.Payment}, err
}

func ofPayout(item dynamo.Item) (told, error) {
	var p payout.Payout
	if err := dynamo.Unmarshal(item, &p); err != nil {
		return told{}, err
	}
	if len(p.Events) == 0 {
		return told{merchant: p.PK}, nil
	}
	if err := countable(p.Decimals); err != nil {
		return told{}, err
	}
	if m := p.Mined; m != nil && (m.Attempt < 1 || m.Attempt > len(p.Attempts)) {
		return told{}, fmt.Errorf("notify: the record has %d attempts, of which number %d was mined", len(p.Attempts), m.Attempt)
	}
	origin := event.Origin{Table: "payouts", Key: p.Key(), Version: p.Version, At: p.UpdatedAt, Object: p.ID}
	all, err := derived(origin, p.Before, p.Events, p.View())
	return told{merchant: p.PK, events: all}, err
}

// countable refuses decimals that no asset has: its amounts cannot be written.
func countable(decimals int) error {
	if decimals < 0 || decimals > money.MaxDecimals {
		return fmt.Errorf("notify: the record's asset has %d decimals", decimals)
	}
	return nil
}

func ofEndpoint(item dynamo.Item) (told, error) {
	var e webhook.Endpoint
	if err := dynamo.Unmarshal(item, &e); err != nil {
		return told{}, err
	}
	return ofHealth(e.Origin(), e.Told, e.TroubleView())
}

func ofState(item dynamo.Item) (told, error) {
	var s webhook.State
	if err := dynamo.Unmarshal(item, &s); err != nil {
		return told{}, err
	}
	return ofHealth(s.Origin(), s.Events, s.TroubleView())
}

func ofHealth(o event.Origin, types []string, health webhook.TroubleView) (told, error) {
	if len(types) == 0 {
		return told{merchant: o.Key.PK}, nil
	}
	all, err := derived(o, "", types, health)
	return told{merchant: o.Key.PK, events: all, health: &health}, err
}

// derived are the events of the types that a write stands for, after the one that its item names.
func derived(o event.Origin, before event.Mark, types []string, data any) ([]event.Event, error) {
	if o.Key.PK == "" || o.Key.SK == "" || o.Version < 1 || o.At.IsZero() {
		return nil, fmt.Errorf("notify: the record of %s has no key, version or time", o.Object)
	}
	o, err := o.After(before)
	if err != nil {
		return nil, err
	}
	var all []event.Type
	for _, t := range types {
		all = append(all, event.Type(t))
	}
	return event.Chain(o, all, data)
}
