package callback

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"farrier/shared/money"
	"farrier/shared/problem"
)

// KnownAsset is what a provider's own name of an asset stands for.
type KnownAsset struct {
	Asset    money.Asset `json:"asset" minLength:"1" maxLength:"171" doc:"CAIP-19, or iso4217:EUR for money of a state" dynamodbav:"asset"`
	Decimals int         `json:"decimals" minimum:"0" maximum:"36" doc:"of the asset" dynamodbav:"decimals"`
}

const (
	mostAssets   = 50
	mostDecimals = 36
)

// asset is what a provider's code stands for on this connection; a code that the settings do not name may be a
// currency of ISO 4217.
func (s Settings) asset(code string) (KnownAsset, bool) {
	if known, found := s.Assets[code]; found {
		return known, true
	}
	return currency(code)
}

// settleAssets brings assets into their one spelling. The caller's map stays as it is.
func (s *Settings) settleAssets() error {
	if len(s.Assets) == 0 {
		s.Assets = nil
		return nil
	}
	if len(s.Assets) > mostAssets {
		return problem.Field("assets", fmt.Sprintf("must be at most %d", mostAssets))
	}
	settled := maps.Clone(s.Assets)
	for _, code := range slices.Sorted(maps.Keys(settled)) {
		known := settled[code]
		asset, err := assetNamed(string(known.Asset))
		switch {
		case code == "" || len(code) > 64 || !printable(code):
			return problem.Field("assets", "must have names of 1 to 64 printable characters")
		case err != nil:
			return problem.Field("assets."+code+".asset", err.Error())
		case known.Decimals < 0 || known.Decimals > mostDecimals:
			return problem.Field("assets."+code+".decimals", fmt.Sprintf("must be from 0 to %d", mostDecimals))
		}
		settled[code] = KnownAsset{Asset: asset, Decimals: known.Decimals}
	}
	s.Assets = settled
	return nil
}

func assetNamed(text string) (money.Asset, error) {
	if code, is := strings.CutPrefix(text, currencyPrefix); is {
		if known, found := currency(code); found && strings.ToUpper(code) == code {
			return known.Asset, nil
		}
		return "", fmt.Errorf("must be a CAIP-19 asset or a currency such as %q", currencyPrefix+"EUR")
	}
	return money.ParseAsset(text)
}
