package receiver

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"farrier/shared/callback"
	"farrier/shared/parts"
)

// A callback that a provider's own SDK signed, and what its connection is given.
type signed struct {
	asked   callback.Asked
	headers map[string]string
	body    string
	at      time.Time
	opens   int64 // sealed texts, to verify it
}

// signedByJudges are callbacks of the sources that have the most to open: a key, and named secrets beside it.
func signedByJudges(t testing.TB) map[string]signed {
	t.Helper()
	var weChat []struct {
		Key, APIv3Key, Body string
		Headers             map[string]string
	}
	var safeheron []struct{ Key, Private, Body string }
	var alipay []struct{ Key, Body string }
	var gateways []struct{ Provider, Secret, Body string }
	for file, into := range map[string]any{"wechatpay.json": &weChat, "safeheron.json": &safeheron, "alipay.json": &alipay, "gateways_of_usdt.json": &gateways} {
		raw, err := os.ReadFile(filepath.Join("..", "testdata", "judges", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	stamp, err := strconv.ParseInt(weChat[0].Headers["Wechatpay-Timestamp"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]signed{
		"wechat-pay": {
			callback.Asked{Secret: weChat[0].Key, Credentials: map[string]string{"api_v3_key": weChat[0].APIv3Key}}, weChat[0].Headers, weChat[0].Body, time.Unix(stamp, 0), 1,
		},
		"safeheron": {
			callback.Asked{Secret: safeheron[0].Key, Credentials: map[string]string{"private_key": safeheron[0].Private}}, nil, safeheron[0].Body, time.UnixMilli(1795542544000), 1,
		},
		"alipay": {
			callback.Asked{Secret: alipay[0].Key, Credentials: map[string]string{"app_id": "2014072300007148"}}, nil, alipay[0].Body, time.Unix(stamp, 0), 2,
		},
		gateways[0].Provider: {
			callback.Asked{Secret: gateways[0].Secret, Settings: callback.Settings{Chain: "tron:0x2b6653dc"}}, nil, gateways[0].Body, time.Unix(stamp, 0), 1,
		},
	}
}

func TestAWarmCallbackIsOneRequestAndOneWriteWhateverItsSourceOpens(t *testing.T) {
	for provider, s := range signedByJudges(t) {
		t.Run(provider, func(t *testing.T) {
			e := open(t)
			e.now = s.at
			s.asked.Merchant, s.asked.Provider, s.asked.Trust = "mer_1", provider, callback.Look
			created, _, err := e.Known.Connections.Create(t.Context(), s.asked)
			if err != nil {
				t.Fatal(err)
			}
			request := post(created.ID, s.body, s.headers)
			for _, warm := range []bool{false, true} {
				// An empty table, so that the same callback is a first one again.
				e.Receipts.Table = parts.TableOn(t, dynamodb.NewFromConfig(e.calls.config(parts.Config(t, "FARRIER_TEST_DYNAMODB"))),
					parts.Index{Name: callback.TroubleIndex, Partition: "trouble", Sort: "trouble_at"})
				e.calls.requests.Store(0)
				e.calls.units.Store(0)
				if response := e.send(t, request); response.StatusCode != 200 {
					t.Fatalf("%d %s", response.StatusCode, response.Body)
				}
				requests, units := e.calls.requests.Load(), e.calls.units.Load()
				if !warm && requests != 2+s.opens {
					t.Errorf("cold: %d requests, want the connection, %d secrets and the receipt", requests, s.opens)
				}
				// A write unit is a kilobyte: of the body, and at most one more of what else a receipt holds.
				if most := 1 + (int64(len(s.body))+1023)/1024; warm && (requests != 1 || units > most) {
					t.Errorf("warm: %d requests and %d units for a body of %d bytes", requests, units, len(s.body))
				}
			}
		})
	}
}
