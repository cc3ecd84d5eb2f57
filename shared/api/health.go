package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Health says that the API answers.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

type healthAnswer struct{ Body Health }

func (a *API) healthRoutes(to huma.API) {
	register(a, to, route{
		ID: "health", Method: http.MethodGet, Path: "/v1/health", Tag: "Health", Summary: "Say whether the API answers",
		More: "It asks nothing of tables or chains.", Answer: Health{Status: "ok"},
	}, func(context.Context, *struct{}) (*healthAnswer, error) {
		return &healthAnswer{Body: Health{Status: "ok"}}, nil
	})
}
