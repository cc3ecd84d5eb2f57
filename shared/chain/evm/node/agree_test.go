package node_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
	"farrier/shared/chain/evm/anvil"
	"farrier/shared/chain/evm/node"
	"farrier/shared/chain/pool"
)

// several is a node over proxies of one chain, with a clock of its own and what it told of them, by their place.
type several struct {
	paid
	*node.Node
	tb      *testing.T
	proxies []*anvil.Proxy
	now     time.Time
	news    []string
}

func over(t *testing.T, endpoints int, change ...func(*chain.Config)) *several {
	t.Helper()
	s := &several{tb: t, paid: aPaidChain(t), now: time.Now()}
	c := s.tokenOnly()
	c.BlockTime = chain.Duration(12 * time.Second)
	for _, f := range change {
		f(&c)
	}
	var urls []string
	for range endpoints {
		p := anvil.Behind(t, s.Chain)
		s.proxies = append(s.proxies, p)
		urls = append(urls, p.URL)
	}
	n, err := node.New(node.Options{Config: c, Endpoints: urls, Now: func() time.Time { return s.now }, Tell: func(n pool.News) {
		if strings.Contains(n.Endpoint, "/") || n.Chain != localhost {
			t.Errorf("told %+v", n)
		}
		what := "enters"
		if !n.Entered {
			what = "leaves"
		}
		s.news = append(s.news, fmt.Sprintf("%s %s", what, n.Kind))
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.Node = n
	return s
}

func (s *several) settled(t *testing.T, want ...string) {
	t.Helper()
	got, err := s.Settled(t.Context(), s.height, s.Height(), owned)
	if err != nil {
		t.Fatal(err)
	}
	same(t, said(got), want...)
}

// lies are ways to keep a payment from us, to make one up and to tell of a fork, each consistent in itself.
func (s *several) lies() map[string]func(string, json.RawMessage) string {
	fork := func(asked string, honest json.RawMessage) string { // another end of the range, with the same transfers
		if asked != "eth_getBlockByNumber" {
			return ""
		}
		var b map[string]json.RawMessage
		_ = json.Unmarshal(honest, &b)
		var number string
		_ = json.Unmarshal(b["number"], &number)
		if height(s.tb, number) != s.Height() {
			return ""
		}
		b["hash"] = json.RawMessage(`"0x` + strings.Repeat("7", 64) + `"`)
		text, _ := json.Marshal(b)
		return string(text)
	}
	return map[string]func(string, json.RawMessage) string{
		"it keeps the log from us": only("eth_getLogs", func(string, json.RawMessage) string { return "[]" }),
		"it tells a larger amount": func(_ string, honest json.RawMessage) string {
			return strings.ReplaceAll(string(honest), "0005\"", "0006\"")
		},
		"it tells another payee": func(_ string, honest json.RawMessage) string {
			return strings.ReplaceAll(string(honest), ours[2:], alsoOurs[2:])
		},
		"it is on a fork": fork,
	}
}

func TestALiarIsOutvotedByTwoOthersAndRestsUntilItAgrees(t *testing.T) {
	for what := range over(t, 1).lies() {
		t.Run(what, func(t *testing.T) {
			s := over(t, 3)
			s.proxies[0].Answers(s.lies()[what])
			s.settled(t, "log-0 5 of erc20 to a1")
			if fmt.Sprint(s.news) != "[enters disagrees]" {
				t.Errorf("told %q", s.news)
			}
			asked := s.proxies[0].Calls("eth_getBlockByNumber")
			s.settled(t, "log-0 5 of erc20 to a1")
			if _, err := s.Transfers(t.Context(), s.height, s.Height(), owned); err != nil {
				t.Error(err)
			}
			if s.proxies[0].Calls("eth_getBlockByNumber") != asked {
				t.Error("the liar was asked while it rests")
			}
			s.now = s.now.Add(time.Minute)
			s.settled(t, "log-0 5 of erc20 to a1") // tried, and a liar still
			s.proxies[0].Honest()
			s.now = s.now.Add(time.Hour)
			s.settled(t, "log-0 5 of erc20 to a1")
			if fmt.Sprint(s.news) != "[enters disagrees leaves disagrees]" {
				t.Errorf("told %q", s.news)
			}
		})
	}
}

func TestWhereTwoDifferNothingIsSettled(t *testing.T) {
	for what := range over(t, 1).lies() {
		t.Run(what, func(t *testing.T) {
			s := over(t, 2)
			s.proxies[1].Answers(s.lies()[what])
			for range 2 {
				if got, err := s.Settled(t.Context(), s.height, s.Height(), owned); !errors.Is(err, chain.ErrUnsure) || got != nil {
					t.Errorf("%q, %v", said(got), err)
				}
			}
			s.proxies[1].Honest()
			s.settled(t, "log-0 5 of erc20 to a1")
			if fmt.Sprint(s.news) != "[enters disagrees leaves disagrees]" {
				t.Errorf("told %q", s.news)
			}
		})
	}
}

func TestOneAnswerOfTwoSettlesNothing(t *testing.T) {
	s := over(t, 2)
	s.proxies[0].Says(http.StatusBadGateway, "")
	if _, err := s.Settled(t.Context(), s.height, s.Height(), owned); !errors.Is(err, chain.ErrUnsure) {
		t.Error(err)
	}
	if _, err := s.Sure(t.Context(), s.height); !errors.Is(err, chain.ErrUnsure) {
		t.Error(err)
	}
	if _, err := s.Node.Final(t.Context(), chain.Block{Height: s.Height()}); !errors.Is(err, chain.ErrUnsure) {
		t.Error(err)
	}
	if got, err := s.Transfers(t.Context(), s.height, s.Height(), owned); err != nil || len(got) != 1 {
		t.Errorf("what is new is not seen: %q, %v", said(got), err)
	}
}

func TestABlockIsSureWhereTwoShowIt(t *testing.T) {
	s := over(t, 3)
	want, err := s.BlockAt(t.Context(), s.height)
	if err != nil {
		t.Fatal(err)
	}
	s.proxies[1].Answers(only("eth_getBlockByNumber", replace(want.Hash, "0x"+strings.Repeat("7", 64))))
	if got, err := s.Sure(t.Context(), s.height); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if fmt.Sprint(s.news) != "[enters disagrees]" {
		t.Errorf("told %q", s.news)
	}
	if _, err := s.Sure(t.Context(), s.Height()+1); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("above the head: %v", err)
	}
}

func TestNothingIsFinalThatOneEndpointAloneCallsFinal(t *testing.T) {
	for _, rule := range []chain.Finality{{Depth: 3}, {Tag: "finalized"}} {
		s := over(t, 2, func(c *chain.Config) { c.Finality = rule })
		s.Mine(100)
		head, err := s.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		honest, err := s.Final(t.Context(), head)
		if err != nil || honest >= head.Height {
			t.Fatalf("%d, %v", honest, err)
		}
		// The first says that every tag is 50 blocks above the head.
		s.proxies[0].Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"0x1`)))
		head.Height += 50
		if got, err := s.Final(t.Context(), head); err != nil || got != honest {
			t.Errorf("%+v: %d, %v; want %d", rule, got, err, honest)
		}
	}
}

func TestOneIsEnoughWhereThatIsConfigured(t *testing.T) {
	s := over(t, 2, func(c *chain.Config) { c.Finality.Agree = 1 })
	s.settled(t, "log-0 5 of erc20 to a1")
	if n := s.proxies[1].Calls("eth_getLogs"); n != 0 {
		t.Errorf("the second was asked %d times", n)
	}
	if _, err := node.New(node.Options{Config: chain.Config{ID: localhost, Finality: chain.Finality{Depth: 3, Agree: 2}}, Endpoints: []string{s.URL}, Now: time.Now}); err == nil {
		t.Error("two must agree and there is one")
	}
}
