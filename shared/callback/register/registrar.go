package register

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/cloud"
	"farrier/shared/dynamo"
	"farrier/shared/queue"
	"farrier/shared/seal"
)

// Registrar does the jobs.
type Registrar struct {
	Connections callback.Connections
	Payments    dynamo.Table // where a merchant's earlier addresses are
	Sealer      *seal.Sealer
	Jobs        queue.Queue
	DeadLetters queue.Queue
	HTTP        *http.Client // of package outside
	AtOnce      int          // connections of a batch that are served side by side
	Log         *slog.Logger
	Metrics     cloud.Metrics
}

// work is a job, and what comes of it.
type work struct {
	Job
	message   string
	addresses []string // to be registered now
	next      *Job     // to be done after it
	trouble   error    // why it comes again; nil: it is done
}

// Invoke does a batch of jobs, each connection's together. Those that met trouble are answered as failed and come again.
func (r *Registrar) Invoke(ctx context.Context, batch events.SQSEvent) events.SQSEventResponse {
	var all []*work
	of := map[string][]*work{}
	for _, m := range batch.Records {
		w := &work{message: m.MessageId}
		all = append(all, w)
		var is bool
		if w.Job, is = parseJob(m.Body); !is {
			w.trouble = errors.New("register: the message is no job")
			continue
		}
		of[w.Connection] = append(of[w.Connection], w)
	}
	connections := slices.Collect(maps.Keys(of))
	cloud.SideBySide(len(connections), r.AtOnce, func(i int) error {
		r.serve(ctx, connections[i], of[connections[i]])
		return nil
	})
	answer := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	for _, w := range all {
		if w.trouble != nil {
			r.Log.WarnContext(ctx, "message comes again", "message", w.message, "connection", w.Connection, "error", w.trouble)
			answer.BatchItemFailures = append(answer.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: w.message})
		}
	}
	return answer
}

// serve does the jobs of one connection.
func (r *Registrar) serve(ctx context.Context, connection string, works []*work) {
	c, err := r.Connections.Get(ctx, connection)
	switch {
	case errors.Is(err, callback.ErrUnknown):
		r.refuse(ctx, works, err)
		return
	case err != nil:
		r.own(works, err)
		return
	case !c.Registers():
		r.Log.InfoContext(ctx, "the connection registers no more", "connection", connection, "jobs", len(works))
		return
	}
	name, is := c.RegisteringKey()
	if _, has := providers[c.Provider]; !is || !has {
		r.refuse(ctx, works, errors.New("register: no addresses are registered with this provider"))
		return
	}
	key, err := c.Credential(ctx, r.Sealer, name)
	if err != nil {
		r.own(works, err)
		return
	}
	r.register(ctx, c, key, r.filled(ctx, c, works))
}

// filled are the works that have addresses to register.
func (r *Registrar) filled(ctx context.Context, c callback.Connection, works []*work) []*work {
	var filled []*work
	for _, w := range works {
		w.addresses = w.Addresses
		if w.Earlier != nil {
			if err := r.page(ctx, c, w); err != nil {
				r.own([]*work{w}, err)
				continue
			}
		}
		switch {
		case len(w.addresses) > 0:
			filled = append(filled, w)
		case w.next != nil: // a page without any
			w.trouble = r.follow(ctx, c, w)
		}
	}
	return filled
}

// register calls the provider, once for as many works as it takes. After trouble, and after an answer that all would
// get, it is not called again.
func (r *Registrar) register(ctx context.Context, c callback.Connection, key string, works []*work) {
	for len(works) > 0 {
		n, addresses := together(works, providers[c.Provider].most)
		now, later := works[:n], works[n:]
		works = later
		err := r.callAll(ctx, c, key, addresses)
		var no refused
		switch {
		case errors.As(err, &no) && no.lasting():
			r.refuse(ctx, slices.Concat(now, later), err)
			return
		case errors.As(err, &no):
			r.refuse(ctx, now, err)
		case err != nil:
			for _, w := range slices.Concat(now, later) {
				w.trouble = err
			}
			return
		default:
			r.Log.InfoContext(ctx, "registered", "connection", c.ID, "provider", c.Provider, "addresses", len(addresses))
			for _, w := range now {
				w.trouble = r.follow(ctx, c, w)
			}
		}
	}
}

// together is how many works go into one call, whole, and their addresses, each once. The first goes in any case.
func together(works []*work, most int) (n int, addresses []string) {
	seen := map[string]bool{}
	for _, w := range works {
		var fresh []string
		for _, a := range w.addresses {
			if !seen[a] {
				seen[a] = true
				fresh = append(fresh, a)
			}
		}
		if n > 0 && len(addresses)+len(fresh) > most {
			break
		}
		addresses = append(addresses, fresh...)
		n++
	}
	return n, addresses
}

// callAll calls once, and more often only for a job that holds more than the provider takes.
func (r *Registrar) callAll(ctx context.Context, c callback.Connection, key string, addresses []string) error {
	for part := range slices.Chunk(addresses, providers[c.Provider].most) {
		if err := r.call(ctx, c, key, part); err != nil {
			return err
		}
	}
	return nil
}

// follow sends what comes after a work.
func (r *Registrar) follow(ctx context.Context, c callback.Connection, w *work) error {
	if w.next == nil {
		return nil
	}
	return r.Jobs.Send(ctx, w.next.message(providers[c.Provider].gather))
}

// refuse puts works into the dead-letter queue with the reason.
func (r *Registrar) refuse(ctx context.Context, works []*work, reason error) {
	for _, w := range works {
		letter := w.Job
		letter.Reason = reason.Error()
		if w.trouble = r.DeadLetters.Send(ctx, queue.Message{Body: letter}); w.trouble != nil {
			continue
		}
		r.Metrics.Count("RegistrationRefused", 1, map[string]string{"connection": w.Connection})
		r.Log.ErrorContext(ctx, "registration refused", "message", w.message, "connection", w.Connection, "reason", letter.Reason)
	}
}

// own is trouble of our own with works.
func (r *Registrar) own(works []*work, err error) {
	for _, w := range works {
		w.trouble = err
	}
	r.Metrics.Count("JobFailed", len(works), nil)
}
