// Package proof runs the real handlers in one process, with a recorder and faults under the AWS SDK.
//
// DynamoDB is a real one (ministack or DynamoDB Local); every write that it commits becomes a stream
// record here. Queues, schedules and KMS are kept in memory, so that a run can decide when, how often
// and in which order their messages arrive. An invocation can be stopped dead before or after its k-th
// call to AWS: from then on nothing that it does has any effect.
package proof
