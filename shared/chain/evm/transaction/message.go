package transaction

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"farrier/shared/chain"
)

// PersonalDigest is what a key signs for a message to people (https://eips.ethereum.org/EIPS/eip-191, version 0x45). It is
// never the digest of a transaction.
func PersonalDigest(message []byte) [32]byte { return [32]byte(accounts.TextHash(message)) }

// ErrTyped says that a text is not typed data. Its reasons are for whoever sent it.
var ErrTyped = errors.New("transaction: this is not typed data as EIP-712 has it")

// longestTyped is more than typed data that a person could judge has in bytes. The library looks at every type for every
// struct of the message.
const longestTyped = 16 << 10

// TypedDigest is what a key signs for typed data (https://eips.ethereum.org/EIPS/eip-712), which is JSON of types,
// primaryType, domain and message. Its domain must name the chain that is asked for.
func TypedDigest(id chain.ID, text []byte) ([32]byte, error) {
	number, err := numberOf(id)
	if err != nil {
		return [32]byte{}, err
	}
	typed, err := typedOf(text)
	if err != nil {
		return [32]byte{}, err
	}
	switch said := (*big.Int)(typed.Domain.ChainId); {
	case said == nil:
		return [32]byte{}, &Error{"domain.chainId", "is missing"}
	case said.Cmp(number) != 0:
		return [32]byte{}, &Error{"domain.chainId", "is of another chain"}
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	if err != nil {
		return [32]byte{}, errors.Join(ErrTyped, err)
	}
	return [32]byte(digest), nil
}

func typedOf(text []byte) (typed apitypes.TypedData, err error) {
	if len(text) > longestTyped {
		return typed, ErrTyped
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a float64 would round what is over 2^53
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&typed); err != nil {
		return typed, errors.Join(ErrTyped, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return typed, ErrTyped
	}
	if typed.Types[typed.PrimaryType] == nil || typed.PrimaryType == "EIP712Domain" || typed.Message == nil {
		return typed, &Error{"primaryType", "is none of the types of a message"}
	}
	if _, whole := exact(typed.Message); !whole {
		return typed, &Error{"message", "has a number that is not an integer"}
	}
	return typed, nil
}

// exact puts integers in the place of JSON's numbers; false where one is none.
func exact(v any) (any, bool) {
	switch v := v.(type) {
	case json.Number:
		n, whole := new(big.Int).SetString(v.String(), 10)
		return n, whole
	case map[string]any:
		for name := range v {
			var whole bool
			if v[name], whole = exact(v[name]); !whole {
				return nil, false
			}
		}
	case []any:
		for i := range v {
			var whole bool
			if v[i], whole = exact(v[i]); !whole {
				return nil, false
			}
		}
	}
	return v, true
}
