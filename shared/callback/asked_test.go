package callback

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/outside"
	"farrier/shared/parts"
	"farrier/shared/seal"
)

// provider's API on this machine: what is asked of its host goes to a server here.
type rerouted struct{ to *url.URL }

func (r rerouted) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("x-asked-of", request.URL.Scheme+"://"+request.URL.Host)
	request.URL.Scheme, request.URL.Host = r.to.Scheme, r.to.Host
	return http.DefaultTransport.RoundTrip(request)
}

// apiThatSays is an asker whose providers answer so; it remembers the last request.
func apiThatSays(t testing.TB, status int, body string) (Asker, *http.Request, func(provider string) Connection) {
	t.Helper()
	last := &http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*last = *r
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	to, _ := url.Parse(server.URL)
	client, key := parts.Key(t)
	sealer := &seal.Sealer{Client: client, KeyID: key, Now: func() time.Time { return noon }}
	connect := func(provider string) Connection {
		c := Connection{ID: "con_01M7YZMHG0B7WWSFCS7XJV1HTR", Provider: provider, Trust: Ask, Credentials: map[string]string{}}
		for _, name := range sources[provider].Asking.Credentials {
			sealed, err := sealer.Seal(context.Background(), ownerOf(c.ID, name), []byte("the key of "+provider))
			if err != nil {
				t.Fatal(err)
			}
			c.Credentials[name] = sealed
		}
		return c
	}
	return Asker{Sealer: sealer, HTTP: &http.Client{Transport: rerouted{to}}}, last, connect
}

// asked are the exchanges that the documentation of each API shows, shortened, and with other values where they are
// personal. None of them was recorded from the live API: for that one needs an account there.
var asked = []struct {
	provider, object string
	request          string // scheme, host, path and query
	header           string // that holds the credential; "" where the query does
	answer           string
	says             []Notice
}{
	{
		"nowpayments", "5524759814", "https://api.nowpayments.io/v1/payment/5524759814", "X-Api-Key",
		`{"payment_id":5524759814,"payment_status":"finished","pay_address":"TNDFkiSmBQorNFacb3735q8MnT29sn8BLn","price_amount":5,"price_currency":"usd",
		  "pay_amount":165.652609,"actually_paid":180,"pay_currency":"trx","order_id":"RGDBP-21314","purchase_id":"4944856743","outcome_amount":178.9005,"outcome_currency":"trx"}`,
		[]Notice{{Kind: PaymentPaid, Object: "5524759814", Reference: "RGDBP-21314", Address: "TNDFkiSmBQorNFacb3735q8MnT29sn8BLn", Detail: "finished"}},
	},
	{
		"bitpay", "G3viJEJgE8Jk2oekSdgT2A", "https://bitpay.com/invoices/G3viJEJgE8Jk2oekSdgT2A?token=the+key+of+bitpay", "",
		`{"facade":"merchant/invoice","data":{"url":"https://bitpay.com/invoice?id=G3viJEJgE8Jk2oekSdgT2A","status":"confirmed","price":10,"currency":"USD","orderId":"20210511_fghij",
		  "id":"G3viJEJgE8Jk2oekSdgT2A","amountPaid":739100,"exceptionStatus":false,"transactionCurrency":"BCH"}}`,
		[]Notice{{Kind: PaymentPaid, Object: "G3viJEJgE8Jk2oekSdgT2A", Reference: "20210511_fghij", Detail: "confirmed"}},
	},
	{
		"bitpay-unsigned", "G3viJEJgE8Jk2oekSdgT2A", "https://bitpay.com/invoices/G3viJEJgE8Jk2oekSdgT2A?token=the+key+of+bitpay-unsigned", "",
		`{"facade":"pos/invoice","data":{"status":"paid","price":10,"currency":"USD","id":"G3viJEJgE8Jk2oekSdgT2A","exceptionStatus":false}}`,
		[]Notice{{Kind: PaymentPending, Object: "G3viJEJgE8Jk2oekSdgT2A", Detail: "paid"}},
	},
	{
		"coinbase-commerce", "3c90c3cc-0d44-4b50-8888-8dd25736052a", "https://api.commerce.coinbase.com/charges/3c90c3cc-0d44-4b50-8888-8dd25736052a", "X-Cc-Api-Key",
		`{"data":{"id":"3c90c3cc-0d44-4b50-8888-8dd25736052a","code":"ABCD","metadata":{"order_id":"o-1"},"pricing":{"local":{"amount":"1","currency":"USD"},"settlement":{"amount":"1","currency":"USDC"}},
		  "timeline":[{"status":"NEW"},{"status":"SIGNED"},{"status":"PENDING"},{"status":"COMPLETED"}],
		  "payments":[{"network":"base","transaction_id":"0x1fd1","status":"confirmed","value":{"local":{"amount":"1","currency":"USD"},"crypto":{"amount":"1","currency":"USDC"}}}]},"warnings":[]}`,
		[]Notice{{Kind: PaymentPaid, Object: "3c90c3cc-0d44-4b50-8888-8dd25736052a", Reference: "o-1", Tx: "0x1fd1", Chain: "eip155:8453", Detail: "COMPLETED"}},
	},
	{
		"stripe", "pi_3MtwBwLkdIwHu7ix28a3tqPa", "https://api.stripe.com/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa?expand[]=latest_charge", "Authorization",
		`{"id":"pi_3MtwBwLkdIwHu7ix28a3tqPa","object":"payment_intent","amount":2000,"amount_received":2000,"currency":"usd","status":"succeeded","livemode":true,"metadata":{"order_id":"o-1"},
		  "latest_charge":{"id":"ch_1","object":"charge","amount":2000,"amount_captured":2000,"amount_refunded":500,"currency":"usd","status":"succeeded","paid":true}}`,
		[]Notice{
			{Kind: PaymentPaid, Object: "pi_3MtwBwLkdIwHu7ix28a3tqPa", Reference: "o-1", Detail: "payment_intent.succeeded"},
			{Kind: PaymentRefunded, Object: "pi_3MtwBwLkdIwHu7ix28a3tqPa", Reference: "o-1", Detail: "charge.refunded"},
		},
	},
	{
		"circle", "c4d1da72-111e-4d52-bdbf-2e74a2d803d5", "https://api.circle.com/v1/w3s/transactions/c4d1da72-111e-4d52-bdbf-2e74a2d803d5", "Authorization",
		`{"data":{"transaction":{"id":"c4d1da72-111e-4d52-bdbf-2e74a2d803d5","blockchain":"MATIC","tokenId":"b18e71aa-c9a9-5f58-a02c-21b2f9e349e1","destinationAddress":"0xca9142d0b9804ef5e239d3bc1c7aa0d1c74e7350",
		  "transactionType":"INBOUND","state":"COMPLETE","amounts":["6.62"],"txHash":"0xc190"}}}`,
		[]Notice{{Kind: DepositConfirmed, Object: "c4d1da72-111e-4d52-bdbf-2e74a2d803d5", Chain: "eip155:137", Tx: "0xc190", Address: "0xca9142d0b9804ef5e239d3bc1c7aa0d1c74e7350", Detail: "COMPLETE"}},
	},
}

func TestEachAPIIsAskedAsItsDocumentationSays(t *testing.T) {
	for _, c := range asked {
		t.Run(c.provider, func(t *testing.T) {
			asker, last, connect := apiThatSays(t, http.StatusOK, c.answer)
			answer, err := asker.Ask(context.Background(), connect(c.provider), Notice{Object: c.object})
			if err != nil {
				t.Fatal(err)
			}
			if got := last.Header.Get("x-asked-of") + last.URL.String(); got != c.request || last.Method != http.MethodGet {
				t.Errorf("asked %s %s", last.Method, got)
			}
			if given := last.Header.Get(c.header); c.header != "" && strings.TrimPrefix(given, "Bearer ") != "the key of "+c.provider {
				t.Errorf("%s: %q", c.header, given)
			}
			for i := range answer { // amounts are the sources' own tests
				answer[i] = Notice{Kind: answer[i].Kind, Object: answer[i].Object, Reference: answer[i].Reference, Chain: answer[i].Chain, Tx: answer[i].Tx, Address: answer[i].Address, Detail: answer[i].Detail}
			}
			if !reflect.DeepEqual(answer, c.says) {
				t.Errorf("%+v", answer)
			}
			// Of another object it says nothing.
			if _, err := asker.Ask(context.Background(), connect(c.provider), Notice{Object: "another"}); !errors.As(err, new(ReadError)) {
				t.Errorf("another object: %v", err)
			}
		})
	}
	for name, source := range sources {
		known := false
		for _, c := range asked {
			known = known || c.provider == name
		}
		if source.Asking != nil && !known {
			t.Errorf("%s has no exchange here", name)
		}
	}
}

func TestWhatAnAPIMayAnswer(t *testing.T) {
	for _, c := range []struct {
		status   int
		body     string
		noObject bool
	}{
		{http.StatusNotFound, "", true}, {http.StatusGone, "", true}, {http.StatusUnauthorized, "no", false}, {http.StatusFound, "", false},
		{http.StatusInternalServerError, "", false}, {http.StatusTooManyRequests, "", false}, {http.StatusOK, strings.Repeat("x", askedMost+1), false},
	} {
		asker, _, connect := apiThatSays(t, c.status, c.body)
		answer, err := asker.Ask(context.Background(), connect("nowpayments"), Notice{Object: "1"})
		if answer != nil || err == nil || errors.Is(err, ErrNoObject) != c.noObject {
			t.Errorf("%d: %v", c.status, err)
		}
		if err != nil && strings.Contains(err.Error(), "the key") {
			t.Error(err)
		}
	}
}

func TestAnObjectsIdMeansNothingInAnAddress(t *testing.T) {
	asker, last, connect := apiThatSays(t, http.StatusOK, `{}`)
	for _, object := range []string{"", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "a\nb", strings.Repeat("a", 129)} {
		if _, err := asker.Ask(context.Background(), connect("nowpayments"), Notice{Object: object}); !errors.Is(err, ErrNoObject) || last.URL != nil {
			t.Errorf("%q: %v", object, err)
		}
	}
}

func TestOnlyTheProvidersHostIsAskedAndNothingThatIsNotPublic(t *testing.T) {
	asker, last, connect := apiThatSays(t, http.StatusOK, `{}`)
	get := func(address string) func(context.Context, Notice, Settings, map[string]string) (*http.Request, error) {
		return func(ctx context.Context, _ Notice, _ Settings, _ map[string]string) (*http.Request, error) {
			return getJSON(ctx, address)
		}
	}
	c := connect("nowpayments")
	for _, address := range []string{"http://api.example.com/1", "https://api.example.org/1", "https://api.example.com:8443/1", "https://user@api.example.com/1", "://"} {
		asking := Asking{Hosts: []string{"api.example.com"}, Request: get(address)}
		if _, err := asker.fetch(context.Background(), asking, c, Notice{Object: "1"}); err == nil || last.URL != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	asker.HTTP = outside.NewClient(outside.Options{})
	asking := Asking{Hosts: []string{"127.0.0.1"}, Request: get("https://127.0.0.1/1")}
	if _, err := asker.fetch(context.Background(), asking, c, Notice{Object: "1"}); err == nil || !strings.Contains(err.Error(), outside.NotReachable) {
		t.Error(err)
	}
	if _, err := asker.Ask(context.Background(), Connection{Provider: "hmac"}, Notice{Object: "1"}); err == nil {
		t.Error("a source was asked that has no API")
	}
}

func TestAnIntentThatIsNotPaidSaysSo(t *testing.T) {
	for status, want := range map[string]Kind{
		"requires_payment_method": PaymentPending, "requires_capture": PaymentPending, "processing": PaymentPending, "canceled": PaymentFailed, "succeeded": PaymentPaid,
	} {
		notices, err := readStripeIntent([]byte(`{"id":"pi_1","object":"payment_intent","amount":5,"amount_received":5,"currency":"eur","status":"`+status+`"}`), Settings{})
		if err != nil || len(notices) != 1 || notices[0].Kind != want {
			t.Errorf("%s: %+v, %v", status, notices, err)
		}
	}
	if _, err := readStripeIntent([]byte(`{"id":"pi_1","object":"payment_intent","status":"new"}`), Settings{}); !errors.As(err, new(UnknownError)) {
		t.Error(err)
	}
	if _, err := readCoinbaseCharge([]byte(`{"data":{"id":"1","timeline":[{"status":"SOMETHING"}]}}`), Settings{Chain: string(chain.ID("eip155:1"))}); !errors.As(err, new(UnknownError)) {
		t.Error(err)
	}
}
