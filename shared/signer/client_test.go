package signer

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"farrier/shared/money"
)

func answering(answer string, asked *string) Client {
	return Client{Invoke: func(_ context.Context, ask []byte) ([]byte, error) {
		*asked = string(ask)
		return []byte(answer), nil
	}}
}

func TestWhatIsAskedAndAnsweredIsWrittenAsDocumented(t *testing.T) {
	var asked string
	ctx, a := context.Background(), Attempt{N: 1, Nonce: 7, FeePerGas: money.Units(40), TipPerGas: money.Units(2), Gas: 21000}
	signed, err := answering(`{"raw":"0x02","transaction":"0xab","attempt":{"n":1,"nonce":7,"fee_per_gas":"30","tip_per_gas":"1","gas":21000},"signed_at":"2026-11-29T12:00:00Z"}`, &asked).
		Sign(ctx, "mer_1", "out_1", a)
	if err != nil || signed.Raw != "0x02" || signed.Transaction != "0xab" || signed.Attempt.FeePerGas.Cmp(money.Units(30)) != 0 || signed.SignedAt.Hour() != 12 {
		t.Errorf("%+v, %v", signed, err)
	}
	if want := `{"do":"sign","merchant":"mer_1","payout":"out_1","attempt":{"n":1,"nonce":7,"fee_per_gas":"40","tip_per_gas":"2","gas":21000}}`; asked != want {
		t.Errorf("%s", asked)
	}
	verdict, err := answering(`{"verdict":{"granted":false,"need":2,"counted":["apr_1"],"failures":[{"approver":"apr_2","reason":"wrong_code","detail":"no"}]}}`, &asked).Check(ctx, "mer_1", "out_1")
	if err != nil || verdict.Granted || verdict.Need != 2 || len(verdict.Counted) != 1 || verdict.Failures[0].Reason != "wrong_code" {
		t.Errorf("%+v, %v", verdict, err)
	}
	if _, err = answering(`{"refused":{"code":"frozen","detail":"all"}}`, &asked).OpenHot(ctx, "eip155:1"); err == nil || err.(*Refusal).Code != Frozen {
		t.Error(err)
	}
	if accounts, err := answering(`{"accounts":{"eip155":"xpub1"}}`, &asked).OpenSeed(ctx, "mer_1"); err != nil || accounts["eip155"] != "xpub1" {
		t.Errorf("%v, %v", accounts, err)
	}
	if text, err := json.Marshal(Answer{Address: "0xa"}); err != nil || string(text) != `{"address":"0xa"}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAnAnswerToSomethingElseIsNone(t *testing.T) {
	var asked string
	ctx, a := context.Background(), Attempt{N: 1, Nonce: 7}
	for _, answer := range []string{
		``, `{}`, `[]`, `{"verdict":{"granted":true}}`, `{"raw":"0x02","transaction":"0xab","attempt":{"n":2,"nonce":7,"fee_per_gas":"3","tip_per_gas":"1"}}`,
		`{"raw":"0x02","transaction":"0xab","attempt":{"n":1,"nonce":8,"fee_per_gas":"3","tip_per_gas":"1"}}`,
		`{"transaction":"0xab","attempt":{"n":1,"nonce":7,"fee_per_gas":"3","tip_per_gas":"1"}}`,
	} {
		if signed, err := answering(answer, &asked).Sign(ctx, "mer_1", "out_1", a); !errors.Is(err, ErrAnswer) || signed.Raw != "" {
			t.Errorf("%s: %+v, %v", answer, signed, err)
		}
	}
	if _, err := answering(`{}`, &asked).Check(ctx, "mer_1", "out_1"); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	if _, err := answering(`{"accounts":{}}`, &asked).OpenHot(ctx, "eip155:1"); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
}
