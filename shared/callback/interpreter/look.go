package interpreter

import (
	"context"
	"fmt"

	"farrier/shared/callback"
	"farrier/shared/chain"
	"farrier/shared/queue"
)

// Look is the message that asks the watcher for a look: at a transaction, or at what is new on the chain.
type Look struct {
	Chain chain.ID `json:"chain"`
	Tx    string   `json:"tx"`
}

// look asks for the looks that notices ask for.
func (i *Interpreter) look(ctx context.Context, notices []callback.Notice) ([]trouble, error) {
	looks, strange := i.looks(notices)
	if err := i.Looks.Send(ctx, looks...); err != nil {
		return nil, err
	}
	if strange == 0 {
		return nil, nil
	}
	return []trouble{{callback.UnknownChain, fmt.Sprintf("%d of %d notices are of chains that are not configured", strange, len(notices))}}, nil
}

// looks are the messages for what asks for a look on configured chains, each once, and how many notices are of others.
func (i *Interpreter) looks(notices []callback.Notice) (looks []queue.Message, strange int) {
	asked := map[callback.Hint]bool{}
	for _, n := range notices {
		hint, asks := n.Hint()
		if !asks {
			if n.Lost() {
				strange++
			}
			continue
		}
		if _, configured := i.Chains.Chain(hint.Chain); !configured {
			strange++
			continue
		}
		if asked[hint] {
			continue
		}
		asked[hint] = true
		looks = append(looks, queue.Message{Body: Look(hint), Group: string(hint.Chain)})
	}
	return looks, strange
}
