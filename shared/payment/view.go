package payment

import (
	"time"

	"farrier/shared/money"
	"farrier/shared/payment/link"
)

// View is a payment as merchants see it, in the API and in webhooks.
type View struct {
	ID            string            `json:"id"`
	Status        Status            `json:"status" enum:"waiting,partial,paid,over,late,expired,cancelled"`
	Settled       bool              `json:"settled" doc:"enough has come that counts, or was accepted as enough: the goods may be handed over"`
	Asset         string            `json:"asset" doc:"CAIP-19; of the first option, as are the amounts, the address and the uris beside it"`
	Amount        string            `json:"amount" doc:"asked, in the asset's own unit"`
	AmountUnits   string            `json:"amount_units" doc:"asked, in the asset's smallest unit"`
	Received      string            `json:"received" doc:"credited so far, in the asset's own unit"`
	ReceivedUnits string            `json:"received_units" doc:"credited so far, in the asset's smallest unit"`
	Reference     string            `json:"reference"`
	Metadata      map[string]string `json:"metadata,omitempty"`
	Address       string            `json:"address" doc:"where the payer sends to; it belongs to this payment alone"`
	URIs          URIs              `json:"uris" doc:"of the first option, for what remains; the address alone where nothing is to be paid any more"`
	Options       []OptionView      `json:"options" doc:"each asset that it can be paid in; a payer may pay a part in one and the rest in another"`
	Tolerance     Tolerance         `json:"tolerance"`
	Policy        Policy            `json:"policy" doc:"what happens with money that is not as it was asked for"`
	Decisions     []DecisionView    `json:"decisions" doc:"how it stands with money that is not as it was asked for; empty where all is"`
	PageURL       string            `json:"page_url,omitempty" doc:"your page on which the payer pays"`
	CreatedAt     time.Time         `json:"created_at"`
	ExpiresAt     time.Time         `json:"expires_at"`
	CancelledAt   *time.Time        `json:"cancelled_at,omitempty"`
	UpdatedAt     time.Time         `json:"updated_at"`
}

// OptionView is one asset that a payment can be paid in.
type OptionView struct {
	Asset          string      `json:"asset" doc:"CAIP-19"`
	Chain          string      `json:"chain" doc:"CAIP-2"`
	Symbol         string      `json:"symbol" doc:"for people; the asset says which it is"`
	Decimals       int         `json:"decimals"`
	Amount         string      `json:"amount" doc:"asked where all is paid in this asset, in its own unit"`
	AmountUnits    string      `json:"amount_units"`
	Received       string      `json:"received" doc:"credited so far in this asset"`
	ReceivedUnits  string      `json:"received_units"`
	Remaining      string      `json:"remaining" doc:"what the payer must still send where the rest is paid in this asset alone; zero where enough has come"`
	RemainingUnits string      `json:"remaining_units"`
	Address        string      `json:"address" doc:"where the payer sends this asset to"`
	Links          *link.Links `json:"links,omitempty" doc:"for the payer's wallet, for what remains; the address alone where nothing is to be paid any more. Webhooks leave them out"`
}

// URIs are what a payer's wallet can read, as a link or a QR code.
type URIs struct {
	EIP681  string `json:"eip681,omitempty" doc:"EIP-681 payment request with asset and amount, on EVM chains"`
	BIP21   string `json:"bip21,omitempty" doc:"BIP-21 payment request with amount, for Bitcoin"`
	Address string `json:"address" doc:"the plain address: several wallets and exchanges read nothing else"`
}

// DecisionView is how it stands with money that is not as it was asked for.
type DecisionView struct {
	About   About        `json:"about" enum:"partial,over,late"`
	State   State        `json:"state" enum:"accepted,held,refund" doc:"held: decide by POST …/decide; refund: to be sent back, by which nothing is sent; by a decision it counts for nothing any more"`
	Amounts []AmountView `json:"amounts"`
	At      *time.Time   `json:"at,omitempty" doc:"when it was decided; absent where the policy says it"`
	By      string       `json:"by" enum:"policy,merchant,operator"`
}

// AmountView is an amount of an asset.
type AmountView struct {
	Asset       string `json:"asset" doc:"CAIP-19"`
	Amount      string `json:"amount" doc:"in the asset's own unit"`
	AmountUnits string `json:"amount_units"`
}

// View shows the payment as it stands at a moment, without the links of its options.
func (p Payment) View(now time.Time) View {
	v := p.ViewWithLinks(now)
	for i := range v.Options {
		v.Options[i].Links = nil
	}
	return v
}

// ViewWithLinks shows the payment with all that a payer can be shown.
func (p Payment) ViewWithLinks(now time.Time) View {
	options, remaining := p.Options(), p.Remaining()
	links := p.links(remaining, now)
	first, firstLinks := options[0], links[0]
	decisions, settled := p.Standing(now)
	v := View{
		ID: p.ID, Status: p.StatusAt(now), Settled: settled, Asset: string(first.Asset),
		Amount: first.Amount.Decimal(first.Decimals), AmountUnits: first.Amount.String(),
		Received: first.Received().Decimal(first.Decimals), ReceivedUnits: first.Received().String(),
		Reference: p.Reference, Metadata: p.Metadata, Address: firstLinks.Address,
		URIs:    URIs{EIP681: firstLinks.EIP681, BIP21: firstLinks.BIP21, Address: firstLinks.Address},
		Options: []OptionView{}, Tolerance: p.Tolerance, Policy: p.Policy.Or(Usual), Decisions: []DecisionView{}, PageURL: p.PageURL,
		CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, CancelledAt: p.CancelledAt, UpdatedAt: p.UpdatedAt,
	}
	for i, o := range options {
		v.Options = append(v.Options, OptionView{
			Asset: string(o.Asset), Chain: o.Asset.Chain(), Symbol: o.Symbol, Decimals: o.Decimals,
			Amount: o.Amount.Decimal(o.Decimals), AmountUnits: o.Amount.String(),
			Received: o.Received().Decimal(o.Decimals), ReceivedUnits: o.Received().String(),
			Remaining: remaining[i].Decimal(o.Decimals), RemainingUnits: remaining[i].String(),
			Address: links[i].Address, Links: &links[i],
		})
	}
	for _, d := range decisions {
		v.Decisions = append(v.Decisions, DecisionView{About: d.About, State: d.State, Amounts: amountsOf(options, d.Amounts), At: d.At, By: d.By})
	}
	return v
}

// links are those of each option, for what remains. A payment that nobody is to pay any more has addresses alone: a link
// that asks for money would bring money that nobody asked for.
func (p Payment) links(remaining []money.Amount, now time.Time) []link.Links {
	var all []link.Links
	for i, o := range p.Options() {
		links := link.Of(link.Asked{
			Asset: o.Asset, Symbol: o.Symbol, Decimals: o.Decimals, Amount: remaining[i], Address: o.Address,
			Name: p.ID, Expires: p.ExpiresAt, CallbackURL: p.WalletURL, PageURL: p.PageURL,
		})
		if p.closed(now) || remaining[i].Sign() <= 0 {
			links = link.Links{Address: links.Address}
		}
		all = append(all, links)
	}
	return all
}

// amountsOf are the amounts, an option each, without those that are zero.
func amountsOf(options []Option, amounts []money.Amount) []AmountView {
	var all []AmountView
	for i, a := range amounts {
		if a.Sign() != 0 && i < len(options) {
			all = append(all, AmountView{Asset: string(options[i].Asset), Amount: a.Decimal(options[i].Decimals), AmountUnits: a.String()})
		}
	}
	return all
}
