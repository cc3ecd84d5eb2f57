package chain

import (
	"fmt"
	"time"

	"farrier/shared/money"
)

// Deeper is a rule about large amounts: a transfer of at least Amount is final only when its block lies Blocks blocks
// deeper than the chain's rule asks. The asset is said by its name or, where only one has it, by its symbol; the amount
// is in the asset's own unit.
type Deeper struct {
	Asset  money.Asset `json:"asset,omitempty"`
	Symbol string      `json:"symbol,omitempty"`
	Amount string      `json:"amount"`
	Blocks uint64      `json:"blocks"`

	least money.Amount // Amount in the asset's smallest unit
}

// The most that a rule may ask for. What waits is kept in the watch's journal, which is read whole by each new process
// and forgets after a week.
const (
	mostDeeper  = 10_000
	longestWait = 24 * time.Hour
)

// Settles is the height that has to be final before the transfer is.
func (c Config) Settles(t Transfer) uint64 {
	deeper := uint64(0)
	for _, d := range c.Finality.Deeper {
		if d.Asset == t.Asset && t.Amount.Cmp(d.least) >= 0 {
			deeper = max(deeper, d.Blocks)
		}
	}
	return t.Block.Height + deeper
}

// readDeeper finishes the chain's rules about amounts, in place. Its assets are known by then.
func (s *Set) readDeeper(c Config) error {
	for i := range c.Finality.Deeper {
		if err := s.finish(c, &c.Finality.Deeper[i]); err != nil {
			return fmt.Errorf("finality.deeper[%d].%w", i, err)
		}
	}
	return nil
}

func (s *Set) finish(c Config, d *Deeper) error {
	asset, err := s.named(c, *d)
	if err != nil {
		return err
	}
	least, err := money.ParseDecimal(d.Amount, asset.Decimals)
	switch wait := longestWait / time.Duration(c.BlockTime); {
	case err != nil:
		return fmt.Errorf("amount: %w", err)
	case least.Sign() <= 0:
		return fmt.Errorf("amount: must be more than zero; what every transfer has to wait for is the chain's own rule")
	case d.Blocks == 0 || d.Blocks > mostDeeper || d.Blocks > uint64(wait): // #nosec G115 -- not negative
		return fmt.Errorf("blocks: must be from 1 to %d, and no more than a day's", mostDeeper)
	}
	d.Asset, d.least = asset.ID, least
	return nil
}

// named is the asset that a rule is about.
func (s *Set) named(c Config, d Deeper) (Asset, error) {
	if (d.Asset == "") == (d.Symbol == "") {
		return Asset{}, fmt.Errorf("asset: either this or a symbol says which asset is meant")
	}
	if name, err := money.ParseAsset(string(d.Asset)); err == nil {
		d.Asset = name
	}
	var found []Asset
	for _, a := range s.assets {
		if a.Chain == c.ID && (a.ID == d.Asset || a.Symbol == d.Symbol && d.Symbol != "") {
			found = append(found, a)
		}
	}
	switch {
	case len(found) == 0 && d.Asset != "":
		return Asset{}, fmt.Errorf("asset: is not configured on this chain")
	case len(found) == 0:
		return Asset{}, fmt.Errorf("symbol: no asset of this chain has it")
	case len(found) > 1:
		return Asset{}, fmt.Errorf("symbol: several assets of this chain have it; say which by asset")
	}
	return found[0], nil
}
