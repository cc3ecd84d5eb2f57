package api

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"farrier/shared/problem"
)

func TestABodyIsReadTheSameWayByEveryone(t *testing.T) {
	for body, want := range map[string]struct {
		code  problem.Code
		field string
	}{
		`{"a":1,"b":["x",{"c":true}]}`:   {},
		` {"a" : -9223372036854775808} `: {},
		`"text"`:                         {}, // huma asks for an object
		`{`:                              {code: problem.Malformed},
		`{"a":}`:                         {code: problem.Malformed},
		`{"a":1,}`:                       {code: problem.Malformed},
		`{"a":01}`:                       {code: problem.Malformed},
		`{'a':1}`:                        {code: problem.Malformed},
		`{"a":NaN}`:                      {code: problem.Malformed},
		`{"a":1}{"a":2}`:                 {code: problem.Malformed},
		`{"a":1} x`:                      {code: problem.Malformed},
		`null`:                           {code: problem.Malformed},
		"\"\xff\"":                       {code: problem.Malformed},
		"\xef\xbb\xbf{}":                 {code: problem.Malformed}, // RFC 8259, section 8.1: no byte order mark
		`{"a":null}`:                     {problem.Invalid, "a"},
		`{"a":{"b":[1,null]}}`:           {problem.Invalid, "a.b[1]"},
		`{"a":1,"a":1}`:                  {problem.Invalid, "a"},
		`{"a":{"b":1,"\u0062":2}}`:       {problem.Invalid, "a.b"},
		`{"a":1e2}`:                      {problem.Invalid, "a"},
		`{"a":[0.5]}`:                    {problem.Invalid, "a[0]"},
		`{"a":9223372036854775808}`:      {problem.Invalid, "a"},
		"{\"a\":\"\xff\"}":               {problem.Invalid, "a"},
		`{"a":"\ud800"}`:                 {problem.Invalid, "a"},
		"{\"a\":\"\uFFFD\"}":             {problem.Invalid, "a"},
		"{\"a\":{\"\xff\":1}}":           {problem.Invalid, "a"},
		strings.Repeat("[", 17) + strings.Repeat("]", 17): {code: problem.Malformed},
		strings.Repeat("[", 16) + strings.Repeat("]", 16): {},
		strings.Repeat(`{"a":`, 100_000):                  {code: problem.Malformed},
		`{"a":"` + strings.Repeat("x", 100_000) + `"}`:    {},
		`{"a":` + strings.Repeat("9", 100_000) + `}`:      {problem.Invalid, "a"},
		`{"` + strings.Repeat("k", 100) + `":null}`:       {problem.Invalid, strings.Repeat("k", 100)},
		`{"` + strings.Repeat("k", 101) + `":[1,2,3]}`:    {problem.Invalid, ""},
		`{"a":"😀 é \u00e9 \ud83d\ude00 馬蹄"}`:              {},
		`{"a":"\u0000"}`:       {}, // well-formed; the stores refuse what cannot be printed
		`{"":1}`:               {},
		`{"":null}`:            {code: problem.Malformed},
		`{"a.b":null}`:         {problem.Invalid, "a.b"},
		"\t\r\n {\"a\":1}\n":   {},
		`{"a":tru}`:            {code: problem.Malformed},
		`{"a":"` + "\n" + `"}`: {code: problem.Malformed},
	} {
		err := checkJSON([]byte(body))
		var p *problem.Error
		errors.As(err, &p)
		if (err == nil) != (want.code == "") || (p != nil && (p.Code != want.code || p.Field != want.field)) || (err != nil && p == nil) {
			t.Errorf("%.60q: %v", body, err)
		}
	}
}

func postRaw(t *testing.T, a *API, body []byte, headers map[string]string) reply {
	t.Helper()
	return do(t, a, call{method: http.MethodPost, path: "/v1/merchants", key: operatorKey, body: body, headers: headers})
}

func TestABodyThatCannotBeRead(t *testing.T) {
	a := unwired()
	postRaw(t, a, []byte(`{"name":"sw0rd`), nil).wantProblem(t, http.StatusBadRequest, "malformed")
	postRaw(t, a, nil, nil).wantProblem(t, http.StatusBadRequest, "malformed")
	postRaw(t, a, []byte(""), nil).wantProblem(t, http.StatusBadRequest, "malformed")
	postRaw(t, a, []byte("\xff\xfe"), nil).wantProblem(t, http.StatusBadRequest, "malformed")
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data; boundary=x", "application/json, text/plain", "\xff", "json"} {
		postRaw(t, a, []byte(`{}`), map[string]string{"content-type": kind}).wantProblem(t, http.StatusUnsupportedMediaType, "unsupported")
	}
	for _, kind := range []string{"", "application/json", "Application/JSON; charset=utf-8"} {
		postRaw(t, a, []byte(`{}`), map[string]string{"content-type": kind}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	}
}

func TestABodyThatIsNoObject(t *testing.T) {
	for _, body := range []string{`[]`, `"sw0rd"`, `4815`, `true`, `[{"name":"sw0rd"}]`} {
		r := postRaw(t, unwired(), []byte(body), nil).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
		if strings.Contains(r.Body, "sw0rd") || strings.Contains(r.Body, "4815") {
			t.Errorf("%s", r.Body)
		}
	}
}

func TestABodyOverTheCap(t *testing.T) {
	long := append([]byte(`{"name":"`), bytes.Repeat([]byte("x"), MaxBody)...)
	postRaw(t, unwired(), long, nil).wantProblem(t, http.StatusRequestEntityTooLarge, "too_large")
	// At the cap it is read, and refused for what it says.
	atCap := append(append([]byte(`{"name":"`), bytes.Repeat([]byte("x"), MaxBody-len(`{"name":""}`))...), `"}`...)
	postRaw(t, unwired(), atCap, nil).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	// A byte that is not UTF-8 makes AWS send it in base64, which is a third longer.
	atCap[20] = 0xff
	postRaw(t, unwired(), atCap, nil).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
}
