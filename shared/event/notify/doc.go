// Package notify turns changes of payments, deposits, payouts and endpoints into events, and events into jobs, one for
// each endpoint that wants them.
//
// It promises: every change that stands for an event is told, whoever is stopped in between: the event
// is recorded before its jobs are sent, both may be done again, and a record of the stream is done only
// when its jobs are in the queue. The events of payments and payouts are always recorded; a deposit's, which cost a write
// of their own and are many, only where somebody wants them. What cannot be read, be it the record or an item that it
// needs, is a person's and stops nothing: whoever can be told is told, then the record is set aside, and redriving it
// sends the rest; a job that is sent again finds its delivery.
package notify
