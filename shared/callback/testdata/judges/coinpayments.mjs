// Vectors of CoinPayments: the recipe of its documents
// (https://a-docs.coinpayments.net/api/auth/generate-api-signature) run with the library that its own sample uses,
// crypto-js 4.2.0 (npm).
//
//     npm install crypto-js@4.2.0 && node coinpayments.mjs > coinpayments.json
import CryptoJS from "crypto-js";

const secret = "9ZFHcnGMxawADeXRfDtNkQDCjFUK5998oOMhl51QvzM="; // of the documents' example
const client = "dc6a16e545c34187ba21a9edbbe484a5";
const url = "https://pay.example.com/callbacks/con_01JD0000000000000000000000";
const at = new Date(1_800_000_000_000).toISOString().split(".")[0];
const bodies = {
  created: '{"id": "8a49a588266246a2ab5f43217ca993bd", "type": "InvoiceCreated", "timestamp": "2024-07-01T11:04:06.8033575+00:00", "invoice": {"state": "Unpaid"}}',
  "text beyond ASCII": '{"type":"invoicePaid","invoice":{"notes":"马蹄 é"}}',
  empty: "",
};
const sign = (key, body) => CryptoJS.enc.Base64.stringify(CryptoJS.HmacSHA256(`\ufeffPOST${url}${client}${at}${body}`, key));
const vector = (name, key, body, accepted) => ({
  name, secret, url, accepted, body,
  headers: { "X-CoinPayments-Client": client, "X-CoinPayments-Timestamp": at, "X-CoinPayments-Signature": sign(key, body) },
});
const vectors = Object.entries(bodies).flatMap(([name, body]) => [
  vector(name, secret, body, true), vector(`${name}, by another key`, "another secret", body, false),
]);
console.log(JSON.stringify({ judge: "crypto-js 4.2.0", vectors }, null, 1));
