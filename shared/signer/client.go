package signer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"farrier/shared/approval"
	"farrier/shared/chain"
	"farrier/shared/wallet"
)

// Client calls the signer.
type Client struct {
	// Invoke gives the signer what is asked, as JSON, and brings its answer: Lambda's, or a test's room.
	Invoke func(ctx context.Context, ask []byte) ([]byte, error)
}

// Lambda calls the function of this name and waits for its answer.
func Lambda(client *lambda.Client, function string) Client {
	return Client{Invoke: func(ctx context.Context, ask []byte) ([]byte, error) {
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: ask})
		switch {
		case err != nil:
			return nil, fmt.Errorf("signer: invoke: %w", err)
		case out.FunctionError != nil: // its text is in the signer's own log
			return nil, ErrTrouble
		}
		return out.Payload, nil
	}}
}

// Errors of calls, after which the same may be asked again.
var (
	ErrTrouble = errors.New("signer: it met trouble; its log says more")
	ErrAnswer  = errors.New("signer: the answer is not one to what was asked")
)

// Sign has an attempt of a payout signed, or brings what was signed for it before.
func (c Client) Sign(ctx context.Context, merchant, payout string, a Attempt) (Signed, error) {
	return c.signed(ctx, Ask{Do: Sign, Merchant: merchant, Payout: payout, Attempt: &a})
}

// Fill has a nonce filled that no payout has, in a hot wallet or, where the merchant is named, in one of its addresses.
func (c Client) Fill(ctx context.Context, on chain.ID, wallet, merchant string, a Attempt) (Signed, error) {
	return c.signed(ctx, Ask{Do: Fill, Chain: on, Wallet: wallet, Merchant: merchant, Attempt: &a})
}

func (c Client) signed(ctx context.Context, ask Ask) (Signed, error) {
	answer, err := c.ask(ctx, ask)
	if err != nil {
		return Signed{}, err
	}
	if answer.Signed == nil || answer.Attempt.N != ask.Attempt.N || answer.Attempt.Nonce != ask.Attempt.Nonce || answer.Raw == "" {
		return Signed{}, ErrAnswer
	}
	return *answer.Signed, nil
}

// Check judges a payout's approvals, and uses up the codes of those that are right.
func (c Client) Check(ctx context.Context, merchant, payout string) (approval.Verdict, error) {
	answer, err := c.ask(ctx, Ask{Do: Check, Merchant: merchant, Payout: payout})
	if err != nil {
		return approval.Verdict{}, err
	}
	if answer.Verdict == nil {
		return approval.Verdict{}, ErrAnswer
	}
	return *answer.Verdict, nil
}

// OpenHot makes the key of KMS a chain's hot wallet, and gives its address.
func (c Client) OpenHot(ctx context.Context, on chain.ID) (string, error) {
	answer, err := c.ask(ctx, Ask{Do: Open, Custody: KMS, Chain: on})
	if err == nil && answer.Address == "" {
		err = ErrAnswer
	}
	return answer.Address, err
}

// OpenSeed makes a merchant's seed, and gives the extended public keys of its accounts.
func (c Client) OpenSeed(ctx context.Context, merchant string) (wallet.Accounts, error) {
	answer, err := c.ask(ctx, Ask{Do: Open, Custody: Seed, Merchant: merchant})
	if err == nil && len(answer.Accounts) == 0 {
		err = ErrAnswer
	}
	return answer.Accounts, err
}

func (c Client) ask(ctx context.Context, ask Ask) (Answer, error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return Answer{}, err
	}
	text, err = c.Invoke(ctx, text)
	if err != nil {
		return Answer{}, err
	}
	var answer Answer
	if err := json.Unmarshal(text, &answer); err != nil {
		return Answer{}, errors.Join(ErrAnswer, err)
	}
	if answer.Refused != nil {
		return Answer{}, answer.Refused
	}
	return answer, nil
}
