package api

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"gopkg.in/yaml.v3"
)

func TestARoomServesItsOwnOperationsAlone(t *testing.T) {
	b := newBench(t)
	each(b.API, func(path string, op *huma.Operation) {
		other := b.approving
		if op.Metadata["route"].(route).room() == Approving {
			other = b.API
		}
		do(t, other, call{method: op.Method, path: filled(path), key: operatorKey}).wantProblem(t, http.StatusNotFound, "not_found")
	})
	if documentOf(t, b.API) != documentOf(t, b.approving) {
		t.Error("the rooms describe themselves otherwise")
	}
}

func documentOf(t *testing.T, a *API) string {
	t.Helper()
	return do(t, a, call{method: http.MethodGet, path: "/openapi.json"}).want(t, http.StatusOK).Body
}

// TestTheTemplateSendsEachOperationToItsRoom: what no route of another function takes comes to the front.
func TestTheTemplateSendsEachOperationToItsRoom(t *testing.T) {
	var want []string
	a := unwired()
	a.build.Do(a.routes)
	each(a, func(path string, op *huma.Operation) {
		if op.Metadata["route"].(route).room() == Approving {
			want = append(want, op.Method+" "+path)
		}
	})
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Events map[string]struct {
					Type       string
					Properties struct {
						Method string `yaml:"Method"`
						Path   string `yaml:"Path"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	sent := func(function string) (routes []string) {
		for e := range maps.Values(template.Resources[function].Properties.Events) {
			routes = append(routes, e.Properties.Method+" "+e.Properties.Path)
		}
		slices.Sort(routes)
		return routes
	}
	slices.Sort(want)
	if got := sent("ApproveFunction"); !slices.Equal(got, want) {
		t.Errorf("the template sends %v, and its operations are %v", got, want)
	}
	if got := sent("ApiFunction"); !slices.Equal(got, []string{"ANY /{proxy+}"}) {
		t.Errorf("the front gets %v", got)
	}
}
