// Package idempotency gives the first answer again to a request that comes again.
//
// It promises: for a day, the same caller, route and Idempotency-Key get the first answer again, byte for
// byte; another body under the same key is refused, and so is any call while the first is running; a call
// that was killed frees its key after a minute, and one that failed on our side frees it at once.
//
// When such a key is used again, the second run may find half of what the first one made. So that it
// makes the same thing and not a second one, a Run carries the first run's moment and a source of
// randomness that gives the same bytes again: ids, keys and secrets made from these come out the same, and
// writing them again is the success that it was. What that randomness grows from, and the answer, are
// sealed under a data key of the record's own, which KMS seals: answers hold secrets that are shown once.
//
// It relies on a call being over within a minute: the function's time-out must be shorter.
package idempotency
