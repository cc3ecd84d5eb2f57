"""Webhooks that Safeheron's own Python SDK makes with its tools and believes and opens, for safeheron_test.go.

pip install safeheron-api-sdk-python==1.1.25 pycryptodome; python safeheron.py > safeheron.json
"""

import json
from base64 import b64encode

from Cryptodome.PublicKey import RSA
from safeheron_api_sdk_python import tools
from safeheron_api_sdk_python.webhook.webhook_converter import WebhookConverter

platform, merchant = RSA.generate(2048), RSA.generate(2048)


def bare(pem: bytes) -> str:
    return "".join(pem.decode().splitlines()[1:-1])


converter = WebhookConverter({
    "safeheronWebHookRsaPublicKey": bare(platform.publickey().export_key()),
    "webHookRsaPrivateKey": bare(merchant.export_key()),
})
vectors = []
for content in [
    {"eventType": "TRANSACTION_STATUS_CHANGED", "eventDetail": {
        "txKey": "tx1614", "txHash": "0x" + "ab" * 32, "coinKey": "ETHEREUM_ETH", "txAmount": "0.05", "transactionStatus": "COMPLETED",
        "transactionDirection": "INFLOW", "destinationAddress": "0xd4f1", "customerRefId": "ref-1", "createTime": 1623038312088}},
    {"eventType": "TRANSACTION_CREATED", "eventDetail": {
        "txKey": "tx1615", "coinKey": "TRON_TRX", "txAmount": "7", "transactionStatus": "SUBMITTED", "transactionDirection": "OUTFLOW"}},
]:
    for rsa_type, aes_type in [("ECB_OAEP", "GCM_NOPADDING"), ("", "")]:
        key, iv = tools.get_random_bytes(32), tools.get_random_bytes(16)
        message = json.dumps(content).encode()
        sealed = tools.aes_gcm_encrypt(key, iv, message) if aes_type else tools.aes_encrypt(key, iv, message)
        seal = tools.rsa_oaep_encrypt if rsa_type else tools.rsa_encrypt
        body = {"timestamp": "1795542544000", "key": seal(merchant.publickey(), key + iv), "bizContent": b64encode(sealed).decode()}
        body["sig"] = tools.rsa_sign(platform, tools.sort_request(body))
        if rsa_type:
            body |= {"rsaType": rsa_type, "aesType": aes_type}
        assert converter.converter(dict(body)) == content
        vectors.append({
            "sdk": "safeheron-api-sdk-python 1.1.25", "key": platform.publickey().export_key().decode(), "private": merchant.export_key().decode(),
            "content": json.dumps(content), "body": json.dumps(body),
        })
print(json.dumps(vectors, indent=1))
