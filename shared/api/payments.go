package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/merchant"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/payment/statement"
	"farrier/shared/problem"
)

type newPayment struct {
	IdempotencyKey string `header:"Idempotency-Key"` // keyed has checked it
	Body           struct {
		Merchant       string            `json:"merchant,omitempty" pattern:"^mer_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a merchant's id" doc:"the operator names the merchant; a merchant's key acts for its own"`
		Asset          string            `json:"asset,omitempty" minLength:"1" maxLength:"170" doc:"CAIP-19; with amount, where it is payable in one asset alone" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
		Amount         string            `json:"amount,omitempty" minLength:"1" maxLength:"340" doc:"in the asset's own unit; nothing is rounded" example:"10.50"`
		Options        []newOption       `json:"options,omitempty" minItems:"1" maxItems:"8" doc:"in place of asset and amount: each asset that it can be paid in, and how much of it is all. A payer may pay a part in one and the rest in another"`
		Reference      string            `json:"reference" minLength:"1" maxLength:"128" doc:"your own name for it; one payment alone has it" example:"order-1042"`
		ExpiresIn      int64             `json:"expires_in,omitempty" minimum:"60" maximum:"2592000" default:"3600" doc:"seconds in which it is to be paid"`
		Tolerance      *toleranceAsked   `json:"tolerance,omitempty" doc:"what is left out is as the merchant's settings say"`
		Policy         *policyAsked      `json:"policy,omitempty" doc:"what is left out is as the merchant's settings say"`
		PageURL        string            `json:"page_url,omitempty" maxLength:"300" doc:"an https page of yours on which the payer pays, for wallets that open pages (imToken)" example:"https://shop.example/pay/1042"`
		WalletCallback string            `json:"wallet_callback,omitempty" pattern:"^con_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a connection's id" doc:"a connection to tokenpocket: its links tell that wallet to call back there"`
		Metadata       map[string]string `json:"metadata,omitempty" maxProperties:"10" doc:"your own; at most 400 bytes in all"`
	}
}

type newOption struct {
	Asset  string `json:"asset" minLength:"1" maxLength:"170" doc:"CAIP-19" example:"eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`
	Amount string `json:"amount" minLength:"1" maxLength:"340" doc:"in the asset's own unit; nothing is rounded" example:"10.50"`
}

type toleranceAsked struct {
	Under *int64 `json:"under_bps,omitempty" minimum:"0" maximum:"9999" doc:"so much less is still paid, in basis points (hundredths of a percent) of what was asked" example:"50"`
	Over  *int64 `json:"over_bps,omitempty" minimum:"0" maximum:"10000" doc:"so much more is still paid and not over, in basis points of what was asked" example:"100"`
}

type policyAsked struct {
	Partial payment.Action `json:"partial,omitempty" enum:"accept,hold,refund" doc:"too little has come by the end; accept: the payment is settled with whatever has come" example:"hold"`
	Over    payment.Action `json:"over,omitempty" enum:"accept,hold,refund" doc:"what came beyond what was asked" example:"accept"`
	Late    payment.Action `json:"late,omitempty" enum:"accept,hold,refund" doc:"what came after the end; accept: it counts as if it had come in time" example:"hold"`
}

type newDecision struct {
	Acting
	ID   string `path:"id"`
	Body struct {
		About  payment.About  `json:"about" enum:"partial,over,late" doc:"which of the payment's decisions" example:"partial"`
		Action payment.Action `json:"action" enum:"accept,refund" doc:"refund is a mark: nothing is sent by it" example:"accept"`
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

type (
	paymentWithDepositsAnswer struct{ Body PaymentWithDeposits }
	statementAnswer           struct{ Body statement.Statement }
)

func (a *API) paymentRoutes(to huma.API) {
	register(a, to, route{
		ID: "create-payment", Method: http.MethodPost, Path: "/v1/payments", Tag: "Payments", Summary: "Ask for a payment",
		More: "The payment gets an address of its own for each family of chains. What is sent there is followed to finality and credited. " +
			"The same request with the same reference is the same payment; the reference with another request, or under another Idempotency-Key, is refused as reference_used.",
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
	register(a, to, route{
		ID: "get-payment-statement", Method: http.MethodGet, Path: "/v1/payments/{id}/statement", Tag: "Payments", Summary: "Get a payment's statement: what was asked for, and what came",
		More:  "Each deposit with what its money counts for and why, and the entries that booked it; the sums are those of the entries.",
		Scope: merchant.PaymentsRead, Errors: []int{http.StatusNotFound}, Answer: exampleStatement,
	}, a.getStatement)
	register(a, to, route{
		ID: "cancel-payment", Method: http.MethodPost, Path: "/v1/payments/{id}/cancel", Tag: "Payments", Summary: "Cancel a payment",
		More:  "Only where nothing has been credited, and in its time. Money that comes all the same is credited: as late where its block is later than this.",
		Scope: merchant.PaymentsWrite, Errors: []int{http.StatusNotFound}, Answer: exampleCancelled,
	}, a.cancelPayment)
	register(a, to, route{
		ID: "decide-payment", Method: http.MethodPost, Path: "/v1/payments/{id}/decide", Tag: "Payments", Summary: "Decide about money that is not as it was asked for",
		More: "For all such money of that kind that the payment has at this moment. What comes after goes by the payment's policy, until it is decided about. " +
			"A refund is a mark alone: no money is sent by it, and it stays in the balance.",
		Scope: merchant.PaymentsDecide, Errors: []int{http.StatusNotFound}, Example: map[string]any{"about": "partial", "action": "accept"}, Answer: exampleDecided,
	}, a.decidePayment)
}

func (a *API) createPayment(ctx context.Context, in *newPayment) (*paymentAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Body.Merchant)
	if err != nil {
		return nil, err
	}
	r := payment.Request{
		Merchant: owner.ID, Accounts: owner.Accounts, Home: owner.Home, Shards: owner.Shards, Usual: owner.Terms(),
		Asset: in.Body.Asset, Amount: in.Body.Amount, Reference: in.Body.Reference, ExpiresIn: in.Body.ExpiresIn, Metadata: in.Body.Metadata,
		Terms: termsAsked(in.Body.Tolerance, in.Body.Policy), PageURL: in.Body.PageURL, IdempotencyKey: in.IdempotencyKey,
	}
	for _, o := range in.Body.Options {
		r.Options = append(r.Options, payment.OptionAsked(o))
	}
	if in.Body.WalletCallback != "" {
		if r.WalletURL, err = a.walletURL(ctx, in.Body.Merchant, in.Body.WalletCallback); err != nil {
			return nil, err
		}
		r.WalletCallback = in.Body.WalletCallback
	}
	p, err := a.Payments.Create(ctx, r)
	if err != nil {
		return nil, err
	}
	return &paymentAnswer{Body: p.ViewWithLinks(a.Now())}, nil
}

func termsAsked(t *toleranceAsked, p *policyAsked) payment.TermsAsked {
	var asked payment.TermsAsked
	if t != nil {
		asked.Under, asked.Over = t.Under, t.Over
	}
	if p != nil {
		asked.Policy = payment.Policy(*p)
	}
	return asked
}

func (a *API) getStatement(ctx context.Context, in *onePayment) (*statementAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	reader := statement.Reader{Payments: a.Payments, Deposits: a.Deposits, Ledger: a.Ledger}
	s, err := reader.Of(ctx, owner.ID, in.ID, owner.Shards, a.Now())
	if err != nil {
		return nil, err
	}
	return &statementAnswer{Body: s}, nil
}

// walletURL says where the payer's wallet tells of a payment: an order's address at a connection to TokenPocket.
func (a *API) walletURL(ctx context.Context, named, connection string) (func(context.Context, string) (string, error), error) {
	c, err := a.connectionFor(ctx, named, connection)
	if err == errNoConnection || err == nil && c.Provider != tokenPocket {
		return nil, problem.Field("wallet_callback", "must be one of the merchant's connections to "+tokenPocket)
	}
	return func(ctx context.Context, payment string) (string, error) {
		return a.orderURL(ctx, c, payment)
	}, err
}

const tokenPocket = "tokenpocket"

func (a *API) cancelPayment(ctx context.Context, in *onePayment) (*paymentAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	p, err := a.Payments.Cancel(ctx, owner.ID, in.ID)
	if err != nil {
		return nil, err
	}
	return &paymentAnswer{Body: p.ViewWithLinks(a.Now())}, nil
}

func (a *API) decidePayment(ctx context.Context, in *newDecision) (*paymentAnswer, error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	by := payment.ByMerchant
	if callerOf(ctx).Operator {
		by = payment.ByOperator
	}
	p, err := a.Payments.Decide(ctx, owner.ID, in.ID, in.Body.About, in.Body.Action, by)
	if err != nil {
		return nil, err
	}
	a.logged(ctx, "a payment was decided about", "merchant", owner.ID, "payment", p.ID, "version", p.Version)
	return &paymentAnswer{Body: p.ViewWithLinks(a.Now())}, nil
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
	return listed(payments, next, func(p payment.Payment) payment.View { return p.ViewWithLinks(now) }), nil
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
		View: p.ViewWithLinks(a.Now()), Deposits: listed(deposits, "", deposit.Deposit.View).Body.Data,
	}}, nil
}

var (
	examplePayment   = exampleAsked.ViewWithLinks(exampleTime)
	exampleCancelled = cancelled(exampleAsked).ViewWithLinks(exampleTime)
	exampleDecided   = decided(exampleAsked).ViewWithLinks(exampleTime.Add(2 * time.Hour))
)

func cancelled(p payment.Payment) payment.Payment {
	p.CancelledAt, p.Status = &exampleTime, payment.Cancelled
	return p
}

// decided is the payment after a part of it has come and its time was over.
func decided(p payment.Payment) payment.Payment {
	p, _ = p.Credit(p.Asset, money.Units(4_000_000), false, exampleTime)
	p, _, _ = p.Decide(payment.AboutPartial, payment.Accept, payment.ByMerchant, exampleTime.Add(2*time.Hour))
	return p
}

// exampleAsked is a payment as it is stored when it is made.
var exampleAsked = payment.Payment{
	ID: "pay_" + exampleULID, Status: payment.Waiting, Reference: "order-1042", Metadata: map[string]string{"customer": "c-77"},
	Option: payment.Option{
		Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Symbol: "USDT", Decimals: 6, Amount: money.Units(10_500_000),
		Address: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
	},
	CreatedAt: exampleTime, ExpiresAt: exampleTime.Add(time.Hour), UpdatedAt: exampleTime,
}

var exampleStatement = statement.Statement{
	Payment: exampleDecided,
	Sums: []statement.Sum{{
		Asset: string(exampleAsked.Asset), Asked: "10.50", AskedUnits: "10500000", InTime: "4.00", InTimeUnits: "4000000", Late: "0.00", LateUnits: "0",
		Remaining: "6.50", RemainingUnits: "6500000",
	}},
	Others: []statement.Other{},
	Lines: []statement.Line{{
		Deposit: exampleDeposit, Counts: statement.InTime, Why: "it came by the payment's end, 2026-11-20T13:00:00Z",
		Entries: []statement.Booked{{ID: "ent_" + exampleULID, Kind: ledger.Credit, Amount: "4.00", AmountUnits: "4000000", At: exampleTime}},
	}},
}
