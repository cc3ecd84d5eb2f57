// Package webhook tells merchants' servers what happened: endpoints, signature, schedule, the safe
// client, and the record of each delivery.
//
// It promises:
//
//   - An event that an endpoint was to get is never forgotten: whoever is stopped between any two calls,
//     the job in the queue comes back, finds in the delivery's record how far it had come, and goes on.
//     What is recorded was tried; what was tried and not yet recorded may be tried again, under the same
//     webhook-id, by which the receiver knows it.
//
//   - A job is made of names only. Whether, where and with which secret to send is read when it is sent,
//     so that a disabled or deleted endpoint, or a rotated secret, holds from the next attempt on.
//
//   - The bytes that are signed are the bytes that are sent (Standard Webhooks: v1 by HMAC, v1a by Ed25519, or both),
//     and while keys are rotated the old and the new ones sign, for as long as the merchant chose.
//
//   - No address of ours can be reached by an endpoint's URL: each address is checked after DNS, as the
//     connection is made; no redirect is followed; no proxy is used; nothing but the status and the start
//     of the answer comes back.
//
//   - A secret is shown once, when it is made; it lies in the table under KMS, bound to its endpoint, and is
//     in no log, no error and no view. So do the private half of a public key, a merchant's own headers, and the key of its
//     client certificate, which are never shown. Nor are URLs in any log: they often hold a key.
//
//   - A merchant's own headers are lines of HTTP that were checked, and none that HTTP or the webhook itself needs.
//
//   - One endpoint does not hold up another: one that fails rests and its deliveries wait in a line of its own, one that
//     takes long gets few of the workers, a limit is kept by turns that are given beforehand.
//
//   - Where an endpoint wants it, an event is first sent when the one before it about the same object is settled.
//
// It does not promise exactly one arrival: receivers know an event again by its webhook-id.
package webhook
