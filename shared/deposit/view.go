package deposit

import "time"

// View is a deposit as merchants see it, in the API and in webhooks.
type View struct {
	ID          string    `json:"id"`
	Payment     string    `json:"payment" doc:"empty where a provider's object names none"`
	Chain       string    `json:"chain,omitempty" doc:"CAIP-2; like transaction, index, from and to absent where a provider holds the money"`
	Transaction string    `json:"transaction,omitempty"`
	Index       string    `json:"index,omitempty" doc:"which transfer of the transaction: \"log-N\" the Nth log of its receipt, \"native\" the coin that it carries itself, \"trace-N\" the Nth time that a contract sends coin on within it, \"out-N\" its Nth output"`
	Provider    string    `json:"provider,omitempty" doc:"who holds the money, and said so; absent for transfers on a chain"`
	Connection  string    `json:"connection,omitempty" doc:"that the provider said it to"`
	Object      string    `json:"object,omitempty" doc:"the provider's id of the payment or transfer, in place of a transaction"`
	Asset       string    `json:"asset" doc:"CAIP-19, or iso4217:EUR for money of a state"`
	Amount      string    `json:"amount" doc:"in the asset's own unit"`
	AmountUnits string    `json:"amount_units" doc:"in the asset's smallest unit"`
	From        string    `json:"from,omitempty"`
	To          string    `json:"to,omitempty"`
	Status      State     `json:"status" enum:"seen,confirming,final,dropped,reversed"`
	BlockHeight uint64    `json:"block_height,omitempty" doc:"absent while the transfer is in no block"`
	BlockHash   string    `json:"block_hash,omitempty"`
	BlockTime   time.Time `json:"block_time,omitzero"`
	NoticedAt   time.Time `json:"noticed_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// View shows the deposit as it was written.
func (d Deposit) View() View {
	v := View{
		ID: d.ID, Payment: d.Payment, Chain: string(d.Chain), Transaction: d.Tx, Index: d.Index,
		Asset: string(d.Asset), Amount: d.Amount.Decimal(d.Decimals), AmountUnits: d.Amount.String(),
		From: d.From, To: d.To, Status: d.State,
		BlockHeight: d.Height, BlockHash: d.BlockHash, BlockTime: d.BlockTime,
		NoticedAt: d.NoticedAt, UpdatedAt: d.UpdatedAt,
	}
	if d.Held != nil {
		v.Provider, v.Connection, v.Object = d.Held.Provider, d.Held.Connection, d.Held.Object
	}
	return v
}
