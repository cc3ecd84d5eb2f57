// Package statement says of one payment what was asked for and what came, line by line.
//
// It promises: every deposit to the payment's addresses is there, with its state and the entries that booked it, up to a
// number, and it says where there are more; each line says for what its money counts, as the book has it, and why; the sums
// are those of the entries, and equal the payment's own, since both move in one transaction, unless it says that money was
// booked while it read. What it reads is bounded, and read once. It reads alone.
package statement
