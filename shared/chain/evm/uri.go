package evm

import (
	"strings"

	"farrier/shared/money"
)

// PaymentURI asks a wallet to send an amount of an asset to an address, in the form of
// EIP-681 (https://eips.ethereum.org/EIPS/eip-681): a token's transfer, or value of the chain's coin.
// It is empty for an asset that is on no EVM chain.
func PaymentURI(asset money.Asset, to string, amount money.Amount) string {
	chain, ok := strings.CutPrefix(asset.Chain(), "eip155:")
	if !ok {
		return ""
	}
	switch asset.Kind() {
	case "erc20":
		return "ethereum:" + Checksum(asset.Reference()) + "@" + chain + "/transfer?address=" + Checksum(to) + "&uint256=" + amount.String()
	case "slip44":
		return "ethereum:" + Checksum(to) + "@" + chain + "?value=" + amount.String()
	default:
		return ""
	}
}
