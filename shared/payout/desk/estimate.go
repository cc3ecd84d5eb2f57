package desk

import (
	"context"
	"time"

	"farrier/shared/chain"
	"farrier/shared/money"
	"farrier/shared/payout"
)

// Estimate is what a payout would cost now.
type Estimate struct {
	Asset     string        `json:"asset" doc:"CAIP-19"`
	Amount    string        `json:"amount" doc:"in the asset's own unit"`
	FeeAsset  string        `json:"fee_asset" doc:"CAIP-19 of the chain's own coin, which fees are paid in"`
	FeeSymbol string        `json:"fee_symbol,omitempty" doc:"absent where the chain's coin is not configured"`
	Slow      SpeedEstimate `json:"slow"`
	Normal    SpeedEstimate `json:"normal"`
	Fast      SpeedEstimate `json:"fast"`
	At        time.Time     `json:"at" doc:"when the chain was asked for its prices"`
	Age       int64         `json:"age_seconds" doc:"how long ago that is"`
}

// SpeedEstimate is what a payout would cost at a speed. Amounts are in the coin's own unit, and in its smallest.
type SpeedEstimate struct {
	Fee          string `json:"fee" doc:"what it costs as prices are now"`
	FeeUnits     string `json:"fee_units"`
	FeeMost      string `json:"fee_most" doc:"what a payout that is asked for now may cost at the most, after prices have risen"`
	FeeMostUnits string `json:"fee_most_units"`
	Total        string `json:"total,omitempty" doc:"amount and fee together, where the asset is the coin itself: what leaves the wallet"`
	TotalUnits   string `json:"total_units,omitempty"`
	TooDear      bool   `json:"too_dear" doc:"more than a payout may cost: it would be refused"`
}

// Estimate says what a payout would cost.
func (d Desk) Estimate(ctx context.Context, asset, amount string) (Estimate, error) {
	named, err := payout.AssetOf(d.Payouts.Assets, asset)
	if err != nil {
		return Estimate{}, err
	}
	units, err := payout.AmountOf(named, amount)
	if err != nil {
		return Estimate{}, err
	}
	coin := d.coin(named.Chain)
	cost, err := d.cost(ctx, named.Chain)
	if err != nil {
		return Estimate{}, err
	}
	at := func(s payout.Speed) SpeedEstimate { return d.at(cost, named, coin, units, s) }
	return Estimate{
		Asset: string(named.ID), Amount: units.Decimal(named.Decimals), FeeAsset: string(coin.ID), FeeSymbol: coin.Symbol,
		Slow: at(payout.Slow), Normal: at(payout.Normal), Fast: at(payout.Fast),
		At: cost.At, Age: int64(d.Now().Sub(cost.At) / time.Second),
	}, nil
}

func (d Desk) at(cost payout.Cost, asset, coin chain.Asset, units money.Amount, s payout.Speed) SpeedEstimate {
	fee := cost.Fee(asset.ID, s)
	most, err := d.most(cost, asset.ID, s)
	if err != nil {
		most = cost.Asks(asset.ID, s)
	}
	e := SpeedEstimate{
		Fee: fee.Decimal(coin.Decimals), FeeUnits: fee.String(), FeeMost: most.Decimal(coin.Decimals), FeeMostUnits: most.String(), TooDear: err != nil,
	}
	if asset.ID == coin.ID {
		total := units.Add(fee)
		e.Total, e.TotalUnits = total.Decimal(coin.Decimals), total.String()
	}
	return e
}

// coinDecimals is how many decimals the coins of EVM chains have; a chain whose coin is not watched does not say.
const coinDecimals = 18

// coin is a chain's own.
func (d Desk) coin(on chain.ID) chain.Asset {
	c, _ := d.Payouts.Assets.Chain(on)
	if asset, ok := d.Payouts.Assets.Asset(c.NativeAsset()); ok {
		return asset
	}
	return chain.Asset{ID: c.NativeAsset(), Chain: on, Decimals: coinDecimals}
}
