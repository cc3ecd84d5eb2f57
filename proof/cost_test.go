package proof_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"farrier/proof"
	"farrier/shared/payment"
)

// Most that a payment may cost from its creation to its first delivered webhook, and a warm callback.
const (
	mostUnitsOfAPayment = 13
	mostUnitsWithAKey   = 14 // where the request sends an Idempotency-Key
	mostOfACallback     = 1
)

func TestCost(t *testing.T) {
	a, tables := account(t)
	h := proof.NewHistory(t, a, tables)
	warm := func(event string) []proof.Call {
		a.Forget()
		h.Callback(h.Provider.Mined(event, ""))
		return a.Calls()
	}
	warm("evt-cold")
	callback := warm("evt-warm")
	t.Log("\nAn acknowledged callback, warm:\n\n" + table(callback, nil))
	if units, requests := sum(callback); units != mostOfACallback || requests != mostOfACallback {
		t.Errorf("a warm callback is %d requests and %.0f units", requests, units)
	}
	mine(h, 1)
	for h.Round() {
	}

	a.Forget()
	if !h.AskWith("order", "10.5", time.Hour, func(r *payment.Request) { r.IdempotencyKey = "" }) {
		t.Fatal("the payment was not made")
	}
	sent := transfer(h, h.Addresses()[0].Address, 10_500_000)
	h.Callback(h.Provider.Mined("evt-1", sent.Tx))
	h.Round()
	mine(h, 4)
	for range 4 {
		h.Round()
	}
	journey := a.Calls()
	if told := len(h.Shop.Received()); told != 1 {
		t.Fatalf("the shop was told %d events", told)
	}
	// The watcher's journal is written once a pass, for all payments of the chain together.
	perPayment := func(c proof.Call) bool { return c.Tables != "passes" }
	t.Log("\nFrom creating a payment to its first delivered webhook (with a callback; every write, indexes included):\n\n" + table(journey, perPayment))
	var own []proof.Call
	for _, c := range journey {
		if perPayment(c) {
			own = append(own, c)
		}
	}
	units, _ := sum(own)
	if units > mostUnitsOfAPayment {
		t.Errorf("a payment is %.0f write units, more than %d", units, mostUnitsOfAPayment)
	}
	t.Log("\nA million such payments at list prices of us-east-1, 2026-11-21:\n\n" + prices(own))
}

// A request that sends an Idempotency-Key pays for one more name that is taken.
func TestAKeyCostsOneUnitMore(t *testing.T) {
	a, tables := account(t)
	h := proof.NewHistory(t, a, tables)
	for key, want := range map[string]float64{"": 2, "key": mostUnitsWithAKey - mostUnitsOfAPayment + 2} {
		a.Forget()
		h.AskWith("order of "+key, "10.5", time.Hour, func(r *payment.Request) { r.IdempotencyKey = key })
		if units, _ := sum(a.Calls()); units != want {
			t.Errorf("with the key %q a payment is made with %.0f units, want %.0f:\n%s", key, units, want, table(a.Calls(), nil))
		}
	}
}

// What a webhook costs that the shop takes at once, and one that it takes at the fourth time.
func TestCostOfADelivery(t *testing.T) {
	a, tables := account(t)
	for retries, most := range map[int]float64{0: 1, 3: 13} {
		h := proof.NewHistory(t, a, tables)
		paid(h)
		h.Round()
		mine(h, 4)
		h.Shop.Behave(proof.Broken, retries)
		a.Forget()
		for range 4 * (retries + 1) {
			for h.Round() {
			}
			h.Wait(time.Hour)
			h.Sweep()
		}
		if told := len(h.Shop.Received()); told != 1 || h.Shop.Refused() != retries {
			t.Fatalf("the shop was told %d events and refused %d times", told, h.Shop.Refused())
		}
		var own []proof.Call
		for _, c := range a.Calls() {
			if c.Function == "deliver" || c.Function == "sweep" && c.Units > 0 { // the sweep looks at the due index whatever is due
				own = append(own, c)
			}
		}
		if units, _ := sum(own); units > most {
			t.Errorf("with %d retries a delivery is %.0f units, more than %.0f", retries, units, most)
		}
		t.Logf("\nA webhook with %d retries, from the job in the queue on:\n\n%s", retries, table(own, nil))
	}
}

// The filter before the table of addresses costs a write unit for each address; everything else is as it was.
func TestCostOfTheAddressFilter(t *testing.T) {
	a, tables := account(t)
	units := func(settings ...proof.Setting) float64 {
		h := proof.NewHistory(t, a, tables, settings...)
		a.Forget()
		if !h.Ask("order-1", "10.5", time.Hour) {
			t.Fatal("it was not answered")
		}
		made, _ := sum(a.Calls())
		return made
	}
	plain, filtered := units(), units(proof.Filtered)
	t.Logf("a payment's making: %.0f write units, %.0f with the filter", plain, filtered)
	if filtered != plain+1 {
		t.Errorf("%.0f and %.0f", plain, filtered)
	}
}

// sum adds up what writes and asks.
func sum(calls []proof.Call) (units float64, requests int) {
	for _, c := range calls {
		units += c.Units
		requests++
	}
	return units, requests
}

// table lists the writes by function and operation, and counts the rest.
func table(calls []proof.Call, counts func(proof.Call) bool) string {
	var b strings.Builder
	b.WriteString("| function | request | tables | write units |\n| --- | --- | --- | ---: |\n")
	total, others, reads := 0.0, map[string]int{}, 0
	for _, c := range calls {
		switch {
		case c.Units > 0 && (counts == nil || counts(c)):
			fmt.Fprintf(&b, "| %s | %s | %s | %.0f |\n", c.Function, c.Operation, c.Tables, c.Units)
			total += c.Units
		case c.Units > 0:
			others[c.Tables+", once a pass and shared by all payments"]++
		case c.Service != "DynamoDB":
			others[strings.TrimSpace(c.Service+" "+c.Operation)]++
		case counts != nil && !counts(c): // the watcher's own reading
		default:
			reads++
		}
	}
	fmt.Fprintf(&b, "| | | **sum** | **%.0f** |\n\nBesides, %d reads of DynamoDB", total, reads)
	for _, name := range sorted(others) {
		fmt.Fprintf(&b, "; %d × %s", others[name], name)
	}
	return b.String() + ".\n"
}

// prices are the list prices of a million payments. Functions' time is not measured here: a local run says
// nothing of AWS's machines, so it is reckoned at a stated number of milliseconds.
func prices(calls []proof.Call) string {
	const (
		invocations   = 8 // api, receive, interpret, watch, credit, notify, deliver, expire
		millis        = 20
		gigabytes     = 0.25
		perGBSecond   = 0.0000133334 // arm64
		queueRequests = 3            // each message is sent, received and deleted
	)
	count := map[string]int{}
	units, reads := 0.0, 0
	for _, c := range calls {
		count[c.Service]++
		units += c.Units
		if c.Service == "DynamoDB" && c.Units == 0 {
			reads++
		}
	}
	schedules := count["Scheduler"]
	rows := []struct {
		what   string
		number float64
		price  float64
	}{
		{"DynamoDB write units", units, 0.625},
		{"DynamoDB read units, at most", float64(reads), 0.125},
		{"SQS requests: send, receive, delete of each message, nothing batched", float64(queueRequests * (count["SQS"] + schedules)), 0.40},
		{"KMS calls", float64(count["KMS"]), 3.00},
		{"schedules", float64(schedules), 1.00},
		{"HTTP API requests: the payment and the callback", 2, 1.00},
		{"Lambda requests, nothing batched", invocations, 0.20},
		{fmt.Sprintf("Lambda time, reckoned at %d ms and %.2f GB each", millis, gigabytes), invocations, millis * gigabytes * perGBSecond * 1000},
	}
	var b strings.Builder
	b.WriteString("| what | for each payment | dollars for a million |\n| --- | ---: | ---: |\n")
	total := 0.0
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.0f | %.2f |\n", r.what, r.number, r.number*r.price)
		total += r.number * r.price
	}
	fmt.Fprintf(&b, "| **sum** | | **%.2f** |\n", total)
	return b.String()
}

func sorted(m map[string]int) []string { return slices.Sorted(maps.Keys(m)) }
