// Package statement says of one payment what was asked for and what came, line by line.
//
// It promises: every deposit to the payment's addresses is there, with its state and the entries that booked it; each line
// says for what its money counts, as the book has it, and why; the sums are those of the entries, and equal the payment's
// own where the lines and the payment are of the same moment, since both move in one transaction. It reads alone.
package statement
