package chain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/evm"
	"farrier/shared/chain/tron"
	"farrier/shared/money"
)

// Config is what is configured for one chain (the template's parameter Chains is a JSON array of these).
type Config struct {
	ID        ID       `json:"id"`
	Name      string   `json:"name"`
	Native    Native   `json:"native"`
	BlockTime Duration `json:"block_time"` // the usual time between blocks
	Finality  Finality `json:"finality"`
	Tokens    []Token  `json:"tokens"`
	// Start is the first height that the watcher looks at; where it is absent, the newest block that is
	// final when the watcher first runs.
	Start uint64 `json:"start,omitempty"`
}

// Native is the chain's own coin.
type Native struct {
	Symbol   string `json:"symbol"`
	Decimals int    `json:"decimals"`
	CoinType uint32 `json:"coin_type"` // SLIP-44; 60 where absent
	Ignore   bool   `json:"ignore"`    // do not look for transfers of the coin itself (they cost one call for each block)
	// Traces is how the nodes tell of coin that contracts send on, on EVM chains: FlatTraces, GethTraces, or not at all where
	// it is empty. It costs one more call for each block, of a dear kind.
	Traces string `json:"traces,omitempty"`
}

// The ways to ask for a block's traces are the names of the methods.
const (
	FlatTraces = "trace_block"              // Erigon, Nethermind, Reth, anvil
	GethTraces = "debug_traceBlockByNumber" // geth, with its callTracer
)

// Token is a contract whose transfers count.
type Token struct {
	Symbol   string `json:"symbol"`
	Decimals int    `json:"decimals"`
	Address  string `json:"address"`
}

// Finality is the rule of a chain: a block tag ("finalized", "safe") that the node keeps, or a depth below the head.
type Finality struct {
	Tag   string `json:"tag,omitempty"`
	Depth uint64 `json:"depth,omitempty"`
	// Agree is how many endpoints must tell the same before anything becomes final: two where it is absent and
	// two or more are configured; 1 turns it off.
	Agree  int      `json:"agree,omitempty"`
	Deeper []Deeper `json:"deeper,omitempty"` // rules about large amounts
}

// Agreeing is how many of so many endpoints must tell the same.
func (f Finality) Agreeing(endpoints int) int { return cmp.Or(f.Agree, min(2, endpoints)) }

// Duration reads "2s" from JSON.
type Duration time.Duration

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// Asset is one asset as the API knows it.
type Asset struct {
	ID       money.Asset
	Chain    ID
	Symbol   string
	Decimals int
}

// Set is every configured chain.
type Set struct {
	chains []Config
	assets map[money.Asset]Asset
}

// rules are what a configuration may say of a family's chains.
type rules struct {
	reference func(string) bool // whether one of a CAIP-2 id may name a chain
	coinType  uint32            // SLIP-44, where the configuration says none
	decimals  int               // of the coin, where every chain's has as many; 0 where they differ
	tokens    string            // the CAIP-19 namespace of its tokens; "" where it has none
	address   func(string) (string, error)
	tags      []string // what finality may go by besides a depth
	depth     uint64   // the least one that may be called final; 0 for 1
	traces    []string // how nodes may be asked for what contracts send on
}

var families = map[string]rules{
	"eip155": {reference: formed(`^[1-9][0-9]{0,30}$`), coinType: 60, tokens: "erc20", address: evm.ParseAddress, tags: []string{"finalized", "safe"}, traces: []string{FlatTraces, GethTraces}},
	"bip122": {reference: bitcoin.Known, coinType: 0, decimals: bitcoin.Decimals},
	"tron":   {reference: formed(`^0x[0-9a-f]{8}$`), coinType: tron.CoinType, decimals: tron.Decimals, tokens: "trc20", address: tron.ParseAddress, tags: []string{"finalized", "solid"}, depth: tron.Depth},
}

// formed is compiled at the first use: every function pays for what is done before its main.
func formed(form string) func(string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(form) })
	return func(reference string) bool { return compiled().MatchString(reference) }
}

// ParseSet reads the parameter Chains. Its errors name the chain and the field.
func ParseSet(text string) (*Set, error) {
	var chains []Config
	if err := json.Unmarshal([]byte(text), &chains); err != nil {
		return nil, fmt.Errorf("chains: %w", err)
	}
	set := &Set{assets: map[money.Asset]Asset{}}
	for _, c := range chains {
		if err := set.add(c); err != nil {
			return nil, fmt.Errorf("chains: %s: %w", c.ID, err)
		}
	}
	return set, nil
}

func (s *Set) add(c Config) error {
	family, known := families[c.ID.Namespace()]
	if !known || !family.reference(c.ID.Reference()) {
		return fmt.Errorf(`id: must be the CAIP-2 id of a chain that can be watched, such as "eip155:137"`)
	}
	if _, twice := s.Chain(c.ID); twice {
		return fmt.Errorf("id: configured twice")
	}
	if c.BlockTime <= 0 {
		return fmt.Errorf(`block_time: must be a duration such as "2s"`)
	}
	if err := family.checkFinality(c.Finality); err != nil {
		return err
	}
	if err := s.addNative(&c, family); err != nil {
		return err
	}
	if err := s.addTokens(&c, family); err != nil {
		return err
	}
	if err := s.readDeeper(c); err != nil {
		return err
	}
	s.chains = append(s.chains, c)
	return nil
}

func (f rules) checkFinality(rule Finality) error {
	switch {
	case rule.Tag != "" && len(f.tags) == 0:
		return fmt.Errorf("finality.tag: these chains know none; give a depth")
	case (rule.Tag == "") == (rule.Depth == 0):
		return fmt.Errorf("finality: must have either a tag or a depth of at least 1")
	case rule.Tag == "" && rule.Depth < f.depth:
		return fmt.Errorf("finality.depth: must be at least %d on these chains", f.depth)
	case rule.Tag != "" && !slices.Contains(f.tags, rule.Tag):
		return fmt.Errorf("finality.tag: must be %s; the other tags of a node are not final", strings.Join(f.tags, " or "))
	case rule.Agree < 0:
		return fmt.Errorf("finality.agree: must be a number of endpoints")
	}
	return nil
}

func (s *Set) addNative(c *Config, family rules) error {
	if c.Native.CoinType == 0 {
		c.Native.CoinType = family.coinType
	}
	if c.Native.Symbol == "" {
		c.Native.Ignore = true
	}
	if t := c.Native.Traces; t != "" && (c.Native.Ignore || !slices.Contains(family.traces, t)) {
		return fmt.Errorf("native.traces: must be empty, %q or %q, on an EVM chain whose coin is watched", FlatTraces, GethTraces)
	}
	if c.Native.Ignore { // nobody may be asked to pay what nobody watches
		c.Native.Symbol = ""
		return nil
	}
	if family.decimals > 0 && c.Native.Decimals != family.decimals {
		return fmt.Errorf("native.decimals: must be %d on these chains", family.decimals)
	}
	if err := s.addAsset(Asset{ID: c.NativeAsset(), Chain: c.ID, Symbol: c.Native.Symbol, Decimals: c.Native.Decimals}); err != nil {
		return fmt.Errorf("native: %w", err)
	}
	return nil
}

func (s *Set) addTokens(c *Config, family rules) error {
	if len(c.Tokens) > 0 && family.tokens == "" {
		return fmt.Errorf("tokens: these chains have none")
	}
	for i, t := range c.Tokens {
		address, err := family.address(t.Address)
		if err != nil {
			return fmt.Errorf("tokens[%d].address: %w", i, err)
		}
		t.Address = address
		c.Tokens[i] = t
		if err := s.addAsset(Asset{ID: c.TokenAsset(t.Address), Chain: c.ID, Symbol: t.Symbol, Decimals: t.Decimals}); err != nil {
			return fmt.Errorf("tokens[%d]: %w", i, err)
		}
	}
	return nil
}

func (s *Set) addAsset(a Asset) error {
	if _, twice := s.assets[a.ID]; twice {
		return fmt.Errorf("configured twice")
	}
	if a.Symbol == "" || a.Decimals < 0 || a.Decimals > money.MaxDecimals {
		return fmt.Errorf("needs a symbol and decimals from 0 to %d", money.MaxDecimals)
	}
	s.assets[a.ID] = a
	return nil
}

// Chains are the configured chains in their order.
func (s *Set) Chains() []Config { return s.chains }

// Chain finds a chain.
func (s *Set) Chain(id ID) (Config, bool) {
	for _, c := range s.chains {
		if c.ID == id {
			return c, true
		}
	}
	return Config{}, false
}

// Asset finds an asset; one that is not configured does not exist for this system.
func (s *Set) Asset(id money.Asset) (Asset, bool) {
	a, ok := s.assets[id]
	return a, ok
}

// TokenAsset is the CAIP-19 name of the asset of a token's contract, given by its canonical address.
func (c Config) TokenAsset(address string) money.Asset {
	return money.Asset(string(c.ID) + "/" + families[c.ID.Namespace()].tokens + ":" + address)
}

// NativeAsset is the CAIP-19 name of the chain's own coin.
func (c Config) NativeAsset() money.Asset {
	return money.Asset(fmt.Sprintf("%s/slip44:%d", c.ID, c.Native.CoinType))
}
