package cloud_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"farrier/shared/cloud"
)

func TestSideBySideDoesEachOnceAndSoManyAtATimeAndKeepsTheErrorsInTheirPlaces(t *testing.T) {
	for _, atOnce := range []int{0, 1, 3, 100} {
		var now, most, done atomic.Int64
		errs := cloud.SideBySide(20, atOnce, func(i int) error {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			defer now.Add(-1)
			done.Add(1)
			if i%7 == 0 {
				return fmt.Errorf("%d", i)
			}
			return nil
		})
		if done.Load() != 20 || most.Load() > int64(max(atOnce, 1)) {
			t.Errorf("%d at once: %d done, %d side by side", atOnce, done.Load(), most.Load())
		}
		if text := errors.Join(errs...).Error(); len(errs) != 20 || text != "0\n7\n14" {
			t.Errorf("%d errors: %s", len(errs), text)
		}
	}
	if errs := cloud.SideBySide(0, 3, func(int) error { return errors.New("called") }); len(errs) != 0 {
		t.Errorf("nothing to do: %v", errs)
	}
}
