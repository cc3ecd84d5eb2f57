package webhook

import (
	"net/url"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/event"
)

// TroubleView is what events about an endpoint tell of it.
type TroubleView struct {
	ID     string     `json:"id"`
	Server string     `json:"server,omitempty" doc:"scheme and host of its URL, and no more of it; of one that was disabled" example:"https://shop.example.com"`
	Reason string     `json:"reason,omitempty" doc:"why it is disabled, or what the last attempt in vain met"`
	Since  *time.Time `json:"since,omitempty" doc:"when it was disabled, or the first attempt in vain after the last success"`
	Streak int        `json:"streak,omitempty" doc:"attempts in vain, one after the other"`
}

// Origin is the write that the endpoint's own events tell of.
func (e Endpoint) Origin() event.Origin {
	return event.Origin{Table: "endpoints", Key: e.key(), Version: e.Version, At: e.UpdatedAt, Object: e.ID}
}

// TroubleView is what its own events tell.
func (e Endpoint) TroubleView() TroubleView {
	return TroubleView{ID: e.ID, Server: e.Server(), Reason: e.DisabledReason, Since: e.DisabledAt}
}

// Server is as much of the URL as may be shown: paths and queries often hold a key.
func (e Endpoint) Server() string {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Origin is the write that the events about how an endpoint does tell of.
func (s State) Origin() event.Origin {
	return event.Origin{Table: "endpoint-states", Key: dynamo.Key{PK: s.Merchant, SK: s.Endpoint}, Version: s.Version, At: s.UpdatedAt, Object: s.Endpoint}
}

// TroubleView is what those events tell of it.
func (s State) TroubleView() TroubleView {
	return TroubleView{ID: s.Endpoint, Reason: s.Trouble, Since: s.FailingSince, Streak: s.Streak}
}

// At is the view with the server that it is about, as far as it is among these endpoints.
func (h TroubleView) At(endpoints []Endpoint) TroubleView {
	for _, one := range endpoints {
		if one.ID == h.ID {
			h.Server = one.Server()
		}
	}
	return h
}

// Plain is as much of an endpoint's item as its events are made of, for a message: without secrets, and of its URL no more
// than the server.
func Plain(item dynamo.Item) dynamo.Item {
	out := dynamo.Item{}
	for _, name := range []string{"pk", "sk", "told", "disabled_reason", "disabled_at", "updated_at", "version"} {
		if v, has := item[name]; has {
			out[name] = v
		}
	}
	var e Endpoint
	if dynamo.Unmarshal(dynamo.Item{"url": item["url"]}, &e) == nil {
		out["url"] = dynamo.Must(e.Server())
	}
	return out
}
