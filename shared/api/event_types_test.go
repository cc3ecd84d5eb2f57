package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"farrier/shared/event"
)

// allTypes are the answers about every type that the list has.
func allTypes(t *testing.T) (all []EventTypeInFull) {
	t.Helper()
	list := do(t, unwired(), call{method: http.MethodGet, path: "/v1/event-types"}).want(t, http.StatusOK)
	for _, one := range list.JSON["data"].([]any) {
		name := one.(map[string]any)["type"].(string)
		r := do(t, unwired(), call{method: http.MethodGet, path: "/v1/event-types/" + name}).want(t, http.StatusOK)
		var full EventTypeInFull
		if err := json.Unmarshal([]byte(r.Body), &full); err != nil {
			t.Fatal(err)
		}
		all = append(all, full)
	}
	return all
}

func TestTheCatalogueIsAtAURLWithoutAKey(t *testing.T) {
	all := allTypes(t)
	if len(all) != len(event.Catalogue()) {
		t.Fatalf("%d types", len(all))
	}
	for i, k := range event.Catalogue() {
		if all[i].Type != k.Type || all[i].Meaning != k.Meaning || all[i].Version != event.Newest() || !strings.HasPrefix(string(k.Type), all[i].Object+".") {
			t.Errorf("%+v", all[i].EventType)
		}
	}
	do(t, unwired(), call{method: http.MethodGet, path: "/v1/event-types/payment.payed"}).wantProblem(t, http.StatusNotFound, "not_found")
}

// TestExamplesOfWebhooksAreWhatTheirSchemasSay asks the Python library jsonschema; and a schema that takes anything would
// not do.
func TestExamplesOfWebhooksAreWhatTheirSchemasSay(t *testing.T) {
	text, err := json.Marshal(allTypes(t))
	if err != nil {
		t.Fatal(err)
	}
	judge := exec.Command(python(t), filepath.Join("testdata", "judge_event_types.py"))
	judge.Stdin = bytes.NewReader(text)
	if said, err := judge.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
}

func TestAnExampleIsInTheStatusThatItsTypeTells(t *testing.T) {
	for _, one := range allTypes(t) {
		var sent struct{ Data struct{ Status string } }
		if err := json.Unmarshal(one.Full.Example, &sent); err != nil {
			t.Fatal(err)
		}
		_, what, _ := strings.Cut(string(one.Type), ".")
		if one.Object == "endpoint" || one.Type == event.PaymentDecided || one.Type == event.PaymentReversed || one.Type == event.PayoutReopened {
			continue
		}
		if sent.Data.Status != what {
			t.Errorf("%s: %s", one.Type, one.Full.Example)
		}
	}
}

func TestTheExampleOfAPayoutIsOneOfWhichItsTypeIsTold(t *testing.T) {
	for _, k := range event.Catalogue() {
		if p := paidOut(k.Type); strings.HasPrefix(string(k.Type), "payout.") && !slices.Equal(p.Events, []string{string(k.Type)}) {
			t.Errorf("%s: %s, %v", k.Type, p.State, p.Events)
		}
	}
}

func TestTheDocumentTellsOfEveryWebhook(t *testing.T) {
	var document struct {
		Webhooks map[string]struct {
			Post struct {
				RequestBody struct {
					Content map[string]struct {
						Schema struct{ OneOf []map[string]string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(served(t), &document); err != nil {
		t.Fatal(err)
	}
	for _, k := range event.Catalogue() {
		if forms := document.Webhooks[string(k.Type)].Post.RequestBody.Content["application/json"].Schema.OneOf; len(forms) != 2 || forms[0]["$ref"] == "" {
			t.Errorf("%s: %v", k.Type, forms)
		}
	}
	if len(document.Webhooks) != len(event.Catalogue()) {
		t.Errorf("%d webhooks", len(document.Webhooks))
	}
}
