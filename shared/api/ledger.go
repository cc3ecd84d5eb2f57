package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"farrier/shared/ledger"
	"farrier/shared/merchant"
)

type listEntries struct {
	Acting
	Paging
}

type listBalances struct{ Acting }

func (a *API) ledgerRoutes(to huma.API) {
	register(a, to, route{
		ID: "list-entries", Method: http.MethodGet, Path: "/v1/entries", Tag: "Ledger", Summary: "List the ledger's entries, those of the newest payments and payouts first",
		Scope: merchant.LedgerRead, Errors: []int{http.StatusNotFound}, Answer: Page[ledger.EntryView]{Data: []ledger.EntryView{exampleEntry}},
	}, a.listEntries)
	register(a, to, route{
		ID: "list-balances", Method: http.MethodGet, Path: "/v1/balances", Tag: "Ledger", Summary: "List balances, one for each asset",
		Scope: merchant.LedgerRead, Errors: []int{http.StatusNotFound}, Answer: Page[ledger.TotalView]{Data: []ledger.TotalView{exampleBalance}},
	}, a.listBalances)
}

func (a *API) listEntries(ctx context.Context, in *listEntries) (*Listed[ledger.EntryView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	after, err := place(in.Cursor)
	if err != nil {
		return nil, err
	}
	entries, next, err := a.Ledger.List(ctx, owner.ID, owner.Shards, in.Limit, after)
	return listed(entries, opaque(next), ledger.Entry.View), err
}

func (a *API) listBalances(ctx context.Context, in *listBalances) (*Listed[ledger.TotalView], error) {
	owner, err := a.merchantFor(ctx, in.Merchant)
	if err != nil {
		return nil, err
	}
	totals, err := a.Ledger.Totals(ctx, owner.ID)
	return listed(totals, "", ledger.Total.View), err
}

var (
	exampleLegs  = map[ledger.Leg]string{ledger.Available: "10500000", ledger.Custody: "-10500000"}
	exampleEntry = ledger.EntryView{
		ID: "ent_" + exampleULID, Kind: ledger.Credit, Asset: examplePayment.Asset, Amount: "10.50", AmountUnits: "10500000", Legs: exampleLegs,
		Deposit: exampleDeposit.ID, Payment: examplePayment.ID, Chain: "eip155:137", Transaction: exampleTransaction, At: exampleTime,
	}
	exampleBalance = ledger.TotalView{Asset: examplePayment.Asset, Available: "10.50", AvailableUnits: "10500000", Reserved: "0.00", ReservedUnits: "0", Legs: exampleLegs, Entries: 1, UpdatedAt: exampleTime}
)

const exampleTransaction = "0x3f1c0e0f7b7a4b2f9f0d6f7c0c4ed4d2f2b3c9a1e5d8b7a6958473625140f9e8"
