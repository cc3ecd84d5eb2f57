package journal

import (
	"testing"
	"time"
)

// A cursor comes back from whoever holds it: it is one of ours, or it is refused.
func FuzzCursor(f *testing.F) {
	f.Add(cursor(Entry{noon, "evt_1"}))
	f.Add(cursor(Entry{noon.Add(time.Millisecond), "a/b#c"}))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := position(text)
		if err != nil {
			return
		}
		if again, err := position(cursor(at)); err != nil || !again.At.Equal(at.At) || again.Receipt != at.Receipt {
			t.Fatalf("%q is %+v, and then %+v, %v", text, at, again, err)
		}
		(&reading{asked: Asked{Limit: 1}, before: &at}).latestItem()
	})
}
