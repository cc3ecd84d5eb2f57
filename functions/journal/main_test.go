package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"farrier/shared/callback/journal"
	"farrier/shared/parts"
)

// Both events bring the same receipt: from the stream, and redriven from the dead letters.
func TestTheEventsOfThisFunctionAreWrittenDownOnce(t *testing.T) {
	ctx, cfg := context.Background(), parts.Config(t, "FARRIER_TEST_AWS")
	t.Setenv("FARRIER_TEST_DYNAMODB", *cfg.BaseEndpoint) // a function has one endpoint for everything
	t.Setenv("FARRIER_TEST_SQS", *cfg.BaseEndpoint)
	table, aside := parts.Table(t), parts.Queue(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *cfg.BaseEndpoint, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"JOURNAL_TABLE": table.Name, "SET_ASIDE_QUEUE": aside.URL,
	} {
		t.Setenv(name, value)
	}
	handler := lambda.NewHandler(wired(time.Now).Invoke)
	files, err := filepath.Glob("../../events/journal-*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file) // #nosec G304 -- a test's own files
		if err != nil {
			t.Fatal(err)
		}
		out, err := handler.Invoke(ctx, payload)
		if err != nil || string(out) != `{"batchItemFailures":[]}` {
			t.Errorf("%s: %s, %v", file, out, err)
		}
	}
	asked := journal.Asked{Connection: "con_01M7YZMHG0B7WWSFCS7XJV1HTR", Limit: 10}
	listed, _, err := journal.Journal{Table: table, Now: time.Now}.List(ctx, asked)
	if err != nil || len(listed) != 1 || listed[0].Receipt != "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W" {
		t.Errorf("%+v, %v", listed, err)
	}
}
