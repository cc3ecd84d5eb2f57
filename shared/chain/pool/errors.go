package pool

import (
	"errors"
	"fmt"
)

// ErrReorganised: the chain changed between two answers to one question. Ask again.
var ErrReorganised = errors.New("node: the chain was reorganised while it was asked")

// ErrBehind: the endpoint's head is below a block that has been seen. It lags, or the chain was rolled back.
var ErrBehind = errors.New("node: the head is older than a block seen before")

// WrongChainError is an endpoint that speaks for another chain.
type WrongChainError struct{ Want, Got string }

func (e *WrongChainError) Error() string {
	return fmt.Sprintf("node: the endpoint is on chain %s, not %s", e.Got, e.Want)
}

// foreign marks an error that is not the endpoint's.
type foreign struct{ error }

func (f foreign) Unwrap() error { return f.error }

// Ours marks an error that is not the endpoint's: asking another one would not help.
func Ours(err error) error { return foreign{err} }
