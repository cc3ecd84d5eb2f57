package receiver

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
)

// change changes the endpoint's connection as the API does, beside the receiver's memory of it.
func (e *endpoint) change(t *testing.T, asked callback.Change) (made string) {
	t.Helper()
	table, ctx := e.Known.Connections, context.Background()
	table.Random = rand.Reader
	c, err := table.Get(ctx, e.connection)
	if err != nil {
		t.Fatal(err)
	}
	asked.Version = c.Version
	if _, made, err = table.Change(ctx, c, asked); err != nil {
		t.Fatal(err)
	}
	return made
}

// signed is a request under another secret.
func (e *endpoint) signed(t *testing.T, under, event string) events.APIGatewayV2HTTPRequest {
	t.Helper()
	return e.request(t, event, body, under)
}

func TestANewSecretIsBelievedWithinTheMinuteAndTheOldOneUntilItsEnd(t *testing.T) {
	e := open(t)
	n := 0
	statuses := func(next string) (with [2]int) {
		for i, under := range []string{secret, next} {
			n++
			with[i] = e.send(t, e.signed(t, under, fmt.Sprint("msg_", n))).StatusCode
		}
		return with
	}
	e.send(t, e.request(t, "msg_0", body)) // the connection is in memory
	next := e.change(t, callback.Change{NewSecret: true, OldUntil: e.now.Add(time.Hour).Format(time.RFC3339)})
	began := e.now
	for _, step := range []struct {
		after time.Duration
		want  [2]int
	}{
		{59 * time.Second, [2]int{200, 401}}, {60 * time.Second, [2]int{200, 200}},
		{time.Hour - time.Second, [2]int{200, 200}}, {time.Hour, [2]int{401, 200}}, // though the connection was read a second ago
	} {
		e.now = began.Add(step.after)
		if got := statuses(next); got != step.want {
			t.Errorf("after %s: %v, want %v", step.after, got, step.want)
		}
	}
}

func TestADisabledConnectionRefusesLikeAnyOtherAndIsNoAlarm(t *testing.T) {
	e := open(t)
	no := false
	e.change(t, callback.Change{Enabled: &no})
	reference := e.send(t, post(unknown, body, nil))
	if got := e.send(t, e.request(t, "msg_1", body)); !reflect.DeepEqual(got, reference) {
		t.Errorf("%+v", got)
	}
	if told := e.told.String(); !strings.Contains(told, `"ConnectionDisabled":1`) || strings.Contains(told, "Refused\":1") {
		t.Error(told)
	}
}

// API Gateway gives the address of who called; behind IPv6 it may be an IPv4 address in IPv6's form.
func TestOnlyAllowedAddressesAreListenedTo(t *testing.T) {
	e := open(t)
	e.change(t, callback.Change{Settings: callback.Settings{Sources: []string{"192.0.2.0/24", "2001:db8:1::/48", "::ffff:198.51.100.7"}}})
	for from, want := range map[string]int{
		"192.0.2.1": 200, "192.0.2.255": 200, "::ffff:192.0.2.1": 200, "::ffff:c000:0201": 200, "198.51.100.7": 200, "::ffff:198.51.100.7": 200,
		"2001:db8:1::1": 200, "2001:DB8:1:ffff::": 200,
		"192.0.3.1": 401, "::ffff:192.0.3.1": 401, "198.51.100.8": 401, "2001:db8:2::1": 401, "2001:db8::c000:201": 401, "": 401, "unknown": 401, "192.0.2.1:443": 401,
	} {
		r := e.request(t, "msg_"+strings.ReplaceAll(from, ".", "-"), body) // an id of Standard Webhooks has no dot
		r.RequestContext.HTTP.SourceIP = from
		if got := e.send(t, r); got.StatusCode != want {
			t.Errorf("from %q: %d, want %d", from, got.StatusCode, want)
		}
	}
	if told := e.told.String(); !strings.Contains(told, `"CallbackRefused":1`) || strings.Contains(told, "SignatureRefused") {
		t.Error(told)
	}
}

func TestAConnectionsOwnDaysAreKept(t *testing.T) {
	e := open(t)
	e.change(t, callback.Change{Care: callback.Care{KeepDays: 3}})
	e.send(t, e.request(t, "msg_1", body))
	if kept := e.receipts(t); len(kept) != 1 || kept[0].TTL != e.now.Add(3*24*time.Hour).Unix() {
		t.Errorf("%+v", kept)
	}
}

func TestAnOrdersAddressIsCalledByTheWallet(t *testing.T) {
	e := open(t)
	ctx := context.Background()
	table := e.Known.Connections
	c, _, err := table.Create(ctx, callback.Asked{Merchant: "mer_1", Provider: "tokenpocket"})
	if err != nil {
		t.Fatal(err)
	}
	query, err := table.OrderAddress(ctx, c, "order 7/&8")
	if err != nil {
		t.Fatal(err)
	}
	const said = `{"result":1,"action":"pushTransaction","actionId":"a","txID":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","chainId":"137"}`
	call := func(query string) events.APIGatewayV2HTTPResponse {
		r := post(c.ID, said, map[string]string{"content-type": "application/json"})
		r.RawQueryString = query
		return e.send(t, r)
	}
	if got := call(query); got.StatusCode != 200 || got.Body != `{"code":0}` {
		t.Errorf("%+v", got)
	}
	named, _ := url.ParseQuery(query)
	named.Set("order", "order 7/&9")
	for name, other := range map[string]string{"of another order": named.Encode(), "twice": query + "&" + query, "none": "", "no query": "%zz"} {
		if got := call(other); got.StatusCode != 401 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if strings.Contains(e.told.String(), named.Get("secret")) {
		t.Error("the log tells the secret")
	}
}

func TestAScannersNoiseCountsAsNoSignature(t *testing.T) {
	e := open(t)
	right := e.request(t, "msg_1", body)
	for range 30 {
		e.send(t, post(unknown, body, right.Headers))
		e.send(t, post("con_01JD00000000000000000000ZZ", "{}", nil))
		e.send(t, post(e.connection, "{}", nil))
	}
	told := e.told.String()
	if strings.Contains(told, "SignatureRefused") || strings.Count(told, `"UnknownConnection":1`) != 60 || strings.Count(told, `"CallbackRefused":1`) != 30 {
		t.Errorf("%d, %d", strings.Count(told, `"UnknownConnection":1`), strings.Count(told, `"CallbackRefused":1`))
	}
}
