package register

import (
	"context"
	"strings"

	"farrier/shared/callback"
	"farrier/shared/dynamo"
	"farrier/shared/payment"
)

// page gives a work one page of the merchant's earlier addresses, and the job that goes on behind it. Each payment has
// an address of its own in each family; the oldest come first, so that what is added meanwhile is behind. A connection that began to
// register once more has another job on its way: this one is over.
func (r *Registrar) page(ctx context.Context, c callback.Connection, w *work) error {
	if w.Earlier.From != c.RegistersFrom {
		return nil
	}
	payments, next, err := dynamo.List[payment.Payment](ctx, r.Payments, dynamo.Query{
		PK: c.Merchant, Prefix: "pay_", Limit: int32(providers[c.Provider].most), Cursor: w.Earlier.Cursor, // #nosec G115 -- at most 1,000
	})
	if err != nil {
		return err
	}
	for _, p := range payments {
		if address := registered(p); address != "" {
			w.addresses = append(w.addresses, address)
		}
	}
	if next != "" {
		w.next = &Job{Connection: c.ID, Earlier: &Earlier{From: w.Earlier.From, Cursor: next}}
	}
	return nil
}

// registered is a payment's address in the family that registers; it has one at most.
func registered(p payment.Payment) string {
	for _, o := range p.Options() {
		if strings.HasPrefix(o.Asset.Chain(), callback.RegisteringFamily+":") {
			return o.Address
		}
	}
	return ""
}
