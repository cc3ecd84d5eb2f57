package payment

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"farrier/shared/chain"
	"farrier/shared/id"
	"farrier/shared/money"
	"farrier/shared/problem"
)

// Limits of a request. They keep a payment of one option within one KB, one write unit, where the reference's letters are
// of one byte (others can make it two), the amount has no more than 19 digits, and it has no page, callback or terms of its own.
const (
	DefaultExpiry    = time.Hour
	MinExpiry        = time.Minute
	MaxExpiry        = 30 * 24 * time.Hour
	MaxOptions       = 8
	MaxReference     = 128
	MaxMetadataKeys  = 10
	MaxMetadataKey   = 40
	MaxMetadataValue = 200
	MaxMetadataTotal = 400 // bytes of all keys and values
	MaxPageURL       = 300
)

// TermsAsked are the terms that a request names; what is absent is as the merchant usually has it.
type TermsAsked struct {
	Under, Over *int64 // of the tolerance
	Policy      Policy
}

// Terms are a tolerance and a policy.
type Terms struct {
	Tolerance
	Policy
}

// Or is what is asked for, and for the rest what is usual. Errors name the field.
func (t TermsAsked) Or(usual Terms) (Terms, error) {
	out := Terms{usual.Tolerance, t.Policy.Or(usual.Policy)}
	if t.Under != nil {
		out.Under = *t.Under
	}
	if t.Over != nil {
		out.Tolerance.Over = *t.Over
	}
	if err := out.Tolerance.Check(); err != nil {
		return Terms{}, err
	}
	return out, out.Policy.Check()
}

// text is what a fingerprint has of them: as they were asked, so that a merchant who changes what is usual does not turn a
// request that is made again into another.
func (t TermsAsked) text() string {
	points := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	return fmt.Sprintf("%s %s %s %s %s", points(t.Under), points(t.Over), t.Policy.Partial, t.Policy.Over, t.Policy.Late)
}

// asked checks the request field by field.
func (s Store) asked(r Request) (Payment, error) {
	options, err := s.options(r)
	if err != nil {
		return Payment{}, err
	}
	if err := problem.Text("reference", r.Reference, MaxReference); err != nil {
		return Payment{}, err
	}
	if err := (problem.Pairs{Keys: MaxMetadataKeys, Key: MaxMetadataKey, Value: MaxMetadataValue, Total: MaxMetadataTotal}).Metadata(r.Metadata); err != nil {
		return Payment{}, err
	}
	terms, err := r.Terms.Or(r.Usual)
	if err != nil {
		return Payment{}, err
	}
	if err := checkPage(r.PageURL); err != nil {
		return Payment{}, err
	}
	expiry := time.Duration(r.ExpiresIn) * time.Second
	if r.ExpiresIn == 0 {
		expiry = DefaultExpiry
	}
	if r.ExpiresIn < 0 || r.ExpiresIn > int64(MaxExpiry/time.Second) || expiry < MinExpiry {
		return Payment{}, problem.Field("expires_in", fmt.Sprintf("must be from %d to %d seconds", int(MinExpiry.Seconds()), int(MaxExpiry.Seconds())))
	}
	return Payment{
		PK: r.Merchant, Tolerance: terms.Tolerance, Policy: terms.Policy,
		Reference: r.Reference, Metadata: r.Metadata, PageURL: r.PageURL, Status: Waiting, Version: 1,
		Fingerprint: fingerprint(r, options, expiry),
		ExpiresAt:   time.Time{}.Add(expiry), // the claim's moment is added by at
	}.withOptions(options), nil
}

// options are those that are asked for, by the one way or the other.
func (s Store) options(r Request) ([]Option, error) {
	if len(r.Options) == 0 {
		o, err := s.option("", OptionAsked{r.Asset, r.Amount})
		return []Option{o}, err
	}
	if r.Asset != "" || r.Amount != "" {
		return nil, problem.Field("options", "stands beside asset and amount; give the one or the other")
	}
	if len(r.Options) > MaxOptions {
		return nil, problem.Field("options", fmt.Sprintf("has more than %d", MaxOptions))
	}
	var all []Option
	for i, asked := range r.Options {
		place := "options[" + strconv.Itoa(i) + "]."
		o, err := s.option(place, asked)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(all, func(other Option) bool { return other.Asset == o.Asset }) {
			return nil, problem.Field(place+"asset", "is one of the options before it")
		}
		all = append(all, o)
	}
	return all, nil
}

func (s Store) option(place string, asked OptionAsked) (Option, error) {
	name, err := money.ParseAsset(asked.Asset)
	if err != nil {
		return Option{}, problem.Field(place+"asset", err.Error())
	}
	asset, ok := s.Assets.Asset(name)
	if !ok {
		return Option{}, problem.Field(place+"asset", "is not configured here")
	}
	amount, err := money.ParseDecimal(asked.Amount, asset.Decimals)
	if err != nil {
		return Option{}, problem.Field(place+"amount", err.Error())
	}
	if amount.Sign() <= 0 {
		return Option{}, problem.Field(place+"amount", "must be more than zero")
	}
	return Option{Asset: name, Symbol: asset.Symbol, Decimals: asset.Decimals, Amount: amount}, nil
}

// chain is where the option's asset lives.
func (o Option) chain() chain.ID { return chain.ID(o.Asset.Chain()) }

func fingerprint(r Request, options []Option, expiry time.Duration) string {
	parts := []string{r.Reference, expiry.String(), r.Terms.text(), r.PageURL, r.WalletCallback}
	for _, o := range options {
		parts = append(parts, string(o.Asset), o.Amount.String())
	}
	first := len(parts)
	for k, v := range r.Metadata {
		parts = append(parts, "metadata\x00"+k+"\x00"+v)
	}
	slices.Sort(parts[first:])
	return id.Short(parts...)
}

// checkPage takes an address of a page that a phone can open.
func checkPage(page string) error {
	if page == "" {
		return nil
	}
	u, err := url.Parse(page)
	switch {
	case len(page) > MaxPageURL:
		return problem.Field("page_url", fmt.Sprintf("is longer than %d bytes", MaxPageURL))
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return problem.Field("page_url", "must be an https URL, without a user")
	case strings.ContainsFunc(page, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }):
		return problem.Field("page_url", "has a space or a character that cannot be printed; percent-encode it")
	}
	return nil
}
