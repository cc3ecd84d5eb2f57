package watch_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/parts"
	"farrier/shared/watch"
)

func TestOwnersAreFoundAmongHundredsOfAddresses(t *testing.T) {
	w := newWorld(t, 1)
	var asked []string
	for n := range 250 {
		asked = append(asked, fmt.Sprintf("0x%040x", n), fmt.Sprintf("0x%040x", n)) // each twice
	}
	found, err := w.watcher().Owners.Of(t.Context(), asked)
	if err != nil || len(found) != 2 || found[ours].Payment != "pay_1" || found[alsoOurs].Merchant != "mer_1" {
		t.Errorf("%+v, %v", found, err)
	}
}

// busy is a table that leaves all keys unprocessed for a number of calls.
type busy struct {
	left  int
	calls int
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	b.calls++
	if b.left--; b.left < 0 {
		return http.DefaultTransport.RoundTrip(r)
	}
	var asked struct{ RequestItems json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	answer := fmt.Sprintf(`{"Responses":{},"UnprocessedKeys":%s}`, asked.RequestItems)
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(bytes.NewBufferString(answer))}, nil
}

func TestKeysThatTheTableLeavesUnprocessedAreAskedForAgain(t *testing.T) {
	w := newWorld(t, 1)
	for _, c := range []struct {
		busy int
		good bool
	}{{0, true}, {3, true}, {100, false}} {
		b := &busy{left: c.busy}
		cfg := parts.Config(t, "FARRIER_TEST_DYNAMODB")
		cfg.HTTPClient = &http.Client{Transport: b}
		owners := w.watcherOver(dynamodb.NewFromConfig(cfg)).Owners
		owners.Sleep = func(context.Context, time.Duration) error { return nil }
		found, err := owners.Of(t.Context(), []string{ours, stranger})
		if (err == nil) != c.good || c.good && len(found) != 1 {
			t.Errorf("busy %d times: %v, %v", c.busy, found, err)
		}
		if err != nil && !strings.Contains(err.Error(), "unprocessed") {
			t.Error(err)
		}
	}
}

func TestNobodyOwnsNothing(t *testing.T) {
	if found, err := (watch.Owners{}).Of(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("%v, %v", found, err)
	}
}
