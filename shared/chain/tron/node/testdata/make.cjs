// Makes the answers that the tests serve. No node was asked: they are built in the form of java-tron 4.8's
// documentation (https://tronprotocol.github.io/documentation-en/api/, read on 2026-11-29) and of the classes
// TransactionReceipt, TransactionResult and Util.printTransaction of its source. The transactions are real ones in
// that tronweb encoded them and named them by their hash. Run beside tronweb's node_modules:
//   npm install --no-save tronweb@6.5.1 && node make.cjs
const { createHash } = require('crypto');
const { writeFileSync } = require('fs');
const { TronWeb, utils } = require('tronweb');

const form = 'built by make.cjs in the form of java-tron 4.8; no node was asked';
const mnemonic = 'test test test test test test test test test test test junk';
const party = (i) => TronWeb.address.toHex(TronWeb.fromMnemonic(mnemonic, `m/44'/195'/0'/0/${i}`).address);
const [ours, second, payer, contract] = [party(0), party(1), party(5), party(7)];
const usdt = TronWeb.address.toHex('TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t');
const fake = party(9); // a contract that calls itself USDT
const Transfer = 'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

const blockID = (height) => {
  const rest = createHash('sha256').update(`block ${height}`).digest('hex').slice(16);
  return height.toString(16).padStart(16, '0') + rest;
};
const word = (hex) => hex.padStart(64, '0');
const quantity = (n) => '0x' + n.toString(16);
const plain = (hex41) => hex41.slice(2); // without the 41
const transfer = (token, from, to, units) => ({
  address: plain(token), topics: [Transfer, word(plain(from)), word(plain(to))], data: word(BigInt(units).toString(16)),
});

let clock = 1796000000000; // of the transactions: November 2026
function signed(type, value, ret) {
  const tx = {
    visible: false, txID: '',
    raw_data: {
      contract: [{ parameter: { value, type_url: `type.googleapis.com/protocol.${type}` }, type }],
      ref_block_bytes: '1c8b', ref_block_hash: 'd78785ed02dd918f', expiration: clock + 60000, timestamp: (clock += 1000),
    },
  };
  if (type === 'TriggerSmartContract') tx.raw_data.fee_limit = 100000000;
  const pb = utils.transaction.txJsonToPb(tx);
  delete tx.visible;
  tx.txID = utils.transaction.txPbToTxID(pb).replace('0x', '');
  tx.raw_data_hex = utils.transaction.txPbToRawDataHex(pb).toLowerCase();
  tx.ret = [{ contractRet: ret }];
  tx.signature = ['00'.repeat(65)];
  return tx;
}

// one transaction as each API tells it. before is how many logs its block has before its own.
function told(height, tx, { result, failed, logs = [], before = 0, value = 0n, to }) {
  const contract = tx.raw_data.contract[0];
  const seconds = quantity(1796000000 + (height - 78000000) * 3);
  const at = { blockHash: '0x' + blockID(height), blockNumber: quantity(height), transactionHash: '0x' + tx.txID, transactionIndex: '0x0' };
  const receipt = {
    ...at, from: '0x' + plain(contract.parameter.value.owner_address), to: '0x' + plain(to),
    cumulativeGasUsed: '0x0', gasUsed: '0x0', effectiveGasPrice: '0x64', contractAddress: null,
    logs: logs.map((l, i) => ({
      ...at, address: '0x' + l.address, topics: l.topics.map((t) => '0x' + t), data: '0x' + l.data,
      blockTimestamp: seconds, logIndex: quantity(before + i), removed: false,
    })),
    logsBloom: '0x' + '00'.repeat(256), status: !result || result === 'SUCCESS' ? '0x1' : '0x0', type: '0x0',
  };
  const info = { id: tx.txID, fee: 267000, blockNumber: height, blockTimeStamp: parseInt(seconds) * 1000, contractResult: [''], receipt: { net_fee: 267000 } };
  if (result) info.receipt.result = result;
  if (failed) Object.assign(info, { result: 'FAILED', resMessage: Buffer.from(failed).toString('hex') });
  if (logs.length) info.log = logs;
  const shown = { ...at, from: receipt.from, to: receipt.to, hash: at.transactionHash, value: quantity(value), gas: '0x0', gasPrice: '0x64', input: '0x', type: '0x0' };
  return { height, transaction: tx, receipt, info, jsonrpc: shown };
}

// a call of transfer, by which wallets pay in a token; of another contract it means whatever that likes
function call(height, token, how) {
  const amount = how.amount ?? 1000000;
  const data = 'a9059cbb' + word(plain(ours)) + word(amount.toString(16));
  const ret = how.result;
  return told(height, signed('TriggerSmartContract', { owner_address: payer, contract_address: token, data }, ret), { ...how, to: token });
}
function coin(height, to, amount, how = {}) {
  return told(height, signed('TransferContract', { owner_address: payer, to_address: to, amount }, how.ret || 'SUCCESS'), { ...how, to, value: BigInt(amount) });
}

const cases = {
  'usdt': [call(78000010, usdt, { amount: 25500000, result: 'SUCCESS', before: 3, logs: [transfer(usdt, payer, ours, 25500000)] })],
  'two-in-one': [call(78000011, contract, {
    result: 'SUCCESS', before: 4,
    logs: [
      { address: plain(contract), topics: ['c66625d03b4a832d8245f0df593e32e0fbbbad96d4aa45440aa1535b80983083'], data: '' },
      transfer(usdt, payer, ours, 10000000), transfer(usdt, payer, second, 20000000),
    ],
  })],
  'out-of-energy': [
    call(78000012, usdt, { result: 'OUT_OF_ENERGY', failed: 'Not enough energy', logs: [] }),
    call(78000012, usdt, { result: 'OUT_OF_ENERGY', failed: 'Not enough energy', logs: [transfer(usdt, payer, ours, 1000000)] }),
  ],
  'revert': [
    call(78000013, usdt, { result: 'REVERT', failed: 'REVERT opcode executed', logs: [] }),
    call(78000013, usdt, { result: 'REVERT', failed: 'REVERT opcode executed', before: 7, logs: [transfer(usdt, payer, ours, 1000000)] }),
  ],
  'no-event': [call(78000014, usdt, { result: 'SUCCESS', logs: [] })],
  'fake': [
    call(78000015, fake, { result: 'SUCCESS', logs: [transfer(fake, payer, ours, 1000000000)] }),
    call(78000015, contract, { result: 'SUCCESS', before: 1, logs: [transfer(fake, payer, ours, 5000000), transfer(usdt, payer, ours, 5)] }),
  ],
  'nothing': [call(78000016, usdt, { amount: 0, result: 'SUCCESS', logs: [transfer(usdt, payer, ours, 0)] })],
  'trx': [coin(78000017, ours, 12500000)],
  'trx-failed': [
    coin(78000018, ours, 7000000, { ret: 'FAILED', result: 'UNKNOWN', failed: 'balance is not sufficient' }),
    coin(78000018, ours, 8000000, { failed: 'balance is not sufficient' }),
  ],
  'trc10': [told(78000019, signed('TransferAssetContract', { asset_name: Buffer.from('1002000').toString('hex'), owner_address: payer, to_address: ours, amount: 9000000 }, 'SUCCESS'), { to: ours, value: 9000000n })],
};
for (const [name, transactions] of Object.entries(cases)) writeFileSync(`${__dirname}/${name}.json`, JSON.stringify({ form, transactions }, null, 1) + '\n');
