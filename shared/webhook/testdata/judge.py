"""Judges webhooks: v1 by the package standardwebhooks, v1a by the package cryptography and the specification.

Reads a JSON list of {"key", "headers", "body"} and writes a JSON list of true and false.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def believed(key, headers, body):
    if key.startswith("whpk_"):
        return by_public_key(key, headers, body)
    try:
        Webhook(key).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def by_public_key(key, headers, body):
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_"), validate=True))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    for part in headers["webhook-signature"].split(" "):
        version, signature = part.split(",")
        try:
            if version == "v1a":
                public.verify(base64.b64decode(signature, validate=True), content)
                return True
        except InvalidSignature:
            continue
    return False


json.dump([believed(**webhook) for webhook in json.load(sys.stdin)], sys.stdout)
