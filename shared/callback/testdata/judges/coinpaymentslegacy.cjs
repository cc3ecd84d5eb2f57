// Vectors of CoinPayments' legacy IPN, believed or not by a library that others use: coinpayments-ipn 1.0.0 (npm, ISC;
// of its community, CoinPayments publishes none).
//
//     npm install coinpayments-ipn@1.0.0 && node coinpaymentslegacy.cjs > coinpaymentslegacy.json
const { createHmac } = require("node:crypto");
const { stringify } = require("node:querystring");
const { verify } = require("coinpayments-ipn");

const secret = "an IPN secret: !$%&/()=?";
const payloads = {
  payment: { ipn_version: "1.0", ipn_type: "api", ipn_mode: "hmac", ipn_id: "5f1b4d2c9e1a4", merchant: "m-1", status: "100", txn_id: "CPDA4VUGSBHYLXXXX" },
  "text beyond ASCII": { ipn_type: "deposit", ipn_id: "7", status: "0", label: "马蹄 é & more" },
};
const vector = (name, key, payload) => {
  const body = stringify(payload).replace(/%20/g, "+");
  const hmac = createHmac("sha512", key).update(body).digest("hex");
  return { name, secret, headers: { HMAC: hmac }, body, accepted: verify(hmac, secret, payload), event: payload.ipn_id };
};
const vectors = Object.entries(payloads).flatMap(([name, payload]) => [
  vector(name, secret, payload), vector(`${name}, by another key`, "another", payload),
]);
console.log(JSON.stringify({ judge: "coinpayments-ipn 1.0.0", vectors }, null, 1));
