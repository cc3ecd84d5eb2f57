"""Vectors of Cobo WaaS 2, believed or not by Cobo's own code: cobo-waas2 1.46.0 (PyPI), cobo_waas2.server_demo.verify_signature.

    pip install cobo-waas2==1.46.0 && python cobo.py > cobo.json
"""

import hashlib
import json

from cobo_waas2.server_demo import verify_signature
from nacl.signing import SigningKey

key, other = SigningKey(bytes(range(32))), SigningKey(bytes(range(1, 33)))
stamp = "1800000000000"
bodies = {
    "deposit": '{"event_id": "8f2e919a-6a7b-4a9b-8c1a-4c0b3f5b8b1f", "type": "wallets.transaction.created"}',
    "text beyond ASCII": '{"event_id":"e-2","type":"wallets.created","data":{"name":"马蹄 é"}}',
    "empty": "",
}


def vector(name, signer, body, signed=None):
    message = f"{body if signed is None else signed}|{stamp}"
    digest = hashlib.sha256(hashlib.sha256(message.encode()).digest()).digest()
    signature = signer.sign(digest).signature.hex()
    return {
        "name": name,
        "secret": key.verify_key.encode().hex(),
        "headers": {"BIZ-TIMESTAMP": stamp, "BIZ-RESP-SIGNATURE": signature},
        "body": body,
        "accepted": verify_signature(key.verify_key.encode().hex(), signature, f"{body}|{stamp}"),
        "event": json.loads(body or "{}").get("event_id", ""),
    }


vectors = [vector(name, key, body) for name, body in bodies.items()]
vectors += [vector(name + ", by another key", other, body) for name, body in bodies.items()]
vectors.append(vector("another body", key, bodies["deposit"], signed=bodies["empty"]))
print(json.dumps({"judge": "cobo-waas2 1.46.0", "vectors": vectors}, indent=1, ensure_ascii=False))
