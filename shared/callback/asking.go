package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"farrier/shared/outside"
	"farrier/shared/seal"
)

// Asking is how a provider's API is asked for the object of a notice.
type Asking struct {
	// Hosts are all that may be asked; the request is https and names one of them. nil where each customer has a host of
	// its own: it is the credential Host.
	Hosts []string
	Host  string
	// Credentials are those that a request needs, Host among them: names of Source.Credentials.
	Credentials []string
	// Request asks for a notice's object. The object's id is of letters, digits and "-_.:=+@".
	Request func(ctx context.Context, n Notice, s Settings, credentials map[string]string) (*http.Request, error)
	// Read says what an answer (200, at most 256 KB) means, as Source.Read does.
	Read func(body []byte, s Settings) ([]Notice, error)
}

const (
	askedWait = 5 * time.Second // for an answer
	askedMost = 256 << 10       // bytes of one
)

// ErrNoObject says that the provider's API knows no such object.
var ErrNoObject = errors.New("callback: the provider's API knows no such object")

// Asker asks providers' APIs. It follows no redirect and connects to nothing that is not public (package outside).
type Asker struct {
	Sealer *seal.Sealer
	HTTP   *http.Client
}

// Ask gives what a provider says of a notice's object now, and of nothing else. Its errors are ErrNoObject, those of Read,
// and trouble, that may be over later, in words that hold neither a secret nor what was answered.
func (a Asker) Ask(ctx context.Context, c Connection, n Notice) ([]Notice, error) {
	source, err := sourceOf(c.Provider)
	if err != nil {
		return nil, err
	}
	if source.Asking == nil {
		return nil, errors.New("callback: ask: the provider has no API that is asked")
	}
	if n.Object == "" || !idForm(n.Object) {
		return nil, ErrNoObject
	}
	body, err := a.fetch(ctx, *source.Asking, c, n)
	if err != nil {
		return nil, err
	}
	answer, err := source.Asking.Read(body, c.Settings)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(answer, func(other Notice) bool { return other.Object != n.Object }) {
		return nil, ReadError("the answer of the provider's API is about another object")
	}
	return answer, nil
}

func (a Asker) fetch(ctx context.Context, asking Asking, c Connection, n Notice) ([]byte, error) {
	credentials := map[string]string{}
	for _, name := range asking.Credentials {
		var err error
		if credentials[name], err = c.Credential(ctx, a.Sealer, name); err != nil {
			return nil, fmt.Errorf("callback: ask: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askedWait)
	defer cancel()
	request, err := asking.Request(ctx, n, c.Settings, credentials)
	if err != nil || !asking.mayAsk(request, credentials) {
		return nil, errors.New("callback: ask: the address is not on the provider's host")
	}
	answer, err := a.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("callback: ask: %s", outside.Trouble(err))
	}
	defer func() { _ = answer.Body.Close() }()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, ErrNoObject
	default:
		return nil, fmt.Errorf("callback: ask: the provider's API answered %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, askedMost+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("callback: ask: %s", outside.Trouble(err))
	case len(body) > askedMost:
		return nil, errors.New("callback: ask: the answer is too long")
	}
	return body, nil
}

func (a Asking) mayAsk(request *http.Request, credentials map[string]string) bool {
	if request == nil || request.URL.Scheme != "https" || request.URL.User != nil {
		return false
	}
	if a.Host != "" {
		return request.URL.Host == credentials[a.Host]
	}
	return slices.Contains(a.Hosts, request.URL.Host)
}

// getJSON is a request for an object, with its headers by name and value.
func getJSON(ctx context.Context, address string, headers ...string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("no request can be made") // the library's error holds the address
	}
	request.Header.Set("Accept", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request, nil
}
