package credit_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/deposit"
	"farrier/shared/ledger"
	"farrier/shared/money"
	"farrier/shared/payment"
)

// held states a provider's word and gives the record that the stream carries of it.
func (s *shop) held(pay string, amount int64, change ...func(*deposit.Statement)) events.DynamoDBEventRecord {
	s.t.Helper()
	st := deposit.Statement{
		Merchant: merchant, Shards: 1, Connection: "con_1", Provider: "acme", Object: "ch_1", Asset: dollar, Decimals: 6,
		Amount: money.Units(amount), At: opening.Add(time.Minute),
	}
	for _, c := range change {
		c(&st)
	}
	store := deposit.Store{Table: s.Deposits}
	if _, err := store.State(context.Background(), st, func(context.Context) (string, error) { return pay, nil }, opening); err != nil {
		s.t.Fatal(err)
	}
	lies := pay
	if pay == "" {
		lies = "held"
	}
	return events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{Keys: map[string]events.DynamoDBAttributeValue{
		"pk": events.NewStringAttribute(merchant), "sk": events.NewStringAttribute(lies + "/con_1/ch_1"),
	}}}
}

func part(st *deposit.Statement) { st.Part = true }
func back(st *deposit.Statement) { st.Back = true }

func TestAHeldDepositIsBookedOnceOnItsOwnLeg(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	record := s.held("pay_1", 10)
	s.mustHandle(record, s.held("pay_1", 10))
	s.mustHandle(record)
	s.expect("pay_1", payment.Paid, 10, 10, 1)
	book, _, err := s.Ledger.List(context.Background(), merchant, 1, 10, "")
	if err != nil || book[0].Object != "ch_1" || book[0].Connection != "con_1" ||
		!book[0].Legs.Equal(ledger.Legs{ledger.Available: money.Units(10), ledger.Held: money.Units(-10)}) {
		t.Errorf("%+v, %v", book, err)
	}
}

func TestPartsThatGrowTellOneEventEach(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.held("pay_1", 4, part))
	s.expect("pay_1", payment.Partial, 4, 4, 1)
	s.mustHandle(s.held("pay_1", 10))
	s.expect("pay_1", payment.Paid, 10, 10, 3)
	if p := s.read("pay_1"); p.Version != 3 || !slices.Equal(p.Events, []string{"payment.paid"}) {
		t.Errorf("version %d stands for %v", p.Version, p.Events)
	}
}

func TestPartsThatNobodyBookedInTimeAreMadeVoid(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.held("pay_1", 4, part)
	s.mustHandle(s.held("pay_1", 10))
	s.expect("pay_1", payment.Paid, 10, 10, 2)
}

func TestARefundTakesAHeldCreditBack(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.held("pay_1", 10))
	record := s.held("pay_1", 3, back)
	s.mustHandle(record, record)
	s.expect("pay_1", payment.Partial, 7, 7, 3)
	record = s.held("pay_1", 0, back, func(st *deposit.Statement) { st.Asset = "" })
	s.mustHandle(record)
	s.mustHandle(record)
	s.expect("pay_1", payment.Waiting, 0, 0, 4)
}

func TestARefundBeforeThePaymentBooksNothing(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	whole := func(st *deposit.Statement) { st.Back, st.Asset, st.Amount = true, "", money.Amount{} }
	s.mustHandle(s.held("pay_1", 0, whole))
	s.mustHandle(s.held("pay_1", 10))
	if totals, err := s.Ledger.Totals(context.Background(), merchant); err != nil || len(totals) != 0 {
		t.Errorf("%+v, %v", totals, err)
	}
	if p := s.read("pay_1"); p.Status != payment.Waiting || p.Version != 1 {
		t.Errorf("%+v", p)
	}
}

func TestMoneyWithoutAPaymentIsTheMerchants(t *testing.T) {
	s := open(t)
	s.payment("pay_other", 10)
	s.mustHandle(s.held("", 7))
	s.expect("pay_other", payment.Waiting, 0, 7, 1)
}

func TestMoneyOfAStateIsBookedAsAnyOther(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.held("pay_1", 1050, func(st *deposit.Statement) { st.Asset, st.Decimals = "iso4217:EUR", 2 }))
	totals, err := s.Ledger.Totals(context.Background(), merchant)
	if err != nil || len(totals) != 1 || totals[0].View().Available != "10.50" || totals[0].Asset != "iso4217:EUR" {
		t.Errorf("%+v, %v", totals, err)
	}
	if p := s.read("pay_1"); p.Status != payment.Waiting {
		t.Errorf("another asset has paid: %s", p.Status)
	}
}

func TestMoneyToldLateIsLate(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.held("pay_1", 10, func(st *deposit.Statement) { st.At = opening.Add(2 * time.Hour) }))
	s.expect("pay_1", payment.Late, 10, 10, 1)
}

func TestAmountsInAnotherUnitAreSetAside(t *testing.T) {
	s := open(t)
	s.payment("pay_1", 10)
	s.mustHandle(s.deposit("pay_1", "0xaa", 10))
	other := s.held("", 1_000_000, func(st *deposit.Statement) { st.Decimals = 18 })
	if err := s.handle(other)[0]; err == nil {
		t.Error("booked")
	}
	s.expect("pay_1", payment.Paid, 10, 10, 1)
}
