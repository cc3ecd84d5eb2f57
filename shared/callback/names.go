package callback

import (
	"strings"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// chainNames are the chains' names as providers spell them, in lower case and without what is not a letter or a
// digit; each means the main network. The EVM numbers are those of https://chainid.network, the others those of
// https://namespaces.chainagnostic.org (both read 2026-11-24).
var chainNames = func() map[string]chain.ID {
	names := map[string]chain.ID{}
	for id, spellings := range map[chain.ID]string{
		"eip155:1":      "eth ethereum ethmainnet ethereummainnet erc20 ether ethereumerc20",
		"eip155:10":     "op opt optimism optimismethereum opeth ethoptimism",
		"eip155:25":     "cro cronos",
		"eip155:56":     "bsc bnb bep20 bnbchain bnbsmartchain binancesmartchain binance bnbbsc bscbnb bscbep20",
		"eip155:100":    "gnosis xdai gno gnosischain",
		"eip155:130":    "unichain",
		"eip155:137":    "matic polygon pol polygonpos maticpolygon polygonmatic maticmatic",
		"eip155:146":    "sonic",
		"eip155:204":    "opbnb",
		"eip155:250":    "ftm fantom",
		"eip155:324":    "zksync zksyncera era",
		"eip155:480":    "worldchain",
		"eip155:1284":   "moonbeam glmr",
		"eip155:5000":   "mantle mnt",
		"eip155:8217":   "kaia klaytn klay",
		"eip155:8453":   "base ethbase baseeth",
		"eip155:9745":   "plasma",
		"eip155:42161":  "arb arbitrum arbitrumone arb1 etharbitrum arbeth",
		"eip155:42220":  "celo",
		"eip155:43114":  "avax avalanche avaxc avaxcchain avalanchec avalanchecchain cchain",
		"eip155:59144":  "linea",
		"eip155:80094":  "berachain bera",
		"eip155:81457":  "blast",
		"eip155:534352": "scroll",

		"bip122:000000000019d6689c085ae165831e93": "btc bitcoin xbt",
		"bip122:12a765e31ffd4059bada1e25190f6e98": "ltc litecoin",
		"bip122:1a91e3dace36e2be3bf030a65679fe82": "doge dogecoin",
		"bip122:000000000000000000651ef99cb9fcbe": "bch bitcoincash",
		"bip122:00000ffd590b1485b3caadc19b22e637": "dash",
		"tron:0x2b6653dc":                         "tron trx trc20 trontrc20 trxtrc20",
		"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": "sol solana spl",
		"xrpl:0":             "xrp ripple xrpl xrpledger",
		"stellar:pubnet":     "xlm stellar",
		"near:mainnet":       "near nearprotocol",
		"sui:mainnet":        "sui",
		"cosmos:cosmoshub-4": "atom cosmos cosmoshub",
		"tvm:-239":           "ton toncoin",
	} {
		for name := range strings.FieldsSeq(spellings) {
			names[name] = id
		}
	}
	return names
}()

// chainNamed is the chain that a provider's name for it means: a common name of a main network, or a CAIP-2 id as it
// stands. Test networks are not among them: a connection to one names its chain in its settings.
func chainNamed(name string) (chain.ID, bool) {
	if strings.Contains(name, ":") {
		return chain.ID(name), chainForm(name)
	}
	if len(name) > longestName {
		return "", false
	}
	plain := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		default:
			return -1
		}
	}, name)
	if id, known := chainNames[plain]; known {
		return id, true
	}
	id, known := chainNames[strings.TrimSuffix(plain, "mainnet")]
	return id, known
}

// chainNumbered is the EVM chain of a number, in decimal or in hex with 0x.
func chainNumbered(number string) (chain.ID, bool) {
	n, err := document{map[string]any{"n": number}}.units("n")
	if err != nil || n.Sign() <= 0 || len(n.String()) > 32 {
		return "", false
	}
	return chain.ID("eip155:" + n.String()), true
}

// coins are the chains' own coins: SLIP-44 (https://github.com/satoshilabs/slips/blob/master/slip-0044.md, read
// 2026-11-24) and decimals.
var coins = map[chain.ID]KnownAsset{
	"eip155:1": {"slip44:60", 18}, "eip155:10": {"slip44:60", 18}, "eip155:56": {"slip44:714", 18}, "eip155:100": {"slip44:700", 18},
	"eip155:137": {"slip44:966", 18}, "eip155:8453": {"slip44:60", 18}, "eip155:42161": {"slip44:60", 18}, "eip155:43114": {"slip44:9005", 18},
	"eip155:59144": {"slip44:60", 18}, "eip155:534352": {"slip44:60", 18}, "eip155:324": {"slip44:60", 18}, "eip155:81457": {"slip44:60", 18},
	"bip122:000000000019d6689c085ae165831e93": {"slip44:0", 8}, "bip122:12a765e31ffd4059bada1e25190f6e98": {"slip44:2", 8},
	"bip122:1a91e3dace36e2be3bf030a65679fe82": {"slip44:3", 8}, "bip122:000000000000000000651ef99cb9fcbe": {"slip44:145", 8},
	"bip122:00000ffd590b1485b3caadc19b22e637": {"slip44:5", 8}, "tron:0x2b6653dc": {"slip44:195", 6},
	"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp": {"slip44:501", 9}, "xrpl:0": {"slip44:144", 6}, "stellar:pubnet": {"slip44:148", 7},
}

// coinOf is a chain's own coin.
func coinOf(on chain.ID) (KnownAsset, bool) {
	coin, known := coins[on]
	if !known {
		return KnownAsset{}, false
	}
	return KnownAsset{Asset: money.Asset(string(on) + "/" + string(coin.Asset)), Decimals: coin.Decimals}, true
}

// tokenOn is the token of a contract on a chain whose contracts have one usual standard; "" where it has none, or
// the address is not one.
func tokenOn(on chain.ID, contract string) money.Asset {
	namespace, _, _ := strings.Cut(string(on), ":")
	standard := map[string]string{"eip155": "erc20", "tron": "trc20", "solana": "token"}[namespace]
	asset, err := money.ParseAsset(string(on) + "/" + standard + ":" + contract)
	if standard == "" || err != nil || (namespace == "eip155" && !madeOf(strings.TrimPrefix(asset.Reference(), "0x"), "0123456789abcdef", 40, 40)) {
		return ""
	}
	return asset
}

const currencyPrefix = "iso4217:"

// currencies are the codes of ISO 4217 in use, by the decimals of each
// (https://www.six-group.com/en/products-services/financial-information/data-standards.html, list one).
var currencies = func() map[string]int {
	decimals := map[string]int{}
	for n, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
		2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP " +
			"CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR " +
			"KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN " +
			"PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD " +
			"TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
		3: "BHD IQD JOD KWD LYD OMR TND",
	} {
		for code := range strings.FieldsSeq(codes) {
			decimals[code] = n
		}
	}
	return decimals
}()

// currency is the asset of a code of ISO 4217, in any case.
func currency(code string) (KnownAsset, bool) {
	if len(code) != 3 {
		return KnownAsset{}, false
	}
	code = strings.ToUpper(code)
	decimals, known := currencies[code]
	if !known {
		return KnownAsset{}, false
	}
	return KnownAsset{Asset: money.Asset(currencyPrefix + code), Decimals: decimals}, true
}
