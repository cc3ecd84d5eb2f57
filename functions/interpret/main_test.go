package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"farrier/shared/callback"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/parts"
)

const connection, trusted = "con_01M7YZMHG0B7WWSFCS7XJV1HTR", "con_01M7YZMHG0B7WWSFCS7XJV1HTS"

// What events/interpret-*.json bring about.
var effects = []struct {
	event   string
	looks   int
	outcome callback.Outcome // of the receipt that they name
}{
	{"interpret-receipt", 1, ""},
	{"interpret-redriven", 1, ""},
	{"interpret-unreadable", 0, callback.Unreadable},
	{"interpret-unknown-chain", 0, callback.UnknownChain},
	{"interpret-conflict", 0, callback.Conflict},
	{"interpret-forgotten", 0, ""},
	{"interpret-statement", 0, ""},
}

func TestTheEventsOfThisFunctionBringAboutWhatTheirNamesSay(t *testing.T) {
	ctx, cfg := context.Background(), parts.Config(t, "FARRIER_TEST_AWS")
	t.Setenv("FARRIER_TEST_DYNAMODB", *cfg.BaseEndpoint) // a function has one endpoint for everything
	t.Setenv("FARRIER_TEST_SQS", *cfg.BaseEndpoint)
	connections, callbacks, deposits, addresses, payments := parts.Table(t), parts.Table(t), parts.Table(t), parts.Table(t), parts.Table(t)
	looks, aside, own := parts.Queue(t), parts.Queue(t), parts.Queue(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"CONNECTIONS_TABLE": connections.Name, "CALLBACKS_TABLE": callbacks.Name, "LOOKS_QUEUE": looks.URL, "SECRETS_KEY": "unused", "SET_ASIDE_QUEUE": aside.URL,
		"DEPOSITS_TABLE": deposits.Name, "ADDRESSES_TABLE": addresses.Name, "PAYMENTS_TABLE": payments.Name, "INTERPRET_QUEUE": own.URL,
		"CHAINS": `[{"id":"eip155:31337","name":"Local","block_time":"1s","finality":{"depth":1}}]`,
	} {
		t.Setenv(name, value)
	}
	if err := connections.Create(ctx, callback.Connection{PK: connection, SK: "connection", ID: connection, Provider: "standard-webhooks", Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := connections.Create(ctx, callback.Connection{
		PK: trusted, SK: "connection", ID: trusted, Merchant: "mer_01M7YZMHG0B7WWSFCS7XJV1HTR", Provider: "nowpayments", Trust: callback.Statement, Version: 1,
		Settings: callback.Settings{Assets: map[string]callback.KnownAsset{"usdttrc20": {Asset: "tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", Decimals: 6}}},
	}); err != nil {
		t.Fatal(err)
	}
	handler := lambda.NewHandler(wired(time.Now).Invoke)
	for _, e := range effects {
		payload, err := os.ReadFile(filepath.Join("../../events", e.event+".json"))
		if err != nil {
			t.Fatal(err)
		}
		key := stored(t, callbacks, payload)
		out, err := handler.Invoke(ctx, payload)
		if err != nil || string(out) != `{"batchItemFailures":[]}` {
			t.Errorf("%s: %s, %v", e.event, out, err)
		}
		var receipt callback.Receipt
		if err := callbacks.Get(ctx, key, &receipt); key.SK != "" && (err != nil || receipt.Outcome != e.outcome) {
			t.Errorf("%s: outcome %q, %v", e.event, receipt.Outcome, err)
		}
		if n := waiting(t, looks.Client, looks.URL); n != e.looks {
			t.Errorf("%s: %d looks", e.event, n)
		}
	}
	if n := waiting(t, aside.Client, aside.URL); n != 0 {
		t.Errorf("%d records were set aside", n)
	}
	if held, _, err := (deposit.Store{Table: deposits}).ByMerchant(ctx, "mer_01M7YZMHG0B7WWSFCS7XJV1HTR", 10, ""); err != nil || len(held) != 1 || held[0].View().Amount != "10.50" {
		t.Errorf("held: %+v, %v", held, err)
	}
	files, err := filepath.Glob("../../events/interpret-*.json")
	if err != nil || len(files) != len(effects) {
		t.Errorf("%d files, %v: each belongs in the list", len(files), err)
	}
}

// stored puts the receipt that a stream's event brings into the table, as it was when the stream told of it.
func stored(t *testing.T, callbacks dynamo.Table, payload []byte) dynamo.Key {
	t.Helper()
	var batch events.DynamoDBEvent
	if err := json.Unmarshal(payload, &batch); err != nil {
		t.Fatal(err)
	}
	image := batch.Records[0].Change.NewImage
	if image == nil {
		return dynamo.Key{}
	}
	var receipt callback.Receipt
	if err := dynamo.Unmarshal(dynamo.Image(image), &receipt); err != nil {
		t.Fatal(err)
	}
	if err := callbacks.Create(context.Background(), receipt); err != nil {
		t.Fatal(err)
	}
	return dynamo.Key{PK: receipt.PK, SK: receipt.SK}
}

// waiting takes what is in a queue and counts it.
func waiting(t *testing.T, client *sqs.Client, url string) int {
	t.Helper()
	for n := 0; ; {
		out, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return n
		}
		n += len(out.Messages)
		for _, m := range out.Messages {
			_, _ = client.DeleteMessage(context.Background(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
		}
	}
}
