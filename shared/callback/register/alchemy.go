package register

import (
	"context"
	"net/http"
)

// alchemy adds addresses to an address-activity webhook
// (https://www.alchemy.com/docs/data/webhooks/webhooks-api-endpoints/update-webhook-addresses, read 2026-11-24): PATCH with
// the team's auth token in X-Alchemy-Token; each list has at most 500 addresses, and is empty where there is nothing to
// add or remove; "the request is idempotent: sending it again has the same result". It answers 200 and an empty object,
// 400 for what it cannot read, 401, 404 for an unknown webhook, 503. No limit of calls is documented. A webhook holds
// 100,000 addresses (https://www.alchemy.com/support/how-do-i-manage-and-add-more-addresses-to-a-webhook, read 2026-11-24;
// there, too, 500 at once).
var alchemy = provider{
	most: 500,
	request: func(ctx context.Context, webhook, key string, addresses []string) (*http.Request, error) {
		r, err := jsonRequest(ctx, http.MethodPatch, "https://dashboard.alchemy.com/api/update-webhook-addresses", struct {
			Webhook string   `json:"webhook_id"`
			Add     []string `json:"addresses_to_add"`
			Remove  []string `json:"addresses_to_remove"`
		}{webhook, addresses, []string{}})
		if err == nil {
			r.Header.Set("X-Alchemy-Token", key)
		}
		return r, err
	},
}
