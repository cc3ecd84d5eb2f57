package callback

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"farrier/shared/cloud"
	"farrier/shared/outside"
	"farrier/shared/seal"
)

const (
	publishedFresh = time.Hour        // how long published keys are used without being asked for again
	publishedStale = 24 * time.Hour   // and how long while the provider cannot be reached
	publishedPause = 30 * time.Second // between two asks that are in vain
	publishedRest  = 5 * time.Second  // between two asks that met trouble
	publishedWait  = 3 * time.Second  // for an answer
	publishedBrief = time.Second      // for an answer, where older keys could serve
	publishedMost  = 64 << 10         // bytes of an answer
	mostPublished  = 1_000            // sets of keys in memory
)

// Keyring opens connections' keys, and keeps them for a while: what is sealed for a minute (see seal), what a provider
// publishes for an hour. While it is warm it asks nobody.
//
// Where a provider publishes its keys by an id, the id comes from a delivery that nobody has verified yet. So a
// connection that asked for an id in vain does not ask for another unknown one for half a minute (for five seconds,
// where it met trouble): whoever sends deliveries cannot make us call the provider at will.
type Keyring struct {
	Sealer *seal.Sealer
	Now    cloud.Clock
	HTTP   *http.Client // of package outside; nil where no source publishes keys

	mu   sync.Mutex
	sets map[string]publishedSet
	vain map[string]vain // connection → its last ask that brought nothing
}

// vain is an ask that brought nothing, and what is said instead of asking again.
type vain struct {
	again time.Time
	err   error
}

// publishedSet is what one URL answered.
type publishedSet struct {
	keys  map[string]crypto.PublicKey
	asked time.Time // when it was answered
	again time.Time // when it is asked again
}

// Keys opens what verifies a connection's deliveries, as it is valid now.
func (k *Keyring) Keys(ctx context.Context, c Connection) (Keys, error) {
	source, err := sourceOf(c.Provider)
	if err != nil {
		return Keys{}, err
	}
	var keys Keys
	if keys.Secrets, err = k.secrets(ctx, c); err != nil {
		return Keys{}, err
	}
	if keys.Credentials, err = k.credentials(ctx, c, source); err != nil {
		return Keys{}, err
	}
	if source.Published != nil {
		keys.Published = func(ctx context.Context, id string) ([]crypto.PublicKey, error) {
			return k.published(ctx, c, *source.Published, keys.Credentials, id)
		}
	}
	return keys, nil
}

func (k *Keyring) secrets(ctx context.Context, c Connection) ([]string, error) {
	if c.Sealed == "" {
		return nil, nil
	}
	text, err := k.Sealer.Open(ctx, owner(c.ID), c.Sealed)
	if err != nil {
		return nil, err
	}
	all, err := parseSecrets(text)
	if err != nil {
		return nil, err
	}
	var valid []string
	for _, s := range all {
		if s.valid(k.Now()) {
			valid = append(valid, s.Text)
		}
	}
	return valid, nil
}

func (k *Keyring) credentials(ctx context.Context, c Connection, source Source) (map[string]string, error) {
	opened := map[string]string{}
	for _, wanted := range source.Credentials {
		if _, given := c.Credentials[wanted.Name]; !given || wanted.Apart {
			continue
		}
		text, err := c.Credential(ctx, k.Sealer, wanted.Name)
		if err != nil {
			return nil, err
		}
		opened[wanted.Name] = text
	}
	return opened, nil
}

// idForm is what a key's id may be made of: nothing that means something in a URL.
func idForm(id string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:=+@"
	return id == "" || (madeOf(id, letters, 1, 128) && id != "." && id != "..")
}

// published are the keys under an id. What is known is used; what is not is asked for.
func (k *Keyring) published(ctx context.Context, c Connection, from Published, credentials map[string]string, id string) ([]crypto.PublicKey, error) {
	if !idForm(id) {
		return nil, KeyUnknown
	}
	address := from.URL(c.Settings, id)
	place := address
	if from.Header != nil {
		place = c.ID + " " + address // asked with this connection's credentials: the answer is this connection's alone
	}
	set := k.kept(place)
	keys := set.under(id)
	now := k.Now()
	if len(keys) > 0 && now.Before(set.again) {
		return keys, nil
	}
	if err := k.inVain(c.ID, now); err != nil && len(keys) == 0 {
		return nil, err
	}
	patience := publishedWait
	if len(keys) > 0 {
		patience = publishedBrief
	}
	fetched, err := k.fetch(ctx, from, address, credentials, id, patience)
	switch {
	case errors.Is(err, KeyUnknown):
		k.forget(place)
	case err != nil && len(keys) > 0: // the provider cannot be reached: these were right until now
		set.again = now.Add(publishedPause)
		k.keep(place, set)
		return keys, nil
	case err != nil:
		k.rest(c.ID, vain{now.Add(publishedRest), err})
		return nil, err
	default:
		set = publishedSet{keys: fetched, asked: now, again: now.Add(publishedFresh)}
		k.keep(place, set)
	}
	if keys = set.under(id); err != nil || len(keys) == 0 {
		k.rest(c.ID, vain{now.Add(publishedPause), KeyUnknown})
		return nil, KeyUnknown
	}
	return keys, nil
}

// under are the keys of an id; all of them under "".
func (s publishedSet) under(id string) []crypto.PublicKey {
	var keys []crypto.PublicKey
	for name, key := range s.keys {
		if id == "" || name == id {
			keys = append(keys, key)
		}
	}
	return keys
}

func (k *Keyring) kept(place string) publishedSet {
	k.mu.Lock()
	defer k.mu.Unlock()
	set := k.sets[place]
	if !k.Now().Before(set.asked.Add(publishedStale)) {
		return publishedSet{}
	}
	return set
}

func (k *Keyring) keep(place string, set publishedSet) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.sets == nil || len(k.sets) >= mostPublished {
		k.sets = map[string]publishedSet{}
	}
	k.sets[place] = set
}

func (k *Keyring) forget(place string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.sets, place)
}

func (k *Keyring) inVain(connection string, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last := k.vain[connection]; now.Before(last.again) {
		return last.err
	}
	return nil
}

func (k *Keyring) rest(connection string, last vain) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.vain == nil || len(k.vain) >= mostKnown {
		k.vain = map[string]vain{}
	}
	k.vain[connection] = last
}

// fetch asks the provider. KeyUnknown where it says that there is no such thing; any other error is trouble, in words
// that hold neither the address nor the answer.
func (k *Keyring) fetch(ctx context.Context, from Published, address string, credentials map[string]string, id string, patience time.Duration) (map[string]crypto.PublicKey, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || !slices.Contains(from.Hosts, u.Host) {
		return nil, errors.New("callback: published keys: the address is not on the provider's host")
	}
	if k.HTTP == nil {
		return nil, errors.New("callback: published keys: no client to ask with")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("callback: published keys: no request can be made")
	}
	if from.Header != nil {
		request.Header = from.Header(credentials)
	}
	answer, err := k.HTTP.Do(request)
	if err != nil {
		return nil, fmt.Errorf("callback: published keys: %s", outside.Trouble(err))
	}
	defer func() { _ = answer.Body.Close() }()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone, http.StatusBadRequest:
		return nil, KeyUnknown
	default:
		return nil, fmt.Errorf("callback: published keys: the provider answered %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, publishedMost+1))
	if err != nil {
		return nil, fmt.Errorf("callback: published keys: %s", outside.Trouble(err))
	}
	if len(body) > publishedMost {
		return nil, errors.New("callback: published keys: the answer is too long")
	}
	keys, err := from.Read(body, id)
	if err != nil {
		return nil, fmt.Errorf("callback: published keys: the answer %w", err)
	}
	return keys, nil
}
