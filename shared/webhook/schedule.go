package webhook

import (
	"encoding/binary"
	"io"
	"time"
)

// schedule is how long to wait before each attempt, counted from the one before: 3 days in all
// (Standard Webhooks, "Deliverability and reliability").
var schedule = []time.Duration{
	0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// longestWait bounds what an endpoint may ask for by Retry-After.
const longestWait = 24 * time.Hour

// waits are the waits of an endpoint.
func (e Endpoint) waits() []time.Duration {
	if len(e.Schedule) == 0 {
		return schedule
	}
	own := make([]time.Duration, len(e.Schedule))
	for i, seconds := range e.Schedule {
		own[i] = time.Duration(seconds) * time.Second
	}
	return own
}

// waitAfter says how long to wait after so many attempts, and whether there is another one at all.
// Retry-After can make the wait longer, never shorter: an endpoint that asks for a flood does not get one.
func waitAfter(waits []time.Duration, made int, retryAfter time.Duration, random io.Reader) (time.Duration, bool) {
	if made >= len(waits) {
		return 0, false
	}
	return max(jittered(waits[made], random), min(retryAfter, longestWait)), true
}

// jittered spreads a wait over ±10 %, so that what failed together does not come back together.
func jittered(d time.Duration, random io.Reader) time.Duration {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return d
	}
	share := float64(binary.BigEndian.Uint32(b[:]))/(1<<32)*0.2 - 0.1
	return d + time.Duration(share*float64(d))
}
