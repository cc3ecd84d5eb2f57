package money

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// MaxDecimals is the most decimals an asset may have: ERC-20 stores them in a uint8.
const MaxDecimals = 255

// maxDigits is the length of 2^256-1 in decimal.
const maxDigits = 78

// maxUnits is 2^256-1, the largest amount that a token contract can hold.
var maxUnits = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))

// Errors of parsing. They are safe to show to a caller.
var (
	ErrNotANumber = errors.New(`must be a decimal number such as "10.50", without sign, exponent or spaces`)
	ErrTooLarge   = errors.New("is larger than 2^256-1 of the smallest unit")
)

// Amount is a signed integer count of an asset's smallest unit. The zero value is zero.
// An Amount is never changed in place.
type Amount struct{ v *big.Int }

// Units returns n smallest units.
func Units(n int64) Amount { return Amount{big.NewInt(n)} }

// FromBig returns the amount of b smallest units; b is copied.
// It fails where the magnitude does not fit a uint256.
func FromBig(b *big.Int) (Amount, error) {
	if b.CmpAbs(maxUnits) > 0 {
		return Amount{}, ErrTooLarge
	}
	return Amount{new(big.Int).Set(b)}, nil
}

// ParseUnits reads an integer in the smallest unit: digits with an optional leading minus, no leading zeros.
func ParseUnits(s string) (Amount, error) {
	digits := strings.TrimPrefix(s, "-")
	if !allDigits(digits) || (len(digits) > 1 && digits[0] == '0') || s == "-0" {
		return Amount{}, errors.New(`must be an integer in the asset's smallest unit, such as "10500000"`)
	}
	if len(digits) > maxDigits {
		return Amount{}, ErrTooLarge
	}
	b, _ := new(big.Int).SetString(s, 10)
	return FromBig(b)
}

// ParseDecimal reads a non-negative amount in the asset's own unit ("10.50") that has the given decimals.
// More decimals than the asset has are refused: nothing is ever rounded.
func ParseDecimal(s string, decimals int) (Amount, error) {
	whole, fraction, point := strings.Cut(s, ".")
	if !allDigits(whole) || (point && !allDigits(fraction)) {
		return Amount{}, ErrNotANumber
	}
	if len(fraction) > decimals {
		return Amount{}, fmt.Errorf("has %d decimals; the asset has %d", len(fraction), decimals)
	}
	digits := strings.TrimLeft(whole+fraction+strings.Repeat("0", decimals-len(fraction)), "0")
	if len(digits) > maxDigits {
		return Amount{}, ErrTooLarge
	}
	b, _ := new(big.Int).SetString("0"+digits, 10)
	return FromBig(b)
}

// Decimal writes the amount in the asset's own unit: with two decimals, where the asset has them, and
// as many more as are not zero: "10.50", "0.000001". It never rounds.
func (a Amount) Decimal(decimals int) string {
	digits := new(big.Int).Abs(a.big()).String()
	if short := decimals + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	whole, fraction := digits[:len(digits)-decimals], digits[len(digits)-decimals:]
	shown := max(len(strings.TrimRight(fraction, "0")), min(2, decimals))
	if shown > 0 {
		whole += "." + fraction[:shown]
	}
	if a.Sign() < 0 {
		return "-" + whole
	}
	return whole
}

// Shortest writes the amount in the asset's own unit without idle zeros, as wallets' links have it: "10.5", "10".
func (a Amount) Shortest(decimals int) string {
	decimal := a.Decimal(decimals)
	if !strings.Contains(decimal, ".") {
		return decimal
	}
	return strings.TrimSuffix(strings.TrimRight(decimal, "0"), ".")
}

// String writes the amount as an integer in the smallest unit.
func (a Amount) String() string { return a.big().String() }

// Big returns a copy as a big.Int.
func (a Amount) Big() *big.Int { return new(big.Int).Set(a.big()) }

// Add returns a+b.
func (a Amount) Add(b Amount) Amount { return Amount{new(big.Int).Add(a.big(), b.big())} }

// Sub returns a-b.
func (a Amount) Sub(b Amount) Amount { return Amount{new(big.Int).Sub(a.big(), b.big())} }

// Neg returns -a.
func (a Amount) Neg() Amount { return Amount{new(big.Int).Neg(a.big())} }

// Cmp compares a with b: -1, 0 or 1.
func (a Amount) Cmp(b Amount) int { return a.big().Cmp(b.big()) }

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return a.big().Sign() }

// MarshalText writes the integer in the smallest unit, for JSON and for tables.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote. Sums may exceed one uint256, so only the form is checked.
func (a *Amount) UnmarshalText(text []byte) error {
	b, ok := new(big.Int).SetString(string(text), 10)
	if !ok {
		return errors.New("money: not an integer")
	}
	a.v = b
	return nil
}

func (a Amount) big() *big.Int {
	if a.v == nil {
		return new(big.Int)
	}
	return a.v
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
