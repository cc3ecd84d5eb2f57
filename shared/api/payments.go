package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/deposit"
	"farrier/shared/merchant"
	"farrier/shared/money"
	"farrier/shared/payment"
)

type newPayment struct {
	IdempotencyKey string `header:"Idempotency-Key"` // once has checked it
	Body           struct {
		Merchant  string            `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		Asset     string            `json:"asset" minLength:"1" maxLength:"170" doc:"CAIP-19" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
		Amount    string            `json:"amount" minLength:"1" maxLength:"340" doc:"in the asset's own unit; nothing is rounded" example:"10.50"`
		Reference string            `json:"reference" minLength:"1" maxLength:"128" doc:"your own name for it" example:"order-1042"`
		ExpiresIn int64             `json:"expires_in,omitempty" minimum:"60" maximum:"2592000" default:"3600" doc:"seconds in which it is to be paid"`
		Metadata  map[string]string `json:"metadata,omitempty" maxProperties:"10" doc:"your own; at most 400 bytes in all"`
	}
}

type paymentAnswer struct{ Body payment.View }

type listPayments struct {
	Acting
	Paging
}

type onePayment struct {
	Acting
	ID string `path:"id"`
}

// PaymentWithDeposits is a payment and what has come for it.
type PaymentWithDeposits struct {
	payment.View
	Deposits []deposit.View `json:"deposits" doc:"the first hundred; GET /v1/deposits?payment= has them all"`
}

type paymentWithDepositsAnswer struct{ Body PaymentWithDeposits }

func (a *API) paymentRoutes(to huma.API) {
	register(a, to, route{
		ID: "create-payment", Method: http.MethodPost, Path: "/v1/payments", Tag: "Payments", Summary: "Ask for a payment",
		More:  "The payment gets an address of its own. What is sent there is followed to finality and credited.",
		Scope: merchant.PaymentsWrite, Status: http.StatusCreated, OwnRecord: true, Errors: []int{http.StatusNotFound},
		Example: map[string]any{"asset": examplePayment.Asset, "amount": "10.50", "reference": "order-1042", "expires_in": 3600, "metadata": map[string]string{"customer": "c-77"}},
		Answer:  examplePayment,
	}, a.createPayment)
	register(a, to, route{
		ID: "list-payments", Method: http.MethodGet, Path: "/v1/payments", Tag: "Payments", Summary: "List payments, the newest first",
		Scope: merchant.PaymentsRead, Errors: []int{http.StatusNotFound}, Answer: Page[payment.View]{Data: []payment.View{examplePayment}},
	}, a.listPayments)
	register(a, to, route{
		ID: "get-payment", Method: http.MethodGet, Path: "/v1/payments/{id}", Tag: "Payments", Summary: "Get a payment and its deposits",
		Scope: merchant.PaymentsRead, Errors: []int{http.StatusNotFound},
		Answer: PaymentWithDeposits{View: examplePayment, Deposits: []deposit.View{exampleDeposit}},
	}, a.getPayment)
}

func (a *API) createPayment(ctx context.Context, in *newPayment) (*paymentAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	p, err := a.Payments.Create(ctx, payment.Request{
		Merchant: owner.ID, Accounts: owner.Accounts, Shards: owner.Shards,
		Asset: in.Body.Asset, Amount: in.Body.Amount, Reference: in.Body.Reference, ExpiresIn: in.Body.ExpiresIn, Metadata: in.Body.Metadata,
		IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return &paymentAnswer{Body: p.View(a.Now())}, nil
}

func (a *API) listPayments(ctx context.Context, in *listPayments) (*Listed[payment.View], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	payments, next, err := a.Payments.List(ctx, owner.ID, in.Limit, in.Cursor)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	return listed(payments, next, func(p payment.Payment) payment.View { return p.View(now) }), nil
}

func (a *API) getPayment(ctx context.Context, in *onePayment) (*paymentWithDepositsAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	p, err := a.Payments.Get(ctx, owner.ID, in.ID)
	if err != nil {
		return nil, err
	}
	deposits, _, err := a.Deposits.ByPayment(ctx, owner.ID, p.ID, 100, "")
	if err != nil {
		return nil, err
	}
	return &paymentWithDepositsAnswer{Body: PaymentWithDeposits{
		View: p.View(a.Now()), Deposits: listed(deposits, "", deposit.Deposit.View).Body.Data,
	}}, nil
}

var examplePayment = exampleAsked.ViewWithLinks(exampleTime)

// exampleAsked is a payment as it is stored when it is made.
var exampleAsked = payment.Payment{
	ID: "pay_" + exampleULID, Status: payment.Waiting, Reference: "order-1042", Metadata: map[string]string{"customer": "c-77"},
	Option: payment.Option{
		Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Symbol: "USDT", Decimals: 6, Amount: money.Units(10_500_000),
		Address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
	},
	CreatedAt: exampleTime, ExpiresAt: exampleTime.Add(time.Hour), UpdatedAt: exampleTime,
}
