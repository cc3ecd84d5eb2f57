package proof

import (
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"farrier/shared/chain"
)

// Chain is what the world's people do to their chain, and what they find there: one in memory, or a real one.
type Chain interface {
	// Mine adds a block with these transfers, not earlier than that time, and gives them as they were included.
	Mine(now time.Time, transfers ...chain.Transfer) []chain.Transfer
	// Reorganise has the newest blocks give way to another fork, and gives the transfers that they held.
	Reorganise(depth int) []chain.Transfer
	// Canonical are all transfers that the chain holds now, in blocks that are final.
	Canonical() []chain.Transfer
	// WasFinal says whether a block, by its hash, is final or ever was, so many blocks deeper than the chain's rule asks.
	WasFinal(hash string, deeper uint64) bool
	// Node is a function's way to the chain, as after a cold start.
	Node(*World) chain.Node
}

var errSilent = errors.New("proof: the node is silent")

// toNode makes one call of an invocation to a node, with what is planned for it.
func toNode(ctx context.Context, method string, wait func(time.Duration), do func() error) error {
	return during(ctx, target{name: "node " + method}, func(f Fault) error {
		switch f {
		case Refuse, Throttle:
			return errSilent
		case TimeOut, Late:
			return errTooLate
		}
		err := do()
		if f == Slow {
			wait(30 * time.Second)
		}
		if f == Lose {
			return errBroken
		}
		return err
	})
}

// Requests is the HTTP transport of a real chain's node: each request is one call of the invocation that makes it.
func (w *World) Requests() http.RoundTripper { return requests{w} }

type requests struct{ *World }

func (r requests) RoundTrip(request *http.Request) (answer *http.Response, err error) {
	err = toNode(request.Context(), methods(request), r.Wait, func() (err error) {
		answer, err = http.DefaultTransport.RoundTrip(request)
		return err
	})
	if err != nil && answer != nil {
		_ = answer.Body.Close()
		answer = nil
	}
	return answer, err
}

var method = regexp.MustCompile(`"method":"(\w+)"`)

// methods are those of a JSON-RPC request, for the timeline.
func methods(request *http.Request) string {
	body, err := request.GetBody()
	if err != nil {
		return err.Error()
	}
	text, _ := io.ReadAll(body)
	var all []string
	for _, found := range method.FindAllSubmatch(text, -1) {
		all = append(all, string(found[1]))
	}
	return strings.Join(all, ", ")
}
