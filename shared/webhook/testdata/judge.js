// Judges webhooks: v1 by the package standardwebhooks, v1a by Node's crypto and the specification.
// Reads a JSON list of {"key", "headers", "body"} and writes a JSON list of true and false.

const crypto = require("node:crypto");
const fs = require("node:fs");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

function believed({ key, headers, body }) {
  if (key.startsWith("whpk_")) return byPublicKey(key, headers, body);
  try {
    new Webhook(key).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function byPublicKey(key, headers, body) {
  const x = Buffer.from(key.slice("whpk_".length), "base64").toString("base64url");
  const publicKey = crypto.createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const content = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
  return headers["webhook-signature"].split(" ").some((part) => {
    const [version, signature] = part.split(",");
    return version === "v1a" && crypto.verify(null, content, publicKey, Buffer.from(signature, "base64"));
  });
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).map(believed)));
