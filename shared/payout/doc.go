// Package payout is money going out: one item for each payment that a merchant asks us to make.
//
//	requested → checked → approved → reserved → signed → broadcast ⇄ confirming → final
//	    ↘ held, cancelled, failed (until it is signed)        ↘ replaced   ↘ failed
//
// It promises: a state moves only along the arrows, each move under the version that was read. What an approver
// approves and the signer signs is one text, Canonical, and its SHA-256, Hash: two different payouts never have the same
// text, and what may change later (state, attempts, notes) is not in it. A reference names one payout of its merchant for
// ever: the same request again is the same payout.
//
// Money is reserved in the state reserved and in all that follow until final, failed or replaced. Once a transaction is
// signed, its bytes may reach the chain by any way: so a signed payout is neither held nor cancelled, and it fails or is
// replaced only by what the chain says of its nonce, when that is final. All attempts of a payout have one nonce, so that at
// most one of them is mined. A reorganisation puts a payout that had ended on the chain back to confirming and raises its
// round, which tells apart what the book says of it before and after.
//
// A nonce is allocated before the first signature is asked for, and from then on bytes may exist of which nobody has heard: a
// payout that has one is neither held, cancelled nor refused, until it is sure that nothing can be signed with that nonce any
// more, which it is when the signer has claimed it for another transaction (Deallocate).
//
// OpenChain is for a sparse index of what a chain's follower has to look at: the payouts that have not ended and, beside them,
// those that ended on the chain and may be taken back, until they are closed. Each write says which events it stands for:
// payout.<state> for a change of state that merchants are told of, payout.reopened where an end is taken back.
//
// The canonical form is a JSON object without spaces, its names sorted, every value a string, with no other escapes than
// RFC 8785 (JCS) has, so that any language's JCS gives the same bytes:
//
//	{"amount_units":"10500000","asset":"eip155:137/erc20:0xc213…","fee_most_units":"40000000000000000",
//	 "form":"farrier.payout.1","id":"out_01JD…","merchant":"mer_01JD…","reference":"salary-17",
//	 "requester":"key_01JD…","to":"0x…","wallet":"0x…"}
//
// Amounts are in the smallest unit: of the asset, and of the chain's own coin for the fee. Addresses are in their family's
// canonical spelling; the asset names the chain.
package payout
