package callback

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"farrier/shared/chain"
)

// safeheron is Safeheron (https://docs.safeheron.com/api/en.html; github.com/Safeheron/safeheron-skill at de48ee5,
// references/go/WEBHOOK.md, BUSINESS_PATTERNS.md and TRANSACTION_API.md; Safeheron/safeheron-api-sdk-java at 5e2e619,
// WebhookConverter; read 2026-11-24): the body holds its signature, RSA with SHA-256 over bizContent, key and timestamp,
// sorted. key is an AES key and its start for the merchant's own RSA key (the credential private_key), bizContent what is said
// under it. How they are encrypted (rsaType, aesType) is not signed; whoever changes it gets a body that does not open.
//
// Wallets of Safeheron lie on the chain, so its word asks for a look, if the connection is not told otherwise.
var safeheron = Source{
	Trusts: []Trust{Look, Statement}, CheckSecret: checkPublicKey(rsaSHA256), Verify: verifySafeheron,
	Credentials: []Credential{{Name: "private_key", Required: true, Reads: true, Check: checkPrivateKey}}, Read: readSafeheron, Encrypted: true,
	Answer: Answer{Status: http.StatusOK, ContentType: "application/json", Body: `{"code":"200","message":"SUCCESS"}`},
}

// safeheronWindow: it tries again after 30 s, 1 m, 5 m, 1 h, 12 h and 24 h, and does not say whether it stamps each attempt.
const safeheronWindow = 3 * 24 * time.Hour

// verifySafeheron needs no key of the merchant's. A notice has no id outside of what is encrypted; what is signed is the
// event, so that no change of what is not signed makes another.
func verifySafeheron(_ context.Context, d Delivery, _ Settings, k Keys) (string, error) {
	doc, err := parseJSON(d.Body)
	if err != nil {
		return "", BodyMalformed
	}
	signature, err := inBase64.decode(doc.text("sig"))
	if err != nil {
		return "", BodyMalformed
	}
	fields := map[string]string{"key": doc.text("key"), "timestamp": doc.name("timestamp"), "bizContent": doc.text("bizContent")}
	for _, value := range fields {
		if value == "" || strings.Contains(value, "&") {
			return "", BodyMalformed
		}
	}
	if err := d.inTime(fields["timestamp"], time.Millisecond, safeheronWindow); err != nil {
		return "", err
	}
	text := sortedFields(fields, true)
	if err := keySigned(rsaSHA256, publicKeys(k.Secrets), signature, []byte(text)); err != nil {
		return "", err
	}
	return hashed([]byte(text)), nil
}

func checkPrivateKey(text string) error {
	_, err := privateKey(text)
	return err
}

// privateKey reads an RSA key: PEM of PKCS #8 or PKCS #1, or the base64 of their DER. Its error repeats nothing of it.
func privateKey(text string) (*rsa.PrivateKey, error) {
	der := []byte(nil)
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), "")); err == nil {
		der = b
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, errors.New("must be an RSA private key, as PEM of PKCS #8 or PKCS #1")
		}
		isRSA := false
		if key, isRSA = parsed.(*rsa.PrivateKey); !isRSA {
			return nil, errors.New("must be an RSA private key")
		}
	}
	if key.N.BitLen() < leastRSA {
		return nil, errors.New("must have 2048 bits or more")
	}
	return key, nil
}

// openSafeheron decrypts what a notice says. RSA and AES-CBC are how older teams still have it.
func openSafeheron(doc document, private string) (document, error) {
	key, err := privateKey(private)
	if err != nil {
		return document{}, ReadError("bizContent cannot be opened: the connection has no private_key")
	}
	sealed, err := base64.StdEncoding.DecodeString(doc.text("key"))
	if err != nil {
		return document{}, ReadError("key is not base64")
	}
	content, err := base64.StdEncoding.DecodeString(doc.text("bizContent"))
	if err != nil {
		return document{}, ReadError("bizContent is not base64")
	}
	session, err := safeheronSession(doc.text("rsaType"), key, sealed)
	if err != nil {
		return document{}, ReadError("key does not open with the connection's private_key")
	}
	plain, err := safeheronContent(doc.text("aesType"), session, content)
	if err != nil {
		return document{}, ReadError("bizContent does not open with its key")
	}
	opened, err := parseJSON(plain)
	if err != nil {
		return document{}, ReadError("bizContent does not hold JSON")
	}
	return opened, nil
}

const safeheronKey, safeheronIV = 32, 16 // bytes

func safeheronSession(kind string, key *rsa.PrivateKey, sealed []byte) ([]byte, error) {
	if kind == "ECB_OAEP" {
		session, err := rsa.DecryptOAEP(sha256.New(), nil, key, sealed, nil)
		if err == nil && len(session) != safeheronKey+safeheronIV {
			err = errors.New("is not a key and a start")
		}
		return session, err
	}
	session := make([]byte, safeheronKey+safeheronIV) // whatever goes wrong leaves this random key, which opens nothing
	if _, err := rand.Read(session); err != nil {
		return nil, err
	}
	//lint:ignore SA1019 the provider chose it; nobody is told whether it opened, and only what it signed gets here
	return session, rsa.DecryptPKCS1v15SessionKey(nil, key, sealed, session)
}

func safeheronContent(kind string, session, content []byte) ([]byte, error) {
	block, err := aes.NewCipher(session[:safeheronKey])
	if err != nil {
		return nil, err
	}
	iv := session[safeheronKey:]
	if kind == "GCM_NOPADDING" {
		gcm, err := cipher.NewGCMWithNonceSize(block, safeheronIV)
		if err != nil {
			return nil, err
		}
		return gcm.Open(nil, iv, content, nil)
	}
	if len(content) == 0 || len(content)%aes.BlockSize != 0 {
		return nil, errors.New("is not whole blocks")
	}
	plain := make([]byte, len(content))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, content)
	padding := int(plain[len(plain)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, errors.New("is padded wrongly")
	}
	return plain[:len(plain)-padding], nil
}

// safeheronKinds are transactions by direction and status. Transfers between a team's own wallets, and what is not on the
// chain yet, mean nothing.
var safeheronKinds = map[string]Kind{
	"INFLOW BROADCASTING": DepositSeen, "INFLOW CONFIRMING": DepositSeen, "INFLOW COMPLETED": DepositConfirmed, "INFLOW FAILED": DepositReverted,
	"OUTFLOW BROADCASTING": PayoutBroadcast, "OUTFLOW CONFIRMING": PayoutBroadcast, "OUTFLOW COMPLETED": PayoutFinal,
	"OUTFLOW FAILED": PayoutFailed, "OUTFLOW REJECTED": PayoutFailed, "OUTFLOW CANCELLED": PayoutFailed,
}

var safeheronStatuses = []string{"SUBMITTED", "SIGNING", "BROADCASTING", "CONFIRMING", "COMPLETED", "FAILED", "REJECTED", "CANCELLED"}

// safeheronEvents are the others: signatures and lists of addresses, and what someone has to look at.
var safeheronEvents = map[string]Kind{
	"MPC_SIGN_CREATED": Other, "MPC_SIGN_STATUS_CHANGED": Other, "WEB3_SIGN_CREATED": Other, "WEB3_SIGN_STATUS_CHANGED": Other,
	"WHITELIST_ADDED": Other, "WHITELIST_UPDATED": Other, "WHITELIST_REMOVED": Other,
	"ILLEGAL_IP_REQUEST": ProviderError, "NO_MATCHING_TRANSACTION_POLICY": ProviderError, "GAS_BALANCE_WARNING": ProviderError, "AML_KYT_ALERT": ProviderError,
}

func readSafeheron(body []byte, s Settings, k Keys) ([]Notice, error) {
	doc, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	said, err := openSafeheron(doc, k.Credentials["private_key"])
	if err != nil {
		return nil, err
	}
	event, err := said.required("eventType")
	if err != nil {
		return nil, err
	}
	switch event {
	case "TRANSACTION_CREATED", "TRANSACTION_STATUS_CHANGED", "TRANSACTION_CUSTOMIZED_CONFIRMING":
		return safeheronTransaction(said.in("eventDetail"), s)
	}
	kind, known := safeheronEvents[event]
	if !known {
		return nil, unknownEvent(event)
	}
	return []Notice{{Kind: kind, Detail: detail(event)}}, nil
}

func safeheronTransaction(tx document, s Settings) ([]Notice, error) {
	status, err := tx.required("transactionStatus")
	if err != nil {
		return nil, err
	}
	key, err := tx.requiredName("txKey")
	if err != nil {
		return nil, err
	}
	state := safeheronDirection(tx) + " " + status
	n := Notice{Kind: Other, Tx: tx.name("txHash"), Object: key, Reference: tx.name("customerRefId"), Detail: detail(state)}
	if !slices.Contains(safeheronStatuses, status) {
		return nil, unknownEvent(state)
	}
	if kind, means := safeheronKinds[state]; means {
		n.Kind = kind
	}
	if n.Kind == DepositConfirmed && tx.text("amlLock") == "YES" {
		n.Kind, n.Detail = DepositSeen, "held back: amlLock"
	}
	coin, err := tx.required("coinKey")
	if err != nil {
		return nil, err
	}
	to := tx.list("destinationAddressList")
	if len(to) < 2 {
		n.Address = tx.name("destinationAddress")
		n, err := safeheronPriced(n, s, coin, tx, "txAmount")
		return some(n, err)
	}
	if len(to) > mostTransactions {
		return nil, ReadError("destinationAddressList is too long")
	}
	var all []Notice
	for _, one := range to { // a transaction that pays several at once says what each gets
		n.Address = one.name("address")
		priced, err := safeheronPriced(n, s, coin, one, "amount")
		if err != nil {
			return nil, err
		}
		all = append(all, priced)
	}
	return all, nil
}

// safeheronDirection is who pays: an older notice does not say it, but a deposit comes from an account that is not known.
func safeheronDirection(tx document) string {
	from, to := tx.text("sourceAccountType"), tx.text("destinationAccountType")
	switch given := tx.text("transactionDirection"); {
	case given != "":
		return given
	case from == "UNKNOWN":
		return "INFLOW"
	case from == "VAULT_ACCOUNT" && to == "VAULT_ACCOUNT":
		return "INTERNAL_TRANSFER"
	default:
		return "OUTFLOW"
	}
}

// safeheronPriced sets chain and amount. The connection's assets say what a coinKey stands for; of a chain's own coin it is
// known, and of a token at least the chain.
func safeheronPriced(n Notice, s Settings, coin string, doc document, path string) (Notice, error) {
	amount, err := doc.decimal(path)
	if err != nil {
		return Notice{}, err
	}
	on, own := coinKeyed(coin)
	if _, named := s.Assets[coin]; !named && own {
		if native, found := coinOf(on); found {
			s.Assets = map[string]KnownAsset{coin: native}
		}
	}
	n.Chain = chain.ID(s.Chain)
	if err := n.price(s, coin, amount); err != nil {
		return Notice{}, ReadError(path + " is no amount of its coin")
	}
	if n.Chain == "" {
		n.Chain = on
	}
	return elsewhere(n), nil
}

// coinKeyed is the main network of a coinKey, and whether it is the network's own coin: "ETHEREUM_ETH",
// "USDT(ERC20)_ETHEREUM_USDT". On a test network the last part is the network's ("ETH(SEPOLIA)_ETHEREUM_SEPOLIA"), and
// none is named here.
func coinKeyed(coin string) (on chain.ID, own bool) {
	parts := strings.Split(coin, "_")
	switch len(parts) {
	case 2:
		network, found := chainNamed(parts[0])
		if symbol, also := chainNamed(parts[1]); found && also && symbol == network {
			return network, true
		}
	case 3:
		token, _, _ := strings.Cut(parts[0], "(")
		if network, found := chainNamed(parts[1]); found && token == parts[2] {
			return network, false
		}
	}
	return "", false
}
