package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/deposit"
	"farrier/shared/merchant"
)

type listDeposits struct {
	Acting
	Payment string `query:"payment" pattern:"^pay_[0-9A-HJKMNP-TV-Z]{26}$" patternDescription:"a payment's id" doc:"only those of this payment"`
	Paging
}

func (a *API) depositRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-deposits", Method: http.MethodGet, Path: "/v1/deposits", Tag: "Payments", Summary: "List deposits",
		More:  "Transfers to payments' addresses, however far they have come; those of the newest payment first.",
		Scope: merchant.PaymentsRead, Errors: []int{http.StatusNotFound}, Answer: Page[deposit.View]{Data: []deposit.View{exampleDeposit}},
	}, a.listDeposits)
}

func (a *API) listDeposits(ctx context.Context, in *listDeposits) (*Listed[deposit.View], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	if in.Payment == "" {
		deposits, next, err := a.Deposits.ByMerchant(ctx, owner.ID, in.Limit, in.Cursor)
		return listed(deposits, next, deposit.Deposit.View), err
	}
	deposits, next, err := a.Deposits.ByPayment(ctx, owner.ID, in.Payment, in.Limit, in.Cursor)
	return listed(deposits, next, deposit.Deposit.View), err
}

var exampleDeposit = deposit.View{
	ID: "dep_MFRGGZDFMZTWQ2LKNNWG23TPOA", Payment: "pay_" + exampleULID, Chain: "eip155:137", Transaction: exampleTransaction, Index: "log-0",
	Asset: "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f", Amount: "10.50", AmountUnits: "10500000",
	From: "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", To: "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", Status: deposit.Final,
	BlockHeight: 71234567, BlockHash: "0x9b2c6d1e8f7a0b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081920a1b", BlockTime: exampleTime.Add(time.Minute),
	NoticedAt: exampleTime.Add(time.Minute + 2*time.Second), UpdatedAt: exampleTime.Add(6 * time.Minute),
}
