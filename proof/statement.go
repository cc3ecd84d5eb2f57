package proof

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"farrier/shared/callback"
	"farrier/shared/deposit"
	"farrier/shared/dynamo"
	"farrier/shared/ledger"
	"farrier/shared/money"
)

// Gateway is a provider that holds money itself and whose word is believed: it speaks as NOWPayments does.
type Gateway struct {
	Connection callback.Connection
	secret     string

	told    int
	sent    map[string]Word // body → what it says; rightly signed
	thanked []string        // bodies that it was thanked for
	last    []Word          // in their order
}

// Word is what a gateway says once of one of its objects.
type Word struct {
	Object, Status, Amount string
	For                    string // the payment of ours that it names, or something else
	At                     string // makes the event one
	Asset, Address         string
	Forged                 bool // said by somebody else, who signs with another secret
}

func newGateway(t TB, connections callback.Connections, asset money.Asset, decimals int) *Gateway {
	t.Helper()
	const secret = "the gateway's own secret, of a good length"
	connection, _, err := connections.Create(context.Background(), callback.Asked{
		Merchant: Merchant, Shards: Accounts, Provider: "nowpayments", Trust: callback.Statement, Secret: secret,
		Settings: callback.Settings{Assets: map[string]callback.KnownAsset{"usdt": {Asset: asset, Decimals: decimals}}},
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &Gateway{Connection: connection, secret: secret, sent: map[string]Word{}}
}

// body is the word as it is sent, its keys in order and nothing between them, so that it is what is signed.
func (g *Gateway) body(w Word) string {
	network, address := "", ""
	if w.Address != "" {
		network, address = fmt.Sprintf(`"network":%q,`, worldChain), fmt.Sprintf(`"pay_address":%q,`, w.Address)
	}
	return fmt.Sprintf(`{"actually_paid":%s,%s"order_id":%q,%s"pay_amount":%s,"pay_currency":%q,"payment_id":%q,"payment_status":%q,"updated_at":%q}`,
		w.Amount, network, w.For, address, w.Amount, w.Asset, w.Object, w.Status, w.At)
}

// Tell makes one attempt at a word and says whether it was thanked for.
func (w *World) Tell(word Word) bool {
	g := w.Gateway
	if word.Asset == "" {
		word.Asset = "usdt"
	}
	body, secret := g.body(word), g.secret
	if word.Forged {
		secret = "somebody else's secret of a good length"
	} else {
		g.sent[body] = word
		g.last = append(g.last, word)
	}
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write([]byte(body))
	request := events.APIGatewayV2HTTPRequest{
		Headers: map[string]string{"x-nowpayments-sig": hex.EncodeToString(mac.Sum(nil)), "content-type": "application/json"}, Body: body,
		PathParameters: map[string]string{"connection": g.Connection.ID},
		RequestContext: events.APIGatewayV2HTTPRequestContext{HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: http.MethodPost}},
	}
	status := 0
	err := w.Run("receive", fmt.Sprintf("statement %s %s %s", word.Object, word.Status, word.Amount), func(ctx context.Context) error {
		answer, err := w.in().receiver.Invoke(ctx, request)
		status = answer.StatusCode
		return err
	})
	w.Say("          answered %d", status)
	if thanked := err == nil && status/100 == 2; !thanked {
		return false
	}
	g.thanked = append(g.thanked, body)
	return true
}

// next is a word in an event of its own.
func (g *Gateway) next(object, reference, status, amount string) Word {
	g.told++
	return Word{Object: object, For: reference, Status: status, Amount: amount, At: fmt.Sprintf("t%04d", g.told)}
}

// speak: the gateway tells of one of a few objects, in one of the ways that gateways find, or somebody else does.
func speak(h *History, a, b int) {
	g := h.Gateway
	object, reference := fmt.Sprintf("object-%d", a%5), "an order of the gateway's own"
	if p, asked := h.asked[fmt.Sprintf("order-%d", (a/5)%4)]; asked { // which is not always the one that it named before
		reference = p.ID
	}
	next := func(status, amount string) Word { return g.next(object, reference, status, amount) }
	switch b % 14 {
	case 0:
		h.Tell(next("partially_paid", "4"))
	case 1:
		h.Tell(next("partially_paid", "7"))
	case 2, 3, 4:
		h.Tell(next("finished", "10.5"))
	case 5: // another amount for the same object
		h.Tell(next("finished", "12"))
	case 6:
		h.Tell(next("refunded", "10.5"))
	case 7:
		h.Tell(next("refunded", "3"))
	case 8: // unpaid, with a right signature
		h.Tell(next("waiting", "10.5"))
	case 9:
		forged := next("finished", "1000")
		forged.At, forged.Forged = "forged", true
		h.Tell(forged)
	case 10, 11: // again what was said before, byte for byte, or with another amount
		if len(g.last) > 0 {
			again := g.last[(a/5)%len(g.last)]
			if b%14 == 11 {
				again.Amount = "11"
			}
			h.Tell(again)
		}
	case 12: // in an asset that nobody named
		strange := next("finished", "10.5")
		strange.Asset = "fakecoin"
		h.Tell(strange)
	case 13: // to an address of ours: the chain has it, or nobody
		if addresses := h.told(); len(addresses) > 0 {
			ours := g.next(fmt.Sprintf("ours-%d", a%2), reference, "finished", "10.5")
			ours.Address = addresses[a%len(addresses)]
			h.Tell(ours)
		}
	}
}

// changeWord: the gateway tells of a new object in all, and once that was taken tells of another amount, larger or smaller; or
// it tells once, and the table does not answer while it is read.
func changeWord(h *History, a, b int) {
	g := h.Gateway
	object := fmt.Sprintf("changed-%d", g.told)
	say := func(status, amount string, troubles ...Trouble) {
		h.Tell(g.next(object, "an order of the gateway's own", status, amount))
		h.Expect(troubles)
		for shard := range shards {
			h.Consume(0, shard, 100)
		}
		h.Expect(nil)
	}
	if b%3 == 0 {
		say("finished", "10.5", Trouble{At: 1 + a%8, Fault: Throttle})
		return
	}
	say("finished", "10.5")
	say([]string{"finished", "partially_paid"}[b%2], []string{"12", "9"}[a%2])
}

// Told has the gateway tell of its object for an order until it is thanked for.
func (h *History) Told(order, status, amount string) {
	word := h.Gateway.next("object of "+order, h.asked[order].ID, status, amount)
	for range 100 {
		if h.Tell(word) {
			return
		}
		h.Wait(20 * time.Second)
	}
	h.T.Fatalf("the statement of %s was never thanked for", order)
}

// stated is what the standing receipts of one object say: the simple model of what the gateway holds of it.
type stated struct {
	parts, wholes, refunds []money.Amount
	at, names              []string // when each was received, and what it named
}

// statements are what the receipts that stand say, by object. Beside it is what no receipt may hold.
func (h *History) statements() (all map[string]*stated, found []string) {
	all = map[string]*stated{}
	kept := map[string]bool{}
	for _, r := range newest[callback.Receipt](h, "callbacks") {
		if r.PK != h.Gateway.Connection.ID {
			continue
		}
		kept[string(r.Body)] = true
		word, sent := h.Gateway.sent[string(r.Body)]
		switch {
		case !sent:
			found = append(found, fmt.Sprintf("the gateway never sent %s", r.Body))
			continue
		case strings.Contains(r.SK, "#") || word.Asset != "usdt" || word.Address != "":
			continue
		}
		s := all[word.Object]
		if s == nil {
			s = &stated{}
			all[word.Object] = s
		}
		amount := money.Units(units(word.Amount))
		switch word.Status {
		case "partially_paid":
			s.parts = append(s.parts, amount)
		case "finished":
			s.wholes = append(s.wholes, amount)
		case "refunded":
			s.refunds = append(s.refunds, amount)
		}
		s.at, s.names = append(s.at, r.ReceivedAt.String()), append(s.names, word.For)
	}
	for _, body := range h.Gateway.thanked {
		if !kept[body] {
			found = append(found, fmt.Sprintf("the gateway was thanked for %s, which is not kept", body))
		}
	}
	return all, found
}

// mayHold are the amounts that may stand of an object: of several wholes that contradict each other, the one that was
// believed first.
func (s stated) mayHold() []money.Amount {
	said := s.wholes
	if len(said) == 0 && len(s.parts) > 0 {
		said = []money.Amount{slices.MaxFunc(s.parts, money.Amount.Cmp)}
	}
	var back money.Amount
	for _, refund := range s.refunds { // each is of all refunds so far
		if refund.Cmp(back) > 0 {
			back = refund
		}
	}
	out := []money.Amount{}
	for _, amount := range said {
		if left := amount.Sub(back); left.Sign() > 0 {
			out = append(out, left)
		} else {
			out = append(out, money.Amount{})
		}
	}
	if len(out) == 0 {
		out = append(out, money.Amount{})
	}
	return out
}

// heldEqualsStatements: what a trusted provider holds is booked as it said.
func heldEqualsStatements(h *History) []string {
	all, found := h.statements()
	booked := map[string]money.Amount{}
	for _, e := range newest[ledger.Entry](h, "entries") {
		if e.Object != "" {
			booked[e.Object] = booked[e.Object].Add(e.Legs[ledger.Available])
			if e.Asset != h.Asset || e.Legs[ledger.Custody].Sign() != 0 {
				found = append(found, fmt.Sprintf("%s is in %s on the leg of the chain", e.SK, e.Asset))
			}
		}
	}
	deposits := map[string]deposit.Deposit{}
	for _, d := range h.held() {
		if other, twice := deposits[d.Held.Object]; twice {
			found = append(found, fmt.Sprintf("%s has the deposits %s and %s", d.Held.Object, other.SK, d.SK))
		}
		deposits[d.Held.Object] = d
	}
	for object := range deposits {
		if all[object] == nil {
			found = append(found, object+" has a deposit, and nothing that is believed was said of it")
		}
	}
	for object, s := range all {
		may, d := s.mayHold(), deposits[object]
		if !slices.ContainsFunc(may, func(a money.Amount) bool { return a.Cmp(booked[object]) == 0 }) {
			found = append(found, fmt.Sprintf("%s is booked with %s, and %v is what was said", object, booked[object], may))
		}
		if stands := standing(d); stands.Cmp(booked[object]) != 0 {
			found = append(found, fmt.Sprintf("%s is booked with %s, and its deposit stands with %s", object, booked[object], stands))
		}
		if d.Held != nil && d.State == deposit.Final && !slices.Contains(s.at, d.Held.At.String()) {
			found = append(found, fmt.Sprintf("%s came at %s, when nothing was said of it", object, d.Held.At))
		}
		if d.Payment != "" && !slices.Contains(s.names, d.Payment) {
			found = append(found, fmt.Sprintf("%s counts for %s, which it never named", object, d.Payment))
		}
	}
	slices.Sort(found)
	return append(found, h.restatedWholes()...)
}

func standing(d deposit.Deposit) money.Amount {
	if d.State != deposit.Final {
		return money.Amount{}
	}
	return d.Amount
}

// restatedWholes finds objects whose whole was told and later taken to be another one.
func (h *History) restatedWholes() (found []string) {
	whole := map[string]money.Amount{}
	for _, item := range h.AWS.Written("deposits") {
		var d deposit.Deposit
		if err := dynamo.Unmarshal(item, &d); err != nil {
			return []string{err.Error()}
		}
		if d.Held == nil || d.Held.Open || d.Held.Said.Sign() == 0 {
			continue
		}
		if before, told := whole[d.ID]; told && before.Cmp(d.Held.Said) != 0 {
			found = append(found, fmt.Sprintf("%s was %s in all, and then %s", d.Held.Object, before, d.Held.Said))
		}
		whole[d.ID] = d.Held.Said
	}
	return found
}

// held are the deposits of what the gateway holds.
func (h *History) held() []deposit.Deposit {
	return slices.DeleteFunc(newest[deposit.Deposit](h, "deposits"), func(d deposit.Deposit) bool { return d.Held == nil })
}
