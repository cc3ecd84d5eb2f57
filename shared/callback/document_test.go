package callback

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"farrier/shared/money"
)

func parsed(t *testing.T, body string) document {
	t.Helper()
	doc, err := parseJSON([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// unreadable says whether an error is a ReadError that names a path.
func unreadable(err error, path string) bool {
	var r ReadError
	return errors.As(err, &r) && strings.HasPrefix(string(r), path)
}

func TestWhatADocumentHoldsIsFoundByItsPath(t *testing.T) {
	doc := parsed(t, `{"text":"t","number":12345678901234567890,"yes":true,"null":null,"empty":"","list":[{"a":1},{"a":"b"}],"deep":{"er":{"x":"y"}}}`)
	for path, want := range map[string]string{"text": "t", "number": "12345678901234567890", "list.0.a": "1", "list.1.a": "b", "deep.er.x": "y", "null": "", "yes": "", "list": "", "none": "", "list.2.a": "", "list.-1": "", "text.x": ""} {
		if got := doc.name(path); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
	if doc.text("number") != "" || doc.text("text") != "t" || !doc.has("empty") || doc.has("null") || doc.in("deep.er").text("x") != "y" || !doc.truth("yes") || doc.truth("text") {
		t.Error("text, has, in or truth")
	}
	for _, path := range []string{"none", "null", "number", "empty", "list"} {
		if _, err := doc.required(path); !unreadable(err, path) {
			t.Errorf("required %s: %v", path, err)
		}
	}
	for _, path := range []string{"none", "null", "empty", "list", "yes"} {
		if _, err := doc.requiredName(path); !unreadable(err, path) {
			t.Errorf("requiredName %s: %v", path, err)
		}
	}
	if all := doc.list("list"); len(all) != 2 || all[1].text("a") != "b" {
		t.Errorf("%v", all)
	}
	if len(doc.list("none")) != 0 || len(doc.list("null")) != 0 || len(doc.list("text")) != 1 {
		t.Error("lists of none and of one")
	}
}

func TestNumbersAreReadDigitByDigit(t *testing.T) {
	for given, want := range map[string]string{
		`10.50`: "10.50", `"10.50"`: "10.50", `1.5e-7`: "0.00000015", `"1E3"`: "1000", `1.25e1`: "12.5", `1.25e2`: "125", `1.25e3`: "1250", `0.1e1`: "1",
		`12e-1`: "1.2", `1e-1`: "0.1", `0`: "0", `"007"`: "7", `0.0`: "0.0", `12345678901234567890.123456789`: "12345678901234567890.123456789", `1e+2`: "100",
		`-1`: "", `"-1"`: "", `"+1"`: "", `"1,5"`: "", `"1."`: "", `".5"`: "", `""`: "", `null`: "", `true`: "", `[1]`: "", `"0x10"`: "", `1e101`: "", `1e-101`: "", `"1e"`: "", `"1e1e1"`: "", `" 1"`: "", `"1e1.5"`: "", `"NaN"`: "", `"Infinity"`: "",
	} {
		got, err := parsed(t, `{"a":{"n":`+given+`}}`).decimal("a.n")
		if got != want || (err == nil) != (want != "") || (err != nil && !unreadable(err, "a.n")) {
			t.Errorf("%s: %q, %v", given, got, err)
		}
	}
	for given, want := range map[string]int64{`7`: 7, `"7"`: 7, `-7`: -7} {
		if got, err := parsed(t, `{"n":`+given+`}`).integer("n"); got != want || err != nil {
			t.Errorf("%s: %d, %v", given, got, err)
		}
	}
	for _, given := range []string{`7.0`, `1e3`, `99999999999999999999`, `"x"`, `null`} {
		if _, err := parsed(t, `{"n":`+given+`}`).integer("n"); !unreadable(err, "n") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

func TestAmountsAreIntegersOfTheSmallestUnitAndNeverRounded(t *testing.T) {
	for _, c := range []struct {
		given    string
		decimals int
		want     string // "" where it is refused
	}{
		{`"10.5"`, 6, "10500000"}, {`10.500000000000000000`, 6, "10500000"}, {`0.1`, 18, "100000000000000000"}, {`1e-6`, 6, "1"}, {`1e-7`, 6, ""},
		{`10.5`, 0, ""}, {`10.0`, 0, "10"}, {`123456789.123456789123456789`, 18, "123456789123456789123456789"}, {`1e90`, 0, ""}, {`-1`, 2, ""},
	} {
		got, err := parsed(t, `{"n":`+c.given+`}`).amount("n", c.decimals)
		if (err == nil) != (c.want != "") || (err == nil && got.String() != c.want) || (err != nil && !unreadable(err, "n")) {
			t.Errorf("%s with %d decimals: %s, %v", c.given, c.decimals, got, err)
		}
	}
	for given, want := range map[string]string{
		`"0x0"`: "0", `"0xDe0B6B3a7640000"`: "1000000000000000000", `10`: "10", `"10"`: "10", `"0x` + strings.Repeat("f", 64) + `"`: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
		`"0x` + strings.Repeat("f", 65) + `"`: "", `"0x"`: "", `"ff"`: "", `-1`: "", `1.0`: "", `null`: "", `"010"`: "",
	} {
		got, err := parsed(t, `{"n":`+given+`}`).units("n")
		if (err == nil) != (want != "") || (err == nil && got.String() != want) || (err != nil && !unreadable(err, "n")) {
			t.Errorf("%.30s: %s, %v", given, got, err)
		}
	}
}

func TestAFormIsADocument(t *testing.T) {
	doc, err := parseAs("form", []byte("a=1&b=x+y%26&list=1&list=2&empty="))
	if err != nil || doc.name("a") != "1" || doc.text("b") != "x y&" || len(doc.list("list")) != 2 || doc.text("list.1") != "2" || !doc.has("empty") {
		t.Errorf("%v, %v", doc, err)
	}
	for name, body := range map[string]string{
		"empty": "", "a broken escape": "a=%zz", "a semicolon": "a=1;b=2", "not UTF-8": "a=%ff", "too many": strings.Repeat("a&", mostFields+1),
	} {
		if _, err := parseForm([]byte(body)); !unreadable(err, "the body") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestXMLIsADocument(t *testing.T) {
	doc, err := parseAs("xml", []byte(`<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment --><n:paid xmlns:n="urn:x" version="2"><order>7 &lt;&amp;&#65;</order><tx>a</tx><tx>b</tx><sum currency="EUR"> 10.50 </sum><none/>
<raw><![CDATA[<b>]]></raw></n:paid>
`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"paid.@version": "2", "paid.order": "7 <&A", "paid.tx": []any{"a", "b"}, "paid.sum.#text": "10.50", "paid.sum.@currency": "EUR", "paid.none": "", "paid.raw": "<b>",
	} {
		if got := doc.at(path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v", path, got)
		}
	}
	if a, err := doc.amount("paid.sum.#text", 2); err != nil || a.Cmp(money.Units(1050)) != 0 {
		t.Errorf("%s, %v", a, err)
	}
}

func TestXMLThatReachesOutOrGrowsIsRefusedAtOnce(t *testing.T) {
	var lol strings.Builder
	lol.WriteString(`<!DOCTYPE x [<!ENTITY a0 "lol">`)
	for i := range 9 {
		fmt.Fprintf(&lol, `<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	lol.WriteString(`]><x>&a9;</x>`)
	for name, body := range map[string]string{
		"a billion laughs":            lol.String(),
		"a file":                      `<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>`,
		"a document type outside":     `<!DOCTYPE x SYSTEM "http://example.com/x.dtd"><x/>`,
		"a parameter entity":          `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://example.com/p">%p;]><x/>`,
		"an entity that is not XML's": `<x>&nbsp;</x>`,
		"an instruction":              `<x><?php echo 1 ?></x>`,
		"an instruction before":       `<?xml-stylesheet href="http://example.com"?><x/>`,
		"an instruction after":        `<x/><?a b?>`,
		"another encoding":            `<?xml version="1.0" encoding="UTF-16"?><x/>`,
		"deep":                        strings.Repeat("<a>", deepestXML+1) + strings.Repeat("</a>", deepestXML+1),
		"many":                        "<x>" + strings.Repeat("<a/>", mostFields) + "</x>",
		"many attributes":             "<x" + attributes(mostFields) + "/>",
		"large":                       "<x>" + strings.Repeat("a", longestXML) + "</x>",
		"two roots":                   "<x/><y/>",
		"text after":                  "<x/>text",
		"text before":                 "text<x/>",
		"not closed":                  "<x>",
		"closed by another":           "<x></y>",
		"not UTF-8":                   "<x>\xff</x>",
		"empty":                       "",
		"nothing but a comment":       "<!-- -->",
		"JSON":                        "{}",
	} {
		began := time.Now()
		if doc, err := parseXML([]byte(body)); !unreadable(err, "the body") {
			t.Errorf("%s: %v, %v", name, doc, err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s takes %s", name, took)
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

func TestFieldsOfAnObjectAreTextAsTheyCame(t *testing.T) {
	got, err := parsed(t, `{"a":"x","n":1.10,"t":true,"null":null}`).fields()
	if err != nil || !reflect.DeepEqual(got, map[string]string{"a": "x", "n": "1.10", "t": "true", "null": ""}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, body := range []string{`[]`, `{"a":{}}`, `{"a":[]}`, `7`} {
		if _, err := parsed(t, body).fields(); !unreadable(err, "the body") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAVersionThatIsNotUnderstoodAndAFieldThatIsMissingAreNamed(t *testing.T) {
	s := Settings{Chain: "eip155:137", TransactionPath: "tx", VersionPath: "v", Versions: []string{"1", "2.0"}, Required: []string{"order", "payer.id"}}
	for body, want := range map[string]string{
		`{"v":1,"order":"7","payer":{"id":0}}`:     "",
		`{"v":"2.0","order":"7","payer":{"id":1}}`: "",
		`{"v":3}`:                                 "the version 3 is not known",
		`{"v":2.00,"order":"7"}`:                  "the version 2.00 is not known",
		`{"order":"7"}`:                           "v is missing, or is no name",
		`{"v":1,"payer":{"id":1}}`:                "order is missing",
		`{"v":1,"order":"","payer":{"id":1}}`:     "order is missing",
		`{"v":1,"order":"7","payer":{"id":null}}`: "payer.id is missing",
	} {
		_, err := readPaths([]byte(body), s, Keys{})
		if (err == nil) != (want == "") || (err != nil && err.Error() != want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzDocument: any body of any format is a document, or is unreadable; what it holds can be asked for by any path.
func FuzzDocument(f *testing.F) {
	for format, body := range []string{`{"a":[1,"2",{"b":1e-7}]}`, "a=1&b=%20&a=2", `<?xml version="1.0"?><a b="c">1<d/><d>&lt;</d></a>`} {
		f.Add(byte(format), []byte(body), "a.0.b")
	}
	f.Fuzz(func(t *testing.T, format byte, body []byte, path string) {
		doc, err := parseAs([]string{formatJSON, formatForm, formatXML}[format%3], body)
		if err != nil {
			if !unreadable(err, "the body") {
				t.Fatal(err)
			}
			return
		}
		if name := doc.name(path); len(name) > longestName {
			t.Fatalf("%q", name)
		}
		if a, err := doc.amount(path, 18); err == nil && a.Sign() < 0 {
			t.Fatalf("%s", a)
		}
		_, _ = doc.units(path)
		_, _ = doc.integer(path)
		_, _ = doc.fields()
		doc.list(path)
	})
}
