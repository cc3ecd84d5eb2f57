package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestTheOperatorMakesAMerchantAndItsKeyWorksUntilItIsRevoked(t *testing.T) {
	b := newBench(t)
	made := b.post(operatorKey, "/v1/merchants", map[string]any{"name": "Café Ünïcode 馬蹄", "xpub": exampleXPub, "shards": 4}).want(t, http.StatusCreated)
	owner := made.text("id")
	if made.text("name") != "Café Ünïcode 馬蹄" || made.text("xpub") != exampleXPub || made.JSON["shards"] != 4.0 || made.text("created_at") == "" {
		t.Fatalf("%s", made.Body)
	}
	issued := b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": []string{"ledger:read"}}).want(t, http.StatusCreated)
	key := issued.text("key")
	if !strings.HasPrefix(key, "fk_"+owner[4:]+"_") || issued.text("merchant") != owner {
		t.Fatalf("%s", issued.Body)
	}
	b.get(key, "/v1/balances", "").want(t, http.StatusOK)
	path := "/v1/merchants/" + owner + "/keys/" + issued.text("id")
	for range 2 { // revoking again changes nothing
		b.do(call{method: http.MethodDelete, path: path, key: operatorKey}).want(t, http.StatusNoContent)
	}
	b.get(key, "/v1/balances", "").wantProblem(t, http.StatusUnauthorized, "unauthorized")
}

func TestAnExtendedPrivateKeyIsRefusedAndAppearsNowhere(t *testing.T) {
	b := newBench(t)
	r := b.post(operatorKey, "/v1/merchants", map[string]any{"name": "Shop", "xpub": knownPrivateKey}).wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if r.fields()[0] != "xpub" || !strings.Contains(r.Body, "PRIVATE") {
		t.Errorf("%s", r.Body)
	}
	for where, text := range map[string]string{"answer": r.Body, "log": b.log.String()} {
		if strings.Contains(text, knownPrivateKey[4:20]) {
			t.Errorf("the %s holds it", where)
		}
	}
}

func TestAKeyForAMerchantThatIsNot(t *testing.T) {
	b := newBench(t)
	for _, owner := range []string{"mer_" + exampleULID, "x"} {
		b.post(operatorKey, "/v1/merchants/"+owner+"/keys", map[string]any{"name": "k", "scopes": []string{"*"}}).wantProblem(t, http.StatusNotFound, "not_found")
	}
}

func TestTheOperatorAddsAccountsAndNobodyChangesThem(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	change := func(caller string, body map[string]any) reply {
		return b.do(call{method: http.MethodPatch, path: "/v1/merchants/" + owner, key: caller, body: encode(t, body)})
	}
	change(key, map[string]any{"xpubs": map[string]any{"bip122": exampleZPub}}).want(t, http.StatusForbidden)
	for range 2 {
		got := change(operatorKey, map[string]any{"xpubs": map[string]any{"bip122": exampleZPub}}).want(t, http.StatusOK)
		if xpubs, _ := got.JSON["xpubs"].(map[string]any); xpubs["bip122"] != exampleZPub || xpubs["eip155"] != exampleXPub {
			t.Errorf("%s", got.Body)
		}
	}
	for field, body := range map[string]map[string]any{
		"xpubs.eip155": {"eip155": account0},
		"xpubs.bip122": {"bip122": exampleXPub},
		"xpubs.tron":   {"tron": exampleZPub},
	} {
		if r := change(operatorKey, map[string]any{"xpubs": body}).want(t, http.StatusUnprocessableEntity); !slices.Equal(r.fields(), []string{field}) {
			t.Errorf("%s: %s", field, r.Body)
		}
	}
}

func TestAMerchantsOwnKeyIsNotShownTheExtendedPublicKeys(t *testing.T) {
	b := newBench(t)
	owner, key := b.merchant()
	settings := map[string]any{"policy": map[string]any{"late": "hold"}}
	own := b.patch(key, "/v1/merchants/"+owner, settings).want(t, http.StatusOK)
	if strings.Contains(own.Body, "xpub") || own.text("id") != owner {
		t.Errorf("%s", own.Body)
	}
	if got := b.patch(operatorKey, "/v1/merchants/"+owner, settings).want(t, http.StatusOK); got.text("xpub") != exampleXPub {
		t.Errorf("%s", got.Body)
	}
}

// account0 is the account m/44'/60'/0' of the mnemonic that every local chain uses.
const account0 = "xpub6Ce9NcJvTk36xtLSrJLZqE7wtgA5deCeYs7rSQtreh4cj6ByPtrg9sD7V2FNFLPnf8heNP3FGkeV9qwfzvZNSd54JoNXVsXFYSYwHsnJxqP"
