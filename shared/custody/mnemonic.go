package custody

import (
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"strings"

	"golang.org/x/crypto/pbkdf2"
)

// english is the list of https://github.com/bitcoin/bips/blob/master/bip-0039/english.txt, to the letter.
//
//go:embed english.txt
var english string

var words = strings.Fields(english)

// entropyLength is how many random bytes 24 words stand for.
const entropyLength = 32

// mnemonic writes 32 bytes as 24 words of BIP-39: 11 bits for each, the last eight of them the first of the bytes' SHA-256.
// It is bytes, not a string, so that whoever is done with it can overwrite it. That, and that no library of BIP-39 in Go has
// had a release since 2020, is why it stands here.
func mnemonic(entropy *[entropyLength]byte) []byte {
	sum := sha256.Sum256(entropy[:])
	var all [entropyLength + 1]byte
	copy(all[:], entropy[:])
	all[entropyLength] = sum[0]
	defer clear(all[:])
	text := make([]byte, 0, 24*9) // no word is longer than 8 letters, so that nothing is left behind by growing
	word, bits := 0, 0
	for _, b := range all {
		for i := 7; i >= 0; i-- {
			word = word<<1 | int(b>>i&1)
			if bits++; bits%11 == 0 {
				if len(text) > 0 {
					text = append(text, ' ')
				}
				text = append(text, words[word]...)
				word = 0
			}
		}
	}
	return text
}

// stretched is the seed of BIP-32 that words stand for, without a passphrase.
func stretched(mnemonic []byte) []byte {
	return pbkdf2.Key(mnemonic, []byte("mnemonic"), 2048, 64, sha512.New)
}
