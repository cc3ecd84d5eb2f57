package callback

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
)

func TestAConnectionIsReadOnceAMinute(t *testing.T) {
	table, ctx, now := connections(t), context.Background(), noon
	created, _, err := table.Create(ctx, Asked{Merchant: "mer_1", Provider: "standard-webhooks"})
	if err != nil {
		t.Fatal(err)
	}
	table.Now = func() time.Time { return now }
	known := &Known{Connections: table}
	if _, err := known.Find(ctx, created.ID); err != nil {
		t.Fatal(err)
	}
	changed := created
	changed.Merchant, changed.Version = "mer_2", 2
	if err := table.Table.Replace(ctx, changed, 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{59 * time.Second, "mer_1"}, {time.Minute, "mer_2"}} {
		now = noon.Add(c.after)
		if got, err := known.Find(ctx, created.ID); got.Merchant != c.want || err != nil {
			t.Errorf("after %s: %q, %v", c.after, got.Merchant, err)
		}
	}
}

func TestAnUnknownConnectionIsAskedForOnceAMinute(t *testing.T) {
	table, ctx, now := connections(t), context.Background(), noon
	table.Now = func() time.Time { return now }
	known := &Known{Connections: table}
	late := Connection{Merchant: "mer_1", PK: "con_01JD0000000000000000000000", SK: "connection", ID: "con_01JD0000000000000000000000", Version: 1}
	if _, err := known.Find(ctx, late.ID); !errors.Is(err, ErrUnknown) {
		t.Fatal(err)
	}
	if err := table.Table.Create(ctx, late); err != nil {
		t.Fatal(err)
	}
	now = noon.Add(59 * time.Second)
	if _, err := known.Find(ctx, late.ID); !errors.Is(err, ErrUnknown) {
		t.Errorf("within the minute: %v", err)
	}
	now = noon.Add(time.Minute)
	if got, err := known.Find(ctx, late.ID); got.ID != late.ID || err != nil {
		t.Errorf("after it: %v", err)
	}
}

func TestGuessesNeverPushAConnectionOutOfMemory(t *testing.T) {
	known := &Known{Connections: Connections{Now: func() time.Time { return noon }}} // no table to read again from
	known.remember(&known.met, "con_01JD0000000000000000000000", answer{connection: Connection{ID: "met"}, until: noon.Add(KeepFor)})
	for i := range 3 * mostKnown {
		known.remember(&known.nobodys, fmt.Sprint(i), answer{err: ErrUnknown, until: noon.Add(KeepFor)})
	}
	if c, err := known.Find(context.Background(), "con_01JD0000000000000000000000"); c.ID != "met" || err != nil {
		t.Errorf("%+v, %v", c, err)
	}
	if len(known.nobodys) > mostKnown {
		t.Errorf("%d guesses are remembered", len(known.nobodys))
	}
}

func TestAMalformedIDIsNotRemembered(t *testing.T) {
	known := &Known{Connections: Connections{Now: func() time.Time { return noon }}}
	for _, id := range []string{"", "con_", "x", "con_" + ulid.ULID{}.String() + "0"} {
		if _, err := known.Find(context.Background(), id); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if len(known.nobodys) != 0 {
		t.Error("a malformed id takes memory")
	}
}

func TestAFreshConnectionIsReadAndRememberedThoughAnOlderOneIs(t *testing.T) {
	table, conn := rotating(t)
	known := &Known{Connections: table}
	read := func(find func(context.Context, string) (Connection, error)) int64 {
		t.Helper()
		c, err := find(context.Background(), conn.ID)
		if err != nil {
			t.Fatal(err)
		}
		return c.Version
	}
	read(known.Find)
	table.must(t, conn, Change{})
	if remembered, fresh, after := read(known.Find), read(known.Fresh), read(known.Find); remembered != 1 || fresh != 2 || after != 2 {
		t.Errorf("version %d is remembered, %d fresh, %d remembered then", remembered, fresh, after)
	}
	if _, err := known.Fresh(context.Background(), "con_x"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}
