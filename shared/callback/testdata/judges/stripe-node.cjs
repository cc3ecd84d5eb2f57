// Callbacks of Stripe, as its own package for Node signs and verifies them: stripe 23.1.0 (npm, MIT).
//
//     npm install stripe@23.1.0 && NODE_PATH=node_modules node stripe-node.cjs > stripe-node.json
const Stripe = require("stripe");

const { webhooks } = new Stripe("sk_test_of_nobody");
const SECRET = "whsec_Zm9yIHRlc3RzIG9ubHk", AT = 1800000000;
const body = JSON.stringify({ id: "evt_1MqqbKLt4dXK03v5qaIbiNCC", object: "event", type: "payment_intent.succeeded", data: { object: { id: "pi_1", description: "é 马蹄" } } }, null, 2);
const header = (options) => webhooks.generateTestHeaderString({ payload: body, secret: SECRET, timestamp: AT, ...options });
const good = header({});
const cases = {
  right: good, "by another secret": header({ secret: "whsec_another" }), "another scheme": header({ scheme: "v0" }), "two, the second right": header({ secret: "whsec_another" }) + "," + good.split(",")[1],
  "five minutes old": header({ timestamp: AT - 300 }), "a second older": header({ timestamp: AT - 301 }), "over another body": header({ payload: body + " " }), "no time": good.split(",")[1], cut: good.slice(0, -2),
};
const accepted = (signature) => {
  try {
    return !!webhooks.constructEvent(body, signature, SECRET, 300, undefined, AT * 1000);
  } catch {
    return false;
  }
};
const vectors = Object.entries(cases).map(([name, signature]) => ({
  name, secret: SECRET, headers: { "Stripe-Signature": signature }, body, at: AT, event: "evt_1MqqbKLt4dXK03v5qaIbiNCC", accepted: accepted(signature),
}));
console.log(JSON.stringify({ judge: "stripe 23.1.0 (Node)", vectors }, null, 1));
