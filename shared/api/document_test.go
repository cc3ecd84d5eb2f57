package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func served(t *testing.T) []byte {
	t.Helper()
	r := do(t, unwired(), call{method: http.MethodGet, path: "/openapi.json"}).want(t, http.StatusOK)
	if r.Headers["content-type"] != "application/openapi+json" || r.JSON["openapi"] != "3.1.0" {
		t.Fatalf("%v", r.Headers)
	}
	return []byte(r.Body)
}

// TestTheDocumentIsValid asks the Python libraries openapi-spec-validator and openapi-schema-validator: is it
// OpenAPI 3.1, and is each example what its schema says?
func TestTheDocumentIsValid(t *testing.T) {
	judge := exec.Command(python(t), filepath.Join("testdata", "judge.py"))
	judge.Stdin = bytes.NewReader(served(t))
	if said, err := judge.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

// python is one that has the libraries: the project's own, or else the machine's.
func python(t *testing.T) string {
	t.Helper()
	for _, candidate := range []string{filepath.Join("..", "..", ".local", "venv", "bin", "python"), "python3"} {
		if exec.Command(candidate, "-c", "import openapi_spec_validator, openapi_schema_validator").Run() == nil {
			return candidate
		}
	}
	t.Skip("no Python has openapi-spec-validator: run it by `make test`")
	return ""
}

func TestTheDocumentIsTheSameEachTime(t *testing.T) {
	if a, b := served(t), served(t); !bytes.Equal(a, b) {
		t.Error("it is not")
	}
}

func TestEveryOperationSaysWhatItIsFor(t *testing.T) {
	a := unwired()
	a.build.Do(a.routes)
	each(a, func(path string, op *huma.Operation) {
		complain := func(what string) { t.Errorf("%s %s %s", op.Method, path, what) }
		if op.Summary == "" || op.OperationID == "" || len(op.Tags) != 1 {
			complain("lacks a summary, an id or a tag")
		}
		if scope := scopeOf(op); scope != "" && !strings.Contains(op.Description, scope) {
			complain("does not name its scope")
		}
		if op.RequestBody != nil && op.RequestBody.Content["application/json"].Example == nil {
			complain("has no example of its body")
		}
		for status, answer := range op.Responses {
			for kind, content := range answer.Content {
				if content.Example == nil {
					complain("has no example of " + status + " " + kind)
				}
			}
		}
		for _, status := range expectedErrors(op) {
			if op.Responses[status] == nil {
				complain("does not tell of " + status)
			}
		}
	})
}

func expectedErrors(op *huma.Operation) []string {
	if scopeOf(op) == "" {
		return nil
	}
	list := []string{"401", "403", "500"}
	if op.RequestBody != nil {
		list = append(list, "400", "413", "415", "422")
	}
	if op.Method == http.MethodPost {
		list = append(list, "409", "422")
	}
	return list
}

// TestTheRoutesAreThoseThatAreFixed: fields may grow, paths stay.
func TestTheRoutesAreThoseThatAreFixed(t *testing.T) {
	a := unwired()
	a.build.Do(a.routes)
	var got []string
	each(a, func(path string, op *huma.Operation) { got = append(got, op.Method+" "+path) })
	slices.Sort(got)
	want := []string{
		"DELETE /v1/destinations/{address}", "DELETE /v1/merchants/{id}/keys/{key}", "DELETE /v1/webhook-endpoints/{id}",
		"GET /v1/approvals", "GET /v1/approvers", "GET /v1/balances", "GET /v1/callbacks", "GET /v1/callbacks/{id}", "GET /v1/connections", "GET /v1/connections/{id}", "GET /v1/dead-letters", "GET /v1/deposits", "GET /v1/destinations", "GET /v1/entries", "GET /v1/event-types", "GET /v1/event-types/{type}", "GET /v1/events", "GET /v1/events/{id}", "GET /v1/events/{id}/deliveries", "GET /v1/freezes",
		"GET /v1/health", "GET /v1/payments", "GET /v1/payments/{id}", "GET /v1/payments/{id}/statement", "GET /v1/payouts", "GET /v1/payouts/{id}", "GET /v1/payouts/{id}/approvals", "GET /v1/payouts/{id}/history", "GET /v1/tasks", "GET /v1/tasks/{id}", "GET /v1/wallets", "GET /v1/webhook-endpoints", "GET /v1/webhook-endpoints/{id}",
		"GET /v1/webhook-endpoints/{id}/deliveries", "GET /v1/webhook-endpoints/{id}/health",
		"GET /v1/webhook-keys/{merchant}/{endpoint}",
		"PATCH /v1/connections/{id}", "PATCH /v1/merchants/{id}", "PATCH /v1/tasks/{id}", "PATCH /v1/webhook-endpoints/{id}",
		"POST /v1/approvers", "POST /v1/approvers/{id}/disable", "POST /v1/callbacks/{id}/reprocess", "POST /v1/connections", "POST /v1/connections/{id}/order-addresses", "POST /v1/dead-letters/redrive", "POST /v1/deliveries/{id}/resend", "POST /v1/destinations", "POST /v1/freezes", "POST /v1/freezes/lift", "POST /v1/merchants", "POST /v1/merchants/{id}/keys", "POST /v1/payments", "POST /v1/payments/{id}/cancel", "POST /v1/payments/{id}/decide",
		"POST /v1/payout-estimates", "POST /v1/payouts", "POST /v1/payouts/{id}/approve", "POST /v1/payouts/{id}/cancel", "POST /v1/payouts/{id}/hold", "POST /v1/payouts/{id}/reject", "POST /v1/payouts/{id}/resume",
		"POST /v1/tasks/{id}/cancel", "POST /v1/tasks/{id}/pause", "POST /v1/tasks/{id}/resume", "POST /v1/wallets",
		"POST /v1/webhook-endpoints", "POST /v1/webhook-endpoints/{id}/disable", "POST /v1/webhook-endpoints/{id}/enable",
		"POST /v1/webhook-endpoints/{id}/recover", "POST /v1/webhook-endpoints/{id}/replay", "POST /v1/webhook-endpoints/{id}/rotate", "POST /v1/webhook-endpoints/{id}/test",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestRequestsAreStrictAndAnswersMayGrow(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				AdditionalProperties any `json:"additionalProperties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(served(t), &doc); err != nil {
		t.Fatal(err)
	}
	strict := map[string]bool{"HMAC": true, "KnownAsset": true}
	for _, asked := range []string{"NewMerchant", "NewKey", "NewConnection", "ChangedConnection", "NewOrderAddress", "NewPayment", "NewOption", "NewDecision", "ToleranceAsked", "PolicyAsked", "ChangedMerchant", "NewEndpoint", "ChangedEndpoint", "Where", "CertificateAsked", "Rotation", "Xpubs", "Recovery", "Replay", "TaskAsked", "ChangedTask",
		"NewPayout", "NewEstimate", "NewHold", "NewApproval", "NewApprover", "NewDestination", "NewFreeze", "NewLift", "NewWallet"} {
		strict[asked] = true
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		if closed := doc.Components.Schemas[name].AdditionalProperties == false; closed != strict[name] {
			t.Errorf("%s: %v", name, doc.Components.Schemas[name].AdditionalProperties)
		}
	}
}

// A payment's key gives the payment as it stands, for ever; what another key gives is the answer, for a day.
func TestTheDocumentSaysWhatAnIdempotencyKeyStandsFor(t *testing.T) {
	a := unwired()
	a.build.Do(a.routes)
	for id, want := range map[string]string{"create-payment": "as it stands now", "create-merchant": "for a day"} {
		var said string
		for _, p := range a.operations[id].Parameters {
			if p.Name == IdempotencyKey {
				said = p.Description
			}
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s: %s", id, said)
		}
	}
}
