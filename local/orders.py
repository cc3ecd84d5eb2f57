"""What a run of kills.py asks for and how it is paid, all decided by a seed; and what each payment must become."""

import random
from dataclasses import dataclass

HOUR, SHORTEST = 3600, 60  # seconds in which a payment is to be paid; less than a minute the API refuses

# How many of a hundred orders are of each kind. Those of a minute, and rumours, come in the first third of a run, so
# that their time is over within it.
KINDS = {
    "exact": 52,  # one transfer of what was asked
    "parts": 17,  # two transfers
    "over": 8,  # one transfer of more
    "partial": 7,  # too little, in time
    "unpaid": 4,
    "fake": 4,  # a transfer of another token that has the same symbol, and nothing else
}
KINDS_OF_A_MINUTE = {
    "expired": 4,  # nothing comes
    "partial and expired": 3,
    "late": 3,  # all of it comes when the time is over
    "rumour": 3,  # a provider speaks, rightly signed, of a transaction that no block has
}
SOURCES = ("standard-webhooks", "hmac")

# What somebody without the connection's secret may try. All must be refused.
FORGERIES = ("another secret", "changed after it was signed", "the other connection's signature",
             "replayed an hour later", "the id of a true one", "an unknown connection")


@dataclass(frozen=True)
class Tell:
    """A provider's callback about a transfer."""

    source: str
    copies: int  # that come at the same time
    early: bool  # before the transaction is in a block


@dataclass(frozen=True)
class Transfer:
    units: int
    pause: float  # seconds before it is sent
    tells: tuple  # none: only the watcher can find it
    fake: bool = False
    late: bool = False  # it waits until the payment's time is over


@dataclass(frozen=True)
class Order:
    number: int
    at: float  # seconds after the load began
    kind: str
    units: int  # asked
    expires_in: int
    transfers: tuple
    rumour: bool = False
    forgery: str = ""  # what a forger tries beside it


def plan(seed, payments, seconds):
    """So many orders over so many seconds."""
    chance = random.Random(f"{seed}/orders")
    return [order(chance, number, number * seconds / payments, number < payments / 3) for number in range(payments)]


def order(chance, number, at, early):
    kinds = {**KINDS, **KINDS_OF_A_MINUTE} if early else KINDS
    kind = chance.choices(list(kinds), kinds.values())[0]
    units = chance.randint(1_000_000, 50_000_000)
    return Order(
        number=number, at=at, kind=kind, units=units,
        expires_in=SHORTEST if kind in ("expired", "partial and expired", "late") else HOUR,
        transfers=tuple(transfers(chance, kind, units)), rumour=kind == "rumour",
        forgery=chance.choice(FORGERIES) if chance.random() < 0.3 else "",
    )


def transfers(chance, kind, units):
    """How an order of this kind is paid."""
    if kind in ("unpaid", "expired", "rumour"):
        return
    part = chance.randint(1, units - 1)
    amounts = {"parts": [part, units - part], "over": [units + part], "partial": [part], "partial and expired": [part]}
    for amount in amounts.get(kind, [units]):
        yield Transfer(units=amount, pause=chance.uniform(0, 2), tells=tuple(tells(chance)), fake=kind == "fake",
                       late=kind == "late")


def tells(chance):
    """What providers say of a transfer: one of them, both, or none."""
    for source in chance.choice([SOURCES[:1], SOURCES[1:], SOURCES, ()]):
        yield Tell(source, copies=chance.choice([1, 1, 2, 5]), early=chance.random() < 0.2)


def becomes(asked, in_time, after, over):
    """The status of a payment of so many units, from what the chain holds for it and whether its time is over."""
    if in_time >= asked:
        return "over" if in_time + after > asked else "paid"
    if after:
        return "late"
    if over:
        return "expired"
    return "partial" if in_time else "waiting"
