package btcd_test

import (
	"slices"
	"testing"
	"time"

	"farrier/shared/chain/bitcoin/btcd"
)

func TestAPaymentWaitsIsMinedAndIsReplacedInAFork(t *testing.T) {
	c := btcd.Start(t)
	to := btcd.Address(t)
	tx := c.Tx(btcd.Output{To: to, Satoshis: 5000})
	id := c.Send(tx)
	if got := c.Waiting(); !slices.Contains(got, id) {
		t.Fatalf("waiting: %v", got)
	}
	c.Generate(1)
	height := c.Height()
	if got := c.Waiting(); len(got) > 0 {
		t.Fatalf("waiting: %v", got)
	}
	c.Generate(3)
	c.Fork(4) // nothing of it is lost: it waits again
	if got := c.Waiting(); !slices.Contains(got, id) || c.Height() != height+4 {
		t.Fatalf("waiting after the fork: %v; height %d after %d", got, c.Height(), height)
	}
	c.Generate(1)
	c.Fork(2, c.Instead(tx, btcd.Output{To: btcd.Address(t), Satoshis: 5000})) // spent otherwise, it is gone for good
	if got := c.Waiting(); len(got) > 0 {
		t.Fatalf("waiting after it was replaced: %v", got)
	}
}

func TestBlocksMayHaveTimesOfTheTestsOwn(t *testing.T) {
	c := btcd.Bare(t)
	from := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	c.Fund(from)
	tx := c.Tx(btcd.Output{To: btcd.Address(t), Satoshis: 7})
	at := from.Add(time.Hour)
	c.MineAt(at, tx)
	if got := c.TimeOf(c.Height()); !got.Equal(at) {
		t.Errorf("the block is of %s", got)
	}
	c.Pay(btcd.Address(t), 8)
}
