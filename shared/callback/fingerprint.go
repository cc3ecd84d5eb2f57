package callback

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"farrier/shared/id"
)

// Mark is what is shown of a secret that verifies.
type Mark struct {
	Fingerprint string     `json:"fingerprint" doc:"tells it from the connection's others, and nothing of it" dynamodbav:"f"`
	Ends        *time.Time `json:"ends,omitempty" doc:"when it is believed no more; without it, it stays" dynamodbav:"e,omitempty"`
}

// fingerprint tells a connection's secrets apart: 32 bits of a hash that no other connection has for the same secret, and
// that nothing else is derived from.
func fingerprint(connection, secret string) string {
	sum := id.Digest("farrier: fingerprint of a connection's secret", connection, secret)
	return hex.EncodeToString(sum[:4])
}

func marksOf(connection string, secrets []Secret) []Mark {
	var marks []Mark
	for _, s := range secrets {
		marks = append(marks, Mark{Fingerprint: fingerprint(connection, s.Text), Ends: s.Ends})
	}
	return marks
}

// Marked is a connection with the marks of its secrets, also where it was made before there were any.
func (c Connections) Marked(ctx context.Context, conn Connection) (Connection, error) {
	if len(conn.Marks) > 0 || conn.Sealed == "" {
		return conn, nil
	}
	secrets, err := c.open(ctx, conn)
	conn.Marks = marksOf(conn.ID, secrets)
	return conn, err
}

// open opens all of a connection's secrets, those that have ended too.
func (c Connections) open(ctx context.Context, conn Connection) ([]Secret, error) {
	if conn.Sealed == "" {
		return nil, nil
	}
	text, err := c.Sealer.Open(ctx, owner(conn.ID), conn.Sealed)
	if err != nil {
		return nil, err
	}
	return parseSecrets(text)
}

// lasting is the secret that stays longest, the newest of several; false where none is valid.
func lasting(secrets []Secret, now time.Time) (Secret, bool) {
	valid := slices.DeleteFunc(slices.Clone(secrets), func(s Secret) bool { return !s.valid(now) })
	if len(valid) == 0 {
		return Secret{}, false
	}
	best := valid[0]
	for _, s := range valid[1:] {
		if s.Ends == nil || best.Ends != nil && !s.Ends.Before(*best.Ends) {
			best = s
		}
	}
	return best, true
}
