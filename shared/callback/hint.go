package callback

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"farrier/shared/chain"
)

// Hint is what a callback may bring about: our own look at a chain.
type Hint struct {
	Chain chain.ID
	Tx    string // empty: look at what is new on the chain
}

const (
	defaultChainPath       = "data.chain"
	defaultTransactionPath = "data.transaction"

	mostTransactions = 100 // that one body may name
	longestName      = 128 // of a chain or of a transaction of a family that has no form here
)

// readPaths reads a body by a connection's paths: a chain (fixed by the connection, or text) and one transaction, a
// list of them, or none. A version that is not among those understood is an UnknownError.
func readPaths(body []byte, s Settings, _ Keys) ([]Notice, error) {
	doc, err := parseAs(s.Format, body)
	if err != nil {
		return nil, err
	}
	if err := doc.understood(s); err != nil {
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
	notices := make([]Notice, len(txs))
	for i, tx := range txs {
		if tx, err = canonical(on, tx); err != nil {
			return nil, ReadError(path + " " + err.Error())
		}
		notices[i] = Notice{Kind: DepositSeen, Chain: on, Tx: tx}
	}
	return notices, nil
}

// understood checks the version first: what is required may differ between versions.
func (d document) understood(s Settings) error {
	if s.VersionPath != "" {
		version, err := d.requiredName(s.VersionPath)
		if err != nil {
			return err
		}
		if !slices.Contains(s.Versions, version) {
			return unknownVersion(version)
		}
	}
	for _, path := range s.Required {
		if v := d.at(path); v == nil || v == "" {
			return ReadError(path + " is missing")
		}
	}
	return nil
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
	if madeOf(tx, "0123456789abcdefABCDEF", 64, 64) { // a hash in hex; a name in base58 is longer
		tx = strings.ToLower(tx)
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
