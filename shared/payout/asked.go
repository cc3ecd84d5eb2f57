package payout

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
	"farrier/shared/chain/tron"
	"farrier/shared/money"
	"farrier/shared/problem"
)

// Limits of a request.
const (
	MaxReference     = 128
	MaxMetadataKeys  = 10
	MaxMetadataTotal = 400 // bytes of all keys and values
	MaxReason        = 200
	MaxLabel         = 100
)

// Request asks for a payout. The amount is in the asset's own unit.
type Request struct {
	Merchant  string
	Requester string // id of the key that asks
	Asset     string
	Amount    string
	To        string
	Reference string
	Metadata  map[string]string
	Wallet    string       // the address that pays, in its canonical spelling
	FeeMost   money.Amount // in the chain's own coin
	Contract  bool         // the destination may be a contract
	Speed     Speed        // "" is Normal
	Wished    string       // the address that is to pay, where the caller named one

	// Lookalike says that the caller has seen what the destination looks like and means this one all the same.
	Lookalike bool
}

// Facts answers what the text of a request does not tell. Whether code lies at an address is asked of a node, by pay.
type Facts interface {
	// Ours says whether an address is one of this system's: a deposit address, a hot wallet.
	Ours(ctx context.Context, on chain.ID, address string) (bool, error)
	// Least is the smallest amount of an asset that may be paid out: below it the fee eats the money, or nodes do not take it.
	Least(ctx context.Context, asset money.Asset) (money.Amount, error)
	// Known are the destinations that a merchant has allowed or paid before whose ends are an address's.
	Known(ctx context.Context, merchant string, on chain.ID, ends Ends) ([]Destination, error)
}

// asked checks what the text of a request does not tell.
func (s Store) asked(ctx context.Context, r Request, p Payout) (Payout, error) {
	if err := checkFacts(ctx, s.Facts, p); err != nil {
		return Payout{}, err
	}
	known, err := s.Facts.Known(ctx, p.PK, p.Chain(), EndsOf(p.To))
	if err != nil {
		return Payout{}, err
	}
	p.Likenesses = Likenesses(p.To, known)
	if len(p.Likenesses) > 0 && !r.Lookalike {
		return Payout{}, problem.Field("to", p.Likenesses[0].Detail(p.Chain()))
	}
	return p, nil
}

// read checks the text of a request field by field, and is the payout that it asks for.
func read(assets *chain.Set, r Request) (Payout, error) {
	asset, err := AssetOf(assets, r.Asset)
	if err != nil {
		return Payout{}, err
	}
	amount, err := AmountOf(asset, r.Amount)
	if err != nil {
		return Payout{}, err
	}
	to, err := ParseDestination(asset, r.To)
	if err != nil {
		return Payout{}, problem.Field("to", err.Error())
	}
	if to == r.Wallet {
		return Payout{}, problem.Field("to", "is the wallet that pays")
	}
	if !slices.Contains([]Speed{"", Slow, Normal, Fast}, r.Speed) {
		return Payout{}, problem.Field("speed", "must be slow, normal or fast")
	}
	if err := problem.Text("reference", r.Reference, MaxReference); err != nil {
		return Payout{}, err
	}
	if err := (problem.Pairs{Keys: MaxMetadataKeys, Key: MaxMetadataTotal, Value: MaxMetadataTotal, Total: MaxMetadataTotal}).Metadata(r.Metadata); err != nil {
		return Payout{}, err
	}
	return Payout{
		PK: r.Merchant, Asset: asset.ID, Symbol: asset.Symbol, Decimals: asset.Decimals, Amount: amount, To: to, Wallet: r.Wallet,
		FeeMost: r.FeeMost, Reference: r.Reference, Requester: r.Requester, Metadata: r.Metadata,
		Contract: r.Contract, Speed: cmp.Or(r.Speed, Normal),
	}, nil
}

// AssetOf reads the name of an asset that payouts may be asked for in: those of EVM chains are made.
func AssetOf(assets *chain.Set, text string) (chain.Asset, error) {
	name, err := money.ParseAsset(text)
	if err != nil {
		return chain.Asset{}, problem.Field("asset", err.Error())
	}
	asset, ok := assets.Asset(name)
	switch {
	case !ok:
		return chain.Asset{}, problem.Field("asset", "is not configured here")
	case asset.Chain.Namespace() != "eip155":
		return chain.Asset{}, problem.Field("asset", "payouts are made on EVM chains")
	}
	return asset, nil
}

// AmountOf reads an amount that may be paid out, in the asset's own unit.
func AmountOf(asset chain.Asset, text string) (money.Amount, error) {
	amount, err := money.ParseDecimal(text, asset.Decimals)
	switch {
	case err != nil:
		return money.Amount{}, problem.Field("amount", err.Error())
	case amount.Sign() <= 0:
		return money.Amount{}, problem.Field("amount", "must be more than zero")
	}
	return amount, nil
}

// DestinationError says why nobody can be paid at an address. It is safe to show.
type DestinationError string

func (e DestinationError) Error() string { return string(e) }

// Why an address of the right form is refused.
const (
	ErrZero  DestinationError = "is the zero address: what is sent there is lost"
	ErrBurn  DestinationError = "is an address that nobody has a key of: what is sent there is lost"
	ErrAsset DestinationError = "is the asset's own contract: what is sent there is lost"
)

// ParseDestination reads an address to which an asset is to be paid and gives its canonical spelling. The error is safe to
// show.
func ParseDestination(asset chain.Asset, text string) (string, error) {
	to, err := ParseAddress(asset.Chain, text)
	if err == nil && asset.ID.Kind() != "slip44" && strings.EqualFold(to, asset.ID.Reference()) {
		err = ErrAsset
	}
	return to, err
}

// ParseAddress reads an address that somebody may be paid at and gives its canonical spelling. On EVM chains mixed case must
// carry the right checksum (EIP-55). The error is safe to show.
func ParseAddress(on chain.ID, text string) (string, error) {
	f, ok := family.Of(on)
	if !ok {
		return "", DestinationError("cannot be read: payouts are not made on this chain")
	}
	if text == "" {
		return "", DestinationError("is missing")
	}
	to, err := f.ParseAddress(on, text)
	switch {
	case err != nil:
		return "", err
	case isZero(to):
		return "", ErrZero
	case isBurn(to):
		return "", ErrBurn
	}
	return to, nil
}

// zeroTron is the account of twenty zero bytes.
var zeroTron = tron.FromBytes([20]byte{})

func isZero(to string) bool {
	return to == zeroTron || strings.HasPrefix(to, "0x") && strings.Trim(to[2:], "0") == ""
}

// isBurn knows the address by which people mean "gone", and those below 0x1000, among which are the contracts that EVM
// chains have built in (0x01 and on; RIP-7212's is 0x100).
func isBurn(to string) bool {
	return to == "0x000000000000000000000000000000000000dead" || strings.HasPrefix(to, "0x"+strings.Repeat("0", 37))
}

func checkFacts(ctx context.Context, facts Facts, p Payout) error {
	ours, err := facts.Ours(ctx, p.Chain(), p.To)
	if err != nil {
		return err
	}
	if ours {
		return problem.Field("to", "is an address of this system; a payout goes to somebody else")
	}
	least, err := facts.Least(ctx, p.Asset)
	if err != nil {
		return err
	}
	if p.Amount.Cmp(least) < 0 {
		return problem.Field("amount", "is dust; at least "+least.Decimal(p.Decimals)+" is paid out")
	}
	return nil
}
