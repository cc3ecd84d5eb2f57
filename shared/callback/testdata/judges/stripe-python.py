"""Callbacks of Stripe, as its own package for Python signs and verifies them: stripe 16.1.0 (PyPI, MIT).

    pip install stripe==16.1.0 && python3 stripe-python.py > stripe-python.json
"""
import json
import time

import stripe

SECRET, AT = "whsec_Zm9yIHRlc3RzIG9ubHk", 1800000000
BODY = json.dumps({"id": "evt_2", "object": "event", "type": "charge.refunded", "data": {"object": {"id": "ch_1", "description": "é"}}}, ensure_ascii=False)
time.time = lambda: AT


def accepted(header):
    try:
        return stripe.WebhookSignature.verify_header(BODY, header, SECRET, 300)
    except stripe.SignatureVerificationError:
        return False


header = stripe.WebhookSignature.generate_signature_header
cases = {"right": header(BODY, SECRET, AT), "by another secret": header(BODY, "whsec_another", AT), "too old": header(BODY, SECRET, AT - 301), "cut": header(BODY, SECRET, AT)[:-2]}
print(json.dumps({"judge": "stripe 16.1.0 (Python)", "vectors": [
    {"name": name, "secret": SECRET, "headers": {"Stripe-Signature": h}, "body": BODY, "at": AT, "event": "evt_2", "accepted": accepted(h)} for name, h in cases.items()
]}, indent=1, ensure_ascii=False))
