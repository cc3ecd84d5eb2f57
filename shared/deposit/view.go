package deposit

import "time"

// View is a deposit as merchants see it, in the API and in webhooks.
type View struct {
	ID          string    `json:"id"`
	Payment     string    `json:"payment"`
	Chain       string    `json:"chain" doc:"CAIP-2"`
	Transaction string    `json:"transaction"`
	Index       string    `json:"index" doc:"which transfer of the transaction: \"log-N\" or \"native\""`
	Asset       string    `json:"asset" doc:"CAIP-19"`
	Amount      string    `json:"amount" doc:"in the asset's own unit"`
	AmountUnits string    `json:"amount_units" doc:"in the asset's smallest unit"`
	From        string    `json:"from"`
	To          string    `json:"to"`
	Status      State     `json:"status" enum:"seen,confirming,final,dropped,reversed"`
	BlockHeight uint64    `json:"block_height,omitempty" doc:"absent while the transfer is in no block"`
	BlockHash   string    `json:"block_hash,omitempty"`
	BlockTime   time.Time `json:"block_time,omitzero"`
	NoticedAt   time.Time `json:"noticed_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// View shows the deposit as it was written.
func (d Deposit) View() View {
	return View{
		ID: d.ID, Payment: d.Payment, Chain: string(d.Chain), Transaction: d.Tx, Index: d.Index,
		Asset: string(d.Asset), Amount: d.Amount.Decimal(d.Decimals), AmountUnits: d.Amount.String(),
		From: d.From, To: d.To, Status: d.State,
		BlockHeight: d.Height, BlockHash: d.BlockHash, BlockTime: d.BlockTime,
		NoticedAt: d.NoticedAt, UpdatedAt: d.UpdatedAt,
	}
}
