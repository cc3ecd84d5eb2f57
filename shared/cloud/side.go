package cloud

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Guarded turns a panic into an error, so that what runs beside it goes on.
func Guarded[T any](step func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return step()
}

// SideBySide calls f for each place of a list of n, atOnce of them at a time (one, where it is less), in their order, and
// returns when all are done. The errors stand in the places' order.
func SideBySide(n, atOnce int, f func(i int) error) []error {
	errs := make([]error, n)
	free := make(chan struct{}, max(atOnce, 1))
	var all sync.WaitGroup
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			errs[i] = f(i)
		})
	}
	all.Wait()
	return errs
}
