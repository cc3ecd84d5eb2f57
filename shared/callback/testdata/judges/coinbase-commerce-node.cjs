// Callbacks of Coinbase Commerce, as its own package for Node signs and verifies them: coinbase-commerce-node 1.0.4 (npm, MIT).
//
//     npm install coinbase-commerce-node@1.0.4 && NODE_PATH=node_modules node coinbase-commerce-node.cjs > coinbase-commerce-node.json
const { Webhook } = require("coinbase-commerce-node");

const SECRET = "f0e58ee5-3f5c-4a53-bc5b-shared";
const body = JSON.stringify({
  attempt_number: 1, id: "29dfb3ad-0b6b-4a7d-a5c1-d4b6a2f9d1f0", scheduled_for: "2023-08-30T19:29:20Z",
  event: { id: "24934862-d980-46cb-9402-43c81b0cdba6", resource: "event", type: "charge:confirmed", api_version: "2018-03-22", data: { id: "2aee9dd1", code: "XA6G6ZFR", name: "é 马蹄" } },
});
const accepted = (signature) => {
  try {
    return !!Webhook.verifyEventBody(body, signature, SECRET);
  } catch {
    return false;
  }
};
const good = Webhook.computeSignature(body, SECRET);
const vectors = Object.entries({
  right: good, "by another secret": Webhook.computeSignature(body, "another"), cut: good.slice(0, -1), "over a space more": Webhook.computeSignature(body + " ", SECRET), empty: "",
}).map(([name, signature]) => ({
  name, secret: SECRET, headers: { "X-CC-Webhook-Signature": signature }, body, event: "24934862-d980-46cb-9402-43c81b0cdba6", accepted: accepted(signature),
}));
console.log(JSON.stringify({ judge: "coinbase-commerce-node 1.0.4", vectors }, null, 1));
