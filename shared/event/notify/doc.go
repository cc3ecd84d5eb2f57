// Package notify turns changes of payments, deposits and endpoints into events, and events into jobs, one for each
// endpoint that wants them.
//
// It promises: every change that stands for an event is told, whoever is stopped in between: the event
// is recorded before its jobs are sent, both may be done again, and a record of the stream is done only
// when its jobs are in the queue. A payment's events are always recorded; a deposit's, which cost a write
// of their own and are many, only where somebody wants them.
package notify
