package payment

import (
	"context"
	"errors"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm"
	"farrier/shared/chain/family"
	"farrier/shared/dynamo"
	"farrier/shared/id"
	"farrier/shared/problem"
)

// Get reads a merchant's payment.
func (s Store) Get(ctx context.Context, merchant, name string) (Payment, error) {
	var p Payment
	if !id.Valid("pay", name) {
		return p, problem.New(problem.NotFound, "there is no such payment")
	}
	err := s.Payments.Get(ctx, dynamo.Key{PK: merchant, SK: name}, &p)
	if errors.Is(err, dynamo.ErrMissing) {
		return p, problem.New(problem.NotFound, "there is no such payment")
	}
	return p, err
}

// List reads a page of a merchant's payments, the newest first.
func (s Store) List(ctx context.Context, merchant string, limit int32, cursor string) ([]Payment, string, error) {
	return dynamo.List[Payment](ctx, s.Payments, dynamo.Query{PK: merchant, Descending: true, Limit: limit, Cursor: cursor})
}

// View is a payment as merchants see it, in the API and in webhooks.
type View struct {
	ID            string            `json:"id"`
	Status        Status            `json:"status" enum:"waiting,partial,paid,over,late,expired"`
	Asset         string            `json:"asset" doc:"CAIP-19"`
	Amount        string            `json:"amount" doc:"asked, in the asset's own unit"`
	AmountUnits   string            `json:"amount_units" doc:"asked, in the asset's smallest unit"`
	Received      string            `json:"received" doc:"credited so far, in the asset's own unit"`
	ReceivedUnits string            `json:"received_units" doc:"credited so far, in the asset's smallest unit"`
	Reference     string            `json:"reference"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Address       string            `json:"address" doc:"where the payer sends to; it belongs to this payment alone"`
	URIs          URIs              `json:"uris"`
	CreatedAt     time.Time         `json:"created_at"`
	ExpiresAt     time.Time         `json:"expires_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
}

// URIs are what a payer's wallet can read, as a link or a QR code.
type URIs struct {
	EIP681  string `json:"eip681" doc:"EIP-681 payment request with asset and amount"`
	Address string `json:"address" doc:"the plain address: several wallets and exchanges read nothing else"`
}

// View shows the payment as it stands at a moment.
func (p Payment) View(now time.Time) View {
	received, shown := p.Received(), family.Show(chain.ID(p.Asset.Chain()), p.Address)
	return View{
		ID: p.ID, Status: p.StatusAt(now), Asset: string(p.Asset),
		Amount: p.Amount.Decimal(p.Decimals), AmountUnits: p.Amount.String(),
		Received: received.Decimal(p.Decimals), ReceivedUnits: received.String(),
		Reference: p.Reference, Metadata: p.Metadata, Address: shown,
		URIs:      URIs{EIP681: evm.PaymentURI(p.Asset, p.Address, p.Amount), Address: shown},
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, UpdatedAt: p.UpdatedAt,
	}
}
