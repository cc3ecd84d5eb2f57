package anvil

import "testing"

// At is a chain that somebody else started.
func At(t testing.TB, url string) *Chain { return &Chain{URL: url, t: t} }
