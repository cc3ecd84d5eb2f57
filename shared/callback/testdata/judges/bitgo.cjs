// Vectors of BitGo: the HMAC of its own SDK, @bitgo/sdk-hmac 1.9.0 (npm). BitGo verifies a webhook by asking its API; the
// SDK has the function that makes the HMAC, and no other.
//
//     npm install @bitgo/sdk-hmac@1.9.0 && node bitgo.cjs > bitgo.json
const { calculateHMAC } = require("@bitgo/sdk-hmac");

const secret = "v2xb3b1f3d1c5e4a0c9f8a7d6e5c4b3a2918";
const bodies = {
  transfer: '{"hash": "77d342de7bc66ed3cbccc2f1c2a8250f1d6f9f0d33fa0d2338baa2ee2cd35cce", "transfer": "67ee1f20", "coin": "tbtc", "type": "transfer", "state": "unconfirmed", "wallet": "67ee1c55"}',
  "text beyond ASCII": '{"type":"admin","label":"马蹄 é"}',
  empty: "",
};
const events = { transfer: "transfer/67ee1c55/67ee1f20/unconfirmed" };
const vector = (name, key, body, accepted) => ({
  name, secret, headers: { "x-signature-sha256": calculateHMAC(key, body) }, body, accepted, event: events[name],
});
const vectors = Object.entries(bodies).flatMap(([name, body]) => [
  vector(name, secret, body, true), vector(`${name}, by another key`, "another", body, false),
]);
console.log(JSON.stringify({ judge: "@bitgo/sdk-hmac 1.9.0", vectors }, null, 1));
