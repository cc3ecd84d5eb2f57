// Package event is what merchants are told: the catalogue of types, and one record for each event.
//
// It promises: an event's id is a pure function of the write that it tells of (table, key, version) and
// of its type, so that the same change told again is the same event; an event is immutable, and its
// payload is the exact bytes that every endpoint gets, signed, however often it is sent; a second telling
// with other bytes never replaces the first. Each event names the one before it about the same object, by the
// mark that the object's own item carries of it (Mark): so that is told the same however often, and in
// whatever order, changes are told.
// What is sent is a pure function of the stored record, of the form (full or thin) and of the version that an endpoint
// is pinned to: an event is stored in the newest version of its day, and is told in an older one by what that version's
// successors say (version.go, the one place where a version is added).
//
// How changes of payments, deposits and payouts become events is in the package notify below this one, so that
// deliver, which only sends them, starts without knowing any chain.
package event
