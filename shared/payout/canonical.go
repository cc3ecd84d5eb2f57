package payout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form names the canonical form; another one gets another name, so that no approval of the one is taken for the other.
const Form = "farrier.payout.1"

// canonical has its fields in the order of their names.
type canonical struct {
	AmountUnits  string `json:"amount_units"`
	Asset        string `json:"asset"`
	FeeMostUnits string `json:"fee_most_units"`
	Form         string `json:"form"`
	ID           string `json:"id"`
	Merchant     string `json:"merchant"`
	Reference    string `json:"reference"`
	Requester    string `json:"requester"`
	To           string `json:"to"`
	Wallet       string `json:"wallet"`
}

// ErrText says that a payout has a text that cannot be printed, or is not UTF-8: writers of JSON do not all spell it alike,
// and some spell two of them alike.
var ErrText = errors.New("payout: a field has a character that cannot be printed")

// Canonical is the text of what the payout is, whatever becomes of it: what approvals are bound to and what is signed by.
func (p Payout) Canonical() ([]byte, error) {
	c := canonical{
		AmountUnits: p.Amount.String(), Asset: string(p.Asset), FeeMostUnits: p.FeeMost.String(), Form: Form, ID: p.ID, Merchant: p.PK,
		Reference: p.Reference, Requester: p.Requester, To: p.To, Wallet: p.Wallet,
	}
	for _, s := range []string{c.Asset, c.ID, c.Merchant, c.Reference, c.Requester, c.To, c.Wallet} {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, ErrText
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // RFC 8785, 3.2.2.2: no escapes but those that JSON demands
	if err := encoder.Encode(c); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// Hash is the SHA-256 of the canonical form, in hex.
func (p Payout) Hash() (string, error) {
	text, err := p.Canonical()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
