"""Callbacks of NOWPayments, as a library of others signs and verifies them: nowpayments-py 1.0.5 (PyPI, MIT). NOWPayments'
own package (npm, @nowpaymentsio/nowpayments-api-js 1.0.5) does neither. The library parses and prints numbers as Python does
and text as ASCII, so there are no exponents and nothing beyond ASCII here.

    pip install nowpayments-py==1.0.5 && python3 nowpayments-python.py > nowpayments-python.json
"""
import json

from nowpayments.ipn import create_ipn_signature, verify_ipn_signature

SECRET = "6f9ZkT7u-an IPN secret"
PAYMENT = {
    "payment_id": 5077125051, "payment_status": "finished", "pay_address": "TFyx", "price_amount": 3999.5, "price_currency": "usd", "pay_amount": 0.8102725, "actually_paid": 0.8102725,
    "pay_currency": "btc", "order_id": "RGDBP-21314", "order_description": "Apple / \"Macbook\" Pro 2019 x 1", "invoice_id": None, "outcome_amount": 10,
    "fee": {"withdrawalFee": 0, "currency": "btc", "depositFee": 0.09853637216235617, "serviceFee": 0}, "updated_at": "2024-01-23T07:42:26.411Z",
}
PAYOUT = {
    "id": "123456789", "batch_withdrawal_id": "987654321", "status": "SENDING", "error": None, "currency": "usdttrc20", "amount": "50", "address": "TFab", "fee": None, "extra_id": None,
    "hash": None, "ipn_callback_url": "callback_url", "created_at": "2023-07-27T15:29:40.803Z", "requested_at": None, "updated_at": "2023-07-27T15:29:40.803Z",
}
vectors = []
for name, body, event in [("a payment", PAYMENT, "5077125051:finished:2024-01-23T07:42:26.411Z"), ("a payout", PAYOUT, "payout:123456789:SENDING:2023-07-27T15:29:40.803Z")]:
    text = json.dumps(body)
    good = create_ipn_signature(body, SECRET)
    for how, signature in {"right": good, "by another secret": create_ipn_signature(body, "another"), "cut": good[:-2]}.items():
        vectors.append({"name": f"{name}, {how}", "secret": SECRET, "headers": {"x-nowpayments-sig": signature}, "body": text, "event": event,
                        "accepted": verify_ipn_signature(text, signature, SECRET)})
print(json.dumps({"judge": "nowpayments-py 1.0.5", "vectors": vectors}, indent=1))
