// Package pool keeps the endpoints of one chain: whom to ask, who rests, whose word needs another's.
//
// It promises: each question is put to one endpoint from beginning to end, and to the next one where that
// endpoint is in trouble. An endpoint in trouble rests, half a minute at first and twice as long each time that it
// fails again, up to ten minutes; then one question tries it. Where all rest they are tried all the same, but for those
// that asked to be left alone for a while (Retry-After). Whoever enters trouble or leaves it is told of once.
//
// An endpoint is asked which chain it is on before its first use, again every minute and after any trouble, so that
// another chain's money is never taken for this one's. One whose head is far below what was shown is left out, and so
// is one that claims a head that no chain can have reached; where most are below, the others are wrong.
//
// Where several must agree, the head is the lowest of theirs, and what is final is what so many have reached; what they have told
// alike is never taken back because others are lower. An endpoint that is slow counts as in trouble, and its answer all the same.
//
// Only chain.ErrNotFound says "not there", and only when no endpoint in good order says otherwise. What several
// endpoints must agree on is an answer only where as many of them as must give the same one, else chain.ErrUnsure, or the error
// of one that was asked too much at once;
// who is outvoted rests until it agrees again.
package pool
