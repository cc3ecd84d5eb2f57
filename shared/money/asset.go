package money

import (
	"errors"
	"regexp"
	"strings"
	"sync"
)

// Asset is a CAIP-19 asset type: "eip155:137/erc20:0xc213…" (hex in lower case) or, for a chain's
// own coin, "eip155:137/slip44:966" (https://chainagnostic.org/CAIPs/caip-19).
type Asset string

// assetForm is compiled when it is first needed: that takes half a millisecond, which no function that
// only passes assets on should pay at its start.
var assetForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}$`)
})

// ParseAsset checks the form and gives the one spelling that this system uses:
// on EIP-155 chains a contract's address in lower case.
func ParseAsset(s string) (Asset, error) {
	if !assetForm().MatchString(s) {
		return "", errors.New(`must be a CAIP-19 asset such as "eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f"`)
	}
	if strings.HasPrefix(s, "eip155:") {
		s = strings.ToLower(s)
	}
	return Asset(s), nil
}

// Chain is the CAIP-2 id of the chain that the asset lives on.
func (a Asset) Chain() string {
	chain, _, _ := strings.Cut(string(a), "/")
	return chain
}

// Kind is the asset's namespace: "erc20", "slip44".
func (a Asset) Kind() string {
	_, rest, _ := strings.Cut(string(a), "/")
	kind, _, _ := strings.Cut(rest, ":")
	return kind
}

// Reference is what the namespace names: a contract's address, a coin type.
func (a Asset) Reference() string {
	_, rest, _ := strings.Cut(string(a), "/")
	_, reference, _ := strings.Cut(rest, ":")
	return reference
}
