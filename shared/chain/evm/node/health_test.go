package node_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"farrier/shared/chain"
)

func alone(c *chain.Config) { c.Finality.Agree = 1 }

// Each kind of trouble goes on for an hour at the first of two endpoints: it is noticed, told once, and asked a few times
// in that hour instead of hundreds, while the other answers. When it is over, it is tried, believed and told again.
func TestTroubleOfAnHourIsToldOnceLeftOutAndTriedAgain(t *testing.T) {
	for what, x := range map[string]struct {
		kind string
		lie  func(*several)
	}{
		"HTML": {"strange answer", func(s *several) { s.proxies[0].Says(http.StatusOK, "<html>just a moment</html>") }},
		"half a JSON": {"strange answer", func(s *several) {
			s.proxies[0].Whole(func(honest []byte) (int, []byte) { return 200, honest[:len(honest)/2] })
		}},
		"a negative height": {"strange answer", func(s *several) {
			s.proxies[0].Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"-0x`)))
		}},
		"a time that is yet to come": {"strange answer", func(s *several) {
			s.proxies[0].Answers(only("eth_getBlockByNumber", replace(`"timestamp":"0x`, `"timestamp":"0x1`)))
		}},
		"a height far above": {"strange answer", func(s *several) {
			s.proxies[0].Answers(only("eth_getBlockByNumber", replace(`"number":"0x`, `"number":"0x1000`)))
		}},
		"429": {"throttled", func(s *several) { s.proxies[0].Says(http.StatusTooManyRequests, "slow down") }},
		"a limit's code": {"throttled", func(s *several) {
			s.proxies[0].Says(http.StatusOK, `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit"}}`)
		}},
		"502":                  {"unreachable", func(s *several) { s.proxies[0].Says(http.StatusBadGateway, "") }},
		"401":                  {"refused", func(s *several) { s.proxies[0].Says(http.StatusUnauthorized, "") }},
		"another chain's id":   {"wrong chain", func(s *several) { s.proxies[0].Method("eth_chainId", `"0x1"`) }},
		"a log that is larger": {"strange answer", func(s *several) { s.proxies[0].Answers(only("eth_getLogs", replace("0005\"", "0006\""))) }},
		"a log of another block": {"strange answer", func(s *several) {
			s.proxies[0].Answers(only("eth_getLogs", replace(`"blockHash":"0x`, `"blockHash":"0x00000000ffff`)))
		}},
		"a log marked removed": {"strange answer", func(s *several) {
			s.proxies[0].Answers(only("eth_getLogs", replace(`"removed":false`, `"removed":true`)))
		}},
		"a head that stands still": {"lag", func(s *several) {
			var early json.RawMessage
			s.Call(&early, "eth_getBlockByNumber", "0x1", false)
			s.Mine(100)
			s.proxies[1].Honest()
			s.proxies[0].Answers(func(method string, _ json.RawMessage) string {
				if method == "eth_getBlockByNumber" {
					return string(early)
				}
				return ""
			})
		}},
	} {
		t.Run(what, func(t *testing.T) {
			s := over(t, 2, alone)
			round := func() {
				t.Helper()
				if head, err := s.Head(t.Context()); err != nil || head.Height != s.Height() {
					t.Fatalf("the head %+v, %v", head, err)
				}
				got, err := s.Transfers(t.Context(), s.height, s.Height(), owned)
				if err != nil {
					t.Fatal(err)
				}
				same(t, said(got), "log-0 5 of erc20 to a1")
			}
			asked := func() (all int) {
				for _, m := range []string{"eth_chainId", "eth_getBlockByNumber", "eth_getLogs", "eth_getTransactionReceipt"} {
					all += s.proxies[0].Calls(m)
				}
				return all
			}
			round()
			x.lie(s)
			s.now = s.now.Add(2 * time.Minute)
			before := asked()
			for range 120 {
				round()
				s.now = s.now.Add(30 * time.Second)
			}
			if n := asked() - before; n == 0 || n > 130 { // of about 600
				t.Errorf("it was asked %d calls in its hour", n)
			}
			if len(s.news) == 0 || s.news[0] != "enters "+x.kind {
				t.Errorf("told %q", s.news)
			}
			entered := strings.Count(fmt.Sprint(s.news), "enters")
			if entered > 12 {
				t.Errorf("told %d times", entered)
			}
			s.proxies[0].Honest()
			for range 41 {
				round()
				s.now = s.now.Add(30 * time.Second)
			}
			if last := s.news[len(s.news)-1]; last != "leaves "+x.kind {
				t.Errorf("told %q", s.news)
			}
			if s.Counts().Resting != 0 {
				t.Error("it is still left out")
			}
		})
	}
}

// With no other endpoint it is asked all the same; what it says of Retry-After is package pool's matter.
func TestAnHourOf429FromTheOnlyEndpointIsToldOnceAndEnds(t *testing.T) {
	s := over(t, 1)
	s.proxies[0].Says(http.StatusTooManyRequests, "slow down")
	for range 240 {
		if _, err := s.Head(t.Context()); err == nil {
			t.Fatal("it answered")
		}
		s.now = s.now.Add(15 * time.Second)
	}
	if fmt.Sprint(s.news) != "[enters throttled]" {
		t.Errorf("told %q", s.news)
	}
	s.proxies[0].Honest()
	if _, err := s.Head(t.Context()); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(s.news) != "[enters throttled leaves throttled]" {
		t.Errorf("told %q", s.news)
	}
}
