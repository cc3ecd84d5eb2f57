// Package gateway lets an http.Handler answer the events of an API Gateway HTTP API (payload format 2.0,
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
//
// It promises: the handler gets the bytes that the client sent, decoded where AWS encoded them; what
// cannot be decoded is an error on reading the body, so that the handler refuses it in its own words;
// the answer's bytes arrive as the handler wrote them, whatever they are.
//
// It does not tell doubled headers from a comma: AWS joins them before the event is made.
package gateway
