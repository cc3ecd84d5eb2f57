package webhook

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/event"
	"farrier/shared/outside"
	"farrier/shared/parts"
	"farrier/shared/problem"
)

func TestAnEndpointsURLMustBePlainHTTPSToAPublicHost(t *testing.T) {
	for _, c := range []struct {
		url   string
		fault string // part of what is said; empty where the URL is fine
	}{
		{"https://merchant.example/hooks", ""},
		{"https://merchant.example:8443/hooks?key=1&b=%20", ""},
		{"HTTPS://Merchant.Example/", ""},
		{"https://xn--mnchen-3ya.de/", ""},
		{"https://my_bucket.example/", ""},
		{"https://93.184.215.14/", ""},
		{"https://[2606:4700::6810:84e5]/", ""},
		{"https://" + strings.Repeat("a", 63) + ".example/", ""},
		{"", "missing"},
		{"http://merchant.example/", "https://"},
		{"ftp://merchant.example/", "https://"},
		{"javascript:alert(1)", "https://"},
		{"merchant.example/hooks", "https://"},
		{"//merchant.example/hooks", "https://"},
		{"https:merchant.example", "names no host"},
		{"https://", "names no host"},
		{"https://:443/", "names no host"},
		{"https://user@merchant.example/", "user name"},
		{"https://user:secret@merchant.example/", "user name"},
		{"https://merchant.example/#part", "fragment"},
		{"https://merchant.example/#", "fragment"},
		{"https://merchant.example:0/", "port"},
		{"https://merchant.example:65536/", "port"},
		{"https://merchant.example:/", "port"},
		{"https://merchant.example:x/", "not a URL"},
		{"https://merchant.example/\r\nX-Injected: 1", "character"},
		{"https://merchant.example/a b", "character"},
		{"https://münchen.de/", "character"},
		{"https://merchant.example/\xff", "character"},
		{"https://merchant.example/%zz", "not a URL"},
		{"https://" + strings.Repeat("a", 64) + ".example/", "cannot exist"},
		{"https://" + strings.Repeat("abc.", 64) + "example/", "cannot exist"},
		{"https://-a.example/", "cannot exist"},
		{"https://a..example/", "cannot exist"},
		{"https://*.example/", "cannot exist"},
		{"https://merchant.example/" + strings.Repeat("a", MaxURL), "longer"},
		{"https://localhost/", "not public"},
		{"https://LOCALHOST./", "not public"},
		{"https://a.localhost/", "not public"},
		{"https://127.0.0.1/", "not public"},
		{"https://169.254.169.254/latest/meta-data/", "not public"},
		{"https://[::1]/", "not public"},
		{"https://[::ffff:10.0.0.1]/", "not public"},
		{"https://[fe80::1%25eth0]/", "not public"},
	} {
		err := checkURL(c.url, false)
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("%q is refused: %v", c.url, err)
		case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
			t.Errorf("%q: %v, want something about %q", c.url, err, c.fault)
		case err != nil && (!problem.Is(err, problem.Invalid) || problem.Of(err).Field != "url"):
			t.Errorf("%q: %v does not name the field", c.url, err)
		}
	}
}

func TestTheLocalRunMayCallLoopbackAndNothingElseThatIsNotPublic(t *testing.T) {
	for url, fine := range map[string]bool{
		"http://127.0.0.1:9000/": true, "http://localhost:9000/": true, "http://[::1]:9000/": true,
		"http://10.0.0.1/": false, "http://169.254.169.254/": false, "http://0.0.0.0/": false, "file:///etc/passwd": false,
	} {
		if err := checkURL(url, true); (err == nil) != fine {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAPatternMustMatchSomethingInTheCatalogue(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		field    string // empty where they are fine
	}{
		{[]string{"*"}, ""},
		{[]string{"payment.*", "deposit.final"}, ""},
		{[]string{"endpoint.test"}, ""},
		{nil, "events"},
		{[]string{}, "events"},
		{[]string{"payment.paid", "payment.payed"}, "events[1]"},
		{[]string{"payment*"}, "events[0]"},
		{[]string{"pay*"}, "events[0]"},
		{[]string{"*.paid"}, "events[0]"},
		{[]string{"payment.p*"}, "events[0]"},
		{[]string{"**"}, "events[0]"},
		{[]string{""}, "events[0]"},
		{[]string{".*"}, "events[0]"},
		{[]string{"refund.*"}, "events[0]"},
		{make([]string, MaxPatterns+1), "events"},
	} {
		err := checkPatterns(c.patterns)
		if (err == nil) != (c.field == "") || (err != nil && problem.Of(err).Field != c.field) {
			t.Errorf("%q: %v, want the field %q", c.patterns, err, c.field)
		}
	}
}

func TestAnEndpointChoosesWhatItsPatternsMatch(t *testing.T) {
	e := Endpoint{ID: "ep_1", Settings: Settings{Events: []string{"payment.*", "deposit.final"}}}
	for kind, want := range map[event.Type]bool{
		event.PaymentPaid: true, event.PaymentReversed: true, event.DepositFinal: true,
		event.DepositConfirming: false, event.EndpointTest: false, "payments.paid": false,
	} {
		if e.Chooses(event.Event{Type: kind}) != want {
			t.Errorf("%s: chooses %t", kind, !want)
		}
	}
}

func TestTheOfficialLibraryAcceptsOurSignatureWithEitherSecretWhileOneIsRotated(t *testing.T) {
	now := time.Now()
	oldKey, newKey := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	payload := `{"type":"payment.paid","data":{"reference":"ü"}}`
	header := http.Header{}
	header.Set("webhook-id", "evt_01JD0000000000000000000000")
	header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	header.Set("webhook-signature", sign([]signer{hmacSigner(newKey), hmacSigner(oldKey)}, "evt_01JD0000000000000000000000", now, payload))
	for _, key := range [][]byte{oldKey, newKey} {
		judge, err := standardwebhooks.NewWebhook(shown(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := judge.Verify([]byte(payload), header); err != nil {
			t.Errorf("refused: %v", err)
		}
		if judge.Verify([]byte(payload+" "), header) == nil {
			t.Error("another payload is accepted under the same signature")
		}
	}
	if judge, _ := standardwebhooks.NewWebhook(shown(bytes.Repeat([]byte{3}, 32))); judge.Verify([]byte(payload), header) == nil {
		t.Error("a secret that is not the endpoint's is accepted")
	}
}

// secretsOf are the secrets that sign at a moment.
func secretsOf(e Endpoint, at time.Time) string {
	var names []string
	for _, k := range e.signing(at) {
		names = append(names, k.Secret)
	}
	return strings.Join(names, " ")
}

func TestRotatedKeysSignBesideTheNewOnesForTheOverlapThatWasAskedFor(t *testing.T) {
	start := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := Endpoint{Keys: Keys{Secret: "a"}}.rotated(Keys{Secret: "b"}, Overlap, start).rotated(Keys{Secret: "c"}, Overlap, start.Add(time.Hour))
	for at, want := range map[time.Time]string{
		start.Add(2 * time.Hour): "c b a", start.Add(24 * time.Hour): "c b", start.Add(25 * time.Hour): "c",
	} {
		if got := secretsOf(e, at); got != want {
			t.Errorf("at %v the secrets are %s, want %s", at, got, want)
		}
	}
	for overlap, want := range map[time.Duration]string{0: "d", time.Minute: "d c b a"} {
		if got := secretsOf(e.rotated(Keys{Secret: "d"}, overlap, start.Add(2*time.Hour)), start.Add(2*time.Hour)); got != want {
			t.Errorf("an overlap of %v: %s, want %s", overlap, got, want)
		}
	}
	short := e.rotated(Keys{Secret: "d"}, time.Minute, start.Add(2*time.Hour))
	if got := secretsOf(short, start.Add(2*time.Hour+time.Minute)); got != "d" {
		t.Errorf("keys of before sign for longer than the last overlap: %s", got)
	}
	for range 10 {
		e = e.rotated(Keys{Secret: "x"}, Overlap, start)
	}
	if len(e.signing(start)) != 1+maxFormer {
		t.Errorf("%d secrets sign at once", len(e.signing(start)))
	}
}

func TestTheScheduleIsTheFieldsWithATenthOfJitter(t *testing.T) {
	want := []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}
	for i, d := range want {
		low, more := waitAfter(schedule, i+1, 0, bytes.NewReader([]byte{0, 0, 0, 0}))
		high, _ := waitAfter(schedule, i+1, 0, bytes.NewReader([]byte{255, 255, 255, 255}))
		if !more || low != d-d/10 || high <= d+d/10-d/100 || high > d+d/10 {
			t.Errorf("after attempt %d: from %v to %v, want %v ±10%%", i+1, low, high, d)
		}
	}
	if _, more := waitAfter(schedule, 10, 0, bytes.NewReader(nil)); more {
		t.Error("there is an eleventh attempt")
	}
	if d, _ := waitAfter(schedule, 1, 0, bytes.NewReader(nil)); d != 5*time.Second {
		t.Errorf("without randomness: %v", d)
	}
}

func TestRetryAfterMakesTheWaitLongerWithinADayAndNeverShorter(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, time.Second: 5 * time.Second, time.Hour: time.Hour, 300 * time.Hour: 24 * time.Hour,
	} {
		if got, _ := waitAfter(schedule, 1, asked, bytes.NewReader(nil)); got != want {
			t.Errorf("asked for %v: waits %v, want %v", asked, got, want)
		}
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "1.5": 0, "soon": 0, "99999999999999999999": 0,
		"Sat, 21 Nov 2026 12:01:00 GMT": time.Minute, "Sat, 21 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestAnAnswerIsKeptPrintableAndShort(t *testing.T) {
	for answer, want := range map[string]string{
		"ok": "ok", "": "", "a\x00b\x1b[31m": "a\uFFFDb\uFFFD[31m", "\xff": "\uFFFD", "line\n\tline": "line\n\tline",
		strings.Repeat("é", 300):    strings.Repeat("é", 256), // whole letters
		strings.Repeat("\xff", 600): strings.Repeat("\uFFFD", 170),
	} {
		if got := printable([]byte(answer)); got != want {
			t.Errorf("%.20q is kept as %q", answer, got)
		}
	}
	if got := printable([]byte("x" + strings.Repeat("é", 300))); len(got) > KeptAnswer {
		t.Errorf("%d bytes are kept", len(got))
	}
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestAJobIsDecidedByWhatIsRecorded(t *testing.T) {
	later, muchLater := noon.Add(time.Minute), noon.Add(time.Hour)
	for _, c := range []struct {
		sentence string
		attempt  int
		d        Delivery
		want     step
	}{
		{"nothing was tried: try", 1, Delivery{}, pursue},
		{"the second is due: try", 2, Delivery{Version: 1, Status: Pending, Made: 1, NextAt: &noon}, pursue},
		{"the second is not due: wait", 2, Delivery{Version: 1, Status: Pending, Made: 1, NextAt: &later}, wait},
		{"the fourth is not due for long: the table holds it", 4, Delivery{Version: 3, Status: Pending, Made: 3, NextAt: &muchLater, DueAt: dueAt(muchLater)}, drop},
		{"the first was made and failed: see to its sequel", 1, Delivery{Version: 1, Status: Pending, Made: 1, NextAt: &later}, mend},
		{"the first was made and a second after it: nothing", 1, Delivery{Version: 2, Status: Pending, Made: 2, NextAt: &later}, drop},
		{"the first was made and delivered: see to its sequel (there is none)", 1, Delivery{Version: 1, Status: Delivered, Made: 1}, mend},
		{"it was delivered meanwhile: nothing", 2, Delivery{Version: 1, Status: Delivered, Made: 1}, drop},
		{"it failed for good: nothing", 11, Delivery{Version: 10, Status: Failed, Made: 10}, drop},
		{"it is held: nothing", 1, Delivery{Version: 1, Status: Held}, drop},
		{"a record was lost: try", 5, Delivery{}, pursue},
	} {
		if got := decide(Job{Attempt: c.attempt}, c.d, noon); got != c.want {
			t.Errorf("%s: step %d, want %d", c.sentence, got, c.want)
		}
	}
}

// called is a round of one call.
func called(o outcome, at time.Time) round { return calledWith(Sent{}, o, at) }

func calledWith(sent Sent, o outcome, at time.Time) round {
	return round{last: o, attempts: []Attempt{{At: at, Status: o.Status, Millis: o.Took.Milliseconds(), Answer: o.Answer, Error: o.Trouble, Sent: sent}}}
}

func TestAnAttemptShowsTheHeadersThatWereSentWithoutWhatIsSecret(t *testing.T) {
	p := parcel{ID: "evt_1", At: noon, Signatures: "v1,c2VjcmV0 v1a,c2lnbmVk", Version: "2026-11-29", Cause: Replayed, Headers: http.Header{"Authorization": {"Bearer hush"}}}
	d := after(Delivery{Event: "evt_1", Endpoint: "ep_1"}, outcome{Status: 200})
	d.Attempts[0].Sent = p.sent()
	want := map[string]string{
		"content-type": "application/json", "user-agent": "Farrier/1", "webhook-id": "evt_1", "webhook-timestamp": "1795262400",
		"webhook-signature": "v1 v1a", "webhook-version": "2026-11-29", "webhook-replay": "replay", "authorization": Masked,
	}
	if got := d.View().Attempts[0].Request; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if d.Attempts[0].Request != nil {
		t.Error("what is shown is kept")
	}
}

// after is a delivery after one call at noon.
func after(d Delivery, o outcome) Delivery {
	return d.after(called(o, noon), schedule, false, noon, half{})
}

func TestADeliveryFollowsTheOutcomeOfItsAttempts(t *testing.T) {
	made := func(n int) Delivery {
		return Delivery{Event: "evt_a", Endpoint: "ep_a", Status: Pending, Made: n, Step: n, Version: int64(n), DueShard: "1", DueAt: "x", NextAt: &noon}
	}
	for _, c := range []struct {
		sentence string
		made     int
		out      outcome
		status   Status
		reason   Reason
		wait     time.Duration // until the next attempt; 0 for none
		inTable  bool
	}{
		{"a first 200", 0, outcome{Status: 200}, Delivered, "", 0, false},
		{"a 204", 3, outcome{Status: 204}, Delivered, "", 0, false},
		{"a first 500", 0, outcome{Status: 500}, Pending, "", 5 * time.Second, false},
		{"a 302", 1, outcome{Status: 302}, Pending, "", 5 * time.Minute, false},
		{"no answer", 2, outcome{Trouble: outside.NoTime}, Pending, "", 30 * time.Minute, true},
		{"a 429 that asks for an hour", 0, outcome{Status: 429, RetryAfter: time.Hour}, Pending, "", time.Hour, true},
		{"a 503 that asks for ten minutes", 0, outcome{Status: 503, RetryAfter: 10 * time.Minute}, Pending, "", 10 * time.Minute, false},
		{"a 410", 0, outcome{Status: 410}, Failed, Gone, 0, false},
		{"the tenth failure", 9, outcome{Status: 500}, Failed, Exhausted, 0, false},
		{"the tenth succeeds", 9, outcome{Status: 200}, Delivered, "", 0, false},
		{"the eleventh, asked for by hand, fails", 10, outcome{Status: 500}, Failed, Exhausted, 0, false},
	} {
		d := after(made(c.made), c.out)
		if d.Status != c.status || d.Reason != c.reason || d.early(noon) != c.wait || (d.DueAt != "") != c.inTable || (d.DueShard != "") != c.inTable {
			t.Errorf("%s: %+v", c.sentence, d)
		}
		if d.Made != c.made+1 || d.Version != int64(c.made)+1 || d.Attempts[len(d.Attempts)-1].N != d.Made {
			t.Errorf("%s: attempt %d, version %d", c.sentence, d.Made, d.Version)
		}
	}
}

func TestAttemptsOfTheVersionBeforeCountInTheSchedule(t *testing.T) {
	old := Delivery{Event: "evt_a", Endpoint: "ep_a", Status: Pending, Made: 3, Version: 3, Attempts: []Attempt{{N: 1, Status: 500}, {N: 2}, {N: 3, Status: 500}}}
	with := func(change func(*Delivery)) Delivery {
		d := old
		d.Attempts = slices.Clone(old.Attempts)
		change(&d)
		return d
	}
	for sentence, c := range map[string]struct {
		Delivery
		step int
	}{
		"pending":                             {old, 4},
		"its step is noted":                   {with(func(d *Delivery) { d.Step = 1 }), 2},
		"recovered":                           {old.reopened(Recovered, "tsk_1", noon), 1},
		"replayed":                            {old.reopened(Replayed, "tsk_1", noon), 1},
		"resent":                              {old.reopened(Resent, "", noon), 4},
		"its last attempt is of this version": {with(func(d *Delivery) { d.Attempts[2].Sent.Schemes = "v1" }), 1},
		"resent after it was delivered":       {with(func(d *Delivery) { d.Attempts[2].Status = 204 }).reopened(Resent, "", noon), 1},
		"never tried":                         {Delivery{Event: "evt_a", Endpoint: "ep_a"}, 1},
	} {
		if d := after(c.Delivery, outcome{Status: 500}); d.Step != c.step {
			t.Errorf("%s: step %d, want %d", sentence, d.Step, c.step)
		}
	}
	cut := old.after(round{attempts: []Attempt{{At: noon, Sent: Sent{Schemes: "v1"}}}, last: outcome{cut: true}}, schedule, false, noon, half{})
	if again := after(cut, outcome{Status: 500}); again.Step != 4 {
		t.Errorf("after a cut: step %d", again.Step)
	}
}

func TestOnlyTheLastAttemptsAreKept(t *testing.T) {
	d := Delivery{Event: "evt_a", Endpoint: "ep_a"}
	for range 50 {
		d = after(d, outcome{Status: 500})
	}
	if d.Made != 50 || len(d.Attempts) != keptAttempts || d.Attempts[0].N != 31 {
		t.Errorf("made %d, kept %d from %d", d.Made, len(d.Attempts), d.Attempts[0].N)
	}
}

func TestAnEarlierVersionOfADeliveryIsNotChangedByTheNext(t *testing.T) {
	d := after(Delivery{}, outcome{Status: 500})
	one := after(d, outcome{Status: 501})
	two := after(d, outcome{Status: 502})
	if one.Attempts[1].Status != 501 || two.Attempts[1].Status != 502 {
		t.Errorf("they share their attempts: %v %v", one.Attempts, two.Attempts)
	}
}

func TestAFirstSuccessIsOneWriteUnitWhateverTheAnswer(t *testing.T) {
	for _, answer := range []string{strings.Repeat("\xff", 1000), strings.Repeat("é", 1000), strings.Repeat("\U0001F40E", 1000)} {
		d := Delivery{Event: "evt_01JD0000000000000000000000", Endpoint: "ep_01JD0000000000000000000000", Merchant: "mer_01JD0000000000000000000000"}
		at := noon.Add(time.Millisecond)
		sent := parcel{Signatures: "v1,a v1a,b v1,c v1a,d", Version: "2026-11-29"}.sent()
		d = d.after(calledWith(sent, outcome{Status: 200, Answer: printable([]byte(answer)), Took: time.Minute}, at), schedule, false, at, half{})
		if size := parts.ItemSize(d); size > 1024 {
			t.Errorf("the item has %d bytes", size)
		}
	}
}

func TestADeliverysIDNamesItsKeys(t *testing.T) {
	d := Delivery{Event: "evt_01JD0000000000000000000000", Endpoint: "ep_01JD0000000000000000000001"}
	if d.ID() != "dlv_01JD0000000000000000000000_01JD0000000000000000000001" {
		t.Error(d.ID())
	}
	if key, ok := keyOfID(d.ID()); !ok || key != d.key() {
		t.Error(key)
	}
	for _, bad := range []string{"", "dlv_", "dlv__", d.ID() + "_", "evt_01JD0000000000000000000000", strings.ToLower(d.ID()), d.ID()[:40], "dlv_01JD0000000000000000000000_01JD000000000000000000000\xff"} {
		if _, ok := keyOfID(bad); ok {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}

func TestDueTimesSortAsTimeDoes(t *testing.T) {
	before := ""
	for _, d := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond, 999 * time.Millisecond, time.Second, time.Hour} {
		if at := dueAt(noon.Add(d)); at <= before {
			t.Errorf("%s comes after %s", at, before)
		} else {
			before = at
		}
	}
}

func TestTheQueueHoldsJobsAndRedrivenLettersAndNothingElse(t *testing.T) {
	job := Job{Merchant: "mer_1", Event: "evt_01JD0000000000000000000000", Endpoint: "ep_01JD0000000000000000000000", Attempt: 10}
	plain := `{"merchant":"mer_1","event":"evt_01JD0000000000000000000000","endpoint":"ep_01JD0000000000000000000000","attempt":10}`
	if got, redriven, err := parseJob(plain); err != nil || redriven || got != job {
		t.Error(got, redriven, err)
	}
	if got, redriven, err := parseJob(`{"job":` + plain + `,"reason":"no attempt succeeded"}`); err != nil || !redriven || got != job {
		t.Error(got, redriven, err)
	}
	for _, bad := range []string{
		"", "null", "{}", "[]", `"job"`, "{", `{"job":null}`, `{"job":{}}`, "\xff\xfe",
		strings.Replace(plain, "evt_", "pay_", 1), strings.Replace(plain, "ep_", "", 1), strings.Replace(plain, "mer_1", "", 1),
		strings.Replace(plain, ":10", ":0", 1), strings.Replace(plain, ":10", ":-1", 1), strings.Replace(plain, ":10", `:"10"`, 1),
	} {
		if _, _, err := parseJob(bad); !errors.Is(err, errUnreadable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
