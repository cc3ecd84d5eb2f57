package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/payment"
	"farrier/shared/stream"
)

func TestANewAddressIsRegisteredWithEachConnectionOfItsMerchant(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "alchemy", webhookA)
	w.connect(merchantA, "moralis", streamA)
	w.connect(merchantB, "alchemy", webhookB)
	w.now = w.now.Truncate(moralis.gather).Add(moralis.gather - time.Second) // the gathered jobs come in a second
	if again := w.streamed(born(merchantA, 1), born(merchantB, 2), born(merchantA, 3), born("mer_without", 4)); len(again) != 0 {
		t.Fatalf("%v come again", again)
	}
	if calls := w.service.took(); len(calls) != 0 {
		t.Errorf("the stream waits for a provider: %v", calls)
	}
	time.Sleep(1200 * time.Millisecond)
	if again := w.queued(w.taken(w.jobs)...); len(again) != 0 {
		t.Fatalf("%v come again", again)
	}
	if calls := w.service.took(); !slices.Equal(calls, []string{streamA + " 2", webhookA + " 2", webhookB + " 1"}) {
		t.Errorf("calls %v", calls)
	}
	for webhook, want := range map[string][]string{webhookA: {address(1), address(3)}, streamA: {address(1), address(3)}, webhookB: {address(2)}} {
		if has := w.service.has(webhook); !slices.Equal(has, want) {
			t.Errorf("%s watches %v", webhook, has)
		}
	}
}

func TestAJobOfAProviderThatWantsFewCallsIsHeldBack(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "moralis", streamA)
	w.now = w.now.Truncate(moralis.gather)
	if again := w.streamed(born(merchantA, 1)); len(again) != 0 || w.held(w.jobs) != "1" {
		t.Errorf("%v come again, %s are held back", again, w.held(w.jobs))
	}
}

func job(c callback.Connection, from, n int) Job {
	j := Job{Connection: c.ID}
	for i := range n {
		j.Addresses = append(j.Addresses, address(from+i))
	}
	return j
}

func TestABatchIsOneCallForEachConnectionUpToWhatIsTakenAtOnce(t *testing.T) {
	w := newWorld(t)
	a, m := w.connect(merchantA, "alchemy", webhookA), w.connect(merchantA, "moralis", streamA)
	b := w.connect(merchantB, "alchemy", webhookB)
	again := w.queued(job(a, 0, 200), job(m, 0, 400), job(a, 200, 200), job(b, 0, 1200), job(a, 100, 200), job(a, 400, 101), job(m, 400, 400))
	if calls := w.service.took(); len(again) != 0 || !slices.Equal(calls, []string{
		streamA + " 800", webhookA + " 101", webhookA + " 400", webhookB + " 200", webhookB + " 500", webhookB + " 500",
	}) {
		t.Errorf("%v come again, calls %v", again, calls)
	}
	if a, b := len(w.service.has(webhookA)), len(w.service.has(webhookB)); a != 501 || b != 1200 {
		t.Errorf("%d and %d are watched", a, b)
	}
}

func TestRegisteringTwiceIsRegisteringOnce(t *testing.T) {
	w := newWorld(t)
	for _, c := range []callback.Connection{w.connect(merchantA, "alchemy", webhookA), w.connect(merchantA, "moralis", streamA)} {
		for range 2 {
			if again := w.queued(job(c, 1, 3)); len(again) != 0 {
				t.Errorf("%v come again", again)
			}
		}
		if has := w.service.has(c.Settings.WebhookID); len(has) != 3 {
			t.Errorf("%d are watched", len(has))
		}
	}
	if letters := w.lettered(); len(letters) != 0 {
		t.Errorf("%q", letters)
	}
}

func TestWhatIsOverInAWhileComesAgainAloneAndWhatIsNotIsLettered(t *testing.T) {
	w := newWorld(t)
	a, b := w.connect(merchantA, "alchemy", webhookA), w.connect(merchantA, "alchemy", webhookB)
	for status, c := range map[int]struct {
		calls  int // until the connection is left alone
		letter string
	}{
		408: {1, ""}, 425: {1, ""}, 429: {1, ""}, 500: {1, ""}, 502: {1, ""}, 503: {1, ""}, 504: {1, ""},
		400: {2, "these addresses"}, 413: {2, "these addresses"}, 422: {2, "these addresses"},
		401: {1, "the key"}, 402: {1, "the plan"}, 403: {1, "the key"}, 404: {1, "no webhook"}, 405: {1, "405"}, 410: {1, "no webhook"},
	} {
		w.service.statuses[webhookA] = status
		again := w.queued(job(a, 1, 400), job(b, 1, 2), job(a, 401, 400))
		calls := len(w.service.took()) - 1
		letters := w.lettered()
		if c.letter == "" && (!slices.Equal(again, []string{"m0", "m2"}) || len(letters) != 0) {
			t.Errorf("%d: %v come again, letters %q", status, again, letters)
		}
		if c.letter != "" && (len(again) != 0 || len(letters) != 2 || !strings.Contains(letters[0], c.letter) || !strings.Contains(letters[1], fmt.Sprint(status))) {
			t.Errorf("%d: %v come again, letters %q", status, again, letters)
		}
		if calls != c.calls {
			t.Errorf("%d: %d calls", status, calls)
		}
	}
	if n := strings.Count(w.said.String(), `"RegistrationRefused":1`); n != 18 {
		t.Errorf("%d are counted", n)
	}
	if has := w.service.has(webhookB); len(has) != 2 {
		t.Errorf("the neighbour watches %v", has)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.service.to = "https://elsewhere.example/"
	again, letters := w.queued(job(c, 1, 1)), w.lettered()
	if len(again) != 0 || len(letters) != 1 || len(w.service.took()) != 1 {
		t.Errorf("%v come again, letters %q", again, letters)
	}
}

func TestNoAnswerComesAgainAndSaysNothingOfWhere(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.service.CloseClientConnections()
	w.service.Listener.Close()
	if again := w.queued(job(c, 1, 1)); len(again) != 1 || strings.Contains(w.said.String(), "127.0.0.1") {
		t.Errorf("%v come again: %s", again, w.said)
	}
}

func TestAKeyThatWasRevokedEndsInALetterAndANewOneMendsIt(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.pay(merchantA, 1, 4, "eip155:137/slip44:966")
	w.service.valid[rightKey] = false
	again := w.queued(job(c, 1, 2), job(c, 3, 2))
	bodies := w.taken(w.letters)
	if len(again) != 0 || len(bodies) != 2 || !strings.Contains(bodies[0].(string), "alchemy answered 401") {
		t.Fatalf("%v come again, letters %q", again, bodies)
	}
	if n := strings.Count(w.said.String(), `"RegistrationRefused":1`); n != 2 {
		t.Errorf("%d are counted", n)
	}
	const other = "another key of the account"
	w.service.valid[other], w.secrets = true, append(w.secrets, other)
	changed := w.change(c, callback.Change{Credentials: map[string]string{"auth_token": other}})
	w.now = w.now.Add(time.Hour)
	if again := w.queued(bodies...); len(again) != 0 || len(w.service.has(webhookA)) != 4 {
		t.Errorf("put back: %v come again, %v are watched", again, w.service.has(webhookA))
	}
	w.service.watched[webhookA] = map[string]bool{}
	if again := w.streamed(inserted("1", changed)); len(again) != 0 || w.held(w.jobs) != "1" {
		t.Errorf("%v come again, %s jobs for earlier addresses", again, w.held(w.jobs))
	}
	if again := w.queued(Job{Connection: c.ID, Earlier: &Earlier{From: changed.RegistersFrom}}); len(again) != 0 || len(w.service.has(webhookA)) != 4 {
		t.Errorf("the new key registers all once more: %v come again, %v are watched", again, w.service.has(webhookA))
	}
}

func TestAConnectionThatRegistersNoMoreIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	off := false
	gone := w.change(w.connect(merchantA, "alchemy", webhookA), callback.Change{Enabled: &off})
	keyless := w.change(w.connect(merchantA, "moralis", streamA), callback.Change{Clear: []string{"credentials.api_key"}})
	again := w.queued(job(gone, 1, 1), job(keyless, 1, 1), Job{Connection: keyless.ID, Earlier: &Earlier{From: 1}})
	if calls := w.service.took(); len(again) != 0 || len(calls) != 0 || len(w.lettered()) != 0 {
		t.Errorf("%v come again, calls %v", again, calls)
	}
	unknown := Job{Connection: "con_01M7YZMHG0B7WWSFCS7XJV1HTR", Addresses: []string{address(1)}}
	if again, letters := w.queued(unknown), w.lettered(); len(again) != 0 || len(letters) != 1 {
		t.Errorf("no connection: %v come again, letters %q", again, letters)
	}
}

func TestAConnectionBeginsWithItsEarlierAddressesOnce(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	kept := w.change(c, callback.Change{Care: callback.Care{KeepDays: 7}})
	for i, step := range []struct {
		connection callback.Connection
		jobs       string
	}{{c, "1"}, {kept, "1"}, {w.change(kept, callback.Change{Settings: callback.Settings{WebhookID: webhookB}}), "2"}} {
		if again := w.streamed(inserted(fmt.Sprint(i), step.connection)); len(again) != 0 || w.held(w.jobs) != step.jobs {
			t.Errorf("step %d: %v come again, %s jobs", i, again, w.held(w.jobs))
		}
	}
}

func TestEarlierAddressesAreRegisteredPageByPageAndGoOnWhereTheyStopped(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.pay(merchantA, 1, 1201, "eip155:137/slip44:966")
	w.pay(merchantA, 5000, 5, "bip122:000000000019d6689c085ae165831e93/slip44:0")
	w.pay(merchantB, 9000, 5, "eip155:137/slip44:966")
	next := any(Job{Connection: c.ID, Earlier: &Earlier{From: c.RegistersFrom}})
	for page := 1; ; page++ {
		w.service.statuses[webhookA] = 429
		if again := w.queued(next); len(again) != 1 || len(w.taken(w.jobs)) != 0 {
			t.Fatalf("page %d, in trouble: %v come again", page, again)
		}
		delete(w.service.statuses, webhookA)
		if again := w.queued(next, next); len(again) != 0 { // SQS may bring a message twice
			t.Fatalf("page %d: %v come again", page, again)
		}
		if has, want := len(w.service.has(webhookA)), min(page*500, 1201); has != want {
			t.Fatalf("page %d: %d are watched, want %d", page, has, want)
		}
		left := w.taken(w.jobs)
		if page == 3 {
			if len(left) != 0 {
				t.Errorf("behind the last page comes %v", left)
			}
			return
		}
		if len(left) != 2 || left[0] != left[1] {
			t.Fatalf("behind page %d come %v", page, left)
		}
		next = left[0]
	}
}

func TestEarlierAddressesOfAnotherKeyAreLeftToItsOwnJob(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.pay(merchantA, 1, 3, "eip155:137/slip44:966")
	if again := w.queued(Job{Connection: c.ID, Earlier: &Earlier{From: c.RegistersFrom + 1}}); len(again) != 0 || len(w.service.took()) != 0 {
		t.Errorf("%v come again", again)
	}
}

func TestAPageWithoutAddressesOfTheFamilyLeadsToTheNext(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	w.pay(merchantA, 1, 501, "bip122:000000000019d6689c085ae165831e93/slip44:0")
	if again := w.queued(Job{Connection: c.ID, Earlier: &Earlier{From: c.RegistersFrom}}); len(again) != 0 || len(w.service.took()) != 0 || len(w.taken(w.jobs)) != 1 {
		t.Errorf("%v come again", again)
	}
}

func TestAStreamStopsWhereATableIsAwayAndGoesOnBehindWhatIsUnfit(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "alchemy", webhookA)
	unfit := born(merchantA, 1)
	delete(unfit.Change.NewImage, "merchant")
	if again := w.streamed(born(merchantA, 2), unfit, born(merchantA, 3)); len(again) != 0 {
		t.Fatalf("%v come again", again)
	}
	letters := w.taken(w.letters)
	if jobs := w.taken(w.jobs); len(letters) != 1 || len(jobs) != 1 || strings.Contains(jobs[0].(string), address(1)) {
		t.Errorf("letters %v, jobs %v", letters, jobs)
	}
	if again := w.queued(letters[0]); len(again) != 1 {
		t.Errorf("put back as it is: %v come again", again)
	}
	var letter stream.Aside
	if err := json.Unmarshal([]byte(letters[0].(string)), &letter); err != nil {
		t.Fatal(err)
	}
	letter.Record = born(merchantA, 1)
	if again := w.queued(letter, "garbage", job(w.connect(merchantB, "alchemy", webhookB), 7, 1)); !slices.Equal(again, []string{"m1"}) || len(w.taken(w.jobs)) != 1 {
		t.Errorf("mended: %v come again", again)
	}
	if has := w.service.has(webhookB); len(has) != 1 {
		t.Errorf("the neighbour watches %v", has)
	}
	away := &Dispatcher{Connections: w.connections, Jobs: w.jobs, Now: w.connections.Now}
	away.Connections.Table.Name = "away"
	w.function.Records.Handle = away.Handle
	removed := born(merchantA, 1)
	removed.EventName = "REMOVE"
	if again := w.streamed(removed, born(merchantA, 2), born(merchantA, 3)); !slices.Equal(again, []string{"1002"}) {
		t.Errorf("the table is away: %v come again", again)
	}
	for _, answer := range away.Handle(ctx, []events.DynamoDBEventRecord{removed, {}}) {
		if unfit := (stream.Unfit{}); answer != nil && !errors.As(answer, &unfit) {
			t.Error(answer)
		}
	}
}

func TestAQueueThatIsAwayStopsTheStream(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "alchemy", webhookA)
	away := w.jobs
	away.URL += "-away"
	w.function.Records.Handle = (&Dispatcher{Connections: w.connections, Jobs: away, Now: w.connections.Now}).Handle
	if again := w.streamed(born(merchantA, 1), born(merchantA, 2)); !slices.Equal(again, []string{"1001"}) {
		t.Errorf("%v come again", again)
	}
}

func TestTroubleOfOurOwnComesAgainAndIsCounted(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	registrar := *w.function.Registrar
	registrar.Payments.Name, w.function.Registrar = "away", &registrar
	if again := w.queued(job(c, 1, 1), Job{Connection: c.ID, Earlier: &Earlier{From: c.RegistersFrom}}); !slices.Equal(again, []string{"m1"}) {
		t.Errorf("payments: %v come again", again)
	}
	registrar.Connections.Table.Name = "away"
	if again := w.queued(job(c, 1, 1)); len(again) != 1 {
		t.Errorf("connections: %v come again", again)
	}
	if n := strings.Count(w.said.String(), `"JobFailed":1`); n != 2 {
		t.Errorf("%d are counted", n)
	}
	registrar.Connections, registrar.DeadLetters.URL = w.connections, registrar.DeadLetters.URL+"-away"
	w.service.statuses[webhookA] = http.StatusNotFound
	if again := w.queued(job(c, 1, 1)); len(again) != 1 {
		t.Errorf("dead letters: %v come again", again)
	}
}

func TestAMerchantsConnectionsAreRememberedForAMinute(t *testing.T) {
	w := newWorld(t)
	if w.streamed(born(merchantA, 1)); len(w.taken(w.jobs)) != 0 {
		t.Error("there is no connection")
	}
	w.connect(merchantA, "alchemy", webhookA)
	w.now = w.now.Add(callback.KeepFor - time.Second)
	if w.streamed(born(merchantA, 2)); len(w.taken(w.jobs)) != 0 {
		t.Error("it is asked for within a minute")
	}
	w.now = w.now.Add(time.Second)
	if w.streamed(born(merchantA, 3)); len(w.taken(w.jobs)) != 1 {
		t.Error("it is not found after a minute")
	}
	if earlierWait <= callback.KeepFor {
		t.Error("what falls between is not among the earlier addresses")
	}
}

func TestACallIsNotBegunWithoutTimeForItsAnswer(t *testing.T) {
	w := newWorld(t)
	c := w.connect(merchantA, "alchemy", webhookA)
	short, cancel := context.WithTimeout(ctx, callMargin-time.Second)
	defer cancel()
	body, _ := json.Marshal(job(c, 1, 1))
	answer := w.function.Registrar.Invoke(short, events.SQSEvent{Records: []events.SQSMessage{{MessageId: "m0", Body: string(body)}}})
	if len(answer.BatchItemFailures) != 1 || len(w.service.took()) != 0 {
		t.Errorf("%+v", answer)
	}
}

func TestConnectionsAreServedSideBySide(t *testing.T) {
	w := newWorld(t)
	w.function.Registrar.AtOnce = 10
	w.function.Registrar.Log = slog.New(slog.DiscardHandler)
	var jobs []any
	for i := range 12 {
		webhook := fmt.Sprint("wh_", i)
		w.service.watched[webhook] = map[string]bool{}
		jobs = append(jobs, job(w.connect(merchantA, "alchemy", webhook), i, 1))
	}
	if again := w.queued(jobs...); len(again) != 0 || len(w.service.took()) != 12 {
		t.Errorf("%v come again", again)
	}
}

func TestNamesThatAreTakenAreNoAddresses(t *testing.T) {
	w := newWorld(t)
	w.connect(merchantA, "alchemy", webhookA)
	for _, kind := range []string{"key", "reference"} {
		name := inserted("1", map[string]string{"pk": kind + ":7Jq", "sk": kind, "merchant": merchantA, "request": "0f"})
		if again := w.streamed(name); len(again) != 0 || w.held(w.jobs) != "0" || len(w.lettered()) != 0 {
			t.Errorf("%s: %v come again, %s jobs", kind, again, w.held(w.jobs))
		}
	}
}

func TestAnEarlierPaymentsAddressIsThatOfTheFamilyWhateverWasAskedFirst(t *testing.T) {
	p := payment.Payment{Option: payment.Option{Asset: "tron:0x2b6653dc/slip44:195", Address: "T1"},
		Others: []payment.Option{{Asset: "eip155:137/slip44:966", Address: "0x1"}, {Asset: "eip155:1/slip44:60", Address: "0x1"}}}
	if got := registered(p); got != "0x1" {
		t.Errorf("%q", got)
	}
	if got := registered(payment.Payment{Option: p.Option}); got != "" {
		t.Errorf("%q", got)
	}
}
