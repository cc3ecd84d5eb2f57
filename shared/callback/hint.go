package callback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"farrier/shared/chain"
)

// Hint is what a callback may bring about: our own look at a chain.
type Hint struct {
	Chain chain.ID
	Tx    string // empty: look at what is new on the chain
}

// ReadError is why a rightly signed body says nothing to us: in words that hold nothing of the body.
type ReadError string

func (r ReadError) Error() string { return string(r) }

const (
	defaultChainPath       = "data.chain"
	defaultTransactionPath = "data.transaction"

	mostTransactions = 100 // that one body may name
	longestName      = 128 // of a chain or of a transaction of a family that has no form here
)

// readPaths reads JSON by a connection's paths: a chain (fixed by the connection, or text) and one
// transaction, a list of them, or none.
func readPaths(body []byte, s Settings) ([]Hint, error) {
	doc, err := parse(body)
	if err != nil {
		return nil, err
	}
	on, err := doc.chain(s)
	if err != nil {
		return nil, err
	}
	path := or(s.TransactionPath, defaultTransactionPath)
	txs, err := doc.transactions(path)
	if err != nil {
		return nil, err
	}
	hints := make([]Hint, len(txs))
	for i, tx := range txs {
		if tx, err = canonical(on, tx); err != nil {
			return nil, ReadError(path + " " + err.Error())
		}
		hints[i] = Hint{Chain: on, Tx: tx}
	}
	return hints, nil
}

// document is a body of JSON.
type document struct{ root any }

func parse(body []byte) (document, error) {
	if !utf8.Valid(body) { // encoding/json would put U+FFFD for what is not
		return document{}, ReadError("the body is not UTF-8")
	}
	var doc document
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&doc.root); err != nil {
		return document{}, ReadError("the body is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return document{}, ReadError("the body is not one JSON value")
	}
	return doc, nil
}

// at follows a dot path through objects and, by position, lists; nil where it leads nowhere.
func (d document) at(path string) any {
	v := d.root
	for step := range strings.SplitSeq(path, ".") {
		switch inner := v.(type) {
		case map[string]any:
			v = inner[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(inner) {
				return nil
			}
			v = inner[i]
		default:
			return nil
		}
	}
	return v
}

func (d document) chain(s Settings) (chain.ID, error) {
	if s.Chain != "" {
		return chain.ID(s.Chain), nil
	}
	path := or(s.ChainPath, defaultChainPath)
	text, isText := d.at(path).(string)
	if !isText || text == "" || len(text) > longestName {
		return "", ReadError(path + " is not the name of a chain")
	}
	return chain.ID(text), nil
}

func (d document) transactions(path string) ([]string, error) {
	switch v := d.at(path).(type) {
	case nil:
		return []string{""}, nil
	case string:
		return []string{v}, nil
	case []any:
		if len(v) == 0 {
			return []string{""}, nil
		}
		if len(v) > mostTransactions {
			return nil, ReadError(fmt.Sprintf("%s has more than %d transactions", path, mostTransactions))
		}
		txs := make([]string, len(v))
		for i := range v {
			text, isText := v[i].(string)
			if !isText {
				return nil, ReadError(path + " has something else than transactions in its list")
			}
			txs[i] = text
		}
		return txs, nil
	default:
		return nil, ReadError(path + " is not a transaction")
	}
}

// canonical is a transaction's one spelling, so that nothing else is ever asked of a node.
func canonical(on chain.ID, tx string) (string, error) {
	if tx == "" {
		return "", nil
	}
	if strings.HasPrefix(string(on), "eip155:") {
		if tx = strings.ToLower(tx); !madeOf(strings.TrimPrefix(tx, "0x"), "0123456789abcdef", 64, 64) || len(tx) != 66 {
			return "", errors.New("is not the hash of a transaction")
		}
		return tx, nil
	}
	if len(tx) > longestName || !visible(tx) {
		return "", errors.New("is not the name of a transaction")
	}
	return tx, nil
}

const pathRule = "must be names joined by full stops, at most 128 characters"

func pathForm(path string) bool {
	if len(path) > 128 || !utf8.ValidString(path) {
		return false
	}
	for step := range strings.SplitSeq(path, ".") {
		if step == "" {
			return false
		}
	}
	return true
}
