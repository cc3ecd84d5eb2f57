"""Callbacks of Coinbase Commerce, as its own package for Python signs and verifies them: coinbase-commerce 1.0.1 (PyPI, MIT).

    pip install coinbase-commerce==1.0.1 && python3 coinbase-commerce-python.py > coinbase-commerce-python.json
"""
import json

from coinbase_commerce.error import CoinbaseError
from coinbase_commerce.webhook import Webhook, WebhookSignature

SECRET = "f0e58ee5-3f5c-4a53-bc5b-shared"
BODY = json.dumps({"id": 1, "event": {"id": "24934862", "type": "charge:created", "data": {"code": "66BEOV2A", "name": "é"}}}, indent=2, ensure_ascii=False)


def accepted(signature):
    try:
        return bool(Webhook.construct_event(BODY, signature, SECRET))
    except CoinbaseError:
        return False


good = WebhookSignature._compute_signature(BODY, SECRET)
print(json.dumps({"judge": "coinbase-commerce 1.0.1", "vectors": [
    {"name": name, "secret": SECRET, "headers": {"x-cc-webhook-signature": s}, "body": BODY, "event": "24934862", "accepted": accepted(s)}
    for name, s in {"right": good, "by another secret": WebhookSignature._compute_signature(BODY, "another"), "cut": good[:-2]}.items()
]}, indent=1, ensure_ascii=False))
