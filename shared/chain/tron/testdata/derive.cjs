// Prints derived.json: the addresses that tronweb derives. Run beside its node_modules:
//   npm install --no-save tronweb@6.5.1 && node derive.cjs > derived.json
const { TronWeb } = require('tronweb');
const mnemonic = 'test test test test test test test test test test test junk';
const made = [];
for (let i = 0; i < 10; i++) {
  const path = `m/44'/195'/0'/0/${i}`;
  const { address, publicKey } = TronWeb.fromMnemonic(mnemonic, path);
  made.push({ path, publicKey: publicKey.slice(2), hex: TronWeb.address.toHex(address), address });
}
console.log(JSON.stringify({ by: 'tronweb 6.5.1, run by derive.cjs on 2026-11-29', mnemonic, made }, null, 1));
