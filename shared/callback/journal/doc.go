// Package journal tells what a connection sent in the order of time.
//
// A receipt lies under the provider's id of its event, so that the same callback again finds it; an index by time would
// cost a write unit for each. Instead a second reader of the callbacks' stream, which waits up to a minute for more,
// writes one item for each connection and batch: the ids of its receipts and when they came.
//
// It promises:
//
//   - Every receipt is listed, at the latest Behind after it came, as long as its stream is read. A record that comes
//     again, in the same batch or in another, is listed once.
//   - A list is in the order of time, the newest first, over all of its pages, however batches lay.
//   - An item is bounded: mostEntries of at most a minute.
//   - The journal is a list of names. What is shown is the receipt itself; one that is forgotten is not shown.
//
// Watch tells of connections that are quiet, from the newest that the journal knows of each.
package journal
