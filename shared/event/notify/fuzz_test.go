package notify

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	lambda "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/id"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/payout"
	"farrier/shared/webhook"
)

// FuzzDerive: any image of an item is unfit, or stands for events of the catalogue under ids that a second reading
// makes again, each with a payload that a receiver can read and whose amounts are text.
func FuzzDerive(f *testing.F) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, item := range []any{
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Asset: "eip155:137/slip44:966", Decimals: 18, Amount: money.Units(7), Address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}, Status: payment.Paid, CreatedAt: at, ExpiresAt: at, UpdatedAt: at, Version: 2, Events: []string{"payment.paid"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Decimals: -1}, UpdatedAt: at, Version: 2, Events: []string{"payment.paid"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Decimals: 1 << 40}, UpdatedAt: at, Version: 2, Events: []string{"payment.paid"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Asset: "eip155:137/slip44:966", Decimals: 18, Amount: money.Units(7)}, Others: []payment.Option{{Decimals: -1}}, UpdatedAt: at, Version: 2, Events: []string{"payment.paid"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Asset: "eip155:137/slip44:966", Decimals: 18, Amount: money.Units(7), After: money.Units(1)}, Others: []payment.Option{{Asset: "tron:0x2b6653dc/slip44:195", Decimals: 6, Amount: money.Units(9), InTime: money.Units(20)}},
			Verdicts: []payment.Verdict{{About: payment.AboutOver, Action: payment.Refund, Amounts: []money.Amount{money.Units(1)}, At: at, By: "merchant"}}, CancelledAt: &at, UpdatedAt: at, Version: 2, Events: []string{"payment.decided"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", Option: payment.Option{Asset: "eip155:137/slip44:966", Decimals: 18, Amount: money.Units(7), InTime: money.Units(9)}, Others: []payment.Option{{Asset: "tron:0x2b6653dc/slip44:195", Decimals: 6}},
			Verdicts: []payment.Verdict{{About: payment.AboutOver, Action: "hide", Amounts: []money.Amount{money.Units(1)}}, {About: payment.AboutOver}}, UpdatedAt: at, Version: 2, Events: []string{"payment.over"}},
		payment.Payment{PK: "mer_1", SK: "pay_1", ID: "pay_1", UpdatedAt: at, Version: 2, Events: []string{"payment.payed"}},
		payout.Payout{PK: "mer_1", SK: "out_1", ID: "out_1", Asset: "eip155:137/slip44:966", Decimals: 18, Amount: money.Units(7), To: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", State: payout.Final, Attempts: []payout.Attempt{{N: 1, Hash: "0xa1", BroadcastAt: &at, Outcome: payout.Succeeded}}, Mined: &payout.Mined{Attempt: 1, Height: 7, BlockHash: "0xb1"}, UpdatedAt: at, Version: 9, Events: []string{"payout.final"}, Before: "8/payout.confirming/1795255150000"},
		payout.Payout{PK: "mer_1", SK: "out_1", ID: "out_1", Asset: "eip155:137", Mined: &payout.Mined{Attempt: 1}, UpdatedAt: at, Version: 9, Events: []string{"payout.final"}},
		payout.Payout{PK: "mer_1", SK: "out_1", ID: "out_1", Decimals: 1 << 40, UpdatedAt: at, Version: 1, Events: []string{"payout.requested"}},
		deposit.Deposit{PK: "mer_1", SK: "pay_1/x", ID: "dep_1", Merchant: "mer_1", Payment: "pay_1", Chain: "eip155:137", Decimals: 6, Amount: money.Units(7), State: deposit.Final, UpdatedAt: at, Version: 1},
		deposit.Deposit{PK: "mer_1", SK: "pay_1/x", ID: "dep_1", Decimals: -7, State: deposit.Final, UpdatedAt: at, Version: 1},
		deposit.Deposit{PK: "mer_1", SK: "pay_1/x", ID: "dep_1", State: deposit.Seen},
		webhook.Endpoint{Merchant: "mer_1", ID: "ep_1", Settings: webhook.Settings{URL: "https://a.example/?k"}, Told: []string{"endpoint.disabled"}, DisabledAt: &at, UpdatedAt: at, Version: 2},
		webhook.State{Merchant: "mer_1", Endpoint: "ep_1", Streak: 7, FailingSince: &at, Events: []string{"endpoint.failing"}, UpdatedAt: at, Version: 1},
	} {
		text, err := json.Marshal(dynamo.Told(dynamo.Must(item).(*types.AttributeValueMemberM).Value))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"id":{"S":"pay_1"},"metadata":{"M":{"a":{"NULL":true}}},"amount":{"S":"1.5"}}`))
	f.Add([]byte(`{"id":{"N":"7"}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		image := map[string]lambda.DynamoDBAttributeValue{}
		if !read(text, &image) {
			return
		}
		record := lambda.DynamoDBEventRecord{Change: lambda.DynamoDBStreamRecord{NewImage: image}}
		out, err := derive(record)
		if again, err2 := derive(record); (err == nil) != (err2 == nil) || !reflect.DeepEqual(out, again) {
			t.Fatalf("%s: %+v, %v and then %+v, %v", text, out, err, again, err2)
		}
		if err != nil {
			return
		}
		for _, e := range out.events {
			var sent struct {
				Type      event.Type
				Timestamp time.Time
				Data      struct {
					Amount *string `json:"amount"`
					Units  *string `json:"amount_units"`
				}
			}
			if err := json.Unmarshal([]byte(e.Payload), &sent); err != nil {
				t.Fatalf("%s: %s: %v", text, e.Payload, err)
			}
			if !event.Known(e.Type) || sent.Type != e.Type || !id.Valid("evt", e.ID) || e.Merchant == "" || e.Version < 1 || sent.Timestamp.IsZero() {
				t.Fatalf("%s: %+v", text, e)
			}
			if about, _, _ := strings.Cut(string(e.Type), "."); about != "endpoint" && (sent.Data.Amount == nil || sent.Data.Units == nil) {
				t.Fatalf("%s: no amount in %s", text, e.Payload)
			}
		}
	})
}

// read says whether a text is an image; where the library panics, package stream has an error before this one is asked.
func read(text []byte, image *map[string]lambda.DynamoDBAttributeValue) (ok bool) {
	defer func() { ok = recover() == nil && ok }()
	return json.Unmarshal(text, image) == nil
}
