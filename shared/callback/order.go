package callback

import (
	"crypto/sha256"
	"encoding/hex"
)

// The parameters of the URL that an unsigned source is given: the order, and the secret of that order alone.
const (
	orderParameter  = "order"
	secretParameter = "secret"
)

// OrderSecret is the secret of one order at a connection of an unsigned source: HMAC-SHA256 over the order's name, in
// hex, under the connection's secret. The callback's URL is the connection's with "?order=…&secret=…". Payers see it, so
// it must tell nothing of other orders' secrets.
func OrderSecret(connectionSecret, order string) string {
	return hex.EncodeToString(hmacOf(sha256.New, connectionSecret, order))
}

// orderOf is the order that a delivery's URL names, where the secret beside it is that order's. It proves that who calls
// knows the URL; it proves nothing of the body.
func orderOf(d Delivery, secrets []string) (string, error) {
	order, err := d.parameter(orderParameter)
	if err != nil {
		return "", err
	}
	given, err := d.parameter(secretParameter)
	if err != nil {
		return "", err
	}
	derived := make([]string, len(secrets))
	for i, secret := range secrets {
		derived[i] = OrderSecret(secret, order)
	}
	if err := sameSecret(derived, given); err != nil {
		return "", err
	}
	return order, nil
}
