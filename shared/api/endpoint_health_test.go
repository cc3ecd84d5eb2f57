package api

import (
	"net/http"
	"testing"
	"time"

	"farrier/shared/webhook"
)

func TestAnEndpointsHealthAndDeliveriesAreItsMerchantsAlone(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant("*")
	_, stranger := b.merchant("*")
	endpoint := b.post(key, "/v1/webhook-endpoints", hook).want(t, http.StatusCreated).text("id")
	told := b.post(key, "/v1/webhook-endpoints/"+endpoint+"/test", nil).want(t, http.StatusAccepted).text("id")
	one := "/v1/webhook-endpoints/" + endpoint

	if h := b.get(key, one+"/health", "").want(t, http.StatusOK); h.text("status") != "healthy" || h.JSON["waiting"] != float64(0) {
		t.Errorf("%v", h.Body)
	}
	d := webhook.Delivery{Event: told, Endpoint: endpoint, Status: webhook.Delivered, Made: 1, UpdatedAt: b.now, Version: 1,
		Attempts: []webhook.Attempt{{N: 1, At: b.now, Status: 200, Millis: 12, Sent: webhook.Sent{Schemes: "v1"}}}}
	if err := b.Deliveries.Table.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	list := b.get(key, one+"/deliveries", "").want(t, http.StatusOK)
	if n := len(list.data(t)); n != 1 {
		t.Errorf("%d deliveries: %s", n, list.Body)
	}
	if n := len(b.get(key, one+"/deliveries", "status=failed").want(t, http.StatusOK).data(t)); n != 0 {
		t.Errorf("%d failed", n)
	}
	since := b.now.Add(-time.Hour)
	state := webhook.State{Merchant: owner, Endpoint: endpoint, Streak: 3, FailingSince: &since, Trouble: "status 500", Version: 1, UpdatedAt: b.now}
	if err := b.Doctor.States.Table.Create(t.Context(), state); err != nil {
		t.Fatal(err)
	}
	if h := b.get(key, one+"/health", "").want(t, http.StatusOK); h.text("status") != "failing" || h.JSON["in_vain"] != float64(3) {
		t.Errorf("%v", h.Body)
	}
	for _, path := range []string{one + "/health", one + "/deliveries"} {
		b.get(stranger, path, "").wantProblem(t, http.StatusNotFound, "not_found")
	}
	b.get(key, one+"/deliveries", "status=lost").wantProblem(t, http.StatusUnprocessableEntity, "invalid")
}
