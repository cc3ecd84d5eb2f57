"""Holds the API of a running stack against its own OpenAPI document, with schemathesis: every operation, with the
merchant's key and with the operator's. No answer may be an error of ours or other than the document says of it.

    python3 local/parts.py --stack -- python3 local/schema.py

The stack is the one that FARRIER_STACK names. What schemathesis wrote is under .local/schema.
"""

import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

import install
from api import Api
from trouble import Trouble

SCHEMATHESIS = install.LOCAL / "schemathesis" / "bin" / "schemathesis"
REPORTS = install.LOCAL / "schema"
OPERATIONS = 31  # at least so many; the document may grow


class Conformance(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = running_stack()
        cls.document = REPORTS / "openapi.json"
        cls.real = a_thing_of_each_kind(cls.stack)
        shutil.rmtree(REPORTS, ignore_errors=True)
        REPORTS.mkdir(parents=True)
        cls.document.write_text(json.dumps(Api(cls.stack["api"], "").get("/openapi.json")))

    def judge(self, name, key, merchant, document=None, *more):
        """Runs schemathesis with a key; gives its exit code, what it said and how many calls it made."""
        env = {**os.environ, "PYTHONPATH": str(install.HERE), "SCHEMATHESIS_HOOKS": "schema_hooks",
               "SCHEMA_REAL": json.dumps({**self.real, "merchant": merchant})}
        done = subprocess.run(
            [SCHEMATHESIS, "--config-file", install.HERE / "schemathesis.toml", "run", document or self.document,
             "--url", self.stack["api"], "--header", f"Authorization: Bearer {self.stack[key]}", "--no-color",
             "--continue-on-failure", "--warnings", "off", *more],
            cwd=REPORTS, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        (REPORTS / f"{name}.txt").write_text(done.stdout)
        tested = re.search(r"Tested: (\d+)", done.stdout)
        made = re.search(r"Test cases:\n\s+(\d+) generated", done.stdout)
        return done.returncode, done.stdout, int(tested[1]) if tested else 0, int(made[1]) if made else 0

    def holds(self, name, key, merchant):
        code, said, tested, made = self.judge(name, key, merchant)
        self.assertEqual(0, code, said)
        self.assertGreaterEqual(tested, OPERATIONS, said)
        print(f"{name}: {made} calls of {tested} operations are answered as the document says", flush=True)

    def test_what_a_merchant_is_answered(self):
        self.holds("merchant", "merchant_key", "")

    def test_what_the_operator_is_answered(self):
        self.holds("operator", "operator_key", self.stack["merchant"])

    def test_a_document_that_says_something_else_is_noticed(self):
        lie = json.loads(self.document.read_text())
        lie["components"]["schemas"]["Health"]["properties"]["status"]["enum"] = ["fine"]
        document = REPORTS / "lie.json"
        document.write_text(json.dumps(lie))
        code, said, _, _ = self.judge("lie", "merchant_key", "", document, "--include-path", "/v1/health")
        self.assertEqual(1, code, said)
        self.assertIn("GET /v1/health", said)


def running_stack():
    named = os.environ.get("FARRIER_STACK")
    if not named or not Path(named).is_file():
        raise Trouble("no stack is named by FARRIER_STACK: run it by `make schema`")
    return json.loads(Path(named).read_text())


def a_thing_of_each_kind(stack):
    """Makes one of each thing that a path can name; gives their names by path."""
    shop = Api(stack["api"], stack["merchant_key"])
    payment = shop.post("/v1/payments", asset=stack["asset"], amount="10.50", reference="order-1")["id"]
    cancelled = shop.post("/v1/payments", asset=stack["asset"], amount="10.50", reference="order-2")["id"]
    endpoint = shop.post("/v1/webhook-endpoints", url="http://127.0.0.1:9/", events=["*"])["id"]
    event = shop.call("POST", f"/v1/webhook-endpoints/{endpoint}/test")["id"]
    connection = shop.post("/v1/connections", provider="standard-webhooks")["id"]
    wallet = shop.post("/v1/connections", provider="tokenpocket")["id"]
    many, one = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}"
    paths = {
        "/v1/payments/{id}/cancel": cancelled,
        **dict.fromkeys(("/v1/payments/{id}", "/v1/payments/{id}/statement", "/v1/payments/{id}/decide"), payment),
        "/v1/events/{id}": event, "/v1/events/{id}/deliveries": event, one: endpoint,
        "/v1/deliveries/{id}/resend": f"dlv_{event[4:]}_{endpoint[3:]}",
        **dict.fromkeys(("/v1/merchants/{id}", "/v1/merchants/{id}/keys"), stack["merchant"]),
        "/v1/connections/{id}": connection, "/v1/connections/{id}/order-addresses": wallet,
        **dict.fromkeys(("/v1/callbacks/{id}", "/v1/callbacks/{id}/reprocess"), a_callback(shop)),
        **{f"{one}/{verb}": endpoint for verb in ("rotate", "test", "disable", "enable")},
    }
    return {"paths": paths, "bodies": ["/v1/payments", "/v1/connections", many], "connection": connection,
            "asset": stack["asset"], "chain": stack["chain"]}


def a_callback(shop):
    """Has a provider call back, and gives the callback's name once it is listed."""
    secret, body = "0123456789abcdef", b'{"data":{}}'
    made = shop.post("/v1/connections", provider="hmac", secret=secret, hmac={"header": "x-signature"})
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Signature": signature, "Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(made["callback_url"], body, headers), timeout=10).close()
    for _ in range(100):
        if listed := shop.get("/v1/callbacks", connection=made["id"])["data"]:
            return listed[0]["id"]
        time.sleep(0.1)
    raise Trouble("a callback is in no list after ten seconds")


if __name__ == "__main__":
    try:
        running_stack()
    except Trouble as trouble:
        sys.exit(f"{sys.argv[0]}: {trouble}")
    unittest.main()
