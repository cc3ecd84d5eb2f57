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

	"farrier/shared/callback"
	"farrier/shared/parts"
	"farrier/shared/seal"
)

// What events/receive-*.json are answered, in this order, when they come at the time that they name.
var answers = []struct {
	event  string
	status int
	kept   int // receipts of its connection after it
}{
	{"receive-url-check", 200, 0},
	{"receive-malformed-connection", 401, 0},
	{"receive-unknown-connection", 401, 0},
	{"receive-wrong-signature", 401, 0},
	{"receive-doubled-signature", 401, 0},
	{"receive-standard-webhooks", 200, 1},
	{"receive-standard-webhooks", 200, 1}, // the same again
	{"receive-hmac-base64", 200, 1},
}

func TestTheEventsOfThisFunctionAreAnsweredAsTheirNamesSay(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	receipts := environment(t, now)
	handler := lambda.NewHandler(wired(func() time.Time { return now }).Invoke)
	for _, a := range answers {
		payload, err := os.ReadFile(filepath.Join("../../events", a.event+".json"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := handler.Invoke(context.Background(), payload)
		var request events.APIGatewayV2HTTPRequest
		var response events.APIGatewayV2HTTPResponse
		if err != nil || json.Unmarshal(out, &response) != nil || json.Unmarshal(payload, &request) != nil {
			t.Fatalf("%s: %s, %v", a.event, out, err)
		}
		kept, _, err := receipts.Of(context.Background(), request.PathParameters["connection"], 0, "")
		if response.StatusCode != a.status || len(kept) != a.kept || err != nil {
			t.Errorf("%s: %d, %d receipts, %v", a.event, response.StatusCode, len(kept), err)
		}
	}
	files, err := filepath.Glob("../../events/receive-*.json")
	if err != nil || len(files) != len(answers)-1 {
		t.Errorf("%d files, %v: each belongs in the list", len(files), err)
	}
}

// environment is what the template gives the function, on the local AWS, with the connections that the events name.
func environment(t *testing.T, now time.Time) callback.Receipts {
	t.Helper()
	ctx, cfg := context.Background(), parts.Config(t, "FARRIER_TEST_AWS")
	t.Setenv("FARRIER_TEST_DYNAMODB", *cfg.BaseEndpoint) // a function has one endpoint for everything
	kms, key := parts.Key(t)
	connections, callbacks := parts.Table(t), parts.Table(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"CONNECTIONS_TABLE": connections.Name, "CALLBACKS_TABLE": callbacks.Name, "SECRETS_KEY": key,
	} {
		t.Setenv(name, value)
	}
	sealer := &seal.Sealer{Client: kms, KeyID: key, Now: time.Now}
	for _, c := range []struct {
		connection callback.Connection
		secret     string
	}{
		{callback.Connection{ID: "con_01M7YZMHG0B7WWSFCS7XJV1HTR", Provider: "standard-webhooks"}, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		{callback.Connection{ID: "con_01M7YZMHG08XRFFR451MFGF9PK", Provider: "hmac", Settings: callback.Settings{HMAC: &callback.HMAC{
			Header: "x-signature", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Template: "{body}",
		}}}, "It's a Secret to Everybody"},
	} {
		sealed, err := sealer.Seal(ctx, seal.Owner{"connection": c.connection.ID}, []byte(c.secret))
		if err != nil {
			t.Fatal(err)
		}
		c.connection.PK, c.connection.SK, c.connection.Sealed, c.connection.Version = c.connection.ID, "connection", sealed, 1
		if err := connections.Create(ctx, c.connection); err != nil {
			t.Fatal(err)
		}
	}
	return callback.Receipts{Table: callbacks, Now: func() time.Time { return now }}
}
