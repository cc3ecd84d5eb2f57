package webhook

import (
	"fmt"
	"slices"
	"strings"

	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/problem"
)

// Where narrows the events about payments, deposits and payouts to those about these things; events about endpoints are about
// none of them, and it leaves them alone. What is empty narrows nothing.
type Where struct {
	Assets   []string          `dynamodbav:"assets,omitempty" json:"assets,omitempty" maxItems:"20" maxLength:"173" doc:"CAIP-19: only payments that can be paid in one of these, and deposits and payouts of them"`
	Metadata map[string]string `dynamodbav:"metadata,omitempty" json:"metadata,omitempty" doc:"only payments, deposits of payments, and payouts, whose metadata has each of these keys with this value"`
}

// Limits of a choice. Those of metadata are a payment's own.
const (
	MaxAssets        = 20
	maxMetadataKeys  = 10
	maxMetadataKey   = 40
	maxMetadataValue = 200
)

// Chooses says whether an event is to be sent here, or kept for when the endpoint is enabled again. An endpoint is never
// told of itself; and a test is sent where it was asked for alone, whoever listens.
func (e Endpoint) Chooses(told event.Event) bool {
	return told.Type != event.EndpointTest && told.Object != e.ID && e.Listens(told.Type) && e.Where.has(told)
}

// Listens says whether events of a type may be chosen, whatever they are about.
func (e Endpoint) Listens(t event.Type) bool {
	return slices.ContainsFunc(e.Events, func(pattern string) bool { return matches(pattern, t) })
}

func (w Where) has(told event.Event) bool {
	if len(w.Assets) == 0 && len(w.Metadata) == 0 {
		return true
	}
	about, is := told.Subject()
	if !is {
		return true
	}
	if len(w.Assets) > 0 && !slices.ContainsFunc(about.Assets, func(a string) bool { return slices.Contains(w.Assets, a) }) {
		return false
	}
	for k, v := range w.Metadata {
		if value, has := about.Metadata[k]; !has || value != v {
			return false
		}
	}
	return true
}

// checkVersion refuses a version of payloads that there is not; none is the newest.
func checkVersion(v event.Version) error {
	if v != "" && !slices.Contains(event.Versions(), v) {
		return problem.Field("version", fmt.Sprintf("is none of payloads; there are %v", event.Versions()))
	}
	return nil
}

// checkWhere refuses what no event can be about: it would wait in silence for ever. It names the field.
func checkWhere(w Where) error {
	if len(w.Assets) > MaxAssets {
		return problem.Field("where.assets", fmt.Sprintf("has more than %d", MaxAssets))
	}
	for i, a := range w.Assets {
		field := fmt.Sprintf("where.assets[%d]", i)
		asset, err := money.ParseAsset(a)
		switch {
		case isState(a):
		case err != nil:
			return problem.Field(field, err.Error()+` or, for money of a state that a provider holds, such as "iso4217:EUR"`)
		case string(asset) != a:
			return problem.Field(field, "must have its contract in lower case, as events have it")
		}
		if slices.Contains(w.Assets[:i], a) {
			return problem.Field(field, "is one of those before it")
		}
	}
	if len(w.Metadata) > maxMetadataKeys {
		return problem.Field("where.metadata", fmt.Sprintf("has more than %d keys, the most that a payment may have", maxMetadataKeys))
	}
	for k, v := range w.Metadata {
		if k == "" || len([]rune(k)) > maxMetadataKey {
			return problem.Field("where.metadata", fmt.Sprintf("has a key that is empty or longer than %d characters: no payment has such", maxMetadataKey))
		}
		if len([]rune(v)) > maxMetadataValue {
			return problem.Field("where.metadata."+k, fmt.Sprintf("is longer than %d characters: no payment has such", maxMetadataValue))
		}
	}
	return nil
}

// isState says whether an asset is money of a state, by its code in ISO 4217.
func isState(asset string) bool {
	code, is := strings.CutPrefix(asset, "iso4217:")
	return is && len(code) == 3 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
