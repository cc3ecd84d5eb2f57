// Notices that Alipay's own SDK for Node.js believes, and altered ones that it refuses, for alipay_test.go:
// npm install alipay-sdk@4.14.0; node alipay.mjs > alipay.json
import { generateKeyPairSync, sign } from 'node:crypto';
import { AlipaySdk } from 'alipay-sdk';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const alipayPublicKey = publicKey.export({ type: 'spki', format: 'pem' });
const sdk = new AlipaySdk({
  appId: '2014072300007148', alipayPublicKey,
  privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }), // of the app; nothing is signed with it here
});
const usual = {
  gmt_create: '2026-11-24 14:10:44', charset: 'utf-8', gmt_payment: '2026-11-24 14:10:47', notify_time: '2026-11-24 14:10:49',
  subject: '大乐透2.1 & 100% + more', body: '', buyer_id: '2088000000000000', version: '1.0', notify_type: 'trade_status_sync',
  notify_id: '4a91b7a78a503640467525113fb7d8bg8e', trade_no: '2016071921001003030200089909', total_amount: '2.00',
  trade_status: 'TRADE_SUCCESS', refund_fee: '0.00', out_trade_no: '0719141034-6418', app_id: '2014072300007148', seller_id: '2088000000000001',
};
const vectors = [];
for (const [kind, change] of [
  ['payment.paid', {}],
  ['payment.paid', { trade_status: 'TRADE_FINISHED' }],
  ['payment.pending', { trade_status: 'WAIT_BUYER_PAY' }],
  ['payment.expired', { trade_status: 'TRADE_CLOSED' }],
  ['payment.refunded', { refund_fee: '0.50', gmt_refund: '2026-11-24 15:00:00.123', out_biz_no: 'r-1' }],
]) {
  const fields = { ...usual, ...change };
  const text = Object.keys(fields).sort().map(name => `${name}=${fields[name]}`).join('&');
  const signed = { ...fields, sign_type: 'RSA2', sign: sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64') };
  const altered = { ...signed, total_amount: '20.00' };
  if (!sdk.checkNotifySignV2(signed) || sdk.checkNotifySignV2(altered)) throw new Error('the SDK judges otherwise');
  vectors.push({ sdk: 'alipay-sdk 4.14.0', key: alipayPublicKey, kind, body: new URLSearchParams(signed).toString(), altered: new URLSearchParams(altered).toString() });
}
console.log(JSON.stringify(vectors, null, 1));
