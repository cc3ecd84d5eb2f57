#!/usr/bin/env python3
"""Callbacks of QuickNode Streams, signed with OpenSSL and packed with gzip (their command lines): HMAC-SHA256 over
nonce, time and body, in hex.

QuickNode publishes no package that signs or verifies: @quicknode/sdk (npm, 2.6.0) and quicknode-sdk (PyPI, 0.8.2) do
neither. The rule is that of
https://www.quicknode.com/guides/quicknode-products/streams/validating-incoming-streams-webhook-messages.

    python3 quicknode.py > quicknode.json
"""
import base64
import json
import subprocess

SECRET = "qnsec_ZmFycmllciB0ZXN0cw=="
NONCE, AT = "f6ad6459b5ad4183b3701c1388e47e83", 1800000000
BODY = json.dumps({"data": [[{"logIndex": "0x1", "removed": False}]], "metadata": {"network": "ethereum-mainnet", "stream_name": "é"}}, ensure_ascii=False)


def run(*command, data):
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def headers(secret, stamp, body):
    signature = run("openssl", "dgst", "-sha256", "-hmac", secret, data=(NONCE + stamp).encode() + body).decode().split()[-1]
    return {"X-QN-Nonce": NONCE, "X-QN-Timestamp": stamp, "X-QN-Signature": signature}


packed = run("gzip", "-n", "-9", data=BODY.encode())
plain = {"name": "plain", "secret": SECRET, "headers": headers(SECRET, str(AT), BODY.encode()), "body": BODY, "at": AT, "accepted": True}
vectors = [
    plain,
    {**plain, "name": "packed", "packed": base64.b64encode(packed).decode()},
    {**plain, "name": "packed, the signature over what is packed", "headers": headers(SECRET, str(AT), packed),
     "packed": base64.b64encode(packed).decode(), "accepted": False},
    {**plain, "name": "by another key", "headers": headers("qnsec_another", str(AT), BODY.encode()), "accepted": False},
    {**plain, "name": "with another time", "headers": {**plain["headers"], "X-QN-Timestamp": str(AT + 1)}, "accepted": False},
]
version = run("openssl", "version", data=b"").decode().split(" (")[0].strip() + ", " + run("gzip", "--version", data=b"").decode().split("\n")[0]
print(json.dumps({"judge": version, "vectors": vectors}, indent=1, ensure_ascii=False))
