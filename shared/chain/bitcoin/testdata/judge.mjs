// Native segwit addresses (BIP-84) as bitcoinjs-lib and bip32 derive them from the accounts of two well-known phrases, that of
// BIP-84 and that of anvil and Hardhat, and payment URIs as bip21 writes them. In an empty folder, with this file copied there:
//
//     npm install bitcoinjs-lib@7.0.5 bip32@5.0.1 bip39@3.1.2 tiny-secp256k1@2.2.4 bip21@3.0.0
//     node judge.mjs > bitcoinjs.json
import { BIP32Factory } from "bip32";
import { encode } from "bip21";
import { mnemonicToSeedSync } from "bip39";
import { networks, payments } from "bitcoinjs-lib";
import * as ecc from "tiny-secp256k1";

const bip32 = BIP32Factory(ecc);
const on = {
  "000000000019d6689c085ae165831e93": networks.bitcoin,
  "000000000933ea01ad0ee984209779ba": networks.testnet,
  "0f9188f13cb7b2c71f2a335e3a4fc328": networks.regtest,
  "683e86bd5c6d110d91b94b97137ba6bf": { ...networks.regtest, bech32: "sb", bip32: { public: 0x0420bd3a, private: 0x0420b900 } }, // btcd's simnet
};
const phrases = ["abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about", "test test test test test test test test test test test junk"];
const places = [[0, 0], [0, 1], [1, 0], [0, 2147483647]];

const addresses = [];
for (const phrase of phrases) {
  for (const [reference, network] of Object.entries(on)) {
    const coin = network === networks.bitcoin ? 0 : 1;
    const account = bip32.fromSeed(mnemonicToSeedSync(phrase), network).derivePath(`m/84'/${coin}'/0'`).neutered();
    for (const [branch, index] of places) {
      const { address } = payments.p2wpkh({ pubkey: account.derive(branch).derive(index).publicKey, network });
      addresses.push({ network: reference, account: account.toBase58(), path: `m/84'/${coin}'/0'/${branch}/${index}`, branch, index, address });
    }
  }
}

const amounts = [["1", "0.00000001"], ["2030000000", "20.3"], ["5000000000", "50"], ["123456789", "1.23456789"], ["2099999997690000", "20999999.9769"]];
const labels = [undefined, "Luke-Jr", "Donation for project xyz", "马蹄 & a=b?+#%/\"!'()*~"];
const uris = amounts.flatMap(([satoshis, amount]) => labels.map((label) => (
  { address: addresses[0].address, satoshis, label, message: label, uri: encode(addresses[0].address, { amount, label, message: label }) })));
console.log(JSON.stringify({ addresses, uris }, null, 1));
