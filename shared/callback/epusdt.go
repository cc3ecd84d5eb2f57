package callback

import (
	"context"
	"crypto/hmac"
	"crypto/md5" // #nosec G501 -- the provider's own scheme
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"farrier/shared/chain"
	"farrier/shared/money"
)

// epusdt is a gateway that a merchant runs itself: the signature is in the body, over the fields that are not empty,
// sorted. Since its version 2.0.0 it is the HMAC-SHA256 under the merchant's secret, before it was the MD5 of the text with
// the secret behind it; both in hex. No time and no chain is signed
// (https://github.com/GMWalletApp/epusdt: release v2.0.0; wiki/API.md, src/util/sign/sign.go and src/mq/worker.go at
// 7bd21d1; read 2026-11-24). It holds no money: what it says is chain money at the merchant's own address, so it is only
// looked at. Orders made over its interface for "EPay" are called back by GET, and are not taken here.
var epusdt = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, Verify: verifyFields(md5Before, sha256Under),
	Read: readEpusdt, Answer: Answer{Status: http.StatusOK, ContentType: "text/plain", Body: "ok"},
}

// fieldSum is a digest of what is signed, with a secret.
type fieldSum func(text, secret string) []byte

func md5Before(text, secret string) []byte {
	sum := md5.Sum([]byte(text + secret)) // #nosec G401
	return sum[:]
}

func sha256Under(text, secret string) []byte { return hmacOf(sha256.New, secret, text) }

// fieldsChain is the chain of what epusdt and its kin tell of: they name none, and TRON is what they were made for. A
// connection whose orders are paid elsewhere says so.
func fieldsChain(s Settings) chain.ID { return chain.ID(or(s.Chain, "tron:0x2b6653dc")) }

// verifyFields is for epusdt and its kin. What is signed is the event: the same order in the same state, said again each
// minute, is one event, and whoever repeats it in another spelling makes no new one.
func verifyFields(sums ...fieldSum) func(context.Context, Delivery, Settings, Keys) (string, error) {
	return func(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
		doc, err := parseJSON(d.Body)
		if err != nil {
			return "", BodyMalformed
		}
		fields, isObject := doc.root.(map[string]any)
		given, err := inHex.decode(doc.text("signature"))
		if err != nil || !isObject {
			return "", BodyMalformed
		}
		for _, write := range numberWritings {
			text, err := fieldsText(fields, write)
			if err != nil {
				return "", err
			}
			if fieldsSigned(sums, k.Secrets, given, text) {
				sum := sha256.Sum256([]byte(text))
				return eventID(doc.name("trade_id") + ":" + doc.name("status") + ":" + hex.EncodeToString(sum[:8])), nil
			}
		}
		return "", NoMatch
	}
}

func fieldsSigned(sums []fieldSum, secrets []string, given []byte, text string) bool {
	matched := false
	for _, secret := range secrets {
		for _, sum := range sums {
			if hmac.Equal(sum(text, secret), given) {
				matched = true
			}
		}
	}
	return matched
}

// numberWritings are the ways in which a number of the body may stand in what is signed: as it came; without an exponent
// (epusdt: strconv.FormatFloat with 'f'); and as Go prints a float64, so that an order of a million is signed as
// "1e+06" and sent as 1000000 (BEpusdt: app/utils/utils.go, EpusdtSign, at fdbecad).
var numberWritings = []func(json.Number) (string, error){
	func(n json.Number) (string, error) { return n.String(), nil },
	func(n json.Number) (string, error) { return plainDecimal(n.String()) },
	func(n json.Number) (string, error) {
		f, err := n.Float64()
		if err != nil {
			return "", err
		}
		return strconv.FormatFloat(f, 'g', -1, 64), nil
	},
}

// fieldsText is what is signed. It is refused where it could be read as other fields than those of the body: where a name or
// a value holds what joins them, or a number is signed as another number.
func fieldsText(fields map[string]any, write func(json.Number) (string, error)) (string, error) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		var value string
		switch v := fields[name].(type) {
		case nil:
		case string:
			value = v
		case json.Number:
			written, err := write(v)
			if err != nil || !sameNumber(v.String(), written) {
				written = v.String() // then this way of writing is not the signer's
			}
			value = written
		case bool:
			value = strconv.FormatBool(v)
		default:
			return "", BodyMalformed
		}
		if name == "signature" || value == "" {
			continue
		}
		if strings.ContainsAny(name, "&=") || strings.Contains(value, "&") {
			return "", BodyMalformed
		}
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "&"), nil
}

func sameNumber(one, other string) bool {
	a, errA := plainDecimal(strings.TrimPrefix(one, "-"))
	b, errB := plainDecimal(strings.TrimPrefix(other, "-"))
	trimmed := func(s string) string {
		if strings.Contains(s, ".") {
			s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
		}
		return s
	}
	return errA == nil && errB == nil && trimmed(a) == trimmed(b) && strings.HasPrefix(one, "-") == strings.HasPrefix(other, "-")
}

// orderKinds are an order's states: src/model/mdb/orders_mdb.go of epusdt (which calls back in state 2 only) and
// app/model/order.go of BEpusdt (which also calls back unpaid orders each minute, expired and failed ones).
var orderKinds = map[string]Kind{
	"1": PaymentPending, "2": PaymentPaid, "3": PaymentExpired, "4": PaymentFailed, "5": DepositSeen, "6": PaymentFailed,
}

// readOrder reads what epusdt and its kin say alike.
func readOrder(doc document, s Settings) (Notice, error) {
	status, err := doc.requiredName("status")
	if err != nil {
		return Notice{}, err
	}
	kind, known := orderKinds[status]
	if !known {
		return Notice{}, unknownEvent("status " + status)
	}
	trade, err := doc.requiredName("trade_id")
	if err != nil {
		return Notice{}, err
	}
	return Notice{Kind: kind, Chain: fieldsChain(s), Tx: doc.name("block_transaction_id"), Object: trade, Reference: doc.name("order_id")}, nil
}

// readEpusdt: "token" is the coin's symbol; before version 1 it was the address, and no coin was named.
func readEpusdt(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	n, err := readOrder(doc, s)
	if err != nil {
		return nil, err
	}
	n.Address = doc.name("receive_address")
	if n.Address == "" {
		n.Address = doc.name("token")
		return []Notice{n}, nil
	}
	amount, err := doc.decimal("actual_amount")
	if err != nil {
		return nil, err
	}
	if err := n.price(s, doc.name("token"), amount); err != nil {
		return nil, ReadError("actual_amount is no amount of its token")
	}
	return []Notice{elsewhere(n)}, nil
}

// elsewhere takes an asset off a notice that is said to be on another chain than the connection's: its amount would be
// of another coin.
func elsewhere(n Notice) Notice {
	if n.Asset != "" && n.Asset.Chain() != string(n.Chain) {
		n.Code, n.Asset, n.Amount, n.Decimals = string(n.Asset), "", money.Amount{}, 0
	}
	return n
}
