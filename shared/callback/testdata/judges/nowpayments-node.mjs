// Callbacks of NOWPayments, signed by the rule in its documentation (https://documenter.getpostman.com/view/7907941/S1a32n38,
// read 2026-11-24) with the JSON and the HMAC of Node: what its own service, which is written in JavaScript, makes of numbers,
// of text beyond ASCII, and of lists, which its example sorts like objects.
//
//     node nowpayments-node.mjs > nowpayments-node.json
import { createHmac } from "node:crypto";

const SECRET = "6f9ZkT7u-an IPN secret";
const likeItsExample = (v) => (v && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, likeItsExample(v[k])])) : v);
const asLists = (v) => (Array.isArray(v) ? v.map(asLists) : v && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, asLists(v[k])])) : v);
const sign = (v) => createHmac("sha512", SECRET).update(JSON.stringify(v)).digest("hex");

const body = {
  payment_id: 4522625843, payment_status: "confirmed", actually_paid: 1.5e-7, pay_amount: 1e21, price_amount: 100, order_description: "é 马蹄 \u2028 </script> \"\\ \b\u0001",
  payment_extra_ids: [5513339153, { z: 1, a: [] }], fee: { withdrawalFee: 0.0000001, currency: "btc" }, updated_at: 1706000000001,
};
const text = JSON.stringify(body);
const vector = (name, signature, accepted) => ({
  name, secret: SECRET, headers: { "x-nowpayments-sig": signature }, body: text, event: "4522625843:confirmed:1706000000001", accepted,
});
console.log(JSON.stringify({ judge: `Node ${process.version}`, vectors: [
  vector("lists as objects", sign(likeItsExample(body)), true),
  vector("lists as lists", sign(asLists(body)), true),
  vector("not sorted", sign(body), false),
  vector("sorted at the top alone", sign(Object.fromEntries(Object.keys(body).sort().map((k) => [k, body[k]]))), false),
  vector("in capitals", sign(asLists(body)).toUpperCase(), true),
] }, null, 1));
