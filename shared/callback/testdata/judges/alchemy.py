#!/usr/bin/env python3
"""Callbacks of Alchemy Notify, signed with OpenSSL (its command line, 3.0.x): HMAC-SHA256 over the body, in hex.

Alchemy publishes no package that signs or verifies: alchemy-sdk (npm, 3.6.5) only manages webhooks. The rule is that of
https://www.alchemy.com/docs/reference/notify-api-quickstart, the section on signatures; the bodies are those of
https://www.alchemy.com/docs/reference/address-activity-webhook, shortened.

    python3 alchemy.py > alchemy.json
"""
import json
import subprocess

SECRET = "whsec_JkB9nJHq2Xw7"
BODIES = {
    "address activity": json.dumps({"webhookId": "wh_k63lg72rxda78gce", "id": "whevt_vq499kv7elmlbp2v", "type": "ADDRESS_ACTIVITY",
                                    "event": {"network": "ETH_MAINNET", "activity": []}}, separators=(",", ":")),
    "spaces and text beyond ASCII": json.dumps({"id": "whevt_2", "type": "GRAPHQL", "event": {"data": "é 马蹄"}}, indent=2, ensure_ascii=False),
    "without an id": '{"type":"ADDRESS_ACTIVITY"}',
}


def hmac(secret, body):
    out = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", secret], input=body.encode(), capture_output=True, check=True)
    return out.stdout.decode().split()[-1]


vectors = []
for name, body in BODIES.items():
    good = {"name": name, "secret": SECRET, "headers": {"X-Alchemy-Signature": hmac(SECRET, body)}, "body": body, "accepted": True}
    if "whevt" in body:
        good["event"] = json.loads(body)["id"]
    vectors += [good, {**good, "name": name + ", by another key", "headers": {"X-Alchemy-Signature": hmac("whsec_another", body)}, "accepted": False}]
version = subprocess.run(["openssl", "version"], capture_output=True, check=True).stdout.decode().split(" (")[0].strip()
print(json.dumps({"judge": version, "vectors": vectors}, indent=1, ensure_ascii=False))
