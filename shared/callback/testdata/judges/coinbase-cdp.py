"""Callbacks of the Coinbase Developer Platform, as the client of the service that sends them verifies them: hook0-client
2.0.3 (PyPI, MIT). Coinbase's own packages do not verify. The client only verifies: the signatures are made here, by the
rule of https://docs.cdp.coinbase.com/webhooks/verify-signatures, and the client is asked about each.

    pip install hook0-client==2.0.3 && python3 coinbase-cdp.py > coinbase-cdp.json
"""
import datetime
import hashlib
import hmac
import json

from hook0.errors import Hook0ClientError
from hook0.signature import verify_webhook_signature_with_current_time

SECRET, AT = "b8e5a4cb-6d5e-4f5b-8c11-subscription", 1800000000
BODY = json.dumps({"eventId": "123e4567-e89b-12d3-a456-426614174000", "eventType": "wallet.activity.detected", "note": "é 马蹄"}, indent=1, ensure_ascii=False)
HEADERS = {"Content-Type": "application/json", "X-Event-Id": "123e4567", "X-Event-Type": "wallet.activity.detected"}


def code(content, secret=SECRET):
    return hmac.new(secret.encode(), content.encode(), hashlib.sha256).hexdigest()


def v0(t=AT, secret=SECRET):
    return code(f"{t}.{BODY}", secret)


def v1(names, t=AT, secret=SECRET):
    values = ".".join({k.lower(): v for k, v in HEADERS.items()}.get(n, "") for n in names.split())
    return code(f"{t}.{names}.{values}.{BODY}", secret)


ALL = "content-type x-event-id x-event-type"
CASES = {
    "v0": f"t={AT},v0={v0()}",
    "v1": f"t={AT},h={ALL},v1={v1(ALL)}",
    "v1, as the documentation orders it": f"t={AT},v0={v0()},h={ALL},v1={v1(ALL)}",
    "v1 over one header": f"t={AT},h=x-event-id,v1={v1('x-event-id')}",
    "v1 wrong beside a right v0": f"t={AT},v0={v0()},h={ALL},v1={v0()}",
    "v0 wrong beside a right v1": f"t={AT},v0={v1(ALL)},h={ALL},v1={v1(ALL)}",
    "v1 with the names the other way round": f"t={AT},h=x-event-type x-event-id content-type,v1={v1(ALL)}",
    "v1 over a header that did not come": f"t={AT},h=x-event-id x-missing,v1={v1('x-event-id x-missing')}",
    "by another secret": f"t={AT},v0={v0(secret='another')}",
    "another time": f"t={AT + 1},v0={v0()}",
    "five minutes old": f"t={AT - 300},v0={v0(AT - 300)}",
    "a second older": f"t={AT - 301},v0={v0(AT - 301)}",
    "a second too early": f"t={AT + 301},v0={v0(AT + 301)}",
    "no time": f"v0={v0()}",
    "no code": f"t={AT}",
    "no hex": f"t={AT},v0={v0()[:-1]}z",
    "half a byte less": f"t={AT},v0={v0()[:-1]}",
}


def accepted(signature):
    try:
        now = datetime.datetime.fromtimestamp(AT, datetime.UTC)
        return verify_webhook_signature_with_current_time(signature, BODY.encode(), HEADERS, SECRET, 300, now)
    except Hook0ClientError:
        return False


print(json.dumps({"judge": "hook0-client 2.0.3", "vectors": [
    {"name": name, "secret": SECRET, "headers": {**HEADERS, "X-Hook0-Signature": s}, "body": BODY, "at": AT,
     "event": "123e4567-e89b-12d3-a456-426614174000", "accepted": accepted(s)} for name, s in CASES.items()
]}, indent=1, ensure_ascii=False))
