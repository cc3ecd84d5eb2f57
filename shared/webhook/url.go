package webhook

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"farrier/shared/outside"
	"farrier/shared/problem"
)

// MaxURL is the longest URL of an endpoint, in bytes.
const MaxURL = 2048

// hostName is what DNS can hold (RFC 1123), with the underscore that some clouds use.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([-A-Za-z0-9_]{0,61}[A-Za-z0-9_])?)*\.?$`)

// checkURL says what is wrong with an endpoint's URL. local is the local run, where http and loopback are allowed.
// It looks at what is written alone: what a name resolves to is checked at each connection.
func checkURL(text string, local bool) error {
	switch {
	case text == "":
		return problem.Field("url", "is missing")
	case len(text) > MaxURL:
		return problem.Field("url", "is longer than 2048 bytes")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return problem.Field("url", "has a character that a URL may not have; write others in punycode and percent-encoding")
	}
	u, err := url.Parse(text)
	if err != nil {
		return problem.Field("url", "is not a URL")
	}
	switch {
	case u.Scheme != "https" && (!local || u.Scheme != "http"):
		return problem.Field("url", "must begin with https://")
	case u.Opaque != "" || u.Hostname() == "":
		return problem.Field("url", "names no host")
	case u.User != nil:
		return problem.Field("url", "must hold no user name and no password")
	case u.Fragment != "" || strings.Contains(text, "#"):
		return problem.Field("url", "must have no fragment")
	case !validPort(u):
		return problem.Field("url", "has a port that is not from 1 to 65535")
	}
	return checkHost(u.Hostname(), local)
}

// serverOf is the host and the port that a URL's connections go to, in one spelling; empty for what names none.
func serverOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port, err := strconv.Atoi(cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme]))
	if err != nil {
		return ""
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), strconv.Itoa(port))
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

func checkHost(host string, local bool) error {
	if address, err := netip.ParseAddr(host); err == nil {
		if address.Zone() != "" || !outside.MayReach(address, local) {
			return problem.Field("url", "must not name an address that is not public")
		}
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	switch {
	case len(host) > 253 || !hostName.MatchString(host):
		return problem.Field("url", "names a host that cannot exist")
	case !local && (name == "localhost" || strings.HasSuffix(name, ".localhost")): // RFC 6761: always loopback
		return problem.Field("url", "must not name an address that is not public")
	}
	return nil
}
