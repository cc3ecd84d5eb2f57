package callback

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"farrier/shared/money"
)

// document is a body, whatever its format: objects, lists, text, json.Number, true, false and nil.
type document struct{ root any }

// The formats that a connection's paths may be about (Settings.Format).
const (
	formatJSON = "json"
	formatForm = "form" // application/x-www-form-urlencoded
	formatXML  = "xml"
)

// parseAs reads a body of a format; "" is JSON. Its error is a ReadError.
func parseAs(format string, body []byte) (document, error) {
	switch format {
	case formatForm:
		return parseForm(body)
	case formatXML:
		return parseXML(body)
	default:
		return parseJSON(body)
	}
}

func parseJSON(body []byte) (document, error) {
	if !utf8.Valid(body) { // encoding/json would put U+FFFD for what is not
		return document{}, ReadError("the body is not UTF-8")
	}
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&doc.root); err != nil {
		return document{}, ReadError("the body is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return document{}, ReadError("the body is not one JSON value")
	}
	return doc, nil
}

// mostFields bounds a form's fields and an XML body's elements.
const mostFields = 10_000

// parseForm reads a form: an object of text; a field that came more than once is a list.
func parseForm(body []byte) (document, error) {
	if bytes.Count(body, []byte("&")) >= mostFields {
		return document{}, ReadError("the body has too many fields")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values) == 0 {
		return document{}, ReadError("the body is not a form")
	}
	fields := map[string]any{}
	for name, given := range values {
		for _, text := range append([]string{name}, given...) {
			if !utf8.ValidString(text) {
				return document{}, ReadError("the body is not UTF-8")
			}
		}
		fields[name] = given[0]
		if len(given) > 1 {
			list := make([]any, len(given))
			for i := range given {
				list[i] = given[i]
			}
			fields[name] = list
		}
	}
	return document{fields}, nil
}

const (
	deepestXML = 32
	longestXML = 1 << 20
)

// parseXML reads XML as an object: an element is its text, or an object of its elements, its attributes ("@name")
// and its text ("#text"); elements of one name beside each other are a list. There are no entities but the five
// of XML itself, no document type, no instructions, no other encoding than UTF-8: nothing outside is ever read.
func parseXML(body []byte) (document, error) {
	if len(body) > longestXML {
		return document{}, ReadError("the body is too large for XML")
	}
	if !utf8.Valid(body) {
		return document{}, ReadError("the body is not UTF-8")
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	reader := xmlReader{decoder: decoder}
	root, err := reader.prolog()
	if err != nil {
		return document{}, err
	}
	content, err := reader.element(root, 1)
	if err != nil {
		return document{}, err
	}
	for { // what follows the root may be space and comments
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return document{map[string]any{root.Name.Local: content}}, nil
		}
		if err != nil || !xmlBlank(token) {
			return document{}, ReadError("the body is not one XML element")
		}
	}
}

type xmlReader struct {
	decoder  *xml.Decoder
	elements int
}

func xmlBlank(token xml.Token) bool {
	switch t := token.(type) {
	case xml.Comment:
		return true
	case xml.CharData:
		return len(bytes.TrimSpace(t)) == 0
	}
	return false
}

// prolog passes over the declaration and finds the root.
func (x *xmlReader) prolog() (xml.StartElement, error) {
	for first := true; ; first = false {
		token, err := x.decoder.Token()
		if err != nil {
			return xml.StartElement{}, ReadError("the body is not XML")
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Copy(), nil
		case xml.ProcInst:
			if !first || t.Target != "xml" {
				return xml.StartElement{}, ReadError("the body has an instruction of XML")
			}
		case xml.Directive:
			return xml.StartElement{}, ReadError("the body has a document type")
		default:
			if !xmlBlank(token) {
				return xml.StartElement{}, ReadError("the body is not XML")
			}
		}
	}
}

func (x *xmlReader) element(start xml.StartElement, depth int) (any, error) {
	if x.elements += 1 + len(start.Attr); depth > deepestXML || x.elements > mostFields {
		return nil, ReadError("the body is too deep, or has too many elements")
	}
	inner, text := map[string]any{}, strings.Builder{}
	for _, a := range start.Attr {
		inner["@"+a.Name.Local] = a.Value
	}
	for {
		token, err := x.decoder.Token()
		if err != nil {
			return nil, ReadError("the body is not XML")
		}
		switch t := token.(type) {
		case xml.StartElement:
			value, err := x.element(t.Copy(), depth+1)
			if err != nil {
				return nil, err
			}
			beside(inner, t.Name.Local, value)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			return xmlContent(inner, strings.TrimSpace(text.String())), nil
		case xml.Comment:
		default:
			return nil, ReadError("the body has an instruction of XML")
		}
	}
}

// beside adds an element: those of one name are a list. Nothing that an element holds is itself a list.
func beside(inner map[string]any, name string, value any) {
	switch earlier := inner[name].(type) {
	case nil:
		inner[name] = value
	case []any:
		inner[name] = append(earlier, value)
	default:
		inner[name] = []any{earlier, value}
	}
}

func xmlContent(inner map[string]any, text string) any {
	if len(inner) == 0 {
		return text
	}
	if text != "" {
		inner["#text"] = text
	}
	return inner
}

// at follows a dot path through objects and, by position, lists; nil where it leads nowhere.
func (d document) at(path string) any {
	v := d.root
	for step := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(inner) {
				return nil
			}
			v = inner[i]
		default:
			return nil
		}
	}
	return v
}

// has says whether there is something at a path; null is nothing.
func (d document) has(path string) bool { return d.at(path) != nil }

// in is the document that begins at a path.
func (d document) in(path string) document { return document{d.at(path)} }

// text is the text at a path; "" where there is none, or something else.
func (d document) text(path string) string {
	text, _ := d.at(path).(string)
	return text
}

// required is text that must be there, and not be empty.
func (d document) required(path string) (string, error) {
	if text := d.text(path); text != "" {
		return text, nil
	}
	return "", missing(path)
}

func missing(path string) error { return ReadError(path + " is missing, or is no text") }

// name is text or a number as it came, as providers give ids; "" where there is neither, or too much of it.
func (d document) name(path string) string {
	switch v := d.at(path).(type) {
	case string:
		return nameOf(v)
	case json.Number:
		return nameOf(v.String())
	}
	return ""
}

// requiredName is a name that must be there.
func (d document) requiredName(path string) (string, error) {
	if name := d.name(path); name != "" {
		return name, nil
	}
	return "", ReadError(path + " is missing, or is no name")
}

// truth is a boolean, or text of one; false where there is none.
func (d document) truth(path string) bool {
	switch v := d.at(path).(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// integer is a number without fraction, or text of one.
func (d document) integer(path string) (int64, error) {
	n, err := strconv.ParseInt(d.name(path), 10, 64)
	if err != nil {
		return 0, ReadError(path + " is missing, or is no integer")
	}
	return n, nil
}

// decimal is a number, or text of one, digit by digit as it came: "0.00000015" for 1.5e-7, never by way of a float.
func (d document) decimal(path string) (string, error) {
	given, err := d.requiredName(path)
	if err != nil {
		return "", ReadError(path + " is missing, or is no amount")
	}
	plain, err := plainDecimal(given)
	if err != nil {
		return "", ReadError(path + " is no amount")
	}
	return plain, nil
}

// amount is a decimal in an asset's own unit, as an integer in its smallest.
func (d document) amount(path string, decimals int) (money.Amount, error) {
	plain, err := d.decimal(path)
	if err != nil {
		return money.Amount{}, err
	}
	a, err := decimalUnits(plain, decimals)
	if err != nil {
		return money.Amount{}, ReadError(path + " is no amount of an asset with so many decimals")
	}
	return a, nil
}

// units is an integer in an asset's smallest unit, in decimal or in hex with 0x.
func (d document) units(path string) (money.Amount, error) {
	given := d.name(path)
	if digits, isHex := strings.CutPrefix(given, "0x"); isHex && madeOf(digits, "0123456789abcdefABCDEF", 1, 64) {
		b, _ := new(big.Int).SetString(digits, 16)
		return money.FromBig(b)
	}
	a, err := money.ParseUnits(given)
	if err != nil || a.Sign() < 0 {
		return money.Amount{}, ReadError(path + " is missing, or is no integer of the smallest unit")
	}
	return a, nil
}

// list are the elements of a list; one thing alone is a list of one (so does XML), nothing is none.
func (d document) list(path string) []document {
	switch v := d.at(path).(type) {
	case nil:
		return nil
	case []any:
		all := make([]document, len(v))
		for i := range v {
			all[i] = document{v[i]}
		}
		return all
	default:
		return []document{{v}}
	}
}

// fields are the members of an object as text, for sources that sign them: numbers as they came, null as "".
// It fails where a member is itself an object or a list.
func (d document) fields() (map[string]string, error) {
	object, is := d.root.(map[string]any)
	if !is {
		return nil, ReadError("the body is not an object")
	}
	fields := map[string]string{}
	for name, v := range object {
		switch v := v.(type) {
		case nil:
			fields[name] = ""
		case string:
			fields[name] = v
		case json.Number:
			fields[name] = v.String()
		case bool:
			fields[name] = strconv.FormatBool(v)
		default:
			return nil, ReadError("the body holds objects or lists where only fields may be")
		}
	}
	return fields, nil
}

// longestExponent bounds how many zeros an exponent can make us write.
const longestExponent = 100

var errNoDecimal = errors.New("is no decimal number")

// plainDecimal writes a non-negative number without an exponent.
func plainDecimal(given string) (string, error) {
	mantissa, exponent := given, 0
	if at := strings.IndexAny(given, "eE"); at >= 0 {
		n, err := strconv.Atoi(given[at+1:])
		if err != nil || n < -longestExponent || n > longestExponent {
			return "", errNoDecimal
		}
		mantissa, exponent = given[:at], n
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if !madeOf(whole, "0123456789", 1, longestName) || (point && !madeOf(fraction, "0123456789", 1, longestName)) {
		return "", errNoDecimal
	}
	switch {
	case exponent > 0:
		fraction += strings.Repeat("0", max(exponent-len(fraction), 0))
		whole, fraction = whole+fraction[:exponent], fraction[exponent:]
	case exponent < 0:
		whole = strings.Repeat("0", max(-exponent+1-len(whole), 0)) + whole
		at := len(whole) + exponent
		whole, fraction = whole[:at], whole[at:]+fraction
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction == "" {
		return whole, nil
	}
	return whole + "." + fraction, nil
}

// decimalUnits reads an amount in the asset's own unit. Zeros that follow its last decimal say nothing; any other
// digit there is refused: nothing is rounded.
func decimalUnits(given string, decimals int) (money.Amount, error) {
	plain, err := plainDecimal(given)
	if err != nil {
		return money.Amount{}, err
	}
	whole, fraction, _ := strings.Cut(plain, ".")
	for len(fraction) > decimals && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return money.ParseDecimal(whole, decimals)
}
