package proof

import (
	"context"
	"fmt"
	"slices"

	"farrier/shared/dynamo"
	"farrier/shared/payment"
)

// word is what a merchant decided about an order; a cancelling is one without About.
type word struct {
	about    payment.About
	action   payment.Action
	answered bool
}

// Cancel is a merchant's back end cancelling an order, once. It says whether it was answered.
func (h *History) Cancel(order string) bool {
	return h.say(order, word{}, "cancels "+order, func(ctx context.Context, id string) (payment.Payment, error) {
		return h.in().payments.Cancel(ctx, Merchant, id)
	})
}

// Decide is a merchant's back end deciding about an order, once.
func (h *History) Decide(order string, about payment.About, action payment.Action) bool {
	return h.say(order, word{about: about, action: action}, fmt.Sprintf("%s of %s: %s", about, order, action), func(ctx context.Context, id string) (payment.Payment, error) {
		return h.in().payments.Decide(ctx, Merchant, id, about, action, payment.ByMerchant)
	})
}

func (h *History) say(order string, w word, what string, call func(context.Context, string) (payment.Payment, error)) bool {
	id := h.asked[order].ID
	err := h.Run("api", what, func(ctx context.Context) error {
		_, err := call(ctx, id)
		return err
	})
	w.answered = err == nil
	h.words[order] = append(h.words[order], w)
	return w.answered
}

// wordsStand: what a merchant was answered stands, unless it may have said something else since; and what stands was said.
func wordsStand(h *History) (found []string) {
	for _, p := range newest[payment.Payment](h, "payments") {
		said := h.words[p.Reference]
		if cancels := func(w word) bool { return w.about == "" && w.answered }; slices.ContainsFunc(said, cancels) && p.CancelledAt == nil {
			found = append(found, p.Reference+" was answered as cancelled and is not")
		}
		if p.CancelledAt != nil && !slices.ContainsFunc(said, func(w word) bool { return w.about == "" }) {
			found = append(found, p.Reference+" is cancelled, and nobody said so")
		}
		for _, about := range []payment.About{payment.AboutPartial, payment.AboutOver, payment.AboutLate} {
			stands := payment.Action("")
			for _, v := range p.Verdicts {
				if v.About == about {
					stands = v.Action
				}
			}
			if may := mayStand(said, about); !slices.Contains(may, stands) {
				found = append(found, fmt.Sprintf("about %s of %s stands %q, and %q was said", about, p.Reference, stands, may))
			}
		}
	}
	return found
}

// mayStand are the actions that can be the merchant's last word about one thing: the last that was answered, and those
// that were said in no order that anybody knows beside and after it.
func mayStand(said []word, about payment.About) []payment.Action {
	may := []payment.Action{""}
	for _, w := range said {
		if w.about != about {
			continue
		}
		if w.answered {
			may = nil
		}
		may = append(may, w.action)
	}
	return may
}

// cancelledWithout: no payment is cancelled that has money, and none is cancelled twice.
func cancelledWithout(h *History) (found []string) {
	before := map[string]payment.Payment{}
	for _, item := range h.AWS.Written("payments") {
		var p payment.Payment
		if err := dynamo.Unmarshal(item, &p); err != nil {
			return []string{err.Error()}
		}
		was := before[p.ID]
		if p.CancelledAt != nil && was.CancelledAt == nil && p.Credited() {
			found = append(found, fmt.Sprintf("%s was cancelled with %s of %s", p.Reference, p.InTime.Add(p.After), p.Amount))
		}
		if was.CancelledAt != nil && (p.CancelledAt == nil || !p.CancelledAt.Equal(*was.CancelledAt)) {
			found = append(found, p.Reference+" was cancelled at another time")
		}
		before[p.ID] = p
	}
	return found
}
