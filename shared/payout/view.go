package payout

import (
	"cmp"
	"strings"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/family"
)

// View is a payout as merchants see it, in the API and in webhooks.
type View struct {
	ID           string            `json:"id"`
	Status       State             `json:"status" enum:"requested,checked,approved,reserved,signed,broadcast,confirming,final,failed,replaced,cancelled,held"`
	Reason       string            `json:"reason,omitempty" doc:"why it is held, failed, replaced or cancelled"`
	Cancelling   bool              `json:"cancelling,omitempty" doc:"it was taken back, nothing is signed any more, and its money is released within a minute"`
	Asset        string            `json:"asset" doc:"CAIP-19"`
	Chain        string            `json:"chain" doc:"CAIP-2"`
	Symbol       string            `json:"symbol"`
	Amount       string            `json:"amount" doc:"in the asset's own unit"`
	AmountUnits  string            `json:"amount_units" doc:"in the asset's smallest unit"`
	To           string            `json:"to" doc:"as people write it, with its checksum"`
	From         string            `json:"from" doc:"the wallet that pays"`
	Reference    string            `json:"reference"`
	Metadata     map[string]string `json:"metadata,omitempty"`
	Contract     bool              `json:"contract,omitempty" doc:"the destination may be a contract"`
	Speed        Speed             `json:"speed" enum:"slow,normal,fast" doc:"how soon it should be mined"`
	FeeMostUnits string            `json:"fee_most_units" doc:"the most that its fee may be, in the smallest unit of the chain's own coin"`
	FeeUnits     string            `json:"fee_units,omitempty" doc:"the fee of the transaction that was mined"`
	Transaction  string            `json:"transaction,omitempty" doc:"the one that was mined"`
	BlockHeight  uint64            `json:"block_height,omitempty"`
	BlockHash    string            `json:"block_hash,omitempty"`
	Hash         string            `json:"hash" doc:"SHA-256 of the canonical form, which approvals are bound to"`
	Lookalikes   []LikenessView    `json:"lookalikes,omitempty" doc:"addresses that the destination looks like and is not"`
	Attempts     []TransactionView `json:"attempts" doc:"its signed transactions, all of one nonce, so that at most one of them is mined"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
}

// TransactionView is a signed transaction as merchants see it.
type TransactionView struct {
	N              int        `json:"n"`
	Nonce          uint64     `json:"nonce"`
	Transaction    string     `json:"transaction"`
	FeePerGasUnits string     `json:"fee_per_gas_units"`
	TipPerGasUnits string     `json:"tip_per_gas_units"`
	Gas            uint64     `json:"gas"`
	SignedAt       time.Time  `json:"signed_at"`
	BroadcastAt    *time.Time `json:"broadcast_at,omitempty"`
	Outcome        Outcome    `json:"outcome,omitempty" enum:"succeeded,reverted,overtaken"`
}

// LikenessView is what a destination looks like.
type LikenessView struct {
	Address string `json:"address"`
	Known   string `json:"known" enum:"allowed,paid"`
}

// View shows the payout.
func (p Payout) View() View {
	hash, _ := p.Hash() // what has none was never stored: Create makes it
	v := View{
		ID: p.ID, Status: p.State, Reason: p.Reason, Cancelling: p.Unwanted != "", Asset: string(p.Asset), Chain: string(p.Chain()), Symbol: p.Symbol,
		Amount: p.Amount.Decimal(p.Decimals), AmountUnits: p.Amount.String(), To: family.Show(p.Chain(), p.To), From: family.Show(p.Chain(), p.Wallet),
		Reference: p.Reference, Metadata: p.Metadata, Contract: p.Contract, Speed: cmp.Or(p.Speed, Normal), FeeMostUnits: p.FeeMost.String(), Hash: hash, Attempts: []TransactionView{},
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
	if m := p.Mined; m != nil {
		v.FeeUnits, v.Transaction, v.BlockHeight, v.BlockHash = m.Fee.String(), p.Attempts[m.Attempt-1].Hash, m.Height, m.BlockHash
	}
	for _, l := range p.Likenesses {
		v.Lookalikes = append(v.Lookalikes, LikenessView{Address: family.Show(p.Chain(), l.Address), Known: l.Known})
	}
	for _, a := range p.Attempts {
		v.Attempts = append(v.Attempts, TransactionView{
			N: a.N, Nonce: a.Nonce, Transaction: a.Hash, FeePerGasUnits: a.FeePerGas.String(), TipPerGasUnits: a.TipPerGas.String(), Gas: a.Gas,
			SignedAt: a.SignedAt, BroadcastAt: a.BroadcastAt, Outcome: a.Outcome,
		})
	}
	return v
}

// ChangeView is a change of a payout's state as merchants see it.
type ChangeView struct {
	Status State     `json:"status" enum:"requested,checked,approved,reserved,signed,broadcast,confirming,final,failed,replaced,cancelled,held"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Changes shows the payout's states so far.
func (p Payout) Changes() []ChangeView {
	all := []ChangeView{}
	for _, c := range p.History {
		all = append(all, ChangeView{Status: c.State, At: c.At, Reason: c.Reason})
	}
	return all
}

// DestinationView is a destination on a merchant's list, as the API shows it.
type DestinationView struct {
	Address   string    `json:"address" doc:"as people write it, with its checksum; the same on all EVM chains"`
	Label     string    `json:"label,omitempty"`
	AllowedAt time.Time `json:"allowed_at"`
	AllowedBy string    `json:"allowed_by" doc:"the approver"`
	From      time.Time `json:"from" doc:"when it may be paid: new ones wait"`
}

// View shows a destination that is on the list.
func (d Destination) View(on chain.ID, wait time.Duration) DestinationView {
	from, _ := d.From(wait)
	return DestinationView{Address: family.Show(on, d.Address), Label: d.Label, AllowedAt: from.Add(-wait), AllowedBy: d.AllowedBy, From: from}
}

// FreezeView is a freeze as the API shows it.
type FreezeView struct {
	Everything bool       `json:"everything,omitempty" doc:"all payouts; or"`
	Asset      string     `json:"asset,omitempty" doc:"those of an asset, CAIP-19; or"`
	Merchant   string     `json:"merchant,omitempty" doc:"those of a merchant"`
	Frozen     bool       `json:"frozen"`
	Reason     string     `json:"reason"`
	By         string     `json:"by" doc:"who froze it last: an approver, or operator"`
	At         time.Time  `json:"at"`
	LiftedBy   []string   `json:"lifted_by,omitempty" doc:"the approvers who want it lifted; two different ones lift it"`
	LiftAt     *time.Time `json:"lift_at,omitempty" doc:"when the last of them said so; one alone is forgotten after a day"`
}

// View shows the freeze.
func (f Freeze) View() FreezeView {
	v := FreezeView{Everything: f.SK == everything().SK, Frozen: f.On, Reason: f.Reason, By: f.By, At: f.At, LiftedBy: f.LiftedBy}
	if asset, is := strings.CutPrefix(f.SK, freezeOfAsset("").SK); is {
		v.Asset = asset
	}
	if merchant, is := strings.CutPrefix(f.SK, freezeOfMerchant("").SK); is {
		v.Merchant = merchant
	}
	if !f.LiftAt.IsZero() {
		v.LiftAt = &f.LiftAt
	}
	return v
}
