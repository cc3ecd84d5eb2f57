package api

import (
	"net/http"
	"os"
	"testing"
)

func TestDump(t *testing.T) {
	out := do(t, unwired(), call{method: http.MethodGet, path: "/openapi.json"})
	os.WriteFile("/tmp/openapi.json", []byte(out.Body), 0o600)
}
