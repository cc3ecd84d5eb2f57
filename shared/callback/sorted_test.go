package callback

import "testing"

// Written by Node's JSON.stringify over an object whose keys were sorted at every depth (Node 20.20), but for the numbers,
// which JavaScript would write anew.
func TestJSONIsSortedAtEveryDepthAndWrittenAsJavaScriptDoes(t *testing.T) {
	for body, want := range map[string]string{
		` { "b" : 1, "a" : { "d" : [ { "z" : 1, "y" : 2 } ], "c" : null } } `: `{"a":{"c":null,"d":[{"y":2,"z":1}]},"b":1}`,
		`{"n":[1.0,1e-7,12345678901234567890,-0,0.10]}`:                       `{"n":[1.0,1e-7,12345678901234567890,-0,0.10]}`,
		`{"t":true,"f":false,"e":"","o":{},"l":[]}`:                           `{"e":"","f":false,"l":[],"o":{},"t":true}`,
		`"\u003c\u0026\u003e\/\u2028é\ud83d\ude00"`:                           "\"<&>/\u2028é😀\"",
		`"\"\\\b\f\n\r\t\u0001\u001f\u007f"`:                                  "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\u007f\"",
		`{"B":1,"a":2,"_":3,"é":4}`:                                           `{"B":1,"_":3,"a":2,"é":4}`,
		`7`:                                                                   `7`,
	} {
		if got, err := sortedJSON([]byte(body)); string(got) != want || err != nil {
			t.Errorf("%s\n is  %s\n not %s, %v", body, got, want, err)
		}
	}
	for _, body := range []string{"", "{", "{} {}", "\xff"} {
		if got, err := sortedJSON([]byte(body)); err == nil {
			t.Errorf("%q: %s", body, got)
		}
	}
}

func TestFieldsAreSortedAndJoined(t *testing.T) {
	fields := map[string]string{"b": "2", "a": "x y&z=", "empty": "", "signature": "s", "B": "1"}
	for _, c := range []struct {
		keepEmpty bool
		leftOut   []string
		want      string
	}{
		{false, []string{"signature"}, "B=1&a=x y&z=&b=2"},
		{true, []string{"signature", "B"}, "a=x y&z=&b=2&empty="},
		{false, nil, "B=1&a=x y&z=&b=2&signature=s"},
	} {
		if got := sortedFields(fields, c.keepEmpty, c.leftOut...); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if sortedFields(nil, true) != "" {
		t.Error("nothing is something")
	}
}
