package approval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/seal"
)

// How often an approver may be wrong: more wrong codes than these within the time, and none counts until it is over. As many
// more as run at the same time may be tried.
const (
	maxWrong    = 5
	wrongWithin = 15 * time.Minute
)

// Codes checks codes, for the signer alone: it opens the approvers' secrets, and nobody else writes to its table.
type Codes struct {
	Table dynamo.Table
	Open  func(ctx context.Context, owner seal.Owner, sealed string) ([]byte, error) // a seal.Sealer's
	Now   func() time.Time
}

// used says what a code was used for.
type used struct {
	PK string `dynamodbav:"pk"` // approver
	SK string `dynamodbav:"sk"` // "step/" and the step

	Payout    string    `dynamodbav:"payout"` // "" for a code that was refused and is gone all the same
	Hash      string    `dynamodbav:"hash"`
	At        time.Time `dynamodbav:"at"`
	Version   int64     `dynamodbav:"version"`
	ExpiresAt int64     `dynamodbav:"expires_at"` // in Unix seconds; an approval that old counts no longer, whatever the policy
}

// keepUsed is how long used codes are remembered: far longer than approvals count.
const keepUsed = 400 * 24 * time.Hour

// wrong counts an approver's wrong codes.
type wrong struct {
	PK string `dynamodbav:"pk"` // approver
	SK string `dynamodbav:"sk"` // always "wrong"

	Said    []string  `dynamodbav:"said"`  // the approvals whose codes they were, so that none counts twice
	Since   time.Time `dynamodbav:"since"` // when the first of them was checked
	Version int64     `dynamodbav:"version"`
}

// errBusy: others kept changing the same item.
var errBusy = errors.New("approval: others are checking the same approver's codes; come again")

const attempts = 8

// Check says whether an approval's code is the approver's, of the time at which the approval was made, and uses it up: for
// this payout and no other. It answers with a *Failure, or with trouble, after which it may be asked again. The same
// approval again gets the same answer.
func (c Codes) Check(ctx context.Context, by Approver, a Approval) error {
	if by.ID == "" || a.Approver != by.ID || a.Payout == "" { // "" is what a burnt code was used for
		return fmt.Errorf("approval: the code of %q is not checked for %q", a.Approver, by.ID)
	}
	secret, err := c.Open(ctx, SecretOwner(by.ID), by.Secret)
	if err != nil {
		return err
	}
	count, err := c.wrong(ctx, by.ID)
	if err != nil {
		return err
	}
	step, off, found := stepOf(secret, a.Code, a.MadeAt)
	right := found && off >= -window && off <= window
	locked := count.locked(c.Now())
	switch {
	case right && locked:
		return c.again(ctx, step, a)
	case locked:
		return failure(by.ID, Locked, "too many wrong codes; none counts for %s", wrongWithin)
	case right:
		return c.use(ctx, step, a)
	}
	why := failure(by.ID, WrongCode, "the code is not the one that the approver's authenticator shows")
	if found {
		if err := c.burn(ctx, step, by.ID); err != nil {
			return err
		}
		why = failure(by.ID, ClockOff, "the code is of another time: the clock of the approver's authenticator is %s", clock(off))
	}
	if err := c.count(ctx, a); err != nil {
		return err
	}
	return why
}

// clock says how a clock is off by a number of steps.
func clock(off int) string {
	by := time.Duration(max(off, -off)) * Period
	if off > 0 {
		return fmt.Sprintf("ahead by about %s", by)
	}
	return fmt.Sprintf("behind by about %s, or the code was an old one", by)
}

// use takes a code: whoever is first has it.
func (c Codes) use(ctx context.Context, step int64, a Approval) error {
	now := c.now()
	err := c.Table.Create(ctx, used{
		PK: a.Approver, SK: stepKey(step), Payout: a.Payout, Hash: a.Hash, At: now, Version: 1, ExpiresAt: now.Add(keepUsed).Unix(),
	})
	var stored used
	exists, readErr := dynamo.Exists(err, &stored)
	switch {
	case !exists:
		return err
	case readErr != nil:
		return readErr
	}
	return stored.allows(a)
}

// again lets an approval through whose code was taken before the approver was locked out.
func (c Codes) again(ctx context.Context, step int64, a Approval) error {
	var stored used
	err := c.Table.Get(ctx, dynamo.Key{PK: a.Approver, SK: stepKey(step)}, &stored)
	switch {
	case errors.Is(err, dynamo.ErrMissing):
		return failure(a.Approver, Locked, "too many wrong codes; none counts for %s", wrongWithin)
	case err != nil:
		return err
	}
	return stored.allows(a)
}

func (u used) allows(a Approval) error {
	if u.Payout != a.Payout || u.Hash != a.Hash {
		return failure(a.Approver, CodeUsed, "the code was used already; wait for the next")
	}
	return nil
}

// burn takes a code out of use that was given at another time, so that whoever is told of the clock gains nothing by it.
func (c Codes) burn(ctx context.Context, step int64, approver string) error {
	now := c.now()
	err := c.Table.Create(ctx, used{PK: approver, SK: stepKey(step), At: now, Version: 1, ExpiresAt: now.Add(keepUsed).Unix()})
	var exists *dynamo.ExistsError
	if errors.As(err, &exists) {
		return nil
	}
	return err
}

func (c Codes) wrong(ctx context.Context, approver string) (wrong, error) {
	w := wrong{PK: approver, SK: "wrong"}
	err := c.Table.Get(ctx, dynamo.Key{PK: w.PK, SK: w.SK}, &w)
	if errors.Is(err, dynamo.ErrMissing) {
		return w, nil
	}
	return w, err
}

func (w wrong) over(now time.Time) bool { return now.Sub(w.Since) >= wrongWithin }

func (w wrong) locked(now time.Time) bool { return len(w.Said) >= maxWrong && !w.over(now) }

// count remembers that an approval's code was wrong.
func (c Codes) count(ctx context.Context, a Approval) error {
	name := fmt.Sprintf("%s/%d", a.Payout, a.Version)
	for range attempts {
		w, err := c.wrong(ctx, a.Approver)
		if err != nil {
			return err
		}
		before := w.Version
		if w.over(c.Now()) {
			w.Said, w.Since = nil, c.now()
		}
		if slices.Contains(w.Said, name) || len(w.Said) >= maxWrong {
			return nil
		}
		w.Said, w.Version = append(slices.Clone(w.Said), name), before+1
		if err = c.Table.Follow(ctx, w, before); !errors.Is(err, dynamo.ErrStale) {
			return err
		}
	}
	return errBusy
}

func (c Codes) now() time.Time { return c.Now().UTC().Truncate(time.Millisecond) }

func stepKey(step int64) string { return fmt.Sprintf("step/%012d", step) }
