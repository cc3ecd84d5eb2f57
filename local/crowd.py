"""Those around the product in a run of kills.py: customers who ask and pay, providers who call back, forgers who try,
and the shop that is told. All of them behave as theirs do in the world: what was not answered they do again."""

import base64
import collections
import datetime
import hashlib
import hmac
import http.client
import itertools
import json
import random
import secrets
import threading
import time

import api
import chain
import journey
from trouble import Trouble

AWAY = (Trouble, OSError, http.client.HTTPException, ValueError)  # what a call says while the other side is down
GAS, GAS_PRICE = 100_000, 10**10


def again(seconds=0.5):
    """The pause before a call is made again; not the same for all."""
    time.sleep(random.uniform(seconds, 2 * seconds))


class Crowd:
    """Everybody; and what each did, for the verdict."""

    def __init__(self, stack, seed):
        self.stack = stack
        self.shop = MoodyShop(seed)
        self.purse = Purse(stack)
        self.provider = Provider(stack)
        self.asked = {}  # payment → its order
        self.expires = {}  # payment → when its time is over, in Unix seconds
        self.tries = itertools.count()  # of POST /v1/payments
        self.refused = []  # what the API would not take, though it was right
        self.orders, self.busy, self.trouble = 0, [], None

    def __enter__(self):
        merchant = api.Api(self.stack["api"], self.stack["merchant_key"])
        self.shop.__enter__()
        self.shop.secret = merchant.post("/v1/webhook-endpoints", url=self.shop.url, events=["payment.*"])["secret"]
        self.provider.connect(merchant)
        self.purse.open()
        return self

    def __exit__(self, *_):
        self.purse.closed.set()
        self.shop.__exit__()

    def follow(self, orders):
        """Lives every order in its own time; ends when all are placed. `done` says when all is through."""
        began = time.monotonic()
        for order in orders:
            time.sleep(max(0, began + order.at - time.monotonic()))
            self.orders += 1
            self.begin(self.live, order)
            if order.forgery:
                self.begin(self.provider.forge, order)

    def begin(self, step, *arguments):
        thread = threading.Thread(target=self.guarded, args=(step, *arguments), daemon=True)
        self.busy.append(thread)
        thread.start()

    def guarded(self, step, *arguments):
        """Notes what a thread stumbled over, for whoever asks."""
        try:
            step(*arguments)
        except Exception as trouble:
            self.trouble = trouble

    def done(self):
        """Whether every order was lived to its end: paid, and called back about until that was acknowledged."""
        if self.trouble:
            raise self.trouble
        return not any(thread.is_alive() for thread in self.busy) and self.provider.open == 0

    def live(self, order):
        """One customer's way: asks, pays; and what providers say of it."""
        payment = self.ask(order)
        if payment is None:
            return
        if order.rumour:
            self.provider.tell(f"rumour-{order.number}", "hmac", 1, "0x" + secrets.token_hex(32))
        for part, transfer in enumerate(order.transfers):
            time.sleep(transfer.pause)
            if transfer.late:
                time.sleep(max(0, self.expires[payment["id"]] + 2 - time.time()))
            sent = self.purse.pay(payment["address"], transfer.units, transfer.fake)
            for early in (True, False):
                (sent.known if early else sent.mined).wait()
                for tell in transfer.tells:
                    if tell.early == early:
                        self.provider.tell(f"order-{order.number}-{part}", tell.source, tell.copies, sent.hash)

    def ask(self, order):
        """The payment of an order, asked for until it is answered, always under the same Idempotency-Key."""
        body = json.dumps({"asset": self.stack["asset"], "amount": f"{order.units / 10**6:.6f}",
                           "reference": f"order-{order.number}", "expires_in": order.expires_in}).encode()
        headers = {"Authorization": f"Bearer {self.stack['merchant_key']}", "Content-Type": "application/json",
                   "Idempotency-Key": f"order-{order.number}"}
        while True:
            next(self.tries)
            try:
                status, said = api.send("POST", self.stack["api"] + "/v1/payments", body, headers)
                if status == 201:
                    break
                if 400 <= status < 500 and status not in (409, 429):
                    self.refused.append(f"order {order.number}: {status} {said.decode(errors='replace')}")
                    return None
            except AWAY:
                pass
            again()
        payment = json.loads(said)
        self.expires[payment["id"]] = moment(payment["expires_at"])
        self.asked[payment["id"]] = order
        return payment


def moment(text):
    """A time as the API writes it, in Unix seconds."""
    whole, _, part = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{part or 0}")


class Sent:
    """A transfer on its way into a block."""

    def __init__(self, nonce, token, data):
        self.nonce, self.token, self.data, self.hash = nonce, token, data, None
        self.known, self.mined = threading.Event(), threading.Event()


class Purse:
    """Pays from one account. Each transfer has its own nonce and is sent again, the same to the byte, until a block
    holds it: a node that stops forgets what no block holds."""

    def __init__(self, stack):
        self.rpc, self.real = stack["rpc"], stack["token"]
        self.sent, self.lock, self.closed = [], threading.Lock(), threading.Event()

    def open(self):
        self.other = chain.deploy_token(self.rpc)  # the same symbol, worth nothing
        self.first = int(chain.call(self.rpc, "eth_getTransactionCount", chain.PAYER, "latest"), 16)
        threading.Thread(target=self.keep_sending, daemon=True).start()

    def pay(self, to, units, fake):
        with self.lock:
            data = f"0xa9059cbb{int(to, 16):064x}{units:064x}"  # transfer(address,uint256)
            sent = Sent(self.first + len(self.sent), self.other if fake else self.real, data)
            self.sent.append(sent)
        return sent

    def keep_sending(self):
        while not self.closed.wait(0.25):
            for sent in [sent for sent in self.sent if not sent.mined.is_set()]:
                try:
                    self.push(sent)
                except AWAY:
                    break

    def push(self, sent):
        """Brings a transfer as far as the node allows now."""
        if not sent.hash or chain.call(self.rpc, "eth_getTransactionByHash", sent.hash) is None:
            sent.hash = self.broadcast(sent)
            sent.known.set()
        receipt = chain.call(self.rpc, "eth_getTransactionReceipt", sent.hash)
        if receipt:
            sent.mined.set()

    def broadcast(self, sent):
        try:
            return chain.call(self.rpc, "eth_sendTransaction", {
                "from": chain.PAYER, "to": sent.token, "data": sent.data, "nonce": hex(sent.nonce),
                "gas": hex(GAS), "gasPrice": hex(GAS_PRICE)})
        except Trouble:  # it may have been taken before, and the answer lost
            found = chain.call(self.rpc, "eth_getTransactionBySenderAndNonce", chain.PAYER, hex(sent.nonce))
            if found is None:
                raise
            return found["hash"]


class Callback:
    """What a provider says once; and how often it was sent and acknowledged."""

    def __init__(self, event, source, body):
        self.event, self.source, self.body = event, source, body
        self.copies = self.tries = self.acknowledged = 0


class Forged:
    """A forger's attempt; and what it was answered."""

    def __init__(self, kind, event, source, body):
        self.kind, self.event, self.source, self.body, self.answer = kind, event, source, body, None


class Provider:
    """Calls back over two connections, each signed in its own way, until each callback is acknowledged."""

    UNKNOWN = "con_01KAJ5K7Q0M4T8X2V6B9N3R1ZC"

    def __init__(self, stack):
        self.api = stack["api"]
        self.connections, self.callbacks, self.forged, self.open = {}, [], [], 0
        self.lock = threading.Lock()

    def connect(self, merchant):
        hmac_settings = {"header": "x-signature", "timestamp_header": "x-timestamp", "event_header": "x-event",
                         "template": "{id}.{timestamp}.{body}"}
        self.connections = {
            "standard-webhooks": merchant.post("/v1/connections", provider="standard-webhooks"),
            "hmac": merchant.post("/v1/connections", provider="hmac", hmac=hmac_settings),
        }

    def tell(self, event, source, copies, transaction):
        """Speaks of a transaction, in so many copies at the same time."""
        callback = Callback(f"{event}-{source}", source, saying(transaction))
        callback.copies = copies
        with self.lock:
            self.callbacks.append(callback)
            self.open += copies
        for _ in range(copies):
            threading.Thread(target=self.until_acknowledged, args=(callback,), daemon=True).start()

    def until_acknowledged(self, callback):
        connection = self.connections[callback.source]
        while True:
            with self.lock:
                callback.tries += 1
            headers = signed(callback.source, connection["secret"], callback.event, callback.body)
            status = self.post(connection["id"], callback.body, headers)
            if status is not None and 200 <= status < 300:
                break
            again()
        with self.lock:
            callback.acknowledged += 1
            self.open -= 1

    def forge(self, order):
        """Tries what the order says until there is an answer: a server that is down has refused nothing."""
        source = "hmac" if order.number % 2 else "standard-webhooks"
        name = f"order-{order.number}-0" if order.forgery == "the id of a true one" else f"forged-{order.number}"
        forged = Forged(order.forgery, f"{name}-{source}", source, saying("0x" + secrets.token_hex(32)))
        self.forged.append(forged)
        while forged.answer is None or forged.answer >= 500:
            forged.answer = self.post(*self.forgery(forged))
            if forged.answer is None or forged.answer >= 500:
                again()

    def forgery(self, forged):
        """Connection, body and headers of a forger's attempt."""
        true, body = self.connections[forged.source], forged.body
        other = self.connections["hmac" if forged.source == "standard-webhooks" else "standard-webhooks"]
        wrong = "whsec_" + "A" * 43 + "="
        if forged.kind == "changed after it was signed":
            return true["id"], body, signed(forged.source, true["secret"], forged.event, body.replace("mined", "final"))
        if forged.kind == "the other connection's signature":
            return true["id"], body, signed(forged.source, in_form(forged.source, other["secret"]), forged.event, body)
        if forged.kind == "replayed an hour later":
            return true["id"], body, signed(forged.source, true["secret"], forged.event, body, age=3600)
        if forged.kind == "an unknown connection":
            return self.UNKNOWN, body, signed(forged.source, true["secret"], forged.event, body)
        return true["id"], body, signed(forged.source, wrong, forged.event, body)

    def post(self, connection, body, headers):
        """The status of the answer; None where there was none."""
        try:
            return api.send("POST", f"{self.api}/callbacks/{connection}", body.encode(), headers)[0]
        except AWAY:
            return None


def in_form(source, secret):
    """A secret as a source of this kind writes its own."""
    if source == "hmac" or secret.startswith("whsec_"):
        return secret
    return "whsec_" + base64.b64encode(bytes.fromhex(secret)).decode()


def saying(transaction):
    return json.dumps({"type": "transaction.mined", "data": {"chain": chain.CHAIN, "transaction": transaction}})


def signed(source, secret, event, body, age=0):
    """The headers of a callback that is signed now, or was so many seconds ago."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    if source == "standard-webhooks":
        return journey.signed(secret, event, now, body)
    stamp = str(int(now.timestamp()))
    signature = hmac.new(secret.encode(), f"{event}.{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "x-event": event, "x-timestamp": stamp, "x-signature": signature}


class MoodyShop(journey.Shop):
    """A merchant's server that counts what it was told. The first time that it hears of an event it sometimes answers
    500, and sometimes thinks for a while."""

    def __init__(self, seed):
        super().__init__()
        self.chance = random.Random(f"{seed}/shop")
        self.told = {}  # webhook-id → what it said, each time
        self.forged = 0  # webhooks whose signature was wrong
        self.moods = collections.Counter()

    def take(self, body, headers):
        event = self.verified(body, headers)
        if event is None:
            self.forged += 1
            return 401
        with self.news:
            heard = self.told.setdefault(headers["webhook-id"], {"event": event, "bodies": [], "accepted": 0})
            heard["bodies"].append(hashlib.sha256(body).hexdigest())
            mood = self.chance.choices(["well", "500", "slow"], [80, 10, 10])[0]
            mood = mood if len(heard["bodies"]) == 1 else "well"
            pause = self.chance.uniform(0.5, 3)
            self.moods[mood] += 1
        if mood == "slow":
            time.sleep(pause)
        if mood == "500":
            return 500
        with self.news:
            heard["accepted"] += 1
        return 204
