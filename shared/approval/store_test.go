package approval

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"farrier/shared/dynamo"
	"farrier/shared/parts"
	"farrier/shared/problem"
	"farrier/shared/seal"
)

// room is all that the functions approve and sign have, each with a sealer of its own.
type room struct {
	approvers Approvers
	approvals Approvals
	codes     Codes
	now       *time.Time
}

func newRoom(t *testing.T) room {
	t.Helper()
	client, key := parts.Key(t)
	at := noon
	now := func() time.Time { return at }
	table := parts.Table(t)
	return room{
		approvers: Approvers{Table: table, Seal: (&seal.Sealer{Client: client, KeyID: key, Now: now}).Seal, Now: now, Random: rand.Reader},
		approvals: Approvals{Table: parts.Table(t), Now: now},
		codes:     Codes{Table: parts.Table(t), Open: (&seal.Sealer{Client: client, KeyID: key, Now: now}).Open, Now: now},
		now:       &at,
	}
}

// ann makes an approver and gives her authenticator's secret.
func (r room) ann(t *testing.T) (Approver, Given, []byte) {
	t.Helper()
	a, given, err := r.approvers.Create(context.Background(), "Ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(given.OTPAuth)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil {
		t.Fatal(err)
	}
	return a, given, secret
}

func saidBy(by Approver, payout, code string) Approval {
	return Approval{PK: payout, SK: by.ID, Payout: payout, Approver: by.ID, Hash: hash, Decision: Approve, Code: code, MadeAt: noon, Version: 1}
}

func reason(err error) Reason {
	var f *Failure
	if errors.As(err, &f) {
		return f.Reason
	}
	return ""
}

func TestConformanceAnApproversKeyAndSecretAreKeptSoThatNobodyReadsThem(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	a, given, secret := r.ann(t)
	got, err := r.approvers.Authenticate(ctx, given.Key)
	if err != nil || got.ID != a.ID {
		t.Fatalf("%+v, %v", got, err)
	}
	var item dynamo.Item
	if err := r.approvers.Table.Each(ctx, dynamo.Query{PK: a.PK}, func(i dynamo.Item) error { item = i; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(item) == 0 {
		t.Fatal("the approver's item is not found")
	}
	text := fmt.Sprintf("%#v %+v", item["secret"], got)
	if strings.Contains(text, given.Key) || strings.Contains(text, string(secret)) || len(secret) != secretLength {
		t.Errorf("stored in the clear: %s", text)
	}
	if _, err := r.codes.Open(ctx, seal.Owner{"approver": a.ID}, a.Secret); err == nil {
		t.Error("the secret opens without the signer's context")
	}
	for name, key := range map[string]string{
		"none": "", "another": given.Key[:len(given.Key)-1] + "_", "a merchant's": "fk_x", "of nobody": "fa_01JD0Z5T3N8Q4W7R2X9Y6V1K5M_" + strings.Repeat("a", 43),
	} {
		if key == given.Key {
			key = given.Key[:len(given.Key)-1] + "-"
		}
		if _, err := r.approvers.Authenticate(ctx, key); !problem.Is(err, problem.Unauthorized) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.approvers.Disable(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := r.approvers.Authenticate(ctx, given.Key); !problem.Is(err, problem.Unauthorized) {
		t.Errorf("disabled: %v", err)
	}
}

func TestConformanceApproversAreListedWithTheKeysThatTheyHold(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	ann, _, _ := r.ann(t)
	bob, _, err := r.approvers.Create(ctx, "Bob", []string{Operator, "key_01JD0Z5T3N8Q4W7R2X9Y6V1K5M"})
	if err != nil || !bob.Asked(Operator) || ann.Asked(Operator) {
		t.Fatalf("%+v, %v", bob, err)
	}
	page, next, err := r.approvers.List(ctx, 1, "")
	if err != nil || len(page) != 1 || next == "" {
		t.Fatalf("%+v, %q, %v", page, next, err)
	}
	rest, _, err := r.approvers.List(ctx, 10, next)
	if err != nil || len(rest) != 1 || rest[0].ID == page[0].ID {
		t.Fatalf("%+v, %v", rest, err)
	}
	for _, a := range []Approver{page[0], rest[0]} {
		if a.Name != "Ann" && len(a.View().Keys) != 2 {
			t.Errorf("%+v", a)
		}
	}
}

func TestWhatCannotBeAnApproverIsRefusedByTheFieldsName(t *testing.T) {
	for _, c := range []struct {
		name, field string
		keys        []string
	}{{"", "name", nil}, {"a:b", "name", nil}, {"a\x00", "name", nil}, {"\xff", "name", nil}, {strings.Repeat("é", MaxName+1), "name", nil}, {"Ann", "keys[0]", []string{"mer_1"}}, {"Ann", "keys", make([]string, MaxKeys+1)}} {
		_, _, err := Approvers{Now: time.Now, Random: rand.Reader}.Create(context.Background(), c.name, c.keys)
		var p *problem.Error
		if !errors.As(err, &p) || p.Field != c.field {
			t.Errorf("%.10q, %v: %v", c.name, c.keys, err)
		}
	}
}

func TestConformanceWhatAnApproverDecidedIsNeverTurnedIntoItsOpposite(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	by := Approver{ID: names[0]}
	say := Saying{Payout: asked.Payout, Approver: by, Hash: hash, Decision: Approve, Code: "123456"}
	first, err := r.approvals.Record(ctx, say)
	if err != nil || first.Version != 1 {
		t.Fatal(first, err)
	}
	*r.now = noon.Add(time.Minute)
	if same, err := r.approvals.Record(ctx, say); err != nil || same != first {
		t.Fatalf("the same again: %+v, %v", same, err)
	}
	no := say
	no.Decision = Reject
	if _, err := r.approvals.Record(ctx, no); !problem.Is(err, problem.Conflict) {
		t.Fatalf("the opposite: %v", err)
	}
	say.Code = "654321"
	if next, err := r.approvals.Record(ctx, say); err != nil || next.Version != 2 || !next.MadeAt.Equal(*r.now) {
		t.Fatalf("another code: %+v, %v", next, err)
	}
	say.Approver.ID, say.Decision = names[1], Reject
	if _, err := r.approvals.Record(ctx, say); err != nil {
		t.Fatal(err)
	}
	all, err := r.approvals.Of(ctx, asked.Payout)
	if err != nil || len(all) != 2 || all[0].Decision != Approve || all[0].Code != "654321" || all[1].Decision != Reject {
		t.Fatalf("%+v, %v", all, err)
	}
}

func TestWhatCannotBeSaidIsRefusedByTheFieldsName(t *testing.T) {
	for field, change := range map[string]func(*Saying){
		"decision": func(s *Saying) { s.Decision = "maybe" },
		"hash":     func(s *Saying) { s.Hash = strings.ToUpper(hash) },
		"code":     func(s *Saying) { s.Code = "12345٣" },
		"":         func(s *Saying) { s.Payout = "pay_1" },
	} {
		s := Saying{Payout: asked.Payout, Approver: Approver{ID: names[0]}, Hash: hash, Decision: Approve, Code: "123456"}
		change(&s)
		_, err := s.approval(noon)
		var p *problem.Error
		if !errors.As(err, &p) || p.Field != field {
			t.Errorf("%q: %v", field, err)
		}
	}
}

func TestConformanceACodeIsTakenInItsWindowAndUsedOnce(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	by, _, secret := r.ann(t)
	for i, off := range []int64{-1, 0, 1} {
		a := saidBy(by, fmt.Sprintf("out_%d", i), codeOf(secret, stepAt(noon)+off))
		for range 2 {
			if err := r.codes.Check(ctx, by, a); err != nil {
				t.Fatalf("step %d: %v", off, err)
			}
		}
		other := a
		other.Payout = "out_other"
		if err := r.codes.Check(ctx, by, other); reason(err) != CodeUsed {
			t.Errorf("step %d for another payout: %v", off, err)
		}
		other = a
		other.Hash = strings.Repeat("cd", 32)
		if err := r.codes.Check(ctx, by, other); reason(err) != CodeUsed {
			t.Errorf("step %d for another hash: %v", off, err)
		}
	}
	*r.now = noon.Add(20 * time.Hour) // a payout that waited for its other approvers
	if err := r.codes.Check(ctx, by, saidBy(by, "out_1", codeOf(secret, stepAt(noon)))); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestConformanceOfManyWhoUseACodeAtOnceOneHasIt(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	by, _, secret := r.ann(t)
	results := make([]error, 8)
	var wait sync.WaitGroup
	for i := range results {
		wait.Add(1)
		go func() {
			defer wait.Done()
			results[i] = r.codes.Check(ctx, by, saidBy(by, fmt.Sprintf("out_%d", i), codeOf(secret, stepAt(noon))))
		}()
	}
	wait.Wait()
	taken := 0
	for _, err := range results {
		switch {
		case err == nil:
			taken++
		case reason(err) != CodeUsed:
			t.Error(err)
		}
	}
	if taken != 1 {
		t.Fatalf("%d had it: %v", taken, results)
	}
}

func TestConformanceAClockThatIsOffIsToldAndItsCodeIsGone(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	by, _, secret := r.ann(t)
	for off, word := range map[int64]string{5: "ahead by about 2m30s", -4: "behind by about 2m0s"} {
		code := codeOf(secret, stepAt(noon)+off)
		a := saidBy(by, fmt.Sprintf("out_%d", off), code)
		for range 2 {
			if err := r.codes.Check(ctx, by, a); reason(err) != ClockOff || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), code) {
				t.Fatalf("%d steps: %v", off, err)
			}
		}
		later := saidBy(by, "out_later", code)
		later.MadeAt = noon.Add(time.Duration(off) * Period) // when it would have been right
		if err := r.codes.Check(ctx, by, later); reason(err) != CodeUsed {
			t.Errorf("%d steps, at its time: %v", off, err)
		}
	}
}

func TestConformanceTooManyWrongCodesLockAnApproverForAWhile(t *testing.T) {
	r, ctx := newRoom(t), context.Background()
	by, _, secret := r.ann(t)
	before := saidBy(by, "out_before", codeOf(secret, stepAt(noon)))
	if err := r.codes.Check(ctx, by, before); err != nil {
		t.Fatal(err)
	}
	wrong := ""
	for n, found := 0, true; found; n++ {
		wrong = fmt.Sprintf("%06d", n)
		_, _, found = stepOf(secret, wrong, noon)
	}
	for i := range maxWrong {
		for range 3 { // asked again for the same approval, as a step that is run again does
			if err := r.codes.Check(ctx, by, saidBy(by, fmt.Sprintf("out_%d", i), wrong)); i < maxWrong-1 && reason(err) != WrongCode {
				t.Fatalf("%d: %v", i, err)
			}
		}
	}
	right := saidBy(by, "out_right", codeOf(secret, stepAt(noon)+1))
	for name, a := range map[string]Approval{"wrong": saidBy(by, "out_9", wrong), "right": right} {
		if err := r.codes.Check(ctx, by, a); reason(err) != Locked {
			t.Errorf("%s while locked: %v", name, err)
		}
	}
	if err := r.codes.Check(ctx, by, before); err != nil {
		t.Errorf("what was taken before: %v", err)
	}
	*r.now = noon.Add(wrongWithin)
	if err := r.codes.Check(ctx, by, right); err != nil {
		t.Errorf("when it is over: %v", err)
	}
}

func TestACodeIsCheckedForItsOwnApproverAlone(t *testing.T) {
	a := said(0, 0)
	if err := (Codes{}).Check(context.Background(), Approver{ID: names[1]}, a); err == nil || reason(err) != "" {
		t.Errorf("%v", err)
	}
	if err := (Codes{}).Check(context.Background(), Approver{}, Approval{}); err == nil {
		t.Error("nobody's code was checked")
	}
}
