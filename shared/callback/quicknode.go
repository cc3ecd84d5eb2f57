package callback

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"slices"
	"time"
)

// quickNode is QuickNode Streams with a webhook as destination
// (https://www.quicknode.com/guides/quicknode-products/streams/validating-incoming-streams-webhook-messages and
// https://www.quicknode.com/docs/streams/data-sources, read 2026-11-24): X-QN-Signature is the HMAC-SHA256, in hex and by
// the stream's security token, over X-QN-Nonce, X-QN-Timestamp and the body, one behind the other. A stream may compress
// its bodies; what is signed is the body before that. It wants 2xx, tries a batch as often as the stream is set to, and
// sends no later batch before that. The guide has the nonce and the time against replays; that each attempt has its own
// it does not say. A batch that is refused for its age stops the stream, and the stream resumed sends it anew.
var quickNode = Source{
	Trusts: []Trust{Look}, CheckSecret: checkSharedText, Verify: verifyQuickNode, Read: readQuickNode, Answer: ok,
}

// mostInflated is how large a compressed body may become. It is inflated before anybody knows who sent it.
const mostInflated = 4 << 20

func verifyQuickNode(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	nonce, err := d.Headers.one("x-qn-nonce")
	if err != nil {
		return "", err
	}
	stamp, err := d.Headers.one("x-qn-timestamp")
	if err != nil {
		return "", err
	}
	given, err := d.Headers.one("x-qn-signature")
	if err != nil {
		return "", err
	}
	if err := quickNodeInTime(d, stamp); err != nil {
		return "", err
	}
	body, inflates := inflated(d.Body)
	// Nothing stands between what is signed: a body that began with a digit could have taken it from the time.
	if !inflates || (len(body) > 0 && body[0] >= '0' && body[0] <= '9') {
		return "", BodyMalformed
	}
	if err := hmacSigned(sha256.New, k.Secrets, inHex, given, nonce, stamp, string(body)); err != nil {
		return "", err
	}
	// The nonce may be another at the next attempt; the batch is the same, however it is compressed.
	return hashed(body), nil
}

// quickNodeInTime takes a time of ten digits, in seconds, or of thirteen: the documentation does not name the unit. No
// other length will do, so that the time can lend no digit to the nonce.
func quickNodeInTime(d Delivery, stamp string) error {
	switch len(stamp) {
	case len("1800000000"):
		return d.inTime(stamp, time.Second, standardWindow)
	case len("1800000000000"):
		return d.inTime(stamp, time.Millisecond, standardWindow)
	default:
		return HeaderMalformed
	}
}

// inflated is a body without its compression (RFC 1952), which no JSON begins like; false where it cannot be had.
func inflated(body []byte) ([]byte, bool) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, true
	}
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	plain, err := io.ReadAll(io.LimitReader(reader, mostInflated+1))
	return plain, err == nil && len(plain) <= mostInflated
}

func readQuickNode(body []byte, s Settings, _ Keys) ([]Notice, error) {
	plain, inflates := inflated(body)
	if !inflates {
		return nil, ReadError("the body cannot be inflated, or is too large then")
	}
	doc, err := parseJSON(plain)
	if err != nil {
		return nil, err
	}
	on := s.networkOf(doc.text("metadata.network"))
	var notices []Notice
	if len(doc.list("metadata.blocks_reorged")) > 0 || len(doc.list("metadata.reorgs")) > 0 {
		notices = append(notices, Notice{Kind: DepositReverted, Chain: on})
	}
	data := doc.root
	if object, is := data.(map[string]any); is && (doc.has("metadata") || doc.has("data")) {
		data = object["data"]
	}
	found := streamed(data, nil)
	if len(found) == 0 && somethingIn(data) {
		// A stream's filter gives what its author likes: that there is something is reason enough to look.
		notices = append(notices, Notice{Kind: DepositSeen, Chain: on})
	}
	said := map[Notice]bool{}
	for _, n := range found {
		if n.Chain = on; !said[n] {
			said[n] = true
			notices = append(notices, n)
		}
	}
	return orOther(notices, "an empty batch"), nil
}

// streamed finds the transactions in a batch, whatever its dataset: a log, a receipt or a trace names its transaction, and
// a transaction, unlike a block, has a hash and a sender (Ethereum JSON-RPC).
func streamed(v any, found []Notice) []Notice {
	switch inner := v.(type) {
	case []any:
		for _, item := range inner {
			found = streamed(item, found)
		}
	case map[string]any:
		object := document{inner}
		tx := object.firstName("transactionHash", "transaction_hash", "txHash", "txid")
		if tx == "" && object.has("from") {
			tx = object.name("hash")
		}
		if tx != "" {
			kind := DepositSeen
			if object.truth("removed") {
				kind = DepositReverted
			}
			return append(found, Notice{Kind: kind, Tx: tx})
		}
		for _, name := range slices.Sorted(maps.Keys(inner)) {
			found = streamed(inner[name], found)
		}
	}
	return found
}

func somethingIn(v any) bool {
	switch inner := v.(type) {
	case nil:
		return false
	case string:
		return inner != ""
	case []any:
		for _, item := range inner {
			if somethingIn(item) {
				return true
			}
		}
		return false
	case map[string]any:
		return len(inner) > 0
	}
	return true
}
