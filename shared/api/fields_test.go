package api

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/event"
)

// digits78 is the length of 2^256, and begins with what no answer says by itself.
var digits78 = strings.Repeat("48151623", 10)[:78]

// exampleZPub is the account m/84'/0'/0' of BIP-84's test vectors.
const exampleZPub = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"

// fullBodies hold every field of every body that is asked, so that each can be spoilt in its place.
// A field that is refused beside another is added in alone.
var fullBodies = map[string]map[string]any{
	"create-merchant": {"name": "Shop", "xpub": exampleXPub, "xpubs": map[string]any{"bip122": exampleZPub, "tron": exampleXPub}, "shards": 2},
	"issue-key":       {"name": "back end", "scopes": []any{"payments:read"}},
	"create-connection": {
		"merchant": "", "provider": "hmac", "trust": "look", "secret": "0123456789abcdef", "chain": "eip155:31337", "transaction_path": "data.hash",
		"format": "json", "version_path": "version", "versions": []any{"1"}, "required": []any{"data"}, "sources": []any{"192.0.2.0/24"},
		"assets": map[string]any{"customer": map[string]any{"asset": asset, "decimals": 6}}, "keep_days": 30, "quiet_after": 600,
		"hmac": map[string]any{
			"header": "x-signature", "algorithm": "sha256", "encoding": "hex", "prefix": "v1=", "template": "{id}.{timestamp}.{body}",
			"event_header": "x-id", "timestamp_header": "x-time", "timestamp_unit": "s", "window_seconds": 300,
		},
	},
	"change-connection": {
		"version": 1, "trust": "look", "enabled": true, "secret": "0123456789abcdef", "old_until": "now", "remove": []any{"00000000"}, "clear": []any{"chain"},
		"chain": "eip155:31337", "transaction_path": "data.hash",
		"format": "json", "version_path": "version", "versions": []any{"1"}, "required": []any{"data"}, "sources": []any{"192.0.2.0/24"},
		"assets": map[string]any{"customer": map[string]any{"asset": asset, "decimals": 6}}, "keep_days": 30, "quiet_after": 600,
		"hmac": map[string]any{
			"header": "x-signature", "algorithm": "sha256", "encoding": "hex", "prefix": "v1=", "template": "{id}.{timestamp}.{body}",
			"event_header": "x-id", "timestamp_header": "x-time", "timestamp_unit": "s", "window_seconds": 300,
		},
	},
	"create-order-address": {"order": "order-1042"},
	"create-payment": {
		"merchant": "", "asset": asset, "amount": "10.50", "reference": "order-1", "expires_in": 600, "metadata": map[string]any{"customer": "c-77"},
		"tolerance": fullTolerance, "policy": fullPolicy, "page_url": "https://shop.example.com/pay", "wallet_callback": "",
	},
	"decide-payment":           {"about": "partial", "action": "accept"},
	"recover-webhook-endpoint": {"since": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z", "rate": 20, "dry_run": true},
	"replay-webhook-endpoint":  {"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z", "types": []any{"payment.*"}, "round": 2, "rate": 20, "dry_run": true},
	"redrive-dead-letters":     {"rate": 20, "dry_run": true},
	"change-task":              {"rate": 20},
	"change-merchant":          {"tolerance": fullTolerance, "policy": fullPolicy, "xpubs": map[string]any{"eip155": exampleXPub, "bip122": exampleZPub, "tron": exampleXPub}},
	"create-webhook-endpoint":  withSettings(map[string]any{"merchant": ""}),
	"change-webhook-endpoint":  withSettings(map[string]any{}),
	"rotate-webhook-secret":    {"overlap": 3600},
	"create-payout": {
		"merchant": "", "asset": asset, "amount": "10.50", "to": payee, "reference": "salary-0", "wallet": hot, "speed": "fast", "contract": true, "lookalike": true,
		"metadata": map[string]any{"customer": "c-77"},
	},
	"estimate-payout":   {"asset": asset, "amount": "10.50"},
	"hold-payout":       {"reason": "the payee called"},
	"approve-payout":    {"merchant": "", "hash": "", "code": ""},
	"reject-payout":     {"merchant": "", "hash": "", "code": ""},
	"create-approver":   {"name": "Ann", "keys": []any{"operator"}},
	"allow-destination": {"merchant": "", "address": payee, "label": "Bob", "lookalike": true},
	"freeze":            {"asset": otherAsset, "reason": "a key was stolen"},
	"lift-freeze":       {"asset": otherAsset},
	"open-wallet":       {"custody": "kms", "chain": "eip155:31337"},
}

// withSettings adds every setting of a webhook endpoint.
func withSettings(body map[string]any) map[string]any {
	certificate, key := selfSigned()
	maps.Copy(body, map[string]any{
		"url": "https://shop.example.com/hooks", "events": []any{"payment.*"}, "fallback_urls": []any{"https://spare.example.com/hooks"},
		"where":   map[string]any{"assets": []any{asset}, "metadata": map[string]any{"customer": "c-77"}},
		"payload": "thin", "version": event.Newest(), "ordered": true, "timeout": 20, "schedule": []any{0, 60}, "limit": 10, "signing": "both",
		"headers":            map[string]any{"customer": "c-77"},
		"client_certificate": map[string]any{"certificate": certificate, "private_key": key},
	})
	return body
}

// selfSigned is a certificate for a client and its key, in PEM.
func selfSigned() (certificate, key string) {
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "farrier.example.com"}, NotAfter: time.Now().AddDate(1, 0, 0),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(nil, template, template, private.Public(), private)
	if err != nil {
		panic(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}

var (
	fullTolerance = map[string]any{"under_bps": 50, "over_bps": 100}
	fullPolicy    = map[string]any{"partial": "hold", "over": "refund", "late": "accept"}
	fullOptions   = []any{map[string]any{"asset": asset, "amount": "10.50"}}
)

// alone are the fields that cannot stand beside others: what a body has in place of those, and beside it.
var alone = map[string]struct {
	value any
	drop  []string
	put   map[string]any
}{
	"create-merchant.xpubs.eip155":      {value: exampleXPub, drop: []string{"xpub"}},
	"create-payment.options":            {value: fullOptions, drop: []string{"asset", "amount"}},
	"create-payment.options[0].asset":   {value: asset, drop: []string{"asset", "amount"}, put: map[string]any{"options": fullOptions}},
	"create-payment.options[0].amount":  {value: "10.50", drop: []string{"asset", "amount"}, put: map[string]any{"options": fullOptions}},
	"create-connection.keys":            {value: []any{"0123456789abcdef"}, drop: []string{"secret"}},
	"create-connection.key_ends":        {value: []any{"2026-12-01T00:00:00Z"}, drop: []string{"secret"}, put: map[string]any{"keys": []any{"0123456789abcdef"}}},
	"create-connection.chain_path":      {value: "data.chain", drop: []string{"chain"}},
	"create-connection.hmac.event_path": {value: "data.id", drop: []string{"hmac.event_header", "hmac.template"}},
	"change-connection.keys":            {value: []any{"0123456789abcdef"}, drop: []string{"secret"}},
	"change-connection.new_secret":      {value: true, drop: []string{"secret"}},
	"change-connection.chain_path":      {value: "data.chain", drop: []string{"chain"}},
	"change-connection.hmac.event_path": {value: "data.id", drop: []string{"hmac.event_header", "hmac.template"}},
	"freeze.everything":                 {value: true, drop: []string{"asset"}},
	"freeze.merchant":                   {value: "mer_" + exampleULID, drop: []string{"asset"}},
	"lift-freeze.everything":            {value: true, drop: []string{"asset"}},
	"lift-freeze.merchant":              {value: "mer_" + exampleULID, drop: []string{"asset"}},
	"open-wallet.merchant":              {value: "mer_" + exampleULID, drop: []string{"chain"}, put: map[string]any{"custody": "seed"}},
}

// elsewhere are the fields that the provider of the full body has none of: see TestCredentialsAreThoseOfTheProvider.
var elsewhere = []string{"credentials", "credentials.customer", "region", "webhook_id"}

// freeText are the fields that take any printable text, digits too.
var freeText = []string{"name", "reference", "metadata.customer", "where.metadata.customer", "headers.customer", "secret", "keys[0]", "hmac.prefix", "hmac.header", "hmac.event_header", "hmac.timestamp_header", "chain_path", "transaction_path", "hmac.event_path",
	"version_path", "versions[0]", "required[0]", "order", "label", "reason"}

// field is one field of a body: its place and what the document says of it.
type field struct {
	at       string
	schema   *huma.Schema
	required bool
}

// fieldsOf lists every field of a body, also those inside objects, lists and maps.
func fieldsOf(doc *huma.OpenAPI, s *huma.Schema, at string, required bool) []field {
	if s.Ref != "" {
		s = doc.Components.Schemas.SchemaFromRef(s.Ref)
	}
	list := []field{{at, s, required}}
	for name, p := range s.Properties {
		list = append(list, fieldsOf(doc, p, strings.TrimPrefix(at+"."+name, "."), slices.Contains(s.Required, name))...)
	}
	if s.Items != nil {
		list = append(list, fieldsOf(doc, s.Items, at+"[0]", false)...)
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		list = append(list, fieldsOf(doc, values, at+".customer", false)...)
	}
	return list
}

// wrongs are bad values by what is wrong with them, as JSON text. Texts among them begin with "sw0rd" or
// are the 78 digits, so that an answer that repeats one is caught.
func (f field) wrongs() map[string]string {
	out := map[string]string{
		"null": `null`, "78 digits": digits78, "a fraction": `48151623.5`, "an exponent": `4.8151623e400`,
		"not UTF-8": "\"sw0rd\xff\xfe\"", "half a surrogate pair": `"sw0rd\ud800"`,
	}
	for kind, value := range map[string]string{huma.TypeString: `"sw0rdfish"`, huma.TypeInteger: `4815162342`, huma.TypeBoolean: `true`, huma.TypeArray: `[["sw0rdfish"]]`, huma.TypeObject: `{"sw0rdfish":{}}`} {
		if kind != f.schema.Type {
			out["of type "+kind] = value
		}
	}
	out["negative"] = `-48151623`
	switch f.schema.Type {
	case huma.TypeString:
		long := 5000
		if f.schema.MaxLength != nil {
			long = *f.schema.MaxLength + 1
		}
		out["too long"] = `"` + strings.Repeat("sw0rdfish", long/9+1)[:long] + `"`
		if !slices.Contains(freeText, f.at) {
			out["78 digits in text"], out["negative in text"], out["some text"] = `"`+digits78+`"`, `"-48151623"`, `"sw0rdfish"`
			if f.required {
				out["empty"] = `""`
			}
		}
	case huma.TypeArray:
		out["too long"] = `[` + strings.Repeat(`"sw0rdfish",`, *f.schema.MaxItems) + `"sw0rdfish"]`
		if f.at != "fallback_urls" && f.at != "where.assets" { // an empty list takes them away
			out["empty"] = `[]`
		}
	case huma.TypeObject:
		if f.schema.MaxProperties != nil {
			var many []string
			for i := range *f.schema.MaxProperties + 1 {
				many = append(many, fmt.Sprintf(`"k%d":"sw0rdfish"`, i))
			}
			out["too many"] = `{` + strings.Join(many, ",") + `}`
		}
	}
	return out
}

func TestEveryFieldOfEveryBodyIsRefusedByItsNameForWhateverIsWrongWithIt(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	endpoint := b.post(key, "/v1/webhook-endpoints", map[string]any{"url": "https://shop.example.com/", "events": []string{"*"}}).want(t, http.StatusCreated).text("id")
	begun := b.task(key, endpoint)
	changed := b.post(key, "/v1/connections", map[string]any{"provider": "hmac", "hmac": map[string]any{"header": "x-signature"}}).want(t, http.StatusCreated)
	unsigned := b.post(key, "/v1/connections", map[string]any{"provider": "imtoken"}).want(t, http.StatusCreated)
	fullBodies["create-payment"]["wallet_callback"] = b.post(key, "/v1/connections", map[string]any{"provider": "tokenpocket"}).want(t, http.StatusCreated).text("id")
	held := b.partlyPaid(owner, key, "order-0")
	b.fund(owner)
	ann := b.approver("Ann")
	b.needs(1, ann)
	payouts := map[string]string{}
	for verb, by := range map[string]string{"approve": ann.key, "reject": ann.key, "hold": operatorKey} {
		p := b.asked(owner, key, verb)
		payouts[verb+"-payout"] = p.text("id")
		if by == ann.key {
			fullBodies[verb+"-payout"] = saying(owner, p, ann.phone.Code(b.now))
		}
	}
	b.post(ann.key, "/v1/freezes", fullBodies["freeze"]).want(t, http.StatusOK)
	fingerprints, _ := changed.secrets(t)
	fullBodies["change-connection"]["remove"] = []any{fingerprints[0]}
	seen := 0
	for path, item := range b.document.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Patch, item.Put} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			full, ok := fullBodies[op.OperationID]
			if !ok {
				t.Errorf("%s takes a body that this test does not know", op.OperationID)
				continue
			}
			if _, ok := full["merchant"]; ok {
				full["merchant"] = owner
			}
			send := func(body []byte) reply {
				caller := b.keyFor(op, key, ann)
				if op.OperationID == "change-merchant" { // xpubs are the operator's
					caller = operatorKey
				}
				id := owner
				switch {
				case strings.Contains(path, "endpoint"):
					id = endpoint
				case strings.Contains(path, "tasks"):
					id = begun
				case strings.Contains(path, "order-addresses"):
					id = unsigned.text("id")
				case strings.Contains(path, "payments"):
					id = held
				case strings.Contains(path, "connections"):
					id = changed.text("id")
				case payouts[op.OperationID] != "":
					id = payouts[op.OperationID]
				}
				c := call{method: op.Method, path: strings.Replace(path, "{id}", id, 1), key: caller, body: body}
				if op.OperationID == "hold-payout" {
					c.query = "merchant=" + owner
				}
				return b.do(c)
			}
			r := send(encode(t, full))
			if r.StatusCode >= 300 {
				t.Fatalf("%s: the full body is refused: %s", op.OperationID, r.Body)
			}
			if op.OperationID == "change-connection" { // what is spoilt shall be wrong for nothing else
				fingerprints, _ := r.secrets(t)
				full["version"], full["remove"] = 2, []any{fingerprints[0]}
			}
			t.Run(op.OperationID, func(t *testing.T) {
				seen += spoilEach(t, b.document, op, full, send)
			})
		}
	}
	if seen < 400 {
		t.Errorf("only %d bad values were tried", seen)
	}
}

// spoilEach sends the body with each field spoilt in each way, and says in how many.
func spoilEach(t *testing.T, doc *huma.OpenAPI, op *huma.Operation, full map[string]any, send func([]byte) reply) int {
	tried := 0
	for _, f := range fieldsOf(doc, op.RequestBody.Content["application/json"].Schema, "", true) {
		whole := full
		if place, exclusive := alone[op.OperationID+"."+strings.TrimSuffix(f.at, "[0]")]; exclusive {
			whole = change(full, strings.TrimSuffix(f.at, "[0]"), place.value)
			for _, other := range place.drop {
				whole = change(whole, other, nil)
			}
			for other, value := range place.put {
				whole = change(whole, other, value)
			}
		}
		if f.at == "" || slices.Contains(elsewhere, f.at) {
			continue // the body itself: see TestABodyThatIsNoObject
		}
		if current(whole, f.at) == nil {
			t.Errorf("%s is not in the full body", f.at)
			continue
		}
		try := func(what string, body []byte, values ...string) {
			tried++
			r := send(body)
			if r.StatusCode < 400 || r.StatusCode >= 500 {
				t.Errorf("%s, %s: %d %s", f.at, what, r.StatusCode, r.Body)
				return
			}
			if !slices.ContainsFunc(r.fields(), func(named string) bool { return within(f.at, named) }) {
				t.Errorf("%s, %s: the answer names %v: %s", f.at, what, r.fields(), r.Body)
			}
			for _, v := range append(values, "sw0rd", "48151623") {
				if strings.Contains(r.Body, v) {
					t.Errorf("%s, %s: the answer repeats what was sent: %s", f.at, what, r.Body)
				}
			}
		}
		r, _ := op.Metadata["route"].(route)
		for what, value := range f.wrongs() {
			if what == "null" && slices.Contains(r.Nulls, f.at) {
				continue // it means something
			}
			try(what, with(t, whole, f.at, value))
		}
		if f.required {
			try("missing", encode(t, change(whole, f.at, nil)))
		}
		try("twice", twice(t, whole, f.at))
	}
	for _, at := range objectsIn(full, "") {
		tried++
		name := strings.TrimPrefix(at+".unknown_field", ".")
		r := send(encode(t, change(full, name, "sw0rdfish")))
		if r.StatusCode != http.StatusUnprocessableEntity || !slices.Contains(r.fields(), name) || strings.Contains(r.Body, "sw0rd") {
			t.Errorf("an unknown field in %q: %d %s", at, r.StatusCode, r.Body)
		}
		for _, cased := range []string{"Amount", "NAME", "Url", "Header"} {
			if _, known := current(full, strings.TrimPrefix(at+"."+strings.ToLower(cased), ".")).(string); known {
				other := strings.TrimPrefix(at+"."+cased, ".")
				if r := send(encode(t, change(full, other, "x"))); !slices.Contains(r.fields(), other) {
					t.Errorf("%s is read as its lower case: %d %s", other, r.StatusCode, r.Body)
				}
			}
		}
	}
	return tried
}

// within says whether naming one place tells of the other: of the place itself, of what is in it, or of
// the map that it is an entry of.
func within(at, named string) bool {
	return named == at || strings.HasPrefix(named, at+".") || strings.HasPrefix(named, at+"[") || named != "" && strings.HasPrefix(at, named+"[") ||
		strings.HasSuffix(at, "metadata.customer") && at == named+".customer" || at == "headers.customer" && named == "headers"
}

// change is the body with one place changed; nil takes it away.
func change(body map[string]any, at string, value any) map[string]any {
	var out map[string]any
	text, _ := json.Marshal(body)
	_ = json.Unmarshal(text, &out)
	name, rest, nested := strings.Cut(at, ".")
	list, index, indexed := strings.Cut(name, "[")
	switch {
	case nested && indexed:
		items, _ := out[list].([]any)
		inner := map[string]any{}
		if len(items) > 0 {
			inner, _ = items[0].(map[string]any)
		}
		out[list] = []any{change(inner, rest, value)}
	case nested:
		inner, _ := out[name].(map[string]any)
		out[name] = change(inner, rest, value)
	case indexed && index == "0]":
		out[list] = []any{value}
	case value == nil:
		delete(out, name)
	default:
		out[name] = value
	}
	return out
}

func current(body any, at string) any {
	name, rest, nested := strings.Cut(at, ".")
	list, _, indexed := strings.Cut(name, "[")
	object, _ := body.(map[string]any)
	v := object[list]
	if indexed {
		items, _ := v.([]any)
		if len(items) == 0 {
			return nil
		}
		v = items[0]
	}
	if nested {
		return current(v, rest)
	}
	return v
}

// with is the body's JSON with one place holding this text, which need not be JSON.
func with(t *testing.T, body map[string]any, at, text string) []byte {
	return bytes.Replace(encode(t, change(body, at, "@place@")), []byte(`"@place@"`), []byte(text), 1)
}

// twice is the body's JSON with one place standing twice.
func twice(t *testing.T, body map[string]any, at string) []byte {
	at = strings.TrimSuffix(at, "[0]")
	name := at[strings.LastIndex(at, ".")+1:]
	value := encode(t, current(body, at))
	return with(t, body, at, fmt.Sprintf(`%s,%q:%s`, value, name, value))
}

// objectsIn lists the places of a body's objects that have fixed fields.
func objectsIn(body map[string]any, at string) []string {
	list := []string{at}
	for name, v := range body {
		if inner, ok := v.(map[string]any); ok && name != "metadata" && name != "headers" {
			list = append(list, objectsIn(inner, strings.TrimPrefix(at+"."+name, "."))...)
		}
	}
	return list
}

func TestEveryParameterOfEveryQueryIsRefusedByItsName(t *testing.T) {
	b := newBench(t)
	_, key := b.merchant()
	ann := b.approver("Ann")
	connection := b.post(key, "/v1/connections", map[string]any{"provider": "standard-webhooks"}).want(t, http.StatusCreated).text("id")
	for path, item := range b.document.Paths {
		op := item.Get
		if op == nil {
			continue
		}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			for what, value := range map[string]string{
				"not UTF-8": "%FF%FE", "78 digits": digits78, "negative": "-48151623", "too long": strings.Repeat("sw0rdfish", 500), "some text": "sw0rd!fish",
				"a fraction": "48151623.5", "zero bytes": "sw0rd%00", "empty": "",
			} {
				if route, _ := op.Metadata["route"].(route); value == "" && p.Name == route.Blank {
					continue
				}
				query := p.Name + "=" + value
				if path == "/v1/callbacks" && p.Name != "connection" && p.Name != "merchant" {
					query += "&connection=" + connection
				}
				if path == "/v1/approvals" && p.Name != "chain" {
					query += "&chain=eip155:31337"
				}
				r := b.get(b.keyFor(op, key, ann), strings.Replace(path, "{id}", "evt_"+exampleULID, 1), query)
				if strings.Contains(path, "{id}") && r.StatusCode == http.StatusNotFound {
					continue // the object was looked for first
				}
				if r.StatusCode != http.StatusUnprocessableEntity || !slices.Contains(r.fields(), p.Name) || !strings.Contains(r.Body, `"in":"query"`) {
					t.Errorf("%s ?%s=, %s: %d %s", path, p.Name, what, r.StatusCode, r.Body)
				}
				if strings.Contains(r.Body, "sw0rd") || strings.Contains(r.Body, "48151623") {
					t.Errorf("%s ?%s=, %s: the answer repeats what was sent: %s", path, p.Name, what, r.Body)
				}
			}
		}
		one, key := strings.Replace(path, "{id}", "x", 1), key
		key = b.keyFor(op, key, ann)
		b.get(key, one, "limit=%zz").wantProblem(t, http.StatusBadRequest, "malformed")
		if r := b.get(key, one, "limit=1&limit=2").wantProblem(t, http.StatusUnprocessableEntity, "invalid"); !slices.Contains(r.fields(), "limit") {
			t.Errorf("%s with a parameter twice: %s", path, r.Body)
		}
		r := b.get(key, one, "unknown_parameter=sw0rdfish")
		if r.StatusCode != http.StatusUnprocessableEntity || !slices.Contains(r.fields(), "unknown_parameter") || strings.Contains(r.Body, "sw0rd") {
			t.Errorf("%s with an unknown parameter: %d %s", path, r.StatusCode, r.Body)
		}
	}
}

func TestAPathThatNamesNothingIsNotFound(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	ann := b.approver("Ann")
	for path, item := range b.document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op == nil || !strings.Contains(path, "{id}") {
				continue
			}
			for _, name := range []string{"x", "..", "%FF", "%00", strings.Repeat("sw0rd", 300), "pay_" + exampleULID, "ep_" + exampleULID, "mer_" + exampleULID, "evt_" + exampleULID, "dlv_" + exampleULID + "_" + exampleULID} {
				c := call{method: op.Method, path: strings.NewReplacer("{id}", name, "{key}", "key_"+exampleULID).Replace(path), key: key}
				if c.key = b.keyFor(op, key, ann); c.key == operatorKey && slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "merchant" }) {
					c.query = "merchant=" + owner
				}
				if op.RequestBody != nil {
					c.body = encode(t, fullBodies[op.OperationID])
				}
				if r := b.do(c); r.StatusCode != http.StatusNotFound || r.JSON["code"] != "not_found" || strings.Contains(r.Body, "sw0rd") {
					t.Errorf("%s %s: %d %s", op.Method, c.path, r.StatusCode, r.Body)
				}
			}
		}
	}
}
