"""Callbacks signed by the Python SDKs of epusdt and BEpusdt, for epusdt_test.go.

pip install bepusdt==0.3.15, and epusdt==0.4.0 (which signs as version 2 of the gateway) or epusdt==0.3.1 (as those before):
run it with each, and put the two lists together as gateways_of_usdt.json. Neither SDK prints a float64 as Go does, so orders of a million and more are not among them.
"""

import json
from importlib.metadata import version

from bepusdt.signature import generate_signature, verify_signature
from epusdt.signature import generate_gmpay_signature, verify_gmpay_signature

SDK = "epusdt " + version("epusdt")
SECRET = "a token for tests, of no gateway"
TRON_TX = "12ef6267b42e43959795cf31808d0cc72b3d0a48953ed19c61d4b6665a341d10"

vectors = []
for amount, actual in [(100, 14.29), (28.88, 4.25), (0.01, 0.000001)]:
    for status in [1, 2, 3]:
        body = {
            "pid": "1000", "trade_id": "20260523171652123456001", "order_id": "ORD-1", "amount": amount, "actual_amount": actual,
            "receive_address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "token": "USDT",
            "block_transaction_id": TRON_TX if status == 2 else "", "status": status,
        }
        body["signature"] = generate_gmpay_signature(body, SECRET)
        assert verify_gmpay_signature(body, SECRET)
        vectors.append({"provider": "epusdt", "sdk": SDK, "secret": SECRET, "body": json.dumps(body)})

        body = {
            "trade_id": "b3d2477cd94541da96", "order_id": "订单-1", "amount": amount, "actual_amount": str(actual),
            "token": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "block_transaction_id": TRON_TX if status == 2 else "", "status": status,
        }
        signature = generate_signature(body, SECRET)
        assert verify_signature(body, SECRET, signature)
        vectors.append({"provider": "bepusdt", "sdk": "bepusdt 0.3.15", "secret": SECRET, "body": json.dumps(body | {"signature": signature})})
print(json.dumps(vectors, indent=1))
