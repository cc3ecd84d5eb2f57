"""What kills.py asks for, whom it kills, and that each of its checks can fail."""

import collections
import contextlib
import copy
import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import crowd
import faults
import kills
import orders
import verdict
from trouble import Trouble


class Orders(unittest.TestCase):
    def test_a_seed_repeats_its_orders_and_another_has_others(self):
        self.assertEqual(orders.plan(7, 150, 75), orders.plan(7, 150, 75))
        self.assertNotEqual(orders.plan(7, 150, 75), orders.plan(8, 150, 75))

    def test_every_kind_and_every_forgery_comes_up(self):
        plan = orders.plan(7, 1000, 500)
        self.assertEqual({*orders.KINDS, *orders.KINDS_OF_A_MINUTE}, {order.kind for order in plan})
        self.assertEqual({*orders.FORGERIES, ""}, {order.forgery for order in plan})
        self.assertTrue(all(order.number < 1000 / 3 for order in plan if order.expires_in < orders.HOUR))

    def test_each_kind_is_paid_as_its_name_says(self):
        for order in orders.plan(7, 1000, 500):
            came = sum(transfer.units for transfer in order.transfers)
            self.assertTrue({"exact": came == order.units, "parts": came == order.units and len(order.transfers) == 2,
                             "over": came > order.units, "partial": 0 < came < order.units, "unpaid": came == 0,
                             "fake": order.transfers and order.transfers[0].fake, "expired": came == 0,
                             "partial and expired": 0 < came < order.units, "rumour": came == 0 and order.rumour,
                             "late": came == order.units and order.transfers[0].late}[order.kind], order)
            self.assertTrue(all(transfer.units > 0 for transfer in order.transfers), order)

    def test_what_a_payment_must_become(self):
        for asked, in_time, after, over, status in [
                (10, 0, 0, False, "waiting"), (10, 9, 0, False, "partial"), (10, 10, 0, False, "paid"),
                (10, 10, 0, True, "paid"), (10, 11, 0, True, "over"), (10, 10, 1, True, "over"),
                (10, 9, 0, True, "expired"), (10, 0, 0, True, "expired"), (10, 0, 10, True, "late"),
                (10, 9, 1, True, "late")]:
            self.assertEqual(status, orders.becomes(asked, in_time, after, over), (asked, in_time, after, over))

    def test_times_are_read_as_the_api_writes_them(self):
        for text, seconds in (("1970-01-01T00:00:01Z", 1), ("1970-01-01T00:01:00.25Z", 60.25)):
            self.assertEqual(seconds, crowd.moment(text))


class Faults(unittest.TestCase):
    def test_each_part_of_the_time_has_its_trouble(self):
        for count in (1, 2, 5):
            moments = faults.moments(random.Random(1), count, 100)
            self.assertEqual(list(range(count)), [int(moment / (100 / count)) for moment in moments])

    def test_only_a_function_that_is_a_child_of_its_aws_is_killed(self):
        child, other = self.program("bootstrap"), self.program("another")
        nobody = 2**22 + 1
        for pid, parent in ((child.pid, os.getppid()), (other.pid, os.getpid()), (nobody, os.getpid())):
            self.assertFalse(faults.kill_child(pid, parent))
        self.assertEqual((None, None), (child.poll(), other.poll()))
        self.assertTrue(faults.kill_child(child.pid, os.getpid()))
        self.assertEqual(-signal.SIGKILL, child.wait(timeout=5))

    def program(self, name):
        """A program of this name that sleeps."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / name
        path.symlink_to("/bin/sleep")
        process = subprocess.Popen([path, "60"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while faults.program(process.pid) != str(path):  # until the new program has taken the process over
            time.sleep(0.001)
        return process

    def test_a_kill_that_cut_an_invocation_is_told_from_one_that_came_too_late(self):
        killer = faults.Killer({"pids": {"aws": os.getpid()}}, None, random.Random(1))
        with mock.patch("faults.kill_child", lambda pid, parent: parent == os.getpid() and pid != 3):
            for pid in (1, 2, 3):
                killer.kill("WatchFunction", pid)
        for line in ("end WatchFunction 1 cut 8.0", "end WatchFunction 2 done 8.0", "end WatchFunction 3 cut 8.0",
                     "end WatchFunction 9 cut 8.0", "end WatchFunction None failed 8.0"):
            killer.take(line.split())
        counts = [count["WatchFunction"] for count in (killer.kills, killer.cuts, killer.invocations)]
        self.assertEqual([2, 1, 5], counts)

    def test_a_function_is_left_alone_for_a_while_after_a_kill(self):
        killer = faults.Killer({"pids": {"aws": 1}}, None, random.Random(1))
        with mock.patch("faults.threading.Timer") as timer:
            for pid in range(5):
                killer.take(["begin", "WatchFunction", str(pid), str(time.monotonic())])
            killer.take(["begin", "CreditFunction", "9", str(time.monotonic())])
        self.assertEqual([("WatchFunction", 0), ("CreditFunction", 9)], [call.args[2] for call in timer.call_args_list])


def good():
    """What a small run leaves when all is well: one payment paid, one that expired, a forger."""
    transfer = {"payment": "pay_1", "transaction": "0xaa", "units": 5, "time": 100}
    row = {"payment": "pay_1", "transaction": "0xaa", "amount_units": "5"}
    events = [{"id": "evt_1", "type": "payment.paid", "object": "pay_1", "data": {"id": "pay_1"}},
              {"id": "evt_2", "type": "payment.expired", "object": "pay_2", "data": {"id": "pay_2"}}]
    return {
        "now": 1000, "orders": 2, "tries": 3, "sent": 1, "under way": "",
        "asked": {"pay_1": {"number": 0, "units": 5, "expires": 2000, "expires_in": 3600},
                  "pay_2": {"number": 1, "units": 5, "expires": 900, "expires_in": 60}},
        "payments": [{"id": "pay_1", "reference": "order-0", "status": "paid", "received_units": "5"},
                     {"id": "pay_2", "reference": "order-1", "status": "expired", "received_units": "0"}],
        "refused": [], "transfers": [transfer], "fakes": [],
        "callbacks": [{"event": "order-0-0-hmac", "source": "hmac", "body": "true", "tries": 3, "acknowledged": 2}],
        "forged": [{"event": "forged-1-hmac", "kind": "another secret", "body": "false", "answer": 401}],
        "receipts": {"hmac": [{"event": "order-0-0-hmac", "body": "true", "outcome": "accepted"}]},
        "deposits": [{"id": "dep_1", "status": "final", **row}],
        "entries": [{"id": "ent_1", "kind": "credit", **row}],
        "balances": [{"available_units": "5"}],
        "events": events,
        "deliveries": [{"event": event["id"], "status": "delivered"} for event in events],
        "told": {event["id"]: {"event": event, "bodies": ["b", "b"], "accepted": 1} for event in events},
        "ill signed": 0, "moods": collections.Counter(), "letters": [], "rebuilt": {"right": True, "says": "0 differ"},
        "troubles": {"restarts of AWS": 1},
    }


# What may go wrong, and the check that must say so.
WRONGS = {
    "a payment is gone": ("asked_once", lambda f: f["payments"].pop()),
    "a payment is doubled": ("asked_once", lambda f: f["payments"].append(dict(f["payments"][0], id="pay_3"))),
    "a payment is refused": ("asked_once", lambda f: f["refused"].append("order 7: 400")),
    "a payment was never answered": ("asked_once", lambda f: f.update(orders=3)),
    "a transfer is missing": ("chain_whole", lambda f: f.update(sent=2)),
    "something goes on and on": ("at_rest", lambda f: f.update({"under way": "3 in LooksQueue"})),
    "a receipt is missing": ("receipts_kept", lambda f: f["receipts"]["hmac"].clear()),
    "a receipt is doubled": ("receipts_kept", lambda f: f["receipts"]["hmac"].append(f["receipts"]["hmac"][0])),
    "a receipt has another body": ("receipts_kept", lambda f: f["receipts"]["hmac"][0].update(body="other")),
    "a forged one is accepted": ("forged_nothing", lambda f: f["forged"][0].update(answer=200)),
    "a forged one is kept": ("forged_nothing", lambda f: f["receipts"]["hmac"].append(
        {"event": "forged-1-hmac", "body": "false", "outcome": "accepted"})),
    "a forged one made a conflict": ("forged_nothing", lambda f: f["receipts"]["hmac"][0].update(outcome="conflict")),
    "a deposit is missing": ("credited_once", lambda f: f["deposits"].clear()),
    "a deposit is not final": ("credited_once", lambda f: f["deposits"][0].update(status="confirming")),
    "an entry is missing": ("credited_once", lambda f: f["entries"].clear()),
    "an entry is doubled": ("credited_once", lambda f: f["entries"].append(f["entries"][0])),
    "an entry is of another amount": ("credited_once", lambda f: f["entries"][0].update(amount_units="6")),
    "an entry is reversed": ("credited_once", lambda f: f["entries"].append(dict(f["entries"][0], kind="reversal"))),
    "something false is credited": ("credited_once", lambda f: f["entries"].append(
        dict(f["entries"][0], payment="pay_2", transaction="0xbb"))),
    "a status is wrong": ("statuses", lambda f: f["payments"][0].update(status="waiting")),
    "an amount is wrong": ("statuses", lambda f: f["payments"][0].update(received_units="10")),
    "an expiry is forgotten": ("statuses", lambda f: f["payments"][1].update(status="waiting")),
    "an event is missing": ("untold", lambda f: f["events"].pop(0)),
    "an event did not arrive": ("reached", lambda f: f["told"].pop("evt_1")),
    "an event was never accepted": ("reached", lambda f: f["told"]["evt_1"].update(accepted=0)),
    "a signature was wrong": ("reached", lambda f: f.update({"ill signed": 1})),
    "an event has two bodies": ("reached", lambda f: f["told"]["evt_1"].update(bodies=["b", "c"])),
    "an event says something else": ("reached", lambda f: f["told"]["evt_1"].update(
        event=dict(f["events"][0], data={"id": "pay_9"}))),
    "an event is nobody's": ("reached", lambda f: f["told"].update(evt_9=f["told"]["evt_1"])),
    "paid is told under two ids": ("reached", lambda f: f["events"].append(dict(f["events"][0], id="evt_9"))),
    "a delivery is forgotten": ("deliveries_done", lambda f: f["deliveries"].pop()),
    "a delivery waits": ("deliveries_done", lambda f: f["deliveries"][0].update(status="pending")),
    "the balance is wrong": ("books_right", lambda f: f["balances"][0].update(available_units="6")),
    "the books differ": ("books_right", lambda f: f["rebuilt"].update(right=False)),
    "a letter is dead": ("no_letters", lambda f: f["letters"].append(("CreditDeadLetters", "{}"))),
    "nothing was stopped": ("something_was_killed", lambda f: f["troubles"].update({"restarts of AWS": 0})),
}


class Verdict(unittest.TestCase):
    def test_a_good_run_passes_every_check(self):
        self.assertEqual([], [wrong for check in verdict.judge(good()) for wrong in check["wrong"]])

    def test_every_check_fails_where_its_promise_is_broken(self):
        checks = {check.__name__: check for check in verdict.CHECKS}
        for what, (name, spoil) in WRONGS.items():
            with self.subTest(what):
                facts = copy.deepcopy(good())
                spoil(facts)
                self.assertTrue(list(checks[name](facts)))
        self.assertEqual(set(checks), {name for name, _ in WRONGS.values()}, "every check is tried")

    def test_figures_count_what_there_was(self):
        counted = verdict.figures(good())
        self.assertEqual((2, 1, 2, 4, 2), tuple(counted[what] for what in (
            "payments created", "credited entries", "callbacks acknowledged", "webhooks that arrived",
            "webhooks, distinct ids")))


class Arguments(unittest.TestCase):
    def arguments(self, *words):
        with mock.patch.object(sys, "argv", ["kills.py", *words]), contextlib.redirect_stderr(io.StringIO()):
            return kills.arguments()

    def test_payments_and_minutes_say_the_same(self):
        self.assertEqual(120, self.arguments("--minutes", "1").payments)
        self.assertEqual(60, self.arguments("--payments", "120").seconds)

    def test_what_makes_no_sense_is_told_in_one_line(self):
        for words, told in ((["--seed", "x"], "--seed: invalid"), (["--minutes", "0"], "from 0.5 to 60"),
                            (["--minutes", "nan"], "from 0.5 to 60"), (["--payments", "1"], "from 60 to 7200"),
                            (["--minutes", "1", "--payments", "60"], "not both"), (["--speed", "3"], "--speed")):
            with self.subTest(words), self.assertRaisesRegex(Trouble, told) as caught:
                self.arguments(*words)
            self.assertNotIn("\n", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
