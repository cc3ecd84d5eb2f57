package webhook

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"farrier/shared/dynamo"
	"farrier/shared/event"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

func newEndpoints(t *testing.T) Endpoints {
	t.Helper()
	client, key := parts.Key(t)
	return Endpoints{
		Table: parts.Table(t), Now: time.Now, Random: rand.Reader,
		Seal: &seal.Sealer{Client: client, KeyID: key, Now: time.Now},
	}
}

// created are endpoints with one that was asked for, and its secret.
func created(t *testing.T, r Request) (e Endpoints, made Endpoint, secret string) {
	t.Helper()
	e = newEndpoints(t)
	made, secret, err := e.Create(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return e, made, secret
}

var wanted = Request{Merchant: "mer_1", Settings: Settings{URL: "https://merchant.example/hooks", Events: []string{"payment.*"}}}

func TestConformanceAnEndpointsSecretIsShownOnceAndStoredSealed(t *testing.T) {
	ctx := context.Background()
	e, made, secret := created(t, wanted)
	if _, err := standardwebhooks.NewWebhook(secret); err != nil || !strings.HasPrefix(secret, "whsec_") || len(secret) != 6+44 {
		t.Errorf("the secret %q: %v", secret, err)
	}
	var stored map[string]any
	if err := e.Table.Get(ctx, made.key(), &stored); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(stored), secret[6:]) || strings.Contains(fmt.Sprintf("%+v", made.View(time.Now())), made.Secret) {
		t.Error("the secret is to be seen")
	}
	read, err := e.Get(ctx, "mer_1", made.ID)
	if err != nil || !reflect.DeepEqual(read, made) {
		t.Errorf("%+v, want %+v: %v", read, made, err)
	}
	other := made
	other.ID = "ep_01JD0000000000000000000000"
	if _, err := e.signatures(ctx, other, "evt_1", time.Now(), "{}"); err == nil {
		t.Error("a secret opens for another endpoint than its own")
	}
}

func TestConformanceTheSameRequestAgainFindsItsEndpointAndItsSecret(t *testing.T) {
	ctx := context.Background()
	r := wanted
	r.ID = "ep_01JD0000000000000000000000"
	e, first, secret := created(t, r)
	second, again, err := e.Create(ctx, r)
	if err != nil || again != secret || !reflect.DeepEqual(second, first) {
		t.Errorf("%+v %t %v", second, again == secret, err)
	}
	r.URL += "/other"
	if _, _, err := e.Create(ctx, r); !problem.Is(err, problem.Conflict) {
		t.Errorf("another request under the same id: %v", err)
	}
}

func TestConformanceAnEndpointThatCannotBeReadIsNamedAndCanBeDeleted(t *testing.T) {
	ctx := context.Background()
	e, good, _ := created(t, wanted)
	broken, _, err := e.Create(ctx, wanted)
	if err != nil {
		t.Fatal(err)
	}
	item := struct {
		Endpoint
		Limit string `dynamodbav:"limit"`
	}{broken, "none"}
	if err := e.Table.Replace(ctx, item, broken.Version); err != nil {
		t.Fatal(err)
	}
	all, unreadable, err := e.All(ctx, wanted.Merchant)
	if err != nil || len(all) != 1 || all[0].ID != good.ID || !errors.Is(unreadable, dynamo.ErrUnreadable) || !strings.Contains(unreadable.Error(), broken.ID) {
		t.Errorf("%+v, %v, %v", all, unreadable, err)
	}
	if _, _, err := e.Create(ctx, wanted); err != nil {
		t.Errorf("beside it none can be made: %v", err)
	}
	if err := e.Delete(ctx, wanted.Merchant, broken.ID); err != nil {
		t.Fatal(err)
	}
	if all, unreadable, err := e.All(ctx, wanted.Merchant); err != nil || unreadable != nil || len(all) != 2 {
		t.Errorf("%+v, %v, %v", all, unreadable, err)
	}
}

func TestConformanceTheRequestThatMadeTheLastEndpointOfAllFindsItAgain(t *testing.T) {
	ctx := context.Background()
	e := newEndpoints(t)
	for i := range MaxEndpoints - 1 {
		if err := e.Table.Create(ctx, Endpoint{Merchant: "mer_1", ID: fmt.Sprintf("ep_01JD%022d", i+1), Version: 1}); err != nil {
			t.Fatal(err)
		}
	}
	last, beyond := wanted, wanted
	last.ID = "ep_01JD0000000000000000000000"
	first, secret, err := e.Create(ctx, last)
	if err != nil {
		t.Fatal(err)
	}
	if again, shown, err := e.Create(ctx, last); err != nil || shown != secret || !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, want %+v: %v", again, first, err)
	}
	for _, name := range []string{"", "ep_01JE0000000000000000000000"} {
		beyond.ID = name
		if _, _, err := e.Create(ctx, beyond); !problem.Is(err, problem.Conflict) {
			t.Errorf("one more, %q: %v", name, err)
		}
	}
}

// settled is a request with something of everything.
func settled(t *testing.T) Request {
	t.Helper()
	key := newP256(t)
	r := wanted
	r.Fallbacks, r.Payload, r.Ordered, r.Timeout, r.Schedule, r.Limit = []string{"https://spare.example/"}, event.Thin, true, 20, []int{0, 5}, 7
	r.Where = Where{Assets: []string{"eip155:137/slip44:966"}, Metadata: map[string]string{"shop": "north"}}
	r.Signing = ByBoth
	r.Private = Private{Headers: map[string]string{"authorization": "Bearer hunter2"}, Identity: &Identity{certify(t, key, nil, nil), pkcs8(t, key)}}
	return r
}

func TestConformanceWhatIsSecretOfAnEndpointIsSealedForItAlone(t *testing.T) {
	ctx := context.Background()
	r := settled(t)
	e, made, secret := created(t, r)
	read, err := e.Get(ctx, "mer_1", made.ID)
	if err != nil || !reflect.DeepEqual(read, made) {
		t.Errorf("%+v, want %+v: %v", read, made, err)
	}
	pair, err := e.open(ctx, made.ID, made.Pair)
	if err != nil || publicOf(pair) != made.Public {
		t.Errorf("the pair is not that of the public key: %v", err)
	}
	_, key, _ := r.Identity.read(time.Now())
	var stored map[string]any
	if err := e.Table.Get(ctx, made.key(), &stored); err != nil {
		t.Fatal(err)
	}
	shownTo := fmt.Sprintf("%+v %+v %s", stored, made.View(time.Now()), asJSON(t, made.View(time.Now())))
	for what, text := range map[string]string{
		"secret": secret[6:], "seed": string(pair[:32]), "header": "hunter2", "key": string(key), "encoded seed": base64.StdEncoding.EncodeToString(pair[:30]), "encoded key": base64.StdEncoding.EncodeToString(key),
	} {
		if strings.Contains(shownTo, text) {
			t.Errorf("the %s is to be seen", what)
		}
	}
	p, err := e.pack(ctx, read, eventOf(t, made), Resent, time.Now())
	if err != nil || p.Headers.Get("Authorization") != "Bearer hunter2" || p.Identity == nil || p.Limit != 20*time.Second || p.Cause != Resent {
		t.Fatalf("%+v: %v", p, err)
	}
	if _, err := p.Identity.certificate(); err != nil {
		t.Error(err)
	}
	for what, take := range map[string]func(*Endpoint){
		"secret": func(o *Endpoint) { o.Pair, o.Headers, o.Client, o.Signing = "", nil, nil, "" },
		"pair":   func(o *Endpoint) { o.Headers, o.Client, o.Signing = nil, nil, ByEd25519 },
		"header": func(o *Endpoint) { o.Client, o.Keys, o.Signing = nil, Keys{}, ByEd25519 },
		"key":    func(o *Endpoint) { o.Headers, o.Keys, o.Signing = nil, Keys{}, ByEd25519 },
	} {
		other := read
		take(&other)
		if _, err := e.pack(ctx, other, eventOf(t, made), "", time.Now()); err != nil {
			t.Errorf("the %s does not open for its own endpoint: %v", what, err)
		}
		other.ID = "ep_01JD0000000000000000000000"
		if _, err := e.pack(ctx, other, eventOf(t, made), "", time.Now()); err == nil {
			t.Errorf("the %s opens for another endpoint", what)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eventOf is a test event for an endpoint.
func eventOf(t *testing.T, e Endpoint) event.Event {
	t.Helper()
	made, err := event.New(event.Event{Merchant: e.Merchant, ID: "evt_01JD0000000000000000000000", Type: event.EndpointTest, CreatedAt: noon, Object: e.ID, Version: 1}, TestedView{Endpoint: e.ID})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestConformanceTheSameRequestWithEverySettingAgainFindsItsEndpoint(t *testing.T) {
	ctx := context.Background()
	r := settled(t)
	r.ID = "ep_01JD0000000000000000000000"
	e, first, secret := created(t, r)
	second, again, err := e.Create(ctx, r)
	if err != nil || again != secret || !reflect.DeepEqual(second, first) {
		t.Errorf("%+v %t %v", second, again == secret, err)
	}
	plain := wanted
	plain.ID = "ep_01JD0000000000000000000001"
	if _, _, err := e.Create(ctx, plain); err != nil {
		t.Fatal(err)
	}
	plain.Fallbacks, plain.Schedule, plain.Payload, plain.Signing, plain.Where = []string{}, []int{}, event.Full, ByHMAC, Where{Assets: []string{}, Metadata: map[string]string{}}
	if _, _, err := e.Create(ctx, plain); err != nil {
		t.Errorf("what is usual, said or left out, is not the same: %v", err)
	}
	for what, change := range map[string]func(*Request){
		"schedule": func(r *Request) { r.Schedule = []int{1} }, "signing": func(r *Request) { r.Signing = ByHMAC },
		"headers": func(r *Request) { r.Private.Headers = map[string]string{"x-other": "a"} }, "certificate": func(r *Request) { r.Identity = nil },
	} {
		other := r
		change(&other)
		if _, _, err := e.Create(ctx, other); !problem.Is(err, problem.Conflict) {
			t.Errorf("another %s under the same id: %v", what, err)
		}
	}
}

func TestConformanceASettingThatIsLeftOutStaysAndOneThatIsTakenAwayGoes(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, settled(t))
	kept, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.Limit = 9 }, Private{})
	made.Limit, made.Version, made.UpdatedAt = 9, 2, kept.UpdatedAt
	if err != nil || !reflect.DeepEqual(kept, made) {
		t.Errorf("%+v, want %+v: %v", kept, made, err)
	}
	plain, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.Where = Where{} }, Private{Headers: map[string]string{}, Identity: &Identity{}})
	if err != nil || plain.Headers != nil || plain.Client != nil || !plain.ChosenAt.After(made.ChosenAt) || plain.Pair != made.Pair {
		t.Errorf("%+v: %v", plain, err)
	}
	_, err = e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.URL, s.Timeout = "http://a.example/", 99 }, Private{Headers: map[string]string{"host": "a"}, Identity: &Identity{Certificate: "a"}})
	if got := strings.Join(fieldsIn(err), " "); got != "url timeout headers.host client_certificate.certificate" {
		t.Errorf("all that is wrong is not named at once: %s", got)
	}
	if read, err := e.Get(ctx, "mer_1", made.ID); err != nil || !reflect.DeepEqual(read, plain) {
		t.Errorf("a change that was refused was written: %+v %v", read, err)
	}
}

// The public keys are looked up by receivers, who verify by them.
func TestConformanceV1aTurnedOnLaterHasAKeyThatStaysAndIsRotatedWithTheSecret(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, wanted)
	now := time.Now()
	shape := func(one Endpoint) string {
		t.Helper()
		header, err := e.signatures(ctx, one, "evt_1", now, "{}")
		if err != nil {
			t.Fatal(err)
		}
		var versions []string
		for part := range strings.SplitSeq(header, " ") {
			version, signature, _ := strings.Cut(part, ",")
			versions = append(versions, version)
			if version != "v1a" {
				continue
			}
			raw, _ := base64.StdEncoding.DecodeString(signature)
			if !slices.ContainsFunc(one.PublicKeys(now), func(k PublicKey) bool {
				public, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(k.PublicKey, "whpk_"))
				return len(public) == ed25519.PublicKeySize && ed25519.Verify(public, fmt.Appendf(nil, "evt_1.%d.{}", now.Unix()), raw)
			}) {
				t.Errorf("no public key verifies %s", signature)
			}
		}
		return strings.Join(versions, " ")
	}
	by := func(s Signing) Endpoint {
		t.Helper()
		one, err := e.Update(ctx, "mer_1", made.ID, func(settings *Settings) { settings.Signing = s }, Private{})
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	rotate := func(overlap time.Duration) Endpoint {
		t.Helper()
		one, _, err := e.Rotate(ctx, "mer_1", made.ID, overlap, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	if made.Pair != "" || made.PublicKeys(now) != nil || shape(made) != "v1" {
		t.Errorf("%+v", made)
	}
	if one := rotate(time.Hour); one.Pair != "" || shape(one) != "v1 v1" {
		t.Errorf("%+v", one)
	}
	first := by(ByBoth)
	if shape(first) != "v1 v1a v1" || len(first.PublicKeys(now)) != 1 {
		t.Errorf("%s %v", shape(first), first.PublicKeys(now))
	}
	if one := by(ByEd25519); one.Public != first.Public || shape(one) != "v1a" {
		t.Errorf("%s %+v", shape(one), one)
	}
	if one := rotate(time.Hour); one.Public == first.Public || one.Secret == first.Secret || shape(one) != "v1a v1a" || one.PublicKeys(now)[1].PublicKey != first.Public {
		t.Errorf("%s %+v", shape(one), one)
	}
	if one := by(ByHMAC); one.PublicKeys(now) != nil || shape(one) != "v1 v1 v1" {
		t.Errorf("%s %v", shape(one), one.PublicKeys(now))
	}
	if one := rotate(0); shape(one) != "v1" || one.Pair == "" {
		t.Errorf("%s %+v", shape(one), one)
	}
	for _, wrong := range []time.Duration{-time.Second, LongestOverlap + time.Second} {
		if _, _, err := e.Rotate(ctx, "mer_1", made.ID, wrong, time.Now()); problem.Of(err).Field != "overlap" {
			t.Errorf("an overlap of %v: %v", wrong, err)
		}
	}
}

func TestConformanceTheSameRotationAgainIsTheFirstOne(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, settled(t))
	rotate := func() (Endpoint, string) {
		t.Helper()
		again := e
		again.Random = bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4, 5}, 40)) // as under one Idempotency-Key
		one, secret, err := again.Rotate(ctx, "mer_1", made.ID, time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return one, secret
	}
	first, secret := rotate()
	second, again := rotate()
	if again != secret || !reflect.DeepEqual(second, first) || len(second.Former) != 1 {
		t.Errorf("%+v, want %+v", second, first)
	}
}

func TestConformanceARotationThatAnotherHasOvertakenIsRefused(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, wanted)
	began := time.Now().Add(-time.Minute)
	last, _, err := e.Rotate(ctx, "mer_1", made.ID, time.Hour, began)
	if err != nil {
		t.Fatal(err)
	}
	if _, secret, err := e.Rotate(ctx, "mer_1", made.ID, time.Hour, began); !problem.Is(err, problem.Conflict) || secret != "" {
		t.Errorf("%v", err)
	}
	if stored, err := e.Get(ctx, "mer_1", made.ID); err != nil || !reflect.DeepEqual(stored, last) {
		t.Errorf("%+v, want %+v: %v", stored, last, err)
	}
	if _, _, err := e.Rotate(ctx, "mer_1", made.ID, time.Hour, *last.RotatedAt); err != nil {
		t.Errorf("one that began afterwards: %v", err)
	}
}

func TestConformanceEveryFieldOfAnEndpointIsChecked(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, wanted)
	insecure, none := "http://merchant.example/", []string{}
	for field, do := range map[string]func() error{
		"url":       func() error { r := wanted; r.URL = insecure; _, _, err := e.Create(ctx, r); return err },
		"events":    func() error { r := wanted; r.Events = nil; _, _, err := e.Create(ctx, r); return err },
		"events[0]": func() error { r := wanted; r.Events = []string{"\xff"}; _, _, err := e.Create(ctx, r); return err },
		"url ": func() error {
			_, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.URL = insecure }, Private{})
			return err
		},
		"events ": func() error {
			_, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.Events = none }, Private{})
			return err
		},
	} {
		if err := do(); problem.Of(err).Field != strings.TrimSpace(field) || !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, name := range []string{"", "ep_", "ep_x", "../ep_1", "evt_01JD0000000000000000000000", "ep_01JD0000000000000000000000", strings.ToLower(made.ID)} {
		if _, err := e.Get(ctx, "mer_1", name); !problem.Is(err, problem.NotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := e.Get(ctx, "mer_2", made.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("another merchant's endpoint: %v", err)
	}
}

func TestConformanceAnEndpointIsChangedDisabledEnabledRotatedAndDeleted(t *testing.T) {
	ctx := context.Background()
	e, made, secret := created(t, wanted)
	url, patterns := "https://merchant.example/other", []string{"*"}
	changed, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.URL = url }, Private{})
	if err != nil || changed.URL != url || changed.Events[0] != "payment.*" || changed.Version != 2 {
		t.Errorf("%+v %v", changed, err)
	}
	if changed, err = e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.Events = patterns }, Private{}); err != nil || changed.URL != url || changed.Events[0] != "*" {
		t.Errorf("%+v %v", changed, err)
	}
	if same, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.Events = patterns }, Private{}); err != nil || same.Version != changed.Version {
		t.Errorf("a change that changes nothing was written: %+v %v", same, err)
	}
	off, err := e.Disable(ctx, "mer_1", made.ID, "by its owner")
	if err != nil || off.Enabled || off.View(time.Now()).DisabledReason != "by its owner" {
		t.Errorf("%+v %v", off, err)
	}
	on, err := e.Enable(ctx, "mer_1", made.ID)
	if err != nil || !on.Enabled || on.DisabledReason != "" {
		t.Errorf("%+v %v", on, err)
	}
	rotated, second, err := e.Rotate(ctx, "mer_1", made.ID, Overlap, time.Now())
	if err != nil || second == secret {
		t.Fatal(second == secret, err)
	}
	header, err := e.signatures(ctx, rotated, "evt_1", time.Now(), "{}")
	if err != nil || strings.Count(header, "v1,") != 2 {
		t.Errorf("%q %v", header, err)
	}
	if err := e.Delete(ctx, "mer_1", made.ID); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"get": func() error { _, err := e.Get(ctx, "mer_1", made.ID); return err },
		"update": func() error {
			_, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.URL = url }, Private{})
			return err
		},
		"enable":  func() error { _, err := e.Enable(ctx, "mer_1", made.ID); return err },
		"disable": func() error { _, err := e.Disable(ctx, "mer_1", made.ID, ""); return err },
		"rotate":  func() error { _, _, err := e.Rotate(ctx, "mer_1", made.ID, Overlap, time.Now()); return err },
		"delete":  func() error { return e.Delete(ctx, "mer_1", made.ID) },
	} {
		if err := do(); !problem.Is(err, problem.NotFound) {
			t.Errorf("%s of a deleted endpoint: %v", name, err)
		}
	}
}

func TestConformanceChangesOfOneEndpointAtOnceAreAllMade(t *testing.T) {
	ctx := context.Background()
	e, made, _ := created(t, wanted)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			url := fmt.Sprintf("https://merchant.example/%d", i)
			if _, err := e.Update(ctx, "mer_1", made.ID, func(s *Settings) { s.URL = url }, Private{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if last, err := e.Get(ctx, "mer_1", made.ID); err != nil || last.Version != 9 {
		t.Errorf("%+v %v", last, err)
	}
}

func TestConformanceEndpointsAreListedNewestFirstPageByPageForEachMerchant(t *testing.T) {
	e, ctx := newEndpoints(t), context.Background()
	at := time.Now()
	e.Now = func() time.Time { at = at.Add(time.Second); return at }
	var names []string
	for i := range 5 {
		r := wanted
		r.URL = fmt.Sprintf("https://merchant.example/%d", i)
		made, _, err := e.Create(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		names = append([]string{made.ID}, names...)
	}
	var got []string
	for cursor := ""; ; {
		page, next, err := e.List(ctx, "mer_1", 2, cursor)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page {
			got = append(got, one.ID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if !reflect.DeepEqual(got, names) {
		t.Errorf("%v, want %v", got, names)
	}
	if page, _, err := e.List(ctx, "mer_2", 10, ""); err != nil || len(page) != 0 {
		t.Errorf("another merchant sees %v %v", page, err)
	}
}

func TestConformanceADeliveryIsWrittenOnceUnderEachVersion(t *testing.T) {
	d, ctx := Deliveries{Table: parts.Table(t, parts.Index{Name: dueIndex, Partition: "due_shard", Sort: "due_at"})}, context.Background()
	one := after(Delivery{Event: "evt_01JD0000000000000000000000", Endpoint: "ep_01JD0000000000000000000000", Merchant: "mer_1"},
		outcome{Status: 500, Answer: "no"})
	if err := d.write(ctx, one); err != nil {
		t.Fatal(err)
	}
	if err := d.write(ctx, one); !errors.Is(err, dynamo.ErrStale) {
		t.Errorf("the first version twice: %v", err)
	}
	two := after(one, outcome{Status: 200})
	if err := d.write(ctx, two); err != nil {
		t.Fatal(err)
	}
	if err := d.write(ctx, two); !errors.Is(err, dynamo.ErrStale) {
		t.Errorf("the second version twice: %v", err)
	}
	read, err := d.Get(ctx, "mer_1", one.ID())
	if err != nil || !reflect.DeepEqual(read, two) {
		t.Errorf("%+v\nwant %+v: %v", read, two, err)
	}
	for merchant, count := range map[string]int{"mer_1": 1, "mer_2": 0} {
		if page, _, err := d.List(ctx, merchant, one.Event, 10, ""); err != nil || len(page) != count {
			t.Errorf("%s sees %v %v", merchant, page, err)
		}
	}
	for _, c := range [][2]string{{"mer_2", one.ID()}, {"mer_1", "dlv_x"}, {"mer_1", "dlv_01JD0000000000000000000000_01JD0000000000000000000001"}} {
		if _, err := d.Get(ctx, c[0], c[1]); !problem.Is(err, problem.NotFound) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestConformanceAnEndpointIsPinnedToTheVersionOfPayloadsOfItsMaking(t *testing.T) {
	s := newEndpoints(t)
	made, _, err := s.Create(t.Context(), Request{Merchant: "mer_1", Settings: Settings{URL: "https://shop.example/", Events: []string{"*"}}})
	if err != nil || made.Pinned != event.Newest() {
		t.Errorf("%+v, %v", made, err)
	}
	_, _, err = s.Create(t.Context(), Request{Merchant: "mer_1", Settings: Settings{URL: "https://shop.example/", Events: []string{"*"}, Pinned: "2020-01-01"}})
	if problem.Of(err).Field != "version" {
		t.Errorf("a version that there never was: %v", err)
	}
}
