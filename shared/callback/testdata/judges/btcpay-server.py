#!/usr/bin/env python3
"""Callbacks of a BTCPay Server, signed with OpenSSL (its command line): "sha256=" and HMAC-SHA256 over the body, in hex.

BTCPay Server has no package in the registries that signs or verifies (btcpay-python-sdk 0.1.0 does neither). The rule is that
of its API's document (Greenfield, webhooks: "similar to how to secure webhooks in GitHub") and of its source; the first vector
is GitHub's own, from https://docs.github.com/webhooks/securing/.

    python3 btcpay-server.py > btcpay-server.json
"""
import json
import subprocess

SECRET = "3bUcVAkbAWcRbmDFYh3LPiTi8qV"
GITHUB = ("It's a Secret to Everybody", "Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")


def hmac(secret, body):
    out = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", secret], input=body.encode(), capture_output=True, check=True)
    return out.stdout.decode().split()[-1]


assert hmac(GITHUB[0], GITHUB[1]) == GITHUB[2]
# It sends indented JSON.
BODY = json.dumps({"deliveryId": "Ku9UVMh2bmSXe5bWxqYWHU", "webhookId": "7Kfk", "type": "InvoiceSettled", "invoiceId": "BSMM", "metadata": {"orderId": "é 马蹄"}}, indent=2, ensure_ascii=False)
base = {"secret": SECRET, "body": BODY, "event": "Ku9UVMh2bmSXe5bWxqYWHU"}
good = hmac(SECRET, BODY)
vectors = [
    {"name": "as GitHub publishes", "secret": GITHUB[0], "headers": {"BTCPay-Sig": "sha256=" + GITHUB[2]}, "body": GITHUB[1], "accepted": True},
    {**base, "name": "right", "headers": {"BTCPay-Sig": "sha256=" + good}, "accepted": True},
    {**base, "name": "without its prefix", "headers": {"BTCPay-Sig": good}, "accepted": False},
    {**base, "name": "under another prefix", "headers": {"BTCPay-Sig": "sha1=" + good}, "accepted": False},
    {**base, "name": "by another key", "headers": {"BTCPay-Sig": "sha256=" + hmac("another", BODY)}, "accepted": False},
]
version = subprocess.run(["openssl", "version"], capture_output=True, check=True).stdout.decode().split(" (")[0].strip()
print(json.dumps({"judge": version, "vectors": vectors}, indent=1, ensure_ascii=False))
