package callback

import (
	"context"
	"errors"
	"net/url"

	"farrier/shared/problem"
)

// OrderAddress is what stands behind a connection's own address in the one that an order's payer is given: the order's
// name, and the secret of that order alone. It is derived from the connection's secret and stored nowhere.
func (c Connections) OrderAddress(ctx context.Context, conn Connection, order string) (query string, err error) {
	source, err := sourceOf(conn.Provider)
	switch {
	case err != nil:
		return "", err
	case !source.Orders:
		return "", problem.New(problem.Invalid, "this connection's provider signs what it sends: give it the connection's own address")
	case nameOf(order) == "":
		return "", problem.Field("order", "must be 1 to 128 bytes without controls")
	}
	secrets, err := c.open(ctx, conn)
	if err != nil {
		return "", err
	}
	secret, found := lasting(secrets, c.Now())
	if !found {
		return "", errors.New("callback: the connection has no valid secret")
	}
	return url.Values{orderParameter: {order}, secretParameter: {OrderSecret(secret.Text, order)}}.Encode(), nil
}
