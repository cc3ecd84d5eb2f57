package outside

import (
	"net/netip"
	"sync"
	"syscall"

	"code.dny.dev/ssrf"
)

// The rules are those of code.dny.dev/ssrf, generated from IANA's registries of special-purpose
// addresses: for IPv4 every entry of the registry and multicast; for IPv6 everything outside the global
// unicast range 2000::/3 (so loopback, link-local, ULA, multicast, IPv4-mapped, NAT64 in both its prefixes)
// and within it Teredo, 6to4, documentation and benchmarking. Metadata services that lie in those ranges
// (169.254.169.254, fd00:ec2::254, 100.100.100.200) need no rule of their own; Azure's does not.
var elsewhere = ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32"))

// guardian decides which addresses may be connected to. Every port may: the address is what protects us.
func guardian(local bool) *ssrf.Guardian {
	options := []ssrf.Option{ssrf.WithAnyPort(), elsewhere}
	if local {
		options = append(options,
			ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.0/8")),
			ssrf.WithAllowedV6Prefixes(netip.MustParsePrefix("::1/128")))
	}
	return ssrf.New(options...)
}

// Made once each: an address that is written out is checked before every request.
var (
	ofEveryRun  = sync.OnceValue(func() *ssrf.Guardian { return guardian(false) })
	ofLocalRuns = sync.OnceValue(func() *ssrf.Guardian { return guardian(true) })
)

func guardianOf(local bool) *ssrf.Guardian {
	if local {
		return ofLocalRuns()
	}
	return ofEveryRun()
}

// onlyReachable is a net.Dialer's Control: it is called for each connection, with the address that DNS gave.
func onlyReachable(local bool) func(network, address string, c syscall.RawConn) error {
	return guardianOf(local).Safe
}

// MayReach says whether an address that is written out may be called.
func MayReach(address netip.Addr, local bool) bool {
	return guardianOf(local).SafeAddr(address) == nil
}
