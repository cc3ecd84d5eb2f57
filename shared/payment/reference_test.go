package payment_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"farrier/shared/dynamo"
	"farrier/shared/payment"
	"farrier/shared/problem"
	"farrier/shared/wallet"
)

var everywhere = wallet.Accounts{"eip155": xpub, "bip122": xpub, "tron": xpub}

func options(r *payment.Request, all ...payment.OptionAsked) {
	r.Asset, r.Amount, r.Options = "", "", all
}

// addresses are the items that a store's table of addresses has, by the first word of their key.
func addresses(t *testing.T, s payment.Store) map[string]int {
	t.Helper()
	all := map[string]int{}
	if err := s.Addresses.Scan(context.Background(), func(item dynamo.Item) error {
		var key struct {
			PK string `dynamodbav:"pk"`
		}
		err := dynamo.Unmarshal(item, &key)
		kind, _, _ := strings.Cut(key.PK, ":")
		all[kind]++
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEachFamilyOfAPaymentsOptionsHasOneAddress(t *testing.T) {
	s, _ := store(t)
	r := request()
	r.Accounts, r.IdempotencyKey = everywhere, ""
	options(&r, payment.OptionAsked{Asset: usdt, Amount: "10.5"}, payment.OptionAsked{Asset: bnb, Amount: "0.01"}, payment.OptionAsked{Asset: btc, Amount: "0.0001"},
		payment.OptionAsked{Asset: tronUSDT, Amount: "10.6"}, payment.OptionAsked{Asset: usdc, Amount: "10.5"})
	p, err := s.Create(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	v := p.ViewWithLinks(p.CreatedAt)
	o := v.Options
	if len(o) != 5 || o[0].Address != o[1].Address || o[0].Address != o[4].Address || !strings.HasPrefix(o[0].Address, "0x") || !strings.HasPrefix(o[2].Address, "bc1q") || !strings.HasPrefix(o[3].Address, "T") {
		t.Fatalf("%+v", o)
	}
	if v.Asset != usdt || v.Address != o[0].Address || v.Amount != "10.50" || o[3].Remaining != "10.60" || o[2].Symbol != "BTC" || o[2].Chain != "bip122:000000000019d6689c085ae165831e93" {
		t.Errorf("%+v", v)
	}
	for _, c := range []struct{ name, got, begins string }{
		{"eip681", o[1].Links.EIP681, "ethereum:" + o[1].Address + "@56?value=10000000000000000"},
		{"bip21", o[2].Links.BIP21, "bitcoin:" + o[2].Address + "?amount=0.0001"},
		{"tokenpocket", o[3].Links.TokenPocket, "tpoutside://pull.activity?param="},
	} {
		if !strings.HasPrefix(c.got, c.begins) {
			t.Errorf("%s: %s", c.name, c.got)
		}
	}
	if got := addresses(t, s); got["eip155"] != 1 || got["bip122"] != 1 || got["tron"] != 1 || len(got) != 3 {
		t.Errorf("%v", got)
	}
	again, err := s.Create(context.Background(), r)
	if err != nil || again.ID != p.ID || again.Options()[2].Address != p.Options()[2].Address {
		t.Errorf("again: %+v, %v", again, err)
	}
}

// wantUsed checks that a request is refused by the reference of a payment, which it names.
func wantUsed(t *testing.T, s payment.Store, r payment.Request, by string) {
	t.Helper()
	_, err := s.Create(context.Background(), r)
	if !problem.Is(err, problem.ReferenceUsed) || !strings.Contains(err.Error(), by) {
		t.Errorf("%+v: %v, want that %s has its reference", r, err, by)
	}
}

func TestAReferenceIsOnePayment(t *testing.T) {
	for name, accounts := range map[string]wallet.Accounts{"with an EVM account": everywhere, "without": {"bip122": xpub, "tron": xpub}} {
		t.Run(name, func(t *testing.T) {
			s, _ := store(t)
			r := request()
			r.Accounts = accounts
			options(&r, payment.OptionAsked{Asset: tronUSDT, Amount: "10.6"})
			p, err := s.Create(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			unkeyed := r
			unkeyed.IdempotencyKey = ""
			if again, err := s.Create(context.Background(), unkeyed); err != nil || again.ID != p.ID {
				t.Errorf("without the key: %s, %v, want %s", again.ID, err, p.ID)
			}
			other := r
			other.IdempotencyKey = "another"
			wantUsed(t, s, other, p.ID)
			unkeyed.ExpiresIn = 700
			wantUsed(t, s, unkeyed, p.ID)
			inBitcoin := r // another family alone
			inBitcoin.IdempotencyKey = ""
			options(&inBitcoin, payment.OptionAsked{Asset: btc, Amount: "0.1"})
			wantUsed(t, s, inBitcoin, p.ID)
			stranger := r
			stranger.Merchant = "mer_2"
			if q, err := s.Create(context.Background(), stranger); err != nil || q.ID == p.ID {
				t.Errorf("another merchant: %s, %v", q.ID, err)
			}
			another := r
			another.Reference = "order 2"
			if _, err := s.Create(context.Background(), another); !problem.Is(err, problem.KeyReused) {
				t.Errorf("another reference under the same key: %v", err)
			}
		})
	}
}

func TestOfManyRequestsWithOneReferenceOneIsMade(t *testing.T) {
	s, _ := store(t)
	made := map[string]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for n := range 20 {
		wait.Go(func() {
			r := request()
			r.Accounts, r.IdempotencyKey = everywhere, ""
			options(&r, payment.OptionAsked{Asset: []string{usdt, btc, tronUSDT, bnb}[n%4], Amount: "1"})
			p, err := s.Create(context.Background(), r)
			if err != nil && !problem.Is(err, problem.ReferenceUsed) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				made[p.ID] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(made) != 1 {
		t.Errorf("%v", made)
	}
}

// What the merchant usually has may change between two runs of one request; what it asked for has not.
func TestAMerchantsChangedSettingsMakeNoOtherRequest(t *testing.T) {
	s, timer := store(t)
	timer.fail = errors.New("stopped after the claims")
	r := request()
	if _, err := s.Create(context.Background(), r); err == nil {
		t.Fatal("went through")
	}
	timer.fail = nil
	r.Usual = payment.Terms{Tolerance: payment.Tolerance{Under: 50}, Policy: payment.Policy{Late: payment.Hold}}
	p, err := s.Create(context.Background(), r)
	if err != nil || p.Under != 50 || p.Policy.Late != payment.Hold {
		t.Fatalf("%+v, %v", p, err)
	}
	r.Usual = payment.Terms{}
	if again, err := s.Create(context.Background(), r); err != nil || again.Under != 50 {
		t.Errorf("%+v, %v", again, err)
	}
	points := int64(7)
	r.Terms.Under = &points
	if _, err := s.Create(context.Background(), r); !problem.Is(err, problem.KeyReused) {
		t.Errorf("other terms: %v", err)
	}
}

func TestTheWalletsAddressIsMadeForThePaymentsID(t *testing.T) {
	s, _ := store(t)
	r := request()
	r.WalletCallback, r.PageURL = "con_1", "https://shop.example/pay"
	r.WalletURL = func(_ context.Context, name string) (string, error) { return "https://api.example/" + name, nil }
	p, err := s.Create(context.Background(), r)
	if err != nil || p.WalletURL != "https://api.example/"+p.ID {
		t.Fatalf("%+v, %v", p, err)
	}
	links := p.ViewWithLinks(p.CreatedAt).Options[0].Links
	if !strings.Contains(links.TokenPocket, p.ID) || links.ImToken != "imtokenv2://navigate/DappView?url=https%3A%2F%2Fshop.example%2Fpay" {
		t.Errorf("%+v", links)
	}
	if v := p.View(p.CreatedAt); v.Options[0].Links != nil {
		t.Errorf("a webhook would carry %+v", v.Options[0].Links)
	}
	r.WalletURL = func(context.Context, string) (string, error) { return "", errors.New("KMS is away") }
	r.Reference, r.IdempotencyKey = "order 2", ""
	if _, err := s.Create(context.Background(), r); err == nil {
		t.Error("went through")
	}
}

// bitcoinAlone is a merchant's request before the merchant had an EVM account, and further is the same one after.
func bitcoinAlone() (before, further payment.Request) {
	before = request()
	before.Accounts, before.IdempotencyKey = wallet.Accounts{"bip122": xpub}, ""
	before.Home = payment.HomeOf(before.Accounts)
	options(&before, payment.OptionAsked{Asset: btc, Amount: "0.1"})
	further = before
	further.Accounts = wallet.Accounts{"bip122": xpub, "eip155": xpub}
	return before, further
}

func TestAReferenceStaysOnePaymentWhenItsMerchantGetsFurtherAccounts(t *testing.T) {
	s, _ := store(t)
	before, further := bitcoinAlone()
	p, err := s.Create(context.Background(), before)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Create(context.Background(), further); err != nil || again.ID != p.ID || again.Address != p.Address {
		t.Errorf("%s at %s, %v, want %s at %s", again.ID, again.Address, err, p.ID, p.Address)
	}
	options(&further, payment.OptionAsked{Asset: usdt, Amount: "10"})
	wantUsed(t, s, further, p.ID)
}

func TestAnAddressOfOnePaymentIsNeverThatOfAnother(t *testing.T) {
	s, timer := store(t)
	before, further := bitcoinAlone()
	p, err := s.Create(context.Background(), before)
	if err != nil {
		t.Fatal(err)
	}
	clear(timer.names)
	further.Home = payment.AtAddress // what must not be: its references claimed elsewhere than they were
	if q, err := s.Create(context.Background(), further); err == nil || !strings.Contains(err.Error(), p.ID) {
		t.Errorf("%s at %s, %v", q.ID, q.Address, err)
	}
	if page, _, err := s.List(context.Background(), "mer_1", 10, ""); err != nil || len(page) != 1 || len(timer.names) != 0 {
		t.Errorf("%d payments, %v, timers %v", len(page), err, timer.names)
	}
}

func TestAKeyIsNotSpentOnARequestWhoseReferenceIsAnothers(t *testing.T) {
	s, _ := store(t)
	taken := request()
	taken.IdempotencyKey = ""
	p, err := s.Create(context.Background(), taken)
	if err != nil {
		t.Fatal(err)
	}
	refused := request()
	refused.Amount = "11"
	for range 2 {
		wantUsed(t, s, refused, p.ID)
	}
	right := refused
	right.Reference = "order 2"
	q, err := s.Create(context.Background(), right)
	if err != nil || q.ID == p.ID {
		t.Fatalf("put right: %s, %v", q.ID, err)
	}
	if again, err := s.Create(context.Background(), right); err != nil || again.ID != q.ID {
		t.Errorf("again: %s, %v, want %s", again.ID, err, q.ID)
	}
	for _, other := range []payment.Request{refused, request()} {
		if _, err := s.Create(context.Background(), other); !problem.Is(err, problem.KeyReused) {
			t.Errorf("the key is of the request that was made: %v", err)
		}
	}
}

// Of many requests under one key that are put right at once, one is made; those that are refused take its key from nobody.
func TestAKeyThatWasFreedIsOneRequestsAgain(t *testing.T) {
	s, _ := store(t)
	taken := request()
	taken.IdempotencyKey = ""
	if _, err := s.Create(context.Background(), taken); err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for n := range 24 {
		wait.Go(func() {
			r := request()
			if n%3 > 0 {
				r.Reference = []string{"", "order 2", "order 3"}[n%3]
			} else {
				r.Amount = "11"
			}
			p, err := s.Create(context.Background(), r)
			if err != nil && !problem.Is(err, problem.ReferenceUsed) && !problem.Is(err, problem.KeyReused) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				made[p.ID] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(made) > 1 {
		t.Errorf("%v under one key", made)
	}
}

func TestAReferenceWhosePaymentWasNotMadeYetSaysHowToFinishIt(t *testing.T) {
	s, timer := store(t)
	timer.fail = errors.New("stopped after the claims")
	first := request()
	if _, err := s.Create(context.Background(), first); err == nil {
		t.Fatal("went through")
	}
	timer.fail = nil
	other := first
	other.IdempotencyKey, other.Amount = "k2", "11"
	_, err := s.Create(context.Background(), other)
	if !problem.Is(err, problem.ReferenceUsed) || !strings.Contains(err.Error(), "sending that first request again finishes it") {
		t.Errorf("%v", err)
	}
	if p, err := s.Create(context.Background(), first); err != nil || p.Status != payment.Waiting {
		t.Errorf("%+v, %v", p, err)
	}
}
