// Package pool keeps the endpoints of one chain: whom to ask, who rests, whose word needs another's.
//
// It promises: each question is put to one endpoint from beginning to end, and to the next one where that
// endpoint is in trouble; an endpoint in trouble rests for a while and is tried last; an endpoint is asked
// which chain it is on before its first use, again every minute and after any trouble, so that another
// chain's money is never taken for this one's. Only chain.ErrNotFound says "not there", and only when no
// endpoint in good order says otherwise. What several endpoints must agree on is an answer only where as many
// of them as must give the same one, else chain.ErrUnsure.
package pool
