// Package api is the HTTPS API of merchants and operators.
//
// It promises: every answer that is not a success is an RFC 9457 problem with a code, names the field
// where one is to blame, and never repeats what was sent; who calls and what the key may do is decided
// before the body is read; an object of another merchant does not exist; a POST under an Idempotency-Key
// does its work once; the OpenAPI document is made from the same types that requests are checked against.
//
// A resource is a file. A request passes, in this order: its route (api.go), who calls (caller.go), the
// body's form (body.go), the Idempotency-Key (once.go), the fields (huma, from the types' tags), and then
// the store of its notion, which knows the rules.
package api
