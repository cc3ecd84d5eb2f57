"""One real payment, from the shop's request to the webhook at the shop's server, each step shown as it happens."""

import datetime
import http.server
import json
import secrets
import threading
import time

import standardwebhooks

import api
import chain
from trouble import Trouble

AMOUNT, UNITS, DEPTH = "10.50", 10_500_000, 3


class Server(http.server.ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 128


class Shop:
    """A merchant's server on loopback: believes the webhooks whose signature the official library accepts."""

    def __init__(self):
        self.secret = None
        self.events = []
        self.news = threading.Condition()
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(shop.take(body, {name.lower(): value for name, value in self.headers.items()}))
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def take(self, body, headers):
        """Keeps an event whose signature is right; gives the status to answer with."""
        event = self.verified(body, headers)
        if event is None:
            return 401
        with self.news:
            self.events.append(event)
            self.news.notify_all()
        return 204

    def verified(self, body, headers):
        """The event in a body, or None where the signature is wrong."""
        try:
            return standardwebhooks.Webhook(self.secret).verify(body, headers)
        except standardwebhooks.WebhookVerificationError:
            return None

    def wait_for(self, kind, seconds=60):
        """The first event of a type."""
        with self.news:
            found = self.news.wait_for(lambda: next((e for e in self.events if e["type"] == kind), None), seconds)
        if not found:
            raise Trouble(f"no {kind} webhook arrived within {seconds} s")
        return found


def pay(stack, shop, show):
    """Asks for a payment, pays it on the chain, and follows it."""
    merchant = api.Api(stack["api"], stack["merchant_key"])

    with show.step("Shop listens") as step:
        endpoint = merchant.post("/v1/webhook-endpoints", url=shop.url, events=["payment.*"])
        shop.secret = endpoint["secret"]
        connection = merchant.post("/v1/connections", provider="standard-webhooks", merchant=stack["merchant"])
        step.say(f"webhooks to {shop.url}")

    with show.step("Payment created") as step:
        before = balance(merchant, stack["asset"])
        payment = merchant.post("/v1/payments", asset=stack["asset"], amount=AMOUNT, expires_in=3600,
                                reference=f"order-{secrets.token_hex(3)}")
        step.say(f"{AMOUNT} USDT to {payment['address']}")

    paid = time.monotonic()
    with show.step("Payer's transfer mined") as step:
        receipt = chain.transfer(stack["rpc"], stack["token"], payment["address"], UNITS)
        step.say(f"block {int(receipt['blockNumber'], 16)}, {receipt['transactionHash'][:18]}…")

    with show.step("Provider's callback taken") as step:
        status = call_back(stack, connection, receipt["transactionHash"])
        step.say(f"signed Standard Webhook, answered {status}")

    with show.step("Deposit seen") as step:
        deposit = wait("deposit", lambda: first(merchant.get("/v1/deposits", payment=payment["id"])))
        step.say(f"{deposit['amount']} USDT, {deposit['status']}")

    with show.step("Deposit final") as step:
        def final():
            head = chain.block_number(stack["rpc"])
            step.count(min(head - int(receipt["blockNumber"], 16), DEPTH), DEPTH)
            return first(merchant.get("/v1/deposits", payment=payment["id"]))["status"] == "final"

        wait("finality", final)

    with show.step("Ledger credited") as step:
        after = wait("credit", lambda: (now := balance(merchant, stack["asset"])) != before and now)
        step.say(f"balance {before} → {after} USDT")

    with show.step("Shop told by webhook") as step:
        event = shop.wait_for("payment.paid")
        step.say(f"{event['type']}, signature verified")
    show.heading(f"{time.monotonic() - paid:.1f} s from the payer's transfer to the shop's webhook.")


def call_back(stack, connection, transaction):
    """What a provider sends when it saw a transaction: a Standard Webhook to the connection's address."""
    now = datetime.datetime.now(datetime.timezone.utc)
    body = json.dumps({"type": "transaction.mined", "timestamp": now.isoformat(timespec="seconds"),
                       "data": {"chain": chain.CHAIN, "transaction": transaction}})
    headers = signed(connection["secret"], "msg_" + secrets.token_hex(8), now, body)
    status, said = api.send("POST", f"{stack['api']}/callbacks/{connection['id']}", body.encode(), headers)
    if status >= 300:
        raise Trouble(f"the callback was answered {status}: {said.decode(errors='replace').strip()}")
    return status


def signed(secret, name, now, body):
    """The headers of a Standard Webhook."""
    return {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": standardwebhooks.Webhook(secret).sign(name, now, body)}


def balance(merchant, asset):
    """The merchant's balance of an asset, as the API writes it."""
    return next((row["available"] for row in merchant.get("/v1/balances")["data"] if row["asset"] == asset), "0")


def first(page):
    return page["data"][0] if page["data"] else None


def wait(what, condition, seconds=90):
    """Waits until a condition gives something true, and gives that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Trouble(f"no {what} within {seconds} s; what the functions said is in .local/stack/functions.log")
        time.sleep(0.05)
    return found


def what_to_try(stack):
    """Lines to paste into another terminal."""
    return f"""
It stays up; Ctrl-C stops everything. In another terminal:

  API={stack['api']}
  KEY={stack['merchant_key']}
  ASSET={stack['asset']}

  # ask for another payment, pay it, and see it arrive: nobody calls back, so the watcher finds it by itself
  curl -s $API/v1/payments -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
    -d '{{"asset":"'$ASSET'","amount":"3.20","reference":"mine"}}'
  python3 local/chain.py pay ADDRESS 3.20
  curl -s $API/v1/deposits -H "Authorization: Bearer $KEY"

  # what the books and the shop's feed say
  curl -s $API/v1/balances -H "Authorization: Bearer $KEY"
  curl -s $API/v1/events -H "Authorization: Bearer $KEY"
  curl -s $API/openapi.json

The chain is at {stack['rpc']}. Every key and address is in .local/stack.json, what the functions
say in .local/stack/functions.log.
"""
