package pool

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"farrier/shared/chain/jsonrpc"
)

// ErrReorganised: the chain changed between two answers to one question. Ask again.
var ErrReorganised = errors.New("node: the chain was reorganised while it was asked")

// ErrBehind: the endpoint's head is below a block that has been seen. It lags, or the chain was rolled back.
var ErrBehind = errors.New("node: the head is older than a block seen before")

// behindError is ErrBehind with its heights.
type behindError struct {
	head, seen uint64
	guessed    bool // the head was not told: the endpoint only does not know a block
}

func (e *behindError) Error() string {
	return fmt.Sprintf("%v: %d after %d", ErrBehind, e.head, e.seen)
}

func (e *behindError) Unwrap() error { return ErrBehind }

// AheadError is a head that the chain cannot have reached since it was last seen.
type AheadError struct{ Head, Seen uint64 }

func (e *AheadError) Error() string {
	return fmt.Sprintf("node: the head %d is further from %d than any chain grows", e.Head, e.Seen)
}

// errOutvoted: most other endpoints said otherwise.
var errOutvoted = errors.New("node: most endpoints say otherwise")

// WrongChainError is an endpoint that speaks for another chain.
type WrongChainError struct{ Want, Got string }

func (e *WrongChainError) Error() string {
	return fmt.Sprintf("node: the endpoint is on chain %s, not %s", e.Got, e.Want)
}

// waitError is an endpoint that is not asked, because it said so.
type waitError struct {
	until time.Time
	said  error
}

func (e *waitError) Error() string {
	return fmt.Sprintf("not asked before %s: %v", e.until.UTC().Format(time.TimeOnly), e.said)
}

func (e *waitError) Unwrap() error { return e.said }

// foreign marks an error that is not the endpoint's.
type foreign struct{ error }

func (f foreign) Unwrap() error { return f.error }

// Ours marks an error that is not the endpoint's: asking another one would not help.
func Ours(err error) error { return foreign{err} }

// wide marks an error of a question that may be answered in parts.
type wide struct{ error }

func (w wide) Unwrap() error { return w.error }

// Wide marks an error of a question about a range of blocks that an endpoint may answer for less of it: it is for the caller
// to ask less. One block cannot be asked for in parts, and a limit that asking less did not help against is one of calls.
func Wide(err error, from, to uint64) error {
	if from < to && jsonrpc.TooMuch(err) && !jsonrpc.Limited(err) {
		return wide{err}
	}
	return err
}

// slowError is an answer that came, and took too long.
type slowError struct{ took time.Duration }

func (e *slowError) Error() string {
	return fmt.Sprintf("node: one request took %s", e.took.Round(time.Millisecond))
}

// Kind is what is wrong with an endpoint, in a word for the log.
type Kind string

// The kinds of trouble.
const (
	Lag         Kind = "lag"
	Throttled   Kind = "throttled"
	WrongChain  Kind = "wrong chain"
	Strange     Kind = "strange answer" // no JSON, not what was asked for, or answers that exclude each other
	Refused     Kind = "refused"        // the node's own error: a method that it does not know, a key that is not valid
	Disagrees   Kind = "disagrees"      // with most others
	Slow        Kind = "slow"
	LeftOut     Kind = "left out" // no trouble that it rests for: what it could not tell is gone on without
	Unreachable Kind = "unreachable"
)

// kindOf tells what is wrong by the kind of the error, never by its words.
func kindOf(err error) Kind {
	var wrong *WrongChainError
	var status *jsonrpc.StatusError
	var refused *jsonrpc.RefusedError
	var strange *jsonrpc.AnswerError
	var large *jsonrpc.TooLargeError
	var ahead *AheadError
	switch {
	case errors.Is(err, ErrBehind):
		return Lag
	case errors.As(err, &wrong):
		return WrongChain
	case errors.As(err, &status):
		return kindOfStatus(status)
	case jsonrpc.Late(err):
		return Slow
	case jsonrpc.Limited(err):
		return Throttled
	case errors.As(err, &refused):
		return Refused
	case errors.As(err, &strange), errors.As(err, &large), errors.As(err, &ahead), errors.Is(err, ErrReorganised):
		return Strange
	default:
		return Unreachable
	}
}

func kindOfStatus(e *jsonrpc.StatusError) Kind {
	switch {
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusServiceUnavailable && e.RetryAfter > 0:
		return Throttled
	case e.Status >= 400 && e.Status < 500:
		return Refused
	default:
		return Unreachable
	}
}
