"""What a run of kills.py left, read from outside, and whether it is as it must be."""

import collections
import os
import subprocess
import time

import boto3

import chain
import cloud
from install import ROOT
from orders import HOUR, becomes

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"  # Transfer(address,address,uint256)


class Reader:
    """Reads the product through its API, and the chain and the queues themselves."""

    def __init__(self, up, merchant):
        self.up, self.merchant = up, merchant
        known = {"endpoint_url": up["aws"], "region_name": cloud.REGION, "aws_access_key_id": "test",
                 "aws_secret_access_key": "test"}
        self.sqs, self.dynamodb = boto3.client("sqs", **known), boto3.client("dynamodb", **known)
        self.urls = {url.rsplit("/", 1)[1].split("-")[1]: url for url in self.sqs.list_queues()["QueueUrls"]}
        self.times = {}  # block → its time

    def list(self, path, **query):
        return list(self.merchant.pages(path, **query))

    def give_back_after(self, seconds):
        """Shortens how long the queues wait before they give out again what a function died over."""
        for name, url in self.urls.items():
            if "DeadLetters" not in name:
                self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    def waiting(self):
        """How many messages each queue holds, whatever they wait for."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                 "ApproximateNumberOfMessagesDelayed"]
        counts = {name: sum(int(n) for n in self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
                            ["Attributes"].values()) for name, url in self.urls.items()}
        return {name: count for name, count in counts.items() if count and "DeadLetters" not in name}

    def letters(self):
        """What lies in the dead-letter queues."""
        found = []
        for name, url in self.urls.items():
            while "DeadLetters" in name and (got := self.sqs.receive_message(
                    QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=3600).get("Messages")):
                found += [(name, message["Body"]) for message in got]
        return found

    def transfers(self, token, payments):
        """What the chain holds of a token's transfers to payments' addresses."""
        owners = {payment["address"].lower(): payment["id"] for payment in payments}
        for log in chain.call(self.up["rpc"], "eth_getLogs", {
                "fromBlock": "0x0", "toBlock": "latest", "address": token, "topics": [TRANSFER]}):
            payment = owners.get("0x" + log["topics"][2][-40:])
            if payment:
                yield {"payment": payment, "transaction": log["transactionHash"], "units": int(log["data"], 16),
                       "time": self.time_of(log["blockNumber"])}

    def time_of(self, block):
        if block not in self.times:
            self.times[block] = int(chain.call(self.up["rpc"], "eth_getBlockByNumber", block, False)["timestamp"], 16)
        return self.times[block]

    def rebuilt(self):
        """What cmd/rebuild says, and whether it found the books right."""
        names = {table.split("-")[1]: table for table in self.dynamodb.list_tables()["TableNames"] if "-" in table}
        done = subprocess.run(["go", "run", "./cmd/rebuild"], cwd=ROOT, capture_output=True, text=True, env={
            **os.environ, **cloud.credentials(), "AWS_ENDPOINT_URL": self.up["aws"],
            "ENTRIES_TABLE": names["EntriesTable"], "BALANCES_TABLE": names["BalancesTable"]})
        return {"right": done.returncode == 0, "says": (done.stdout + done.stderr).strip()}

    def of_payments(self, crowd):
        """What was asked, what the product says of it, and what the chain holds for it."""
        asked = {payment: {"number": order.number, "units": order.units, "expires_in": order.expires_in,
                           "expires": crowd.expires[payment]} for payment, order in list(crowd.asked.items())}
        facts = {"now": time.time(), "asked": asked, "payments": self.list("/v1/payments")}
        return {**facts, "transfers": list(self.transfers(self.up["token"], facts["payments"]))}

    def facts(self, crowd, under_way, troubles):
        """Everything that the checks look at."""
        facts, events = self.of_payments(crowd), self.list("/v1/events")
        return {
            **facts,
            "troubles": troubles,
            "under way": under_way,
            "orders": crowd.orders,
            "tries": next(crowd.tries),
            "sent": len(crowd.purse.sent),
            "refused": crowd.refused,
            "fakes": list(self.transfers(crowd.purse.other, facts["payments"])),
            "callbacks": [vars(callback) for callback in crowd.provider.callbacks],
            "forged": [vars(forged) for forged in crowd.provider.forged],
            "receipts": {source: self.list("/v1/callbacks", connection=connection["id"])
                         for source, connection in crowd.provider.connections.items()},
            "deposits": self.list("/v1/deposits"),
            "entries": self.list("/v1/entries"),
            "balances": [row for row in self.merchant.get("/v1/balances")["data"]
                         if row["asset"] == self.up["asset"]],
            "events": events,
            "deliveries": [delivery for event in events
                           for delivery in self.list(f"/v1/events/{event['id']}/deliveries")],
            "told": crowd.shop.told,
            "ill signed": crowd.shop.forged,
            "moods": crowd.shop.moods,
            "letters": self.letters(),
            "rebuilt": self.rebuilt(),
        }

    def unsettled(self, crowd):
        """What is still under way, in a few words; empty when all is quiet."""
        if not crowd.done():
            return "customers and providers"
        facts = self.of_payments(crowd)
        facts["events"] = self.list("/v1/events")
        heard = {name for name, told in crowd.shop.told.items() if told["accepted"]}
        waits = {
            "payments whose time is not over": sum(facts["now"] < asked["expires"] for asked in facts["asked"].values()
                                                   if asked["expires_in"] < HOUR),
            "payments": len(list(statuses(facts))),
            "events": len(list(untold(facts))) + sum(event["id"] not in heard for event in facts["events"]),
            **self.waiting(),
        }
        if not any(waits.values()):  # the journal is written after a callback was answered
            waits["callbacks that are not listed yet"] = self.unlisted(crowd)
        return ", ".join(f"{count} {what}" for what, count in waits.items() if count)

    def unlisted(self, crowd):
        """How many of the acknowledged callbacks are in no connection's list."""
        listed = sum(len(self.list("/v1/callbacks", connection=connection["id"]))
                     for connection in crowd.provider.connections.values())
        return max(0, sum(callback.acknowledged > 0 for callback in crowd.provider.callbacks) - listed)


# ── The checks: each gives what is wrong, one line each ──────────────────────────────────────────────────────────────


def asked_once(facts):
    """Every payment that was asked for is there once, and no other."""
    if facts["orders"] != len(facts["asked"]):
        yield f"{facts['orders']} payments were asked for and {len(facts['asked'])} answered"
    there = collections.Counter(payment["reference"] for payment in facts["payments"])
    wanted = {f"order-{order['number']}" for order in facts["asked"].values()}
    yield from facts["refused"]
    for reference, count in there.items():
        if count > 1:
            yield f"{reference} has {count} payments"
        elif reference not in wanted:
            yield f"nobody was told of the payment of {reference}"
    for payment in set(facts["asked"]) - {payment["id"] for payment in facts["payments"]}:
        yield f"{payment} is gone"


def receipts_kept(facts):
    """Every acknowledged callback has its receipt, one, with the body that was sent."""
    for source, receipts in facts["receipts"].items():
        kept = collections.defaultdict(list)
        for receipt in receipts:
            kept[receipt["event"]].append(receipt["body"])
        for callback in facts["callbacks"]:
            receipts_of = kept[callback["event"]]
            if callback["source"] == source and callback["acknowledged"] and receipts_of != [callback["body"]]:
                yield f"{callback['event']} was acknowledged and has these receipts: {receipts_of}"


def forged_nothing(facts):
    """Every forged callback was answered 401 and left nothing."""
    bodies = {receipt["body"] for receipts in facts["receipts"].values() for receipt in receipts}
    true = {callback["event"] for callback in facts["callbacks"]}
    for forged in facts["forged"]:
        if forged["answer"] != 401:
            yield f"{forged['event']} ({forged['kind']}) was answered {forged['answer']}"
        if forged["body"] in bodies:
            yield f"{forged['event']} ({forged['kind']}) has a receipt"
    for receipts in facts["receipts"].values():
        for receipt in receipts:
            if receipt["event"] not in true:
                yield f"nobody sent {receipt['event']}"
            elif receipt["outcome"] != "accepted":
                yield f"{receipt['event']} is kept as {receipt['outcome']}"


def credited_once(facts):
    """Every transfer to a payment's address is one final deposit and one credited entry, of the right amount; and there
    is no other deposit or entry."""
    chains = collections.Counter((t["payment"], t["transaction"], t["units"]) for t in facts["transfers"])
    for what, field, right in (("deposits", "status", "final"), ("entries", "kind", "credit")):
        yield from (f"{row['id']} of the {what} is {row[field]}" for row in facts[what] if row[field] != right)
        booked = collections.Counter((row["payment"], row["transaction"], int(row["amount_units"]))
                                     for row in facts[what] if row[field] == right)
        for transfer in chains.keys() | booked.keys():
            if chains[transfer] != booked[transfer]:
                payment, transaction, units = transfer
                yield (f"{units} in {transaction} for {payment}: {chains[transfer]} transfers, "
                       f"{booked[transfer]} {what}")


def chain_whole(facts):
    """The chain holds every transfer that was sent."""
    if facts["sent"] != len(facts["transfers"]) + len(facts["fakes"]):
        yield f"{facts['sent']} were sent, {len(facts['transfers'])} are there, and {len(facts['fakes'])} false ones"


def statuses(facts):
    """Every payment is what its transfers make it: status and amount received."""
    came = collections.defaultdict(lambda: [0, 0])  # payment → units in time, units after
    for transfer in facts["transfers"]:
        asked = facts["asked"].get(transfer["payment"])
        if asked:
            came[transfer["payment"]][transfer["time"] > asked["expires"]] += transfer["units"]
    for payment in facts["payments"]:
        asked = facts["asked"].get(payment["id"])
        if not asked:
            continue
        in_time, after = came[payment["id"]]
        wanted = becomes(asked["units"], in_time, after, facts["now"] >= asked["expires"]), in_time + after
        found = payment["status"], int(payment["received_units"])
        if found != wanted:
            yield f"{payment['id']} is {found[0]} with {found[1]} and should be {wanted[0]} with {wanted[1]}"


def untold(facts):
    """Every payment whose status is told has an event of that status."""
    told = {(event["object"], event["type"]) for event in facts["events"]}
    for payment in facts["payments"]:
        if payment["status"] != "waiting" and (payment["id"], f"payment.{payment['status']}") not in told:
            yield f"{payment['id']} is {payment['status']} and has no event of it"


def reached(facts):
    """Every event reached the shop, signed, under its one id and with the same bytes each time; payment.paid once for
    each payment that is paid; and the shop heard of nothing else."""
    if facts["ill signed"]:
        yield f"{facts['ill signed']} webhooks had a wrong signature"
    recorded = {event["id"]: event for event in facts["events"]}
    for name, event in recorded.items():
        told = facts["told"].get(name)
        if not told or not told["accepted"]:
            yield f"{name} ({event['type']} of {event['object']}) did not reach the shop"
        elif told["event"]["type"] != event["type"] or told["event"]["data"] != event["data"]:
            yield f"{name} said to the shop something else than the API does"
    for name, told in facts["told"].items():
        if name not in recorded:
            yield f"the shop was told of {name}, which is no event"
        if len(set(told["bodies"])) > 1:
            yield f"{name} came with {len(set(told['bodies']))} different bodies"
    paid = collections.Counter(event["object"] for event in facts["events"] if event["type"] == "payment.paid")
    for payment in facts["payments"]:
        wanted = int(payment["status"] == "paid")
        if paid[payment["id"]] != wanted:
            yield f"{payment['id']} is {payment['status']} and was told as paid under {paid[payment['id']]} ids"


def deliveries_done(facts):
    """Every event's delivery is recorded as delivered."""
    done = {delivery["event"] for delivery in facts["deliveries"] if delivery["status"] == "delivered"}
    for event in facts["events"]:
        if event["id"] not in done:
            yield f"the delivery of {event['id']} is not recorded as delivered"


def books_right(facts):
    """The balance is the sum of the transfers, and cmd/rebuild comes to the same from the entries."""
    total = sum(transfer["units"] for transfer in facts["transfers"])
    balance = sum(int(row["available_units"]) for row in facts["balances"])
    if balance != total:
        yield f"the balance is {balance} and the transfers come to {total}"
    if not facts["rebuilt"]["right"]:
        yield facts["rebuilt"]["says"]


def no_letters(facts):
    """The dead-letter queues are empty."""
    for queue, body in facts["letters"]:
        yield f"{queue} holds {body[:200]}"


def at_rest(facts):
    """Everything came to rest by itself."""
    if facts["under way"]:
        yield f"still under way: {facts['under way']}"


def something_was_killed(facts):
    """Functions were killed in the midst of their work, and the local AWS and the node were stopped: a run without
    trouble proves nothing."""
    for what, count in facts["troubles"].items():
        if not count:
            yield f"{what}: none"


CHECKS = (asked_once, receipts_kept, forged_nothing, chain_whole, credited_once, statuses, untold, reached,
          deliveries_done, books_right, no_letters, at_rest, something_was_killed)


def judge(facts):
    """Each check in its own words, with what is wrong."""
    return [{"says": " ".join(check.__doc__.split()), "wrong": list(check(facts))} for check in CHECKS]


def figures(facts):
    """How much of everything there was."""
    callbacks, told = facts["callbacks"], facts["told"].values()
    arrivals = [len(one["bodies"]) for one in told]
    return {
        "payments created": len(facts["payments"]),
        "payments asked for, with repeats": facts["tries"],
        "transfers sent": len(facts["transfers"]),
        "transfers of a false token": len(facts["fakes"]),
        "callbacks": len(callbacks),
        "callbacks sent, with copies and repeats": sum(callback["tries"] for callback in callbacks),
        "callbacks acknowledged": sum(callback["acknowledged"] for callback in callbacks),
        "forged callbacks": len(facts["forged"]),
        "forged callbacks refused": sum(forged["answer"] == 401 for forged in facts["forged"]),
        "receipts": sum(len(receipts) for receipts in facts["receipts"].values()),
        "deposits": len(facts["deposits"]),
        "credited entries": sum(entry["kind"] == "credit" for entry in facts["entries"]),
        "payments paid": sum(payment["status"] == "paid" for payment in facts["payments"]),
        "events": len(facts["events"]),
        "webhooks that arrived": sum(arrivals),
        "webhooks, distinct ids": len(arrivals),
        "webhooks answered 500, or late": facts["moods"]["500"] + facts["moods"]["slow"],
        "webhooks accepted more than once": sum(one["accepted"] > 1 for one in told),
        "dead letters": len(facts["letters"]),
    }
