package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/problem"
)

const (
	// MaxBody is the longest body that the API reads.
	MaxBody = 256 << 10
	// maxDepth is how deep a body's arrays and objects may nest; nothing here needs more than three.
	maxDepth = 16
	maxName  = 100 // bytes of a field's name
)

// readable lets a request pass whose query and body every reader reads alike. A body that a route does not
// take is not read.
func (a *API) readable(op *huma.Operation, r route, next http.Handler) http.Handler {
	takesBody, nulls, blank := r.takesBody(), r.Nulls, r.Blank
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := checkQuery(r.URL.RawQuery, blank)
		if err == nil && takesBody {
			err = takeBody(r, nulls)
		}
		if err != nil {
			a.refuse(w, r, op, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkQuery refuses what clients send by mistake: a parameter twice, and one without a value, which would ask for
// everything where the value that was forgotten asks for one thing. Blank may be without one, where that has a meaning.
func checkQuery(raw, blank string) error {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return problem.New(problem.Malformed, "the query cannot be read")
	}
	for name, values := range query {
		if len(values) > 1 {
			return problem.Field(name, "stands twice in the query")
		}
		if values[0] == "" && name != blank {
			return problem.Field(name, "is empty; leave it out instead")
		}
	}
	return nil
}

// takeBody puts the body that was read in the place of the one to read.
func takeBody(r *http.Request, nulls []string) error {
	body, err := readBody(r, nulls)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json") // in the one spelling that huma knows
	return err
}

func readBody(r *http.Request, nulls []string) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBody+1))
	switch {
	case err != nil:
		return nil, problem.New(problem.Malformed, "the body cannot be read")
	case len(body) > MaxBody:
		return nil, problem.New(problem.TooLarge, fmt.Sprintf("the body is longer than %d bytes", MaxBody))
	case len(body) == 0:
		return nil, nil
	case !isJSON(r.Header.Get("Content-Type")):
		return nil, problem.New(problem.Unsupported, "the body must be JSON, with Content-Type: application/json")
	}
	return body, checkJSON(body, nulls...)
}

func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// checkJSON refuses what readers of JSON read differently, or lose (RFC 8259, sections 4, 6 and 8.1): two
// values, a name twice, text that is not UTF-8, numbers beyond an int64. It refuses null too, but at the places where it
// means something that leaving the field out does not.
func checkJSON(body []byte, nulls ...string) error {
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	c := checker{in: in, nulls: nulls}
	if err := c.value("", 0); err != nil {
		return c.explain(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return problem.New(problem.Malformed, "the body has more than one JSON value")
	}
	return nil
}

type checker struct {
	in    *json.Decoder
	nulls []string // places that may be null
}

// explain keeps what the checker says and tells only the place of what the decoder says.
func (c *checker) explain(err error) error {
	var known *problem.Error
	if errors.As(err, &known) {
		return known
	}
	return problem.New(problem.Malformed, fmt.Sprintf("the body is not JSON: read until byte %d", c.in.InputOffset()))
}

// value reads one value; at is its place, as "metadata.order" or "events[2]".
func (c *checker) value(at string, depth int) error {
	token, err := c.in.Token()
	if err != nil {
		return err
	}
	switch v := token.(type) {
	case nil:
		if slices.Contains(c.nulls, at) {
			return nil
		}
		return wrongAt(at, "is null; leave it out instead")
	case string:
		return checkText(at, v)
	case json.Number:
		return checkNumber(at, v)
	case json.Delim:
		if depth == maxDepth {
			return problem.New(problem.Malformed, fmt.Sprintf("the body nests deeper than %d", maxDepth))
		}
		if v == '[' {
			return c.array(at, depth+1)
		}
		return c.object(at, depth+1)
	}
	return nil
}

func (c *checker) array(at string, depth int) error {
	for i := 0; c.in.More(); i++ {
		if err := c.value(at+"["+strconv.Itoa(i)+"]", depth); err != nil {
			return err
		}
	}
	_, err := c.in.Token()
	return err
}

func (c *checker) object(at string, depth int) error {
	seen := map[string]bool{}
	for c.in.More() {
		token, err := c.in.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if len(name) > maxName { // no field is called so; and names are repeated in every place below them
			return problem.Field(at, fmt.Sprintf("has a field whose name is longer than %d bytes", maxName))
		}
		if err := checkText(at, name); err != nil {
			return err
		}
		place := strings.TrimPrefix(at+"."+name, ".")
		if seen[name] {
			return problem.Field(place, "stands twice in its object")
		}
		seen[name] = true
		if err := c.value(place, depth); err != nil {
			return err
		}
	}
	_, err := c.in.Token()
	return err
}

// checkText refuses the replacement character: it is what the decoder, or a gateway before it, puts in
// the place of bytes that are not UTF-8 and of halves of surrogate pairs.
func checkText(at, s string) error {
	if strings.ContainsRune(s, '\uFFFD') {
		return wrongAt(at, "is not UTF-8")
	}
	return nil
}

// checkNumber refuses what is not an int64 in digits. No field here takes another number: amounts are strings.
func checkNumber(at string, n json.Number) error {
	if strings.ContainsAny(n.String(), ".eE") {
		return wrongAt(at, "is a number with a fraction or an exponent; give a whole number in digits, or an amount as a string")
	}
	if _, err := n.Int64(); err != nil {
		return wrongAt(at, "is a number that is too large")
	}
	return nil
}

// wrongAt names the place of what is wrong; the body as a whole has no name.
func wrongAt(at, what string) error {
	if at == "" {
		return problem.New(problem.Malformed, "the body "+what)
	}
	return problem.Field(at, what)
}
