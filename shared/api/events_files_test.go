package api

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/gateway"
)

func TestTheEventsBesideTheFunctionsAreAnsweredAsTheirNamesSay(t *testing.T) {
	for name, status := range map[string]int{"openapi": http.StatusOK, "health": http.StatusOK, "no-key": http.StatusUnauthorized} {
		text, err := os.ReadFile(filepath.Join("..", "..", "events", "api-"+name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var e events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		if out, err := gateway.Handler(unwired())(context.Background(), e); err != nil || out.StatusCode != status {
			t.Errorf("%s: %d %s, %v", name, out.StatusCode, out.Body, err)
		}
	}
}
