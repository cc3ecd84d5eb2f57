package webhook

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"farrier/shared/cloud"
	"farrier/shared/event"
	"farrier/shared/outside"
)

const (
	// Timeout is for a whole attempt: name, connection, handshake, request, and the answer's header.
	// It is what is usual; an endpoint may have up to LongestTimeout.
	Timeout        = 15 * time.Second
	LongestTimeout = 30 * time.Second
	// bodyWait is how long the answer's body may take after its header: the status has decided already,
	// the body is only kept to be shown.
	bodyWait = 2 * time.Second
	// KeptAnswer is how many bytes of an answer are kept.
	KeptAnswer = 512
	// readAnswer is how much of an answer is read, so that a short one leaves its connection fit for the next request.
	readAnswer = 8 << 10
)

// Client posts to addresses that we do not trust.
type Client struct {
	http  *http.Client // of endpoints without a certificate: they share its connections
	known *identified  // of the others
	local bool
	now   cloud.Clock
	limit time.Duration
}

// Options of a client. The zero value, with a clock, is what runs outside of tests and local runs.
type Options struct {
	Local bool           // the local run: http and loopback are allowed
	Now   cloud.Clock    //
	Roots *x509.CertPool // nil for the system's
	Limit time.Duration  // the most that an endpoint may have for a whole attempt; 0 for LongestTimeout
}

// NewClient makes a client; it keeps connections for the next request to the same host.
func NewClient(o Options) *Client {
	if o.Limit == 0 {
		o.Limit = LongestTimeout
	}
	with := outside.Options{Local: o.Local, Roots: o.Roots}
	return &Client{local: o.Local, now: o.Now, limit: o.Limit, http: outside.NewClient(with), known: &identified{with: with}}
}

// parcel is an attempt's request, but for the URL.
type parcel struct {
	ID, Signatures, Payload string
	Version                 event.Version // of the payload
	At                      time.Time
	Cause                   Cause
	Limit                   time.Duration // of the whole attempt
	Headers                 http.Header   // the merchant's own
	Identity                *identity     // nil where the endpoint has no client certificate
}

// clientFor is the client that shows an endpoint's certificate, or the one that shows none.
func (c *Client) clientFor(i *identity) (*http.Client, error) {
	if i == nil {
		return c.http, nil
	}
	return c.known.client(*i)
}

// identified keeps a client for each of the certificates that were used last: a connection belongs to the one that it
// was made with.
type identified struct {
	with outside.Options

	mu      sync.Mutex
	uses    int
	clients map[string]*keptClient // by the identity's name
}

type keptClient struct {
	http *http.Client
	last int // the use of any client that was the last of this one
}

// maxIdentified is how many are kept. Each is a few kilobytes and its idle connections.
const maxIdentified = 32

func (k *identified) client(i identity) (*http.Client, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.uses++
	if kept, ok := k.clients[i.name]; ok {
		kept.last = k.uses
		return kept.http, nil
	}
	certificate, err := i.certificate()
	if err != nil {
		return nil, err
	}
	if k.clients == nil {
		k.clients = map[string]*keptClient{}
	}
	if len(k.clients) >= maxIdentified {
		k.forgetOne()
	}
	with := k.with
	with.Certificate = &certificate
	made := &keptClient{http: outside.NewClient(with), last: k.uses}
	k.clients[i.name] = made
	return made.http, nil
}

// forgetOne lets the client go that was not used for the longest. Requests under way end as they would.
func (k *identified) forgetOne() {
	oldest, least := "", k.uses
	for name, kept := range k.clients {
		if kept.last < least {
			oldest, least = name, kept.last
		}
	}
	k.clients[oldest].http.CloseIdleConnections()
	delete(k.clients, oldest)
}

// outcome is what came of it. It holds nothing of the request, and of the answer only the start.
type outcome struct {
	Status     int    // 0 where no answer came
	Answer     string // its start, as printable UTF-8
	Trouble    string // why no answer came, or why this one is no success; made of our own words alone
	RetryAfter time.Duration
	Took       time.Duration
	cut        bool // given up by us, before the endpoint's time was over
}

// hung says whether the endpoint let all its time go by.
func (o outcome) hung() bool { return o.Trouble == outside.NoTime }

func (o outcome) delivered() bool { return o.Status >= 200 && o.Status < 300 }

// post sends one request and never returns an error: whatever happens is the endpoint's outcome.
func (c *Client) post(ctx context.Context, url string, p parcel) outcome {
	started := c.now()
	ctx, cancel := context.WithTimeout(ctx, min(p.Limit, c.limit))
	defer cancel()
	out := c.send(ctx, cancel, url, p)
	out.Took = c.now().Sub(started)
	return out
}

func (c *Client) send(ctx context.Context, cancel func(), url string, p parcel) outcome {
	if checkURL(url, c.local) != nil { // it was checked when it was stored; the local run may have been then
		return outcome{Trouble: outside.NotReachable}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(p.Payload))
	if err != nil {
		return outcome{Trouble: outside.NotReachable}
	}
	request.Header = p.header()
	client, err := c.clientFor(p.Identity)
	if err != nil {
		return outcome{Trouble: outside.NoHandshake}
	}
	answer, err := client.Do(request)
	if err != nil {
		return outcome{Trouble: outside.Trouble(err)}
	}
	defer func() { _ = answer.Body.Close() }()
	defer time.AfterFunc(bodyWait, cancel).Stop()
	start, _ := io.ReadAll(io.LimitReader(answer.Body, readAnswer))
	return outcome{
		Status: answer.StatusCode, Answer: printable(p.masked(start)), Trouble: troubleOfStatus(answer.StatusCode),
		RetryAfter: retryAfter(answer.Header.Get("Retry-After"), c.now()),
	}
}

// header is the request's: the merchant's own, and over them ours.
func (p parcel) header() http.Header {
	h := make(http.Header, len(p.Headers)+8)
	maps.Copy(h, p.Headers)
	h["Content-Type"] = []string{"application/json"}
	h["User-Agent"] = []string{"Farrier/1"}
	h["Webhook-Id"] = []string{p.ID}
	h["Webhook-Timestamp"] = []string{timestamp(p.At)}
	h["Webhook-Signature"] = []string{p.Signatures}
	h["Webhook-Version"] = []string{string(p.Version)}
	if p.Cause != "" {
		h["Webhook-Replay"] = []string{string(p.Cause)}
	}
	// Empty, so that nothing is sent; but it lets net/http send again by itself what met a kept connection that
	// the other side had closed meanwhile (see http.Transport): a frozen Lambda meets those often.
	h["Idempotency-Key"] = []string{}
	return h
}

// masked is an answer without the values of the merchant's own headers, which a server may say back to us.
func (p parcel) masked(answer []byte) []byte {
	for _, values := range p.Headers {
		for _, v := range values {
			if len(v) >= shortestSecret {
				answer = bytes.ReplaceAll(answer, []byte(v), []byte(Masked))
			}
		}
	}
	return answer
}

// shortestSecret: what is shorter stands in many an answer by chance, and protects nothing.
const shortestSecret = 6

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); what cannot be read asks for nothing.
func retryAfter(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// printable makes the start of an answer fit for a table and a screen, and at most KeptAnswer bytes long.
func printable(answer []byte) string {
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, string(answer[:min(len(answer), KeptAnswer)]))
	for len(text) > KeptAnswer { // each strange byte has become the three of U+FFFD
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	return text
}
