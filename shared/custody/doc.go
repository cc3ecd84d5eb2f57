// Package custody holds the keys that move money.
//
// It promises: a signature leaves it only after it has been verified against the public key that is known, with a low s
// (EIP-2) and the v by which the key is recovered, whoever made it; a KMS key's secret never leaves KMS; a seed's is in
// memory alone, for as long as it is used, and is stored only under a data key of KMS that is bound to its owner. No way of
// printing, logging or encoding a seed or a key shows any of it.
//
// What it does not defend against: whoever reads the memory of the function while a seed is open. Secrets are overwritten
// after use where Go allows it; arithmetic of libraries, and the collector, may leave copies until the memory is used again.
//
// It decides nothing: whether something may be signed is the signer's to know.
package custody
