// Prints judged.json: the links of some payments as other libraries make them. Run beside its node_modules:
//   npm install --no-save ethers@6.17.0 eth-url-parser@1.0.4 bip21@3.0.0 && node judge.mjs > judged.json
// ethers encodes the call, eth-url-parser writes EIP-681, bip21 writes BIP-21, and JavaScript itself the rest as the wallets'
// pages say (see link.go).
import { Interface, getAddress } from 'ethers';
import ethURL from 'eth-url-parser';
import * as bip21 from 'bip21';
import assert from 'node:assert';

const token = new Interface(['function transfer(address to, uint256 amount)']);
const to = '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed';
const expires = 1795262400;
const callback = 'https://api.example.com/callbacks/con_01JD0Z5T3N8Q4W7R2X9Y6V1K5M?order=pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M&secret=0f1e';
const page = 'https://shop.example/pay?order=1 & 2#zahlen-für-ü';
const action = 'pay_01JD0Z5T3N8Q4W7R2X9Y6V1K5M';

const cases = [
  { name: 'USDT on Polygon', asset: 'eip155:137/erc20:0xc2132d05d31c914a87c6611c10748aeb04b58e8f', symbol: 'USDT', decimals: 6, units: '10500000', to, callback, page },
  { name: 'POL', asset: 'eip155:137/slip44:966', symbol: 'POL', decimals: 18, units: '1000000000000000001', to },
  { name: 'USDT on BSC, of 18 decimals', asset: 'eip155:56/erc20:0x55d398326f99059ff775485246999027b3197955', symbol: 'USDT', decimals: 18, units: '115792089237316195423570985008687907853269984665640564039457584007913129639935', to },
  { name: 'USDT on Arbitrum One', asset: 'eip155:42161/erc20:0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9', symbol: 'USDT', decimals: 6, units: '10500000', to },
  { name: 'ETH on Arbitrum One', asset: 'eip155:42161/slip44:60', symbol: 'ETH', decimals: 18, units: '1000000000000000001', to },
  { name: 'BTC', asset: 'bip122:000000000019d6689c085ae165831e93/slip44:0', symbol: 'BTC', decimals: 8, units: '123456', to: 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu', callback, page },
  { name: 'USDT on TRON', asset: 'tron:0x2b6653dc/trc20:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t', symbol: 'USDT', decimals: 6, units: '10500000', to: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6', callback, page },
  { name: 'TRX', asset: 'tron:0x2b6653dc/slip44:195', symbol: 'TRX', decimals: 6, units: '3000000', to: 'TWer2Ygk5TEheHp3TPuYeqxmB6SsGZmaL6' },
];

// decimal writes units in the asset's own unit, without idle zeros.
function decimal(units, decimals) {
  const digits = units.padStart(decimals + 1, '0');
  const text = `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/0+$/, '').replace(/\.$/, '');
  return text;
}

function tokenPocket(c, network, chainId, more) {
  const param = {
    protocol: 'TokenPocket', version: '2.0', actionId: action, blockchains: [{ chainId, network }], expired: String(expires),
    ...(c.callback ? { callbackUrl: c.callback } : {}), ...more,
  };
  // Keys in the order in which the link has them; an amount of TRON's is a number, written with all its digits.
  const text = JSON.stringify(param, Object.keys(param).sort().concat('chainId', 'network')).replace(/"amount":"([0-9.]+)"/, '"amount":$1');
  return `tpoutside://pull.activity?param=${encodeURIComponent(text)}`;
}

// eip681 is eth-url-parser's text with the amount in digits: it writes an exponent, which it reads as the same number.
function eip681(asked, units) {
  const written = ethURL.build(asked);
  const plain = written.replace(/=[0-9.e]+$/, `=${units}`);
  assert.deepEqual(ethURL.parse(plain), { ...ethURL.parse(written) });
  return plain;
}

function links(c) {
  const [chain, rest] = c.asset.split('/');
  const [namespace, id] = chain.split(':');
  const contract = rest.split(':')[0] === 'slip44' ? null : rest.split(':')[1];
  const made = { address: namespace === 'eip155' ? getAddress(c.to) : c.to };
  if (namespace === 'eip155') {
    const hex = '0x' + BigInt(c.units).toString(16);
    const data = contract && token.encodeFunctionData('transfer', [c.to, c.units]);
    made.eip681 = contract
      ? eip681({ target_address: getAddress(contract), chain_id: id, function_name: 'transfer', parameters: { address: getAddress(c.to), uint256: c.units } }, c.units)
      : eip681({ target_address: getAddress(c.to), chain_id: id, parameters: { value: c.units } }, c.units);
    made.metamask = contract
      ? new URL(`https://link.metamask.io/send/${getAddress(contract)}@${id}/transfer?${new URLSearchParams({ address: getAddress(c.to), uint256: c.units })}`).href
      : new URL(`https://link.metamask.io/send/${getAddress(c.to)}@${id}?${new URLSearchParams({ value: c.units })}`).href;
    const gas = '0x' + (id === '42161' ? 1_000_000 : 100_000).toString(16);
    const txData = contract
      ? { chainId: id, data, gas, to: getAddress(contract) }
      : { chainId: id, gas, to: getAddress(c.to), value: hex };
    made.tokenpocket = tokenPocket(c, 'ethereum', id, { action: 'pushTransaction', txData: JSON.stringify(txData) });
  }
  if (namespace === 'bip122') made.bip21 = bip21.encode(c.to, { amount: decimal(c.units, 8) });
  if (namespace === 'tron') {
    made.tokenpocket = tokenPocket(c, 'tron', '728126428', {
      action: 'transfer', amount: decimal(c.units, c.decimals), ...(contract ? { contract } : {}), decimal: c.decimals, precision: c.decimals, symbol: c.symbol, to: c.to,
    });
  }
  if (c.page && namespace !== 'bip122') made.imtoken = `imtokenv2://navigate/DappView?url=${encodeURIComponent(c.page)}`;
  return made;
}

const by = 'ethers 6.17.0, eth-url-parser 1.0.4 and bip21 3.0.0, run by judge.mjs on 2026-11-29';
console.log(JSON.stringify({ by, action, expires, cases: cases.map((c) => ({ ...c, links: links(c) })) }, null, 1));
