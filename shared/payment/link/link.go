package link

import (
	"bytes"
	"encoding/json"
	"math/big"
	"net/url"
	"strconv"
	"strings"
	"time"

	"farrier/shared/chain/bitcoin"
	"farrier/shared/chain/evm"
	"farrier/shared/chain/tron"
	"farrier/shared/money"
)

// Asked is what a payer is asked for.
type Asked struct {
	Asset    money.Asset
	Symbol   string
	Decimals int
	Amount   money.Amount
	Address  string // canonical

	Name    string    // of the request, which TokenPocket gives back in its callback
	Expires time.Time // when the wallet is to offer it no more

	CallbackURL string // where TokenPocket tells what became of it; empty for nowhere
	PageURL     string // the page on which the payer pays, for wallets that open pages; empty for none
}

// Links are all that there are for one asset. Several wallets and exchanges read only the plain address.
type Links struct {
	Address     string `json:"address" doc:"the plain address: several wallets and exchanges read nothing else"`
	EIP681      string `json:"eip681,omitempty" doc:"EIP-681 payment request with asset and amount, on EVM chains"`
	BIP21       string `json:"bip21,omitempty" doc:"BIP-21 payment request with amount, for Bitcoin"`
	MetaMask    string `json:"metamask,omitempty" doc:"opens MetaMask on a phone, on EVM chains"`
	TokenPocket string `json:"tokenpocket,omitempty" doc:"opens TokenPocket on a phone, on EVM chains and on TRON"`
	ImToken     string `json:"imtoken,omitempty" doc:"opens the payment's page_url in imToken on a phone"`
}

// Of are the links for what is asked.
func Of(a Asked) Links {
	family, chain, _ := strings.Cut(a.Asset.Chain(), ":")
	switch family {
	case "eip155":
		return Links{
			Address: evm.Checksum(a.Address), EIP681: evm.PaymentURI(a.Asset, a.Address, a.Amount),
			MetaMask: metaMask(a, chain), TokenPocket: tokenPocketOnEVM(a, chain), ImToken: imToken(a),
		}
	case "tron":
		return Links{Address: a.Address, TokenPocket: tokenPocketOnTRON(a), ImToken: imToken(a)}
	case "bip122":
		return Links{Address: a.Address, BIP21: bitcoin.PaymentURI(bitcoin.Request{Address: a.Address, Amount: a.Amount})}
	default:
		return Links{Address: a.Address}
	}
}

// contract is the token's contract; empty for the chain's own coin.
func (a Asked) contract() string {
	if a.Asset.Kind() == "slip44" {
		return ""
	}
	return a.Asset.Reference()
}

// metaMask is the "send" deeplink of the mobile app
// (https://docs.metamask.io/metamask-connect/evm/guides/metamask-exclusive/use-deeplinks/, read 2026-11-29).
func metaMask(a Asked, chain string) string {
	const send = "https://link.metamask.io/send/"
	if contract := a.contract(); contract != "" {
		return send + evm.Checksum(contract) + "@" + chain + "/transfer?address=" + evm.Checksum(a.Address) + "&uint256=" + a.Amount.String()
	}
	return send + evm.Checksum(a.Address) + "@" + chain + "?value=" + a.Amount.String()
}

// imToken opens a page in the app's browser, which has a wallet for EVM chains and TRON in it; the app has no link that
// pays by itself (https://imtoken.gitbook.io/developers/products/deep-linking, read 2026-11-29).
func imToken(a Asked) string {
	if a.PageURL == "" {
		return ""
	}
	return "imtokenv2://navigate/DappView?url=" + escaped(a.PageURL)
}

// param is what TokenPocket is asked for: https://help.tokenpocket.pro/developer-en/wallet/pull-up-wallet-with-deeplink and
// https://github.com/TP-Lab/tp-wallet-sdk, README_EN.md and "TxData Example.md" of 2023-09-19, read 2026-11-29. Its fields
// stand in their order here, which is the one of their names.
type param struct {
	Action      string      `json:"action"`
	ActionID    string      `json:"actionId"`
	Amount      json.Number `json:"amount,omitempty"` // in the asset's own unit
	Blockchains [1]network  `json:"blockchains"`
	CallbackURL string      `json:"callbackUrl,omitempty"`
	Contract    string      `json:"contract,omitempty"`
	Decimal     *int        `json:"decimal,omitempty"`
	Expired     string      `json:"expired"` // seconds since 1970
	Precision   *int        `json:"precision,omitempty"`
	Protocol    string      `json:"protocol"`
	Symbol      string      `json:"symbol,omitempty"`
	To          string      `json:"to,omitempty"`
	TxData      string      `json:"txData,omitempty"` // a txData, written as JSON in a text
	Version     string      `json:"version"`
}

type network struct {
	ChainID string `json:"chainId"`
	Network string `json:"network"`
}

type txData struct {
	ChainID string `json:"chainId"`
	Data    string `json:"data,omitempty"`
	Gas     string `json:"gas"`
	To      string `json:"to"`
	Value   string `json:"value,omitempty"`
}

// gas is a limit that transfers of tokens and coins stay below; what is left of it is not paid for. Arbitrum One charges the
// price of the data on Ethereum in gas of its own, within the limit, so that much is used there when Ethereum is busy; its
// gas costs little (https://docs.arbitrum.io/build-decentralized-apps/how-to-estimate-gas, of Offchain Labs, a copy read
// 2026-11-29). Chains of the OP Stack take that price beside the limit.
func gas(chain string) string {
	if chain == arbitrumOne {
		return "0xf4240" // 1,000,000
	}
	return "0x186a0" // 100,000
}

const arbitrumOne = "42161"

// tokenPocketOnEVM is by the action pushTransaction, since newer apps for iOS know no "transfer". Who sends is the wallet's
// to say, so there is no "from".
func tokenPocketOnEVM(a Asked, chain string) string {
	tx := txData{ChainID: chain, Gas: gas(chain), To: evm.Checksum(a.Address)}
	if contract := a.contract(); contract != "" {
		tx.To, tx.Data = evm.Checksum(contract), transferCall(a.Address, a.Amount)
	} else {
		tx.Value = "0x" + a.Amount.Big().Text(16)
	}
	return tokenPocket(a, network{chain, "ethereum"}, param{Action: "pushTransaction", TxData: written(tx)})
}

// transferCall is the data of a call of transfer(address,uint256) (https://eips.ethereum.org/EIPS/eip-20).
func transferCall(to string, amount money.Amount) string {
	address, _ := new(big.Int).SetString(strings.TrimPrefix(to, "0x"), 16)
	return "0xa9059cbb" + word(address) + word(amount.Big())
}

func word(n *big.Int) string {
	digits := n.Text(16)
	return strings.Repeat("0", 64-len(digits)) + digits
}

// tronNumber is what TokenPocket calls TRON's main network.
const tronNumber = "728126428"

// tokenPocketOnTRON is by the action "transfer": TRON's pushTransaction takes a whole transaction, with the payer's address
// and a block of this minute in it. The app has no number for TRON's test networks.
func tokenPocketOnTRON(a Asked) string {
	if a.Asset.Chain() != tron.Mainnet {
		return ""
	}
	return tokenPocket(a, network{tronNumber, "tron"}, param{
		Action: "transfer", Amount: json.Number(a.Amount.Shortest(a.Decimals)), Contract: a.contract(),
		Decimal: &a.Decimals, Precision: &a.Decimals, Symbol: a.Symbol, To: a.Address,
	})
}

func tokenPocket(a Asked, on network, p param) string {
	p.Protocol, p.Version, p.ActionID, p.Blockchains = "TokenPocket", "2.0", a.Name, [1]network{on}
	p.CallbackURL, p.Expired = a.CallbackURL, strconv.FormatInt(a.Expires.Unix(), 10)
	return "tpoutside://pull.activity?param=" + escaped(written(p))
}

// written is the JSON of one of the types above.
func written(v any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // a URL in it stays readable
	_ = encoder.Encode(v)        // texts and numbers alone
	return strings.TrimSuffix(out.String(), "\n")
}

// escaped percent-encodes all that RFC 3986 reserves, as JavaScript's encodeURIComponent does.
func escaped(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
