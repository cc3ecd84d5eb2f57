package callback

import (
	"strings"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// ownCoins are the codes of chains' own coins that providers share. A code that names different things at different
// providers ("MATIC", which for some is a token on Ethereum) is not among them.
var ownCoins = map[string]chain.ID{
	"BTC": "bip122:000000000019d6689c085ae165831e93", "LTC": "bip122:12a765e31ffd4059bada1e25190f6e98",
	"DOGE": "bip122:1a91e3dace36e2be3bf030a65679fe82", "BCH": "bip122:000000000000000000651ef99cb9fcbe",
	"DASH": "bip122:00000ffd590b1485b3caadc19b22e637", "ETH": "eip155:1", "TRX": "tron:0x2b6653dc",
	"SOL": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "XRP": "xrpl:0", "XLM": "stellar:pubnet",
}

// coin is what a provider's code of an asset stands for: as this connection's settings say or, where the code is among
// coins, the own coin of that chain. Unlike Settings.asset it takes no code for a state's money: "TOP" and "ALL" are
// tokens too.
func (s Settings) coin(code string, coins map[string]chain.ID) (KnownAsset, bool) {
	if known, found := s.Assets[code]; found {
		return known, true
	}
	on, found := coins[code]
	if !found {
		return KnownAsset{}, false
	}
	return coinOf(on)
}

// priceCoin is price for a provider of tokens: an amount in the asset's own unit, by its code. The error follows the
// name of the amount's field.
func (n *Notice) priceCoin(s Settings, code, amount string, coins map[string]chain.ID) error {
	known, found := s.coin(code, coins)
	return n.priceAs(known, found, code, amount)
}

// priceAs sets amount and asset where the code's asset was found, and keeps the code alone where it was not.
func (n *Notice) priceAs(known KnownAsset, found bool, code, amount string) error {
	if !found {
		n.Code = detail(code)
		return nil
	}
	units, err := decimalUnits(amount, known.Decimals)
	if err != nil {
		return err
	}
	n.value(known, units)
	return nil
}

// value sets amount and asset, and the chain that the asset is on where the provider names none.
func (n *Notice) value(known KnownAsset, units money.Amount) {
	n.Asset, n.Decimals, n.Amount = known.Asset, known.Decimals, units
	if n.Chain == "" && strings.Contains(string(known.Asset), "/") {
		n.Chain = chain.ID(known.Asset.Chain())
	}
}

// on is the chain of a notice: the connection's, where it is about one chain only, or else what the provider names.
func (s Settings) on(named chain.ID) chain.ID {
	if s.Chain != "" {
		return chain.ID(s.Chain)
	}
	return named
}
