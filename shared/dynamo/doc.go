// Package dynamo is the one way to a DynamoDB table.
//
// Every table has a partition key "pk" and a sort key "sk", both strings. An item is a Go struct
// with dynamodbav tags; whatever has MarshalText (amounts, ids, times) is stored as a string, so that
// a 78-digit amount keeps every digit.
//
// It promises: every write names a condition; a condition that fails is an answer (ErrExists with the
// stored item, ErrStale), never a surprise; what AWS cannot do just now is ErrBusy, and the caller may
// run the same step again; reads are strongly consistent unless a query says otherwise.
package dynamo
