package chain

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

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
}

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

// Compiled at the first use: every function pays for what is done before its main.
var (
	evmChain   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^eip155:[1-9][0-9]{0,30}$`) })
	evmAddress = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^0x[0-9a-f]{40}$`) })
)

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
	if !evmChain().MatchString(string(c.ID)) {
		return fmt.Errorf(`id: must be a CAIP-2 id such as "eip155:137"`)
	}
	if _, twice := s.Chain(c.ID); twice {
		return fmt.Errorf("id: configured twice")
	}
	if c.BlockTime <= 0 {
		return fmt.Errorf(`block_time: must be a duration such as "2s"`)
	}
	if (c.Finality.Tag == "") == (c.Finality.Depth == 0) {
		return fmt.Errorf("finality: must have either a tag or a depth of at least 1")
	}
	if t := c.Finality.Tag; t != "" && t != "finalized" && t != "safe" {
		return fmt.Errorf(`finality.tag: must be "finalized" or "safe"; the other tags of a node are not final`)
	}
	if c.Finality.Agree < 0 {
		return fmt.Errorf("finality.agree: must be a number of endpoints")
	}
	if c.Native.CoinType == 0 {
		c.Native.CoinType = 60
	}
	if c.Native.Symbol == "" {
		c.Native.Ignore = true
	}
	if c.Native.Ignore { // nobody may be asked to pay what nobody watches
		c.Native.Symbol = ""
	} else if err := s.addAsset(Asset{ID: c.NativeAsset(), Chain: c.ID, Symbol: c.Native.Symbol, Decimals: c.Native.Decimals}); err != nil {
		return fmt.Errorf("native: %w", err)
	}
	for i, t := range c.Tokens {
		t.Address = strings.ToLower(t.Address)
		if !evmAddress().MatchString(t.Address) {
			return fmt.Errorf("tokens[%d].address: is not an address", i)
		}
		c.Tokens[i] = t
		if err := s.addAsset(Asset{ID: c.TokenAsset(t.Address), Chain: c.ID, Symbol: t.Symbol, Decimals: t.Decimals}); err != nil {
			return fmt.Errorf("tokens[%d]: %w", i, err)
		}
	}
	if err := s.readDeeper(c); err != nil {
		return err
	}
	s.chains = append(s.chains, c)
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

// TokenAsset is the CAIP-19 name of a token contract's asset.
func (c Config) TokenAsset(address string) money.Asset {
	return money.Asset(string(c.ID) + "/erc20:" + strings.ToLower(address))
}

// NativeAsset is the CAIP-19 name of the chain's own coin.
func (c Config) NativeAsset() money.Asset {
	return money.Asset(fmt.Sprintf("%s/slip44:%d", c.ID, c.Native.CoinType))
}
