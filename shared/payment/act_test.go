package payment_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"farrier/shared/event"
	"farrier/shared/money"
	"farrier/shared/payment"
	"farrier/shared/problem"
)

// made is a store with a payment of 10.50 in it, and the store's clock.
func made(t *testing.T) (payment.Store, payment.Payment, *time.Time) {
	t.Helper()
	s, _ := store(t)
	p, err := s.Create(context.Background(), request())
	if err != nil {
		t.Fatal(err)
	}
	now := p.CreatedAt
	s.Now = func() time.Time { return now }
	return s, p, &now
}

// credit puts money into the stored payment, as the crediter does.
func credit(t *testing.T, s payment.Store, p payment.Payment, units int64, late bool) payment.Payment {
	t.Helper()
	after, kind := p.Credit(p.Asset, money.Units(units), late, s.Now())
	after = after.Next(s.Now(), kind)
	if err := s.Payments.Replace(context.Background(), after, p.Version); err != nil {
		t.Fatal(err)
	}
	return after
}

func TestEveryVersionCarriesTheMarkOfTheEventBeforeIt(t *testing.T) {
	s, p, now := made(t)
	if p.Before != "" {
		t.Errorf("a new payment comes after %q", p.Before)
	}
	*now = now.Add(time.Second)
	first := credit(t, s, p, 4_000000, false)
	if first.Before != "" {
		t.Errorf("the first event comes after %q", first.Before)
	}
	*now = now.Add(time.Second)
	second := credit(t, s, first, 9_000000, false)
	if want := event.MarkOf(2, first.UpdatedAt, []string{"payment.partial"}, ""); second.Before != want {
		t.Errorf("%q, want %q", second.Before, want)
	}
	decided, err := s.Decide(context.Background(), p.PK, p.ID, payment.AboutOver, payment.Accept, payment.ByMerchant)
	if want := event.MarkOf(3, second.UpdatedAt, []string{"payment.over"}, ""); err != nil || decided.Before != want {
		t.Errorf("%q, want %q: %v", decided.Before, want, err)
	}
	silent := decided.Next(*now)
	if next := silent.Next(*now, "payment.late"); silent.Before != next.Before || next.Before != event.MarkOf(4, decided.UpdatedAt, []string{"payment.decided"}, "") {
		t.Errorf("%q, and after a version without an event %q", silent.Before, next.Before)
	}
}

func TestAPaymentIsCancelledOnce(t *testing.T) {
	s, p, now := made(t)
	*now = now.Add(time.Minute)
	for range 2 {
		c, err := s.Cancel(context.Background(), "mer_1", p.ID)
		if err != nil || c.Status != payment.Cancelled || c.Version != 2 || !slices.Equal(c.Events, []string{"payment.cancelled"}) || !c.CancelledAt.Equal(*now) {
			t.Fatalf("%+v, %v", c, err)
		}
		p = c
	}
	// Its timer's message changes nothing.
	*now = p.ExpiresAt
	if err := s.Expire(context.Background(), payment.Expiry{Merchant: "mer_1", Payment: p.ID}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(context.Background(), "mer_1", p.ID)
	if err != nil || got.Version != 2 || got.StatusAt(*now) != payment.Cancelled {
		t.Errorf("%+v, %v", got, err)
	}
	// The request made again finds it.
	if again, err := s.Create(context.Background(), request()); err != nil || again.ID != p.ID || again.Status != payment.Cancelled {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestMoneyOfACancelledPaymentCountsByItsBlock(t *testing.T) {
	s, p, now := made(t)
	*now = now.Add(time.Minute)
	c, err := s.Cancel(context.Background(), "mer_1", p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if c.IsAfter(*now) || !c.IsAfter(now.Add(time.Second)) {
		t.Fatal("the moment of cancelling is not the end")
	}
	if paid := credit(t, s, c, 10_500_000, false); paid.Status != payment.Paid {
		t.Errorf("money of an earlier block makes it %s", paid.Status)
	}
	if again, err := s.Cancel(context.Background(), "mer_1", p.ID); err != nil || again.Status != payment.Paid {
		t.Errorf("cancelled again: %s, %v", again.Status, err)
	}
}

func TestWhatHasMoneyOrIsOverIsNotCancelled(t *testing.T) {
	s, p, _ := made(t)
	part := credit(t, s, p, 1, false)
	if _, err := s.Cancel(context.Background(), "mer_1", p.ID); !problem.Is(err, problem.Conflict) {
		t.Errorf("with money: %v", err)
	}
	back := credit(t, s, part, -1, false) // the chain took it back
	if c, err := s.Cancel(context.Background(), "mer_1", back.ID); err != nil || c.Status != payment.Cancelled {
		t.Errorf("without money again: %+v, %v", c, err)
	}
	s, p, now := made(t)
	*now = p.ExpiresAt
	if _, err := s.Cancel(context.Background(), "mer_1", p.ID); !problem.Is(err, problem.Conflict) {
		t.Errorf("after its time: %v", err)
	}
	if _, err := s.Cancel(context.Background(), "mer_2", p.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("another merchant's: %v", err)
	}
}

func TestAMerchantDecidesAboutHeldMoneyOnce(t *testing.T) {
	s, p, now := made(t)
	credit(t, s, p, 4_000_000, false)
	decide := func(about payment.About, action payment.Action) (payment.Payment, error) {
		return s.Decide(context.Background(), "mer_1", p.ID, about, action, "merchant")
	}
	if _, err := decide(payment.AboutPartial, payment.Accept); !problem.Is(err, problem.Conflict) {
		t.Errorf("while there is time: %v", err)
	}
	*now = p.ExpiresAt
	for range 2 {
		d, err := decide(payment.AboutPartial, payment.Accept)
		if err != nil || d.Version != 3 || !slices.Equal(d.Events, []string{"payment.decided"}) {
			t.Fatalf("%+v, %v", d, err)
		}
		v := d.View(*now)
		if !v.Settled || v.Status != payment.Expired || len(v.Decisions) != 1 || v.Decisions[0].State != payment.Accepted || v.Decisions[0].Amounts[0].Amount != "4.00" || !v.Decisions[0].At.Equal(*now) {
			t.Errorf("%+v", v)
		}
	}
	if d, err := decide(payment.AboutPartial, payment.Refund); err != nil || d.Version != 4 || d.View(*now).Settled {
		t.Errorf("changed: %+v, %v", d, err)
	}
	for field, call := range map[string]func() (payment.Payment, error){
		"action": func() (payment.Payment, error) { return decide(payment.AboutPartial, payment.Hold) },
		"about":  func() (payment.Payment, error) { return decide("dust", payment.Accept) },
	} {
		if _, err := call(); problem.Of(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := decide(payment.AboutOver, payment.Refund); !problem.Is(err, problem.Conflict) {
		t.Errorf("about nothing: %v", err)
	}
}
