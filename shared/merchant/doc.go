// Package merchant says who may call: merchants, their keys, the operator.
//
// It promises: a key's text is shown once and only its SHA-256 is stored; keys are compared in constant
// time; a missing, a malformed, an unknown and a revoked key get the same answer; a revoked key is refused
// everywhere after a minute at most, which is how long a key is remembered; an extended private key given
// in place of the public one is refused, and neither stored nor logged nor repeated.
//
// The operator's key is none of these: its SHA-256 stands in the function's environment, and it may do
// whatever any merchant's key may, for a merchant that it names.
package merchant
