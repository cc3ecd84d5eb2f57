package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"farrier/shared/callback"
	"farrier/shared/parts"
	"farrier/shared/queue"
	"farrier/shared/seal"
)

// What events/register-*.json bring about, in this order, where the connection that they name registers with a provider
// that cannot be reached. Messages are named by their place.
var effects = []struct {
	event   string
	again   string // what comes again
	jobs    int    // in the queue, those that are held back among them
	letters int
}{
	{"register-address-unreadable", "", 0, 1},
	{"register-addresses", "", 1, 0},
	{"register-connection-kept", "", 0, 0},
	{"register-connection-begins", "", 1, 0},
	{"register-jobs", "1 2", 0, 0},
	{"register-earlier", "", 0, 0}, // there are no payments
	{"register-put-back", "1", 1, 0},
	{"register-unreadable", "1", 0, 0},
}

func TestTheEventsOfThisFunctionBringAboutWhatTheirNamesSay(t *testing.T) {
	jobs, letters := environment(t)
	handler := lambda.NewHandler(wired(time.Now).Invoke)
	for _, e := range effects {
		payload, err := os.ReadFile(filepath.Join("../../events", e.event+".json"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := handler.Invoke(context.Background(), payload)
		if err != nil || string(out) != answer(e.again) {
			t.Errorf("%s: %s, %v", e.event, out, err)
		}
		if n, m := emptied(t, jobs), emptied(t, letters); n != e.jobs || m != e.letters {
			t.Errorf("%s: %d jobs, %d letters", e.event, n, m)
		}
	}
	files, err := filepath.Glob("../../events/register-*.json")
	if err != nil || len(files) != len(effects) {
		t.Errorf("%d files, %v: each belongs in the list", len(files), err)
	}
}

// answer names the messages that come again.
func answer(again string) string {
	failures := ""
	for _, place := range again {
		if place == ' ' {
			failures += ","
			continue
		}
		failures += fmt.Sprintf(`{"itemIdentifier":"059f36b4-87a3-44ab-83d2-66197583%04d"}`, place-'0')
	}
	return `{"batchItemFailures":[` + failures + `]}`
}

// environment is what the template gives the function, on the local AWS, with the connection that the events name.
func environment(t *testing.T) (jobs, letters queue.Queue) {
	t.Helper()
	ctx, cfg := context.Background(), parts.Config(t, "FARRIER_TEST_AWS")
	t.Setenv("FARRIER_TEST_DYNAMODB", *cfg.BaseEndpoint) // a function has one endpoint for everything
	t.Setenv("FARRIER_TEST_SQS", *cfg.BaseEndpoint)
	connections, payments, jobs, letters := parts.Table(t), parts.Table(t), parts.Queue(t), parts.Queue(t)
	kms, key := parts.Key(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"CONNECTIONS_TABLE": connections.Name, "PAYMENTS_TABLE": payments.Name, "SECRETS_KEY": key, "REGISTER_QUEUE": jobs.URL, "REGISTER_DEAD_LETTERS": letters.URL,
	} {
		t.Setenv(name, value)
	}
	const connection, merchant = "con_01M7YZMHG0B7WWSFCS7XJV1HTR", "mer_01KAJ5K7Q0M4T8X2V6B9N3R1ZC"
	sealer := &seal.Sealer{Client: kms, KeyID: key, Now: time.Now}
	token, err := sealer.Seal(ctx, seal.Owner{"connection": connection, "credential": "auth_token"}, []byte("a token\n")) // that fits no header: nobody is called
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range []any{
		map[string]string{"pk": "registers " + merchant, "sk": connection},
		callback.Connection{
			PK: connection, SK: "connection", ID: connection, Merchant: merchant, Provider: "alchemy", Version: 2, RegistersFrom: 2,
			Settings: callback.Settings{WebhookID: "wh_octjglnywaupz6th"}, Credentials: map[string]string{"auth_token": token},
		},
	} {
		if err := connections.Create(ctx, item); err != nil {
			t.Fatal(err)
		}
	}
	return jobs, letters
}

// emptied counts what is in a queue, and empties it.
func emptied(t *testing.T, q queue.Queue) (n int) {
	t.Helper()
	names := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesDelayed}
	out, err := q.Client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &q.URL, AttributeNames: names})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		part := 0
		if _, err := fmt.Sscan(out.Attributes[string(name)], &part); err != nil {
			t.Fatal(err)
		}
		n += part
	}
	if _, err := q.Client.PurgeQueue(context.Background(), &sqs.PurgeQueueInput{QueueUrl: &q.URL}); err != nil {
		t.Fatal(err)
	}
	return n
}
