// Package approval is who lets a payout go: approvers, what they said, and the rule by which it is enough.
//
// It promises: an approval is bound to the hash of the canonical payout (see package payout), so that a payout that was
// changed has none; there is one for each approver and payout, and what an approver decided is never turned into its
// opposite; whoever asked for a payout never approves it; what is too old, of another hash, by somebody who is not named or
// out of order does not count, and the verdict says which and why, without a secret.
//
// Each approval carries a code of the approver's second factor (TOTP, RFC 6238), and the signer alone can open the secret
// and check it. A code is used once: the signer remembers the step that it belongs to, for each approver, together with
// what it was used for, so that the same approval can be checked again, as a step that is run again must, and no other can
// be. A code of a clock that is off is used up as well: else its refusal would tell which code is right later. Wrong codes
// are counted, and an approver with too many has to wait (RFC 4226, 7.3).
//
// The tables of approvers and approvals are written by the function approve alone, the table of used codes by the signer
// alone. What this does not defend against: TOTP proves that a person was there, not what the person saw. Whoever owns the
// function approve can bind a code to another payout in the moment in which it is given; the hash that an approver is shown
// and the rule of several approvers are against that.
//
// The few lines of RFC 4226 are written out here. The usual library answers only yes or no, while the step that a code
// belongs to is what has to be remembered, and brings a writer of bar codes that no function needs.
package approval
