package callback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"farrier/shared/problem"
	"farrier/shared/seal"
)

const (
	mostSecrets   = 10
	longestSecret = 256  // of a shared one
	mostSealed    = 4096 // bytes that KMS encrypts at once
)

// Secret is one of those that verify.
type Secret struct {
	Text string     `json:"s"`
	Ends *time.Time `json:"e,omitempty"` // believed before this, and no more; nil: without end
}

// valid says whether a secret is believed at a time.
func (s Secret) valid(at time.Time) bool { return s.Ends == nil || at.Before(*s.Ends) }

// manySecrets marks the form of sealed secrets that is JSON. Before, they were one a line, without ends: such a text
// never begins with an empty line, and is still read.
const manySecrets = "\n"

// sealedSecrets is the text that is sealed.
func sealedSecrets(secrets []Secret) []byte {
	text, _ := json.Marshal(secrets)
	return append([]byte(manySecrets), text...)
}

func parseSecrets(text []byte) ([]Secret, error) {
	if written, is := strings.CutPrefix(string(text), manySecrets); is {
		var secrets []Secret
		if json.Unmarshal([]byte(written), &secrets) != nil {
			return nil, errors.New("callback: sealed secrets that cannot be read") // the library's error could repeat them
		}
		return secrets, nil
	}
	var secrets []Secret
	for line := range strings.SplitSeq(string(text), "\n") {
		secrets = append(secrets, Secret{Text: line})
	}
	return secrets, nil
}

// secrets are all that the connection shall have, and the one among them that was made here.
func (a Asked) secrets(source Source, random io.Reader) (all []Secret, made string, err error) {
	given, field, err := secretOrKeys(a.Secret, a.Keys)
	switch {
	case err != nil:
		return nil, "", err
	case len(a.Keys) > mostSecrets:
		return nil, "", problem.Field("keys", fmt.Sprintf("must be at most %d", mostSecrets))
	case len(a.KeyEnds) > len(a.Keys):
		return nil, "", problem.Field("key_ends", "must not be more than keys")
	case len(given) > 0 && source.CheckSecret == nil:
		return nil, "", problem.Field(field, "is not for this provider: it publishes its keys")
	case source.CheckSecret == nil:
		return nil, "", nil
	case len(given) > 0:
		all, err = a.given(source, field, given)
		return all, "", err
	case source.Published != nil:
		return nil, "", nil
	case source.NewSecret == nil:
		return nil, "", problem.Field("secret", "is required: the provider gives it")
	}
	made, err = source.NewSecret(random)
	return []Secret{{Text: made}}, made, err
}

func (a Asked) given(source Source, field string, texts []string) ([]Secret, error) {
	all, err := checked(source, field, texts)
	if err != nil {
		return nil, err
	}
	for i := range a.KeyEnds {
		ends := a.KeyEnds[i].UTC()
		all[i].Ends = &ends
	}
	if len(sealedSecrets(all)) > mostSealed {
		return nil, problem.Field("keys", "are too long together; give fewer")
	}
	return all, nil
}

// secretOrKeys are the secrets that a request gives, and the field that holds them: "secret" has one, "keys" several.
func secretOrKeys(secret string, keys []string) (texts []string, field string, err error) {
	switch {
	case secret == "":
		return keys, "keys", nil
	case len(keys) > 0:
		return nil, "", problem.Field("keys", "cannot be set beside secret")
	default:
		return []string{secret}, "secret", nil
	}
}

// checked are secrets of the provider's form.
func checked(source Source, field string, texts []string) ([]Secret, error) {
	all := make([]Secret, len(texts))
	for i, text := range texts {
		if err := source.CheckSecret(text); err != nil {
			if field == "keys" {
				field = fmt.Sprintf("keys[%d]", i)
			}
			return nil, problem.Field(field, err.Error())
		}
		all[i].Text = text
	}
	return all, nil
}

// checkCredentials refuses, by the field's name, credentials that the source does not know or that are not of its form.
// Those that are stored need not be given again.
func checkCredentials(source Source, given, stored map[string]string, keysGiven bool) error {
	for _, c := range source.Credentials {
		text, is := given[c.Name]
		_, has := stored[c.Name]
		if !is && !has && c.Required && !(c.Fetches && keysGiven) {
			return problem.Field("credentials."+c.Name, "is required")
		}
		if !is {
			continue
		}
		if text == "" || len(text) > mostSealed {
			return problem.Field("credentials."+c.Name, "must be 1 to 4096 bytes")
		}
		if c.Check == nil {
			continue
		}
		if err := c.Check(text); err != nil {
			return problem.Field("credentials."+c.Name, err.Error())
		}
	}
	for name := range given {
		if !slices.ContainsFunc(source.Credentials, func(c Credential) bool { return c.Name == name }) {
			return problem.Field("credentials", "must have only: "+credentialNames(source)) // an unknown name may be a secret
		}
	}
	return nil
}

func credentialNames(source Source) string {
	var names []string
	for _, c := range source.Credentials {
		names = append(names, c.Name)
	}
	if names == nil {
		return "nothing, for this provider"
	}
	return strings.Join(names, ", ")
}

func owner(connection string) seal.Owner { return seal.Owner{"connection": connection} }

// ownerOf is the owner of one credential: no other credential's text opens in its place.
func ownerOf(connection, credential string) seal.Owner {
	return seal.Owner{"connection": connection, "credential": credential}
}

// seal seals what verifies, together, and each credential by itself.
func (c Connections) seal(ctx context.Context, connection string, secrets []Secret, given map[string]string) (string, map[string]string, error) {
	sealed, credentials := "", map[string]string(nil)
	var err error
	if len(secrets) > 0 {
		if sealed, err = c.Sealer.Seal(ctx, owner(connection), sealedSecrets(secrets)); err != nil {
			return "", nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		text, err := c.Sealer.Seal(ctx, ownerOf(connection, name), []byte(given[name]))
		if err != nil {
			return "", nil, err
		}
		if credentials == nil {
			credentials = map[string]string{}
		}
		credentials[name] = text
	}
	return sealed, credentials, nil
}

// Credential opens one of a connection's credentials, for calls to the provider's API.
func (c Connection) Credential(ctx context.Context, sealer *seal.Sealer, name string) (string, error) {
	sealed, is := c.Credentials[name]
	if !is {
		return "", fmt.Errorf("callback: the connection has no credential %q", name)
	}
	text, err := sealer.Open(ctx, ownerOf(c.ID, name), sealed)
	return string(text), err
}
