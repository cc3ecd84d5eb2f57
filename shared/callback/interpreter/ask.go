package interpreter

import (
	"context"
	"errors"
	"fmt"

	"farrier/shared/callback"
)

// mostAsked is how many objects one callback may have us ask for: each takes up to five seconds, of a function's sixty for
// five messages.
const mostAsked = 2

// toAsk sends a receipt through the function's own queue, by its key.
func (i *Interpreter) toAsk(ctx context.Context, receipt callback.Receipt) error {
	return sendKey(ctx, i.Own, receipt, "the provider is to be asked")
}

// ask gives what the provider's API says of the objects whose money notices tell of, and what is wrong where it does not
// say the same.
func (i *Interpreter) ask(ctx context.Context, c callback.Connection, notices []callback.Notice) (answers []callback.Notice, found []trouble, err error) {
	asked := map[string]bool{}
	for _, n := range notices {
		if _, moves := moves[n.Kind]; !moves || asked[n.Object] {
			continue
		}
		if asked[n.Object] = true; len(asked) > mostAsked {
			found = append(found, trouble{callback.Unreadable, fmt.Sprintf("it tells of the money of more than %d objects", mostAsked)})
			break
		}
		answer, err := i.Asker.Ask(ctx, c, n)
		wrong, is := troubleIn(err)
		switch {
		case errors.Is(err, callback.ErrNoObject):
			found = append(found, trouble{callback.Contradiction, "the provider's API knows no such object"})
		case is:
			found = append(found, wrong)
		case err != nil:
			return nil, nil, err
		case !saysAsMuch(answer, n):
			found = append(found, trouble{callback.Contradiction, "it says " + string(n.Kind) + ", and the provider's API does not"})
		}
		answers = append(answers, answer...)
	}
	return answers, found, nil
}

// saysAsMuch says whether an answer tells of money as a notice does. Of what was paid back, it says so; of what was paid, it
// may say that it was paid back since.
func saysAsMuch(answer []callback.Notice, n callback.Notice) bool {
	for _, a := range answer {
		if move, is := moves[a.Kind]; is && (move.back || !moves[n.Kind].back) {
			return true
		}
	}
	return false
}
