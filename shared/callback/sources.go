package callback

import (
	"fmt"
	"maps"
	"slices"
)

// sources is the registry: the API's provider names, in lower case with hyphens, sorted. It never changes.
var sources = map[string]Source{
	"alchemy":             alchemy,
	"alipay":              alipay,
	"bepusdt":             bepusdt,
	"binance-pay":         binancePay,
	"bitgo":               bitGo,
	"bitpay":              bitPay,
	"bitpay-unsigned":     bitPayUnsigned,
	"btcpay-server":       btcpayServer,
	"circle":              circle,
	"cobo":                cobo,
	"coinbase-cdp":        coinbaseCDP,
	"coinbase-commerce":   coinbaseCommerce,
	"coinpayments":        coinPayments,
	"coinpayments-legacy": coinPaymentsLegacy,
	"epusdt":              epusdt,
	"fireblocks":          fireblocks,
	"hmac":                configurableHMAC,
	"imtoken":             imToken,
	"moralis":             moralis,
	"nowpayments":         nowPayments,
	"quicknode":           quickNode,
	"safeheron":           safeheron,
	"standard-webhooks":   standardWebhooks,
	"stripe":              stripe,
	"tatum":               tatum,
	"tokenpocket":         tokenPocket,
	"wechat-pay":          weChatPay,
}

// Providers are the names that a connection may have for its provider.
func Providers() []string { return slices.Sorted(maps.Keys(sources)) }

// sourceOf fails for a provider that another version of this code knew.
func sourceOf(provider string) (Source, error) {
	s, known := sources[provider]
	if !known {
		return Source{}, fmt.Errorf("callback: no source is named %q", provider)
	}
	return s, nil
}
