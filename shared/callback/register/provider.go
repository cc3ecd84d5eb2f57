package register

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// provider is an API that is told which addresses to watch.
type provider struct {
	most    int           // addresses in one call
	gather  time.Duration // jobs are held back until the next multiple of it, so that one call holds them all; 0: not at all
	request func(ctx context.Context, webhook, key string, addresses []string) (*http.Request, error)
}

var providers = map[string]provider{
	"alchemy": alchemy,
	"moralis": moralis,
}

// delay is how long a new job is held back.
func (p provider) delay(now time.Time) time.Duration {
	if p.gather == 0 {
		return 0
	}
	return now.Truncate(p.gather).Add(p.gather).Sub(now)
}

func jsonRequest(ctx context.Context, method, address string, body any) (*http.Request, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return r, nil
}
