package register

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// moralis adds addresses to a stream (https://docs.moralis.com/streams/api-reference/streams/add-address-to-stream, read
// 2026-11-24): POST with the account's key in X-API-Key, an address or a list of them. It answers 200 with the stream's id
// and the addresses; the older page of the same call names 400, 404, 429 and 500 too.
//
// How often: at most 5 requests in 5 minutes, each with as many addresses as possible, since the stream is loaded anew
// each time (https://docs.moralis.com/streams/streams-concepts/rate-limits, read 2026-11-24; a user was told that this
// limit is gone, https://github.com/shapeshift/unchained/pull/1288). So jobs are gathered for 75 seconds, which leaves one
// of the five for what comes again.
//
// How many at once is not documented: 1,000 are 45 KB, and most servers take 100 KB. A stream holds 10,000 to 50,000
// addresses, depending on the plan (https://docs.moralis.com/streams-api/evm/faq, read 2026-11-24).
//
// That the same address twice is one is not written anywhere. It follows from the rest of the API, where an address is
// named by itself (it is deleted by its text, whose case means nothing) and never by an id of an entry. Were it wrong, we
// would be called back twice, and a second callback asks for a second look and no more.
var moralis = provider{
	most: 1000, gather: 75 * time.Second,
	request: func(ctx context.Context, stream, key string, addresses []string) (*http.Request, error) {
		at := "https://api.moralis-streams.com/streams/evm/" + url.PathEscape(stream) + "/address"
		r, err := jsonRequest(ctx, http.MethodPost, at, struct {
			Address []string `json:"address"`
		}{addresses})
		if err == nil {
			r.Header.Set("X-API-Key", key)
		}
		return r, err
	},
}
