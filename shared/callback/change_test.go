package callback

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/shared/problem"
	"farrier/shared/seal"
)

const secretC = "whsec_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// rotating is a table of connections and one connection with secretA.
func rotating(t *testing.T) (Connections, Connection) {
	t.Helper()
	table := connections(t)
	made, _, err := table.Create(context.Background(), Asked{Merchant: "mer_1", Provider: "standard-webhooks", Secret: secretA})
	if err != nil {
		t.Fatal(err)
	}
	return table, made
}

func (c Connections) must(t *testing.T, conn Connection, asked Change) (Connection, string) {
	t.Helper()
	asked.Version = conn.Version
	changed, made, err := c.Change(context.Background(), conn, asked)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := c.Get(context.Background(), conn.ID)
	if err != nil || !reflect.DeepEqual(stored, changed) {
		t.Fatalf("stored %+v, answered %+v, %v", stored, changed, err)
	}
	return changed, made
}

// believed are the secrets that verify at a time.
func (c Connections) believed(t *testing.T, conn Connection, at time.Time) string {
	t.Helper()
	k := &Keyring{Sealer: &seal.Sealer{Client: c.Sealer.Client, KeyID: c.Sealer.KeyID, Now: time.Now}, Now: func() time.Time { return at }}
	keys, err := k.Keys(context.Background(), conn)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{secretA: "A", secretB: "B", secretC: "C"}
	var text []string
	for _, s := range keys.Secrets {
		text = append(text, or(names[s], "made"))
	}
	return strings.Join(text, " ")
}

func TestASecretIsAddedWhileTheOldOneStaysValidUntilItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		asked  Change
		before string
		ends   time.Time
		after  string
	}{
		"for a day":    {Change{Secret: secretB}, "A B", noon.Add(24 * time.Hour), "B"},
		"for an hour":  {Change{Secret: secretB, OldUntil: "2026-11-21T13:00:00Z"}, "A B", noon.Add(time.Hour), "B"},
		"another zone": {Change{Secret: secretB, OldUntil: "2026-11-21T14:00:00+01:00"}, "A B", noon.Add(time.Hour), "B"},
		"thirty days":  {Change{Secret: secretB, OldUntil: "2026-12-21T12:00:00Z"}, "A B", noon.Add(30 * 24 * time.Hour), "B"},
		"not at all":   {Change{Secret: secretB, OldUntil: "now"}, "B", noon.Add(time.Second), "B"},
		"several":      {Change{Keys: []string{secretB, secretC}}, "A B C", noon.Add(24 * time.Hour), "B C"},
		"made here":    {Change{NewSecret: true}, "A made", noon.Add(24 * time.Hour), "made"},
		"the same":     {Change{Secret: secretA}, "A", noon.Add(24 * time.Hour), "A"},
	} {
		t.Run(name, func(t *testing.T) {
			table, conn := rotating(t)
			changed, made := table.must(t, conn, c.asked)
			if (made != "") != c.asked.NewSecret || changed.Version != 2 {
				t.Errorf("made %q, version %d", made, changed.Version)
			}
			for at, want := range map[time.Time]string{noon: c.before, c.ends.Add(-time.Second): c.before, c.ends: c.after} {
				if got := table.believed(t, changed, at); got != want {
					t.Errorf("at %s: %s, want %s", at, got, want)
				}
			}
			if len(changed.Marks) != len(strings.Fields(c.before)) {
				t.Errorf("%+v", changed.Marks)
			}
		})
	}
}

func TestASecretThatIsEndingIsNotGivenMoreTimeByTheNext(t *testing.T) {
	table, conn := rotating(t)
	conn, _ = table.must(t, conn, Change{Secret: secretB, OldUntil: "2026-11-21T13:00:00Z"})
	conn, _ = table.must(t, conn, Change{Secret: secretC})
	for at, want := range map[time.Time]string{noon: "A B C", noon.Add(time.Hour): "B C", noon.Add(24 * time.Hour): "C"} {
		if got := table.believed(t, conn, at); got != want {
			t.Errorf("at %s: %s, want %s", at, got, want)
		}
	}
	table.Now = func() time.Time { return noon.Add(2 * time.Hour) }
	if conn, _ = table.must(t, conn, Change{NewSecret: true}); len(conn.Marks) != 3 {
		t.Errorf("what has ended is forgotten with the next change: %+v", conn.Marks)
	}
}

func TestASecretIsRemovedByItsFingerprint(t *testing.T) {
	table, conn := rotating(t)
	conn, _ = table.must(t, conn, Change{Secret: secretB})
	conn, _ = table.must(t, conn, Change{Remove: []string{fingerprint(conn.ID, secretA)}})
	if got := table.believed(t, conn, noon); got != "B" || len(conn.Marks) != 1 || conn.Marks[0].Fingerprint != fingerprint(conn.ID, secretB) {
		t.Errorf("%s, %+v", got, conn.Marks)
	}
	conn, _ = table.must(t, conn, Change{Remove: []string{conn.Marks[0].Fingerprint}, Secret: secretC})
	if got := table.believed(t, conn, noon); got != "C" {
		t.Error(got)
	}
}

func TestAFingerprintTellsNothing(t *testing.T) {
	one := fingerprint("con_1", secretA)
	if len(one) != 8 || one == fingerprint("con_2", secretA) || one == fingerprint("con_1", secretB) || one != fingerprint("con_1", secretA) {
		t.Error(one)
	}
}

func TestAConnectionFromBeforeTheMarksShowsThem(t *testing.T) {
	table, conn := rotating(t)
	want := conn.Marks
	conn.Marks = nil
	if got, err := table.Marked(context.Background(), conn); err != nil || !reflect.DeepEqual(got.Marks, want) || len(want) != 1 {
		t.Errorf("%+v, %v", got.Marks, err)
	}
}

func TestWhatIsLeftOutOfAChangeStays(t *testing.T) {
	table, ctx := connections(t), context.Background()
	conn, _, err := table.Create(ctx, Asked{
		Merchant: "mer_1", Provider: "hmac", Secret: "It's a Secret to Everybody", Care: Care{KeepDays: 7, QuietAfter: 600},
		Settings: Settings{Chain: "eip155:137", TransactionPath: "a.b", HMAC: &HMAC{Header: "x-sig"}, Sources: []string{"192.0.2.1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	changed, _ := table.must(t, conn, Change{})
	changed.Version, changed.Change, changed.Credentials = conn.Version, conn.Change, conn.Credentials
	if !reflect.DeepEqual(changed, conn) {
		t.Errorf("%+v, before %+v", changed, conn)
	}
	changed, _ = table.must(t, Connection{}.at(table, conn.ID, t), Change{Settings: Settings{TransactionPath: "c", Sources: []string{"2001:db8::/32"}}, Care: Care{KeepDays: 30}})
	if s := changed.Settings; s.TransactionPath != "c" || s.Chain != "eip155:137" || s.HMAC == nil || !slices.Equal(s.Sources, []string{"2001:db8::/32"}) || changed.Care != (Care{30, 600}) {
		t.Errorf("%+v", changed)
	}
	changed, _ = table.must(t, changed, Change{Clear: []string{"chain", "sources", "quiet_after"}, Settings: Settings{ChainPath: "on"}})
	if s := changed.Settings; s.Chain != "" || s.ChainPath != "on" || s.Sources != nil || changed.Care != (Care{KeepDays: 30}) || changed.watched() {
		t.Errorf("%+v", changed)
	}
}

// publishedByCircle is the key of the example in https://developers.circle.com/wallets/webhook-notifications (read 2026-11-24).
const publishedByCircle = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESl76SZPBJemW0mJNN4KTvYkLT8bOT4UGhFhzNk3fJqf6iuPlLQLq533FelXwczJbjg2U1PHTvQTK7qOQnDL2Tg=="

// at reads a connection again.
func (Connection) at(table Connections, id string, t *testing.T) Connection {
	t.Helper()
	c, err := table.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatAConnectionCannotBecomeIsRefusedByTheFieldsName(t *testing.T) {
	table, conn := rotating(t)
	for _, c := range []struct {
		field string
		asked Change
	}{
		{"trust", Change{Trust: "ask"}},
		{"secret", Change{Secret: "whsec_short"}},
		{"keys", Change{Secret: secretB, Keys: []string{secretC}}},
		{"keys[1]", Change{Keys: []string{secretB, ""}}},
		{"keys", Change{Keys: slices.Repeat([]string{secretB}, 11)}},
		{"new_secret", Change{Secret: secretB, NewSecret: true}},
		{"old_until", Change{OldUntil: "now"}},
		{"old_until", Change{Secret: secretB, OldUntil: "later"}},
		{"old_until", Change{Secret: secretB, OldUntil: "2026-11-21T11:59:59Z"}},
		{"old_until", Change{Secret: secretB, OldUntil: "2026-12-21T12:00:01Z"}},
		{"remove[0]", Change{Remove: []string{"00000000"}}},
		{"remove[1]", Change{Remove: []string{conn.Marks[0].Fingerprint, conn.Marks[0].Fingerprint}}},
		{"remove", Change{Remove: []string{conn.Marks[0].Fingerprint}}},
		{"credentials", Change{Credentials: map[string]string{"api_key": "x"}}},
		{"clear[0]", Change{Clear: []string{"merchant"}}},
		{"clear[1]", Change{Clear: []string{"chain", "credentials.api_key"}}},
		{"clear[0]", Change{Clear: []string{""}}},
		{"chain", Change{Settings: Settings{Chain: "eip155:5"}}},
		{"hmac", Change{Settings: Settings{HMAC: &HMAC{Header: "x"}}}},
		{"sources[0]", Change{Settings: Settings{Sources: []string{"here"}}}},
		{"keep_days", Change{Care: Care{KeepDays: 3651}}},
		{"quiet_after", Change{Care: Care{QuietAfter: 299}}},
	} {
		c.asked.Version = conn.Version
		_, made, err := table.Change(context.Background(), conn, c.asked)
		if !problem.Is(err, problem.Invalid) || problem.Of(err).Field != c.field || made != "" {
			t.Errorf("%s: %v", c.field, err)
		}
	}
	if got := conn.at(table, conn.ID, t); !reflect.DeepEqual(got, conn) {
		t.Errorf("%+v", got)
	}
}

func TestAChangeOfSomethingElseThanWhatIsThereIsRefused(t *testing.T) {
	table, conn := rotating(t)
	table.must(t, conn, Change{Care: Care{KeepDays: 1}})
	for name, read := range map[string]Connection{"read before": conn, "read after": conn.at(table, conn.ID, t)} {
		if _, _, err := table.Change(context.Background(), read, Change{Version: 1, Secret: secretB}); !problem.Is(err, problem.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAChangeRunTwiceIsOneChangeAndOneSecret(t *testing.T) {
	table, conn := rotating(t)
	random := bytes.Repeat([]byte("the same for every run of a request"), 10)
	var answers []string
	for _, read := range []func() Connection{
		func() Connection { return conn },                       // the first run
		func() Connection { return conn },                       // at the same time
		func() Connection { return conn.at(table, conn.ID, t) }, // after it was stopped
	} {
		table.Random = bytes.NewReader(random)
		changed, made, err := table.Change(context.Background(), read(), Change{Version: 1, NewSecret: true})
		if err != nil || changed.Version != 2 || made == "" {
			t.Fatalf("%+v, %v", changed, err)
		}
		answers = append(answers, made+fmt.Sprint(changed.Marks))
	}
	if answers[0] != answers[1] || answers[1] != answers[2] {
		t.Errorf("%v", answers)
	}
	table.Random = rand.Reader
	if _, _, err := table.Change(context.Background(), conn.at(table, conn.ID, t), Change{Version: 1, NewSecret: true}); !problem.Is(err, problem.Conflict) {
		t.Errorf("another request: %v", err)
	}
	table.Random = io.LimitReader(rand.Reader, 3)
	if _, _, err := table.Change(context.Background(), conn, Change{Version: 1}); err == nil {
		t.Error("without randomness")
	}
}

func TestCredentialsAreAddedReplacedAndTakenAway(t *testing.T) {
	table, ctx := connections(t), context.Background()
	conn, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "circle", Keys: []string{publishedByCircle}})
	if err != nil {
		t.Fatal(err)
	}
	conn, _ = table.must(t, conn, Change{Credentials: map[string]string{"api_key": "TEST_API_KEY:one:secret"}})
	conn, _ = table.must(t, conn, Change{Credentials: map[string]string{"api_key": "TEST_API_KEY:two:secret"}})
	if got, err := conn.Credential(ctx, table.Sealer, "api_key"); got != "TEST_API_KEY:two:secret" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	last := Change{Remove: []string{conn.Marks[0].Fingerprint}, Clear: []string{"credentials.api_key"}, Version: conn.Version}
	if _, _, err := table.Change(ctx, conn, last); problem.Of(err).Field != "credentials.api_key" {
		t.Errorf("without keys it needs the credential: %v", err)
	}
	conn, _ = table.must(t, conn, Change{Clear: []string{"credentials.api_key"}})
	if len(conn.Credentials) != 0 {
		t.Errorf("%v", conn.Credentials)
	}
}

func TestADisabledConnectionRefuses(t *testing.T) {
	table, conn := rotating(t)
	no, yes := false, true
	conn, _ = table.must(t, conn, Change{Enabled: &no})
	if _, err := conn.Verify(context.Background(), Delivery{}, Keys{}); !errors.Is(err, Disabled) {
		t.Error(err)
	}
	conn, _ = table.must(t, conn, Change{Enabled: &yes})
	if _, err := conn.Verify(context.Background(), Delivery{}, Keys{}); !errors.Is(err, HeaderMissing) {
		t.Error(err)
	}
}

func TestAConnectionIsQuietAfterItsTimeAndNotBefore(t *testing.T) {
	table, conn := rotating(t)
	conn, _ = table.must(t, conn, Change{Care: Care{QuietAfter: 600}})
	if !conn.watched() || !conn.WatchedSince.Equal(noon) {
		t.Fatalf("%+v", conn)
	}
	after := func(d time.Duration) time.Time { return noon.Add(d) }
	for name, c := range map[string]struct {
		latest, now time.Time
		want        bool
	}{
		"nothing yet, in time":        {time.Time{}, after(11 * time.Minute), false},
		"nothing yet, too long":       {time.Time{}, after(11*time.Minute + time.Second), true},
		"the last is long before":     {after(-time.Hour), after(11 * time.Minute), false},
		"something came":              {after(5 * time.Minute), after(16 * time.Minute), false},
		"something came and no more":  {after(5 * time.Minute), after(16*time.Minute + time.Second), true},
		"what came is of another day": {after(-48 * time.Hour), after(11*time.Minute + time.Second), true},
	} {
		if got := conn.Quiet(c.latest, c.now, time.Minute); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if ids, err := table.WatchList(context.Background()); !slices.Equal(ids, []string{conn.ID}) || err != nil {
		t.Errorf("%v, %v", ids, err)
	}
	later := table
	later.Now = func() time.Time { return noon.Add(time.Hour) }
	conn, _ = later.must(t, conn, Change{Secret: secretB})
	if !conn.WatchedSince.Equal(noon) {
		t.Error("another change began its time anew")
	}
	no, yes := false, true
	conn, _ = later.must(t, conn, Change{Enabled: &no})
	if conn.watched() || conn.Quiet(time.Time{}, noon.Add(24*time.Hour), 0) {
		t.Error("a disabled one is watched")
	}
	conn, _ = later.must(t, conn, Change{Enabled: &yes})
	if !conn.watched() || !conn.WatchedSince.Equal(noon.Add(time.Hour)) {
		t.Error("enabled again, its time begins anew")
	}
}

func TestAMerchantsConnectionsAreListedNewestFirst(t *testing.T) {
	table, ctx := connections(t), context.Background()
	var made []string
	for i := range 5 {
		table.Now = func() time.Time { return noon.Add(time.Duration(i) * time.Second) }
		conn, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "standard-webhooks"})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, conn.ID)
	}
	slices.Reverse(made)
	var listed []string
	for cursor, more := "", true; more; more = cursor != "" {
		page, next, err := table.Of(ctx, "mer_1", 2, cursor)
		if err != nil || len(page) > 2 {
			t.Fatal(len(page), err)
		}
		for _, conn := range page {
			listed = append(listed, conn.ID)
		}
		cursor = next
	}
	if !slices.Equal(listed, made) {
		t.Errorf("%v, want %v", listed, made)
	}
	if page, _, err := table.Of(ctx, "mer_2", 2, ""); len(page) != 0 || err != nil {
		t.Errorf("%v, %v", page, err)
	}
}

func TestTheLastingSecretIsTheOneWithoutAnEnd(t *testing.T) {
	soon, later, past := noon.Add(time.Hour), noon.Add(2*time.Hour), noon.Add(-time.Hour)
	for want, secrets := range map[string][]Secret{
		"b": {{"a", nil}, {"b", nil}, {"c", &later}},
		"c": {{"x", &soon}, {"c", &later}, {"y", &past}},
		"":  {{"x", &past}},
	} {
		if got, found := lasting(secrets, noon); got.Text != want || found != (want != "") {
			t.Errorf("%q, want %q", got.Text, want)
		}
	}
}
