// Vectors of Fireblocks: detached JWS made by the library that its documents verify with, jose 6.2.18 (npm), and the older
// header by OpenSSL as Node has it. The keys are made anew by each run; only the public ones are kept.
//
//     npm install jose@6.2.18 && node fireblocks.mjs > fireblocks.json
import { createSign, generateKeyPairSync } from "node:crypto";
import { CompactSign, exportJWK } from "jose";

const pair = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const [own, other] = [pair(), pair()];
const kid = "webhook-key-2025-01";
const jwk = { ...(await exportJWK(own.publicKey)), kid, use: "sig", alg: "RS512" };
const secret = own.publicKey.export({ type: "spki", format: "pem" });
const bodies = {
  "version 2": '{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "eventType": "vault_account.created", "eventVersion": 1}',
  "text beyond ASCII": '{"id":"e-2","eventType":"vault_account.created","data":{"name":"马蹄 é"}}',
  empty: "",
};
const jws = async (key, body) => {
  const [header, , signature] = (await new CompactSign(new TextEncoder().encode(body)).setProtectedHeader({ alg: "RS512", kid }).sign(key)).split(".");
  return { "Fireblocks-Webhook-Signature": `${header}..${signature}` };
};
const older = (key, body) => ({ "Fireblocks-Signature": createSign("RSA-SHA512").update(body).sign(key, "base64") });
const vectors = [];
for (const [name, body] of Object.entries(bodies)) {
  for (const [whose, key, accepted] of [["", own.privateKey, true], [", by another key", other.privateKey, false]]) {
    vectors.push({ name: `${name}, JWS${whose}`, jwks: JSON.stringify({ keys: [jwk] }), headers: await jws(key, body), body, accepted });
    vectors.push({ name: `${name}, the older header${whose}`, secret, headers: older(key, body), body, accepted });
  }
}
console.log(JSON.stringify({ judge: "jose 6.2.18, OpenSSL " + process.versions.openssl, vectors }, null, 1));
