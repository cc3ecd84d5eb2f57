package proof

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/chain"
)

// Provider is a service that calls back, and comes again until it is thanked.
type Provider struct {
	Connection callback.Connection
	secret     string
	chain      chain.ID

	unthanked []Notice
	thanked   map[string][]string // event → the bodies that it was thanked for
}

// Notice is a callback to be sent.
type Notice struct {
	Event, Body string
	Forged      bool // sent by somebody else, who signs with another secret
	Overheard   bool // or has heard a rightly signed one ten minutes ago
}

func newProvider(t TB, connections callback.Connections, on chain.ID) *Provider {
	t.Helper()
	connection, secret, err := connections.Create(context.Background(), callback.Asked{Merchant: Merchant, Provider: "standard-webhooks"})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &Provider{Connection: connection, secret: secret, chain: on, thanked: map[string][]string{}}
}

// Mined is a provider's notice of a transaction.
func (p *Provider) Mined(event, tx string) Notice {
	return Notice{Event: event, Body: fmt.Sprintf(`{"type":"transaction.mined","data":{"chain":%q,"transaction":%q}}`, p.chain, tx)}
}

// Send makes one attempt at a notice and says whether it was thanked for.
func (w *World) Send(n Notice) bool {
	p := w.Provider
	secret, stamp := p.secret, w.Now()
	switch {
	case n.Overheard:
		stamp = stamp.Add(-10 * time.Minute)
	case n.Forged:
		secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("somebody else's secret of a good length"))
	}
	request := events.APIGatewayV2HTTPRequest{
		Headers: n.signed(secret, strconv.FormatInt(stamp.Unix(), 10)), Body: base64.StdEncoding.EncodeToString([]byte(n.Body)), IsBase64Encoded: true,
		PathParameters: map[string]string{"connection": p.Connection.ID},
		RequestContext: events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost}},
	}
	status := 0
	err := w.Run("receive", "callback "+n.Event, func(ctx context.Context) error {
		answer, err := w.in().receiver.Invoke(ctx, request)
		status = answer.StatusCode
		return err
	})
	thanked := err == nil && status/100 == 2
	w.Say("          answered %d", status)
	if thanked {
		p.thanked[n.Event] = append(p.thanked[n.Event], n.Body)
	}
	return thanked
}

// Callback sends a notice again and again until it is thanked for.
func (w *World) Callback(n Notice) {
	for range 100 {
		if w.Send(n) {
			return
		}
		w.Wait(20 * time.Second)
	}
	w.T.Fatalf("the callback %s was never thanked for", n.Event)
}

// signed signs as Standard Webhooks says: HMAC-SHA256 over id, timestamp and body.
func (n Notice) signed(secret, stamp string) map[string]string {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(n.Event + "." + stamp + "." + n.Body))
	return map[string]string{
		"webhook-id": n.Event, "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), "content-type": "application/json",
	}
}
