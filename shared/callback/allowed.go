package callback

import (
	"fmt"
	"net/netip"
	"slices"

	"farrier/shared/problem"
)

// mostAllowed bounds a connection's list of addresses.
const mostAllowed = 50

// allows says whether a delivery may come from an address, as the connection's settings say; without a list from
// anywhere. An address that cannot be read is on no list.
func (s Settings) allows(from string) bool {
	if len(s.Sources) == 0 {
		return true
	}
	address, err := netip.ParseAddr(from)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(s.Sources, func(text string) bool {
		prefix, err := prefixOf(text)
		return err == nil && prefix.Contains(address.Unmap())
	})
}

// prefixOf reads a prefix, or an address as the prefix of itself alone.
func prefixOf(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		return netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// settleSources brings the list into one spelling. The caller's stays as it is.
func (s *Settings) settleSources() error {
	if len(s.Sources) > mostAllowed {
		return problem.Field("sources", fmt.Sprintf("must be at most %d", mostAllowed))
	}
	var settled []string
	for i, text := range s.Sources {
		prefix, err := prefixOf(text)
		if err != nil || prefix.Addr().Is4In6() || prefix.Masked() != prefix {
			return problem.Field(fmt.Sprintf("sources[%d]", i), "must be an address or a prefix such as 192.0.2.0/24, without bits beyond its length")
		}
		settled = append(settled, prefix.String())
	}
	s.Sources = settled
	return nil
}
