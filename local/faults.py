"""What befalls the stack in a run of kills.py: functions killed, the local AWS and the node stopped and started again,
the node frozen. A seed decides what and after how long; the machine decides what that hits."""

import collections
import os
import random
import signal
import threading
import time
from pathlib import Path

import chain
import cloud
import processes
import stack
from trouble import Trouble


class Faults:
    """All of them, each in a thread of its own, for as long as it is open; at the end everything runs again."""

    def __init__(self, file, up, seed, seconds):
        self.file, self.up, self.seconds = file, up, seconds
        self.killer = Killer(up, cloud.invocations(stack.folder_of(file)), random.Random(f"{seed}/kills"))
        self.chances = {name: random.Random(f"{seed}/{name}") for name in ("aws", "node")}
        self.counts = collections.Counter()
        self.starting, self.over, self.trouble = threading.Lock(), threading.Event(), None
        self.threads = [threading.Thread(target=self.guarded, args=(step,), daemon=True)
                        for step in (self.kill_functions, self.stop_aws, self.trouble_node)]

    def __enter__(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def guarded(self, step):
        """Notes what a thread stumbled over, for whoever asks."""
        try:
            step()
        except Exception as trouble:
            self.trouble = trouble

    def check(self):
        if self.trouble:
            raise self.trouble

    def kill_functions(self):
        self.killer.follow(self.over)

    def stop_aws(self):
        chance = self.chances["aws"]
        for moment in moments(chance, max(1, round(self.seconds / 40)), self.seconds):
            if self.waits_until(moment):
                return
            began = time.monotonic()
            self.stop("aws", 60)
            if not (saved := cloud.whole(stack.folder_of(self.file))).exists():
                raise Trouble(f"the local AWS stopped and did not save all that it held, see {self.up['logs']}/aws.log")
            saved.unlink()
            time.sleep(chance.uniform(0.2, 4))
            self.start(stack.start_aws, "aws")
            self.counts["restarts of AWS"] += 1
            self.counts["seconds without AWS"] += round(time.monotonic() - began)

    def trouble_node(self):
        chance = self.chances["node"]
        for number, moment in enumerate(moments(chance, max(2, round(self.seconds / 18)), self.seconds)):
            if self.waits_until(moment):
                return
            (self.freeze_node if number % 2 else self.restart_node)(chance.uniform(0.5, 6))

    def restart_node(self, seconds):
        at = chain.call(self.up["rpc"], "eth_getBlockByNumber", "latest", False)
        self.stop("chain", 10)
        time.sleep(seconds)
        self.start(stack.start_chain, "rpc")
        same = chain.call(self.up["rpc"], "eth_getBlockByNumber", at["number"], False)
        if not same or same["hash"] != at["hash"]:
            raise Trouble("the node came back without a block that it had: it did not keep its state")
        self.counts["restarts of the node"] += 1

    def freeze_node(self, seconds):
        os.killpg(self.up["pids"]["chain"], signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.killpg(self.up["pids"]["chain"], signal.SIGCONT)
        self.counts["node frozen"] += 1

    def waits_until(self, moment):
        """Waits until a moment of the run; True where it is over before."""
        return self.over.wait(max(0, self.began + moment - time.monotonic()))

    def stop(self, part, seconds):
        processes.stop([self.up["pids"][part]], seconds)

    def start(self, start, part):
        with self.starting:
            processes.require_free(stack.port_of(self.up[part]), f"what was stopped there ({part})")
            start(self.file, self.up, keep=True)


def moments(chance, count, seconds):
    """So many moments of trouble, one in each equal part of the time."""
    part = seconds / count
    return [part * (number + chance.uniform(0.1, 0.8)) for number in range(count)]


class Killer:
    """kill -9 of functions' processes, in the midst of their work where it can: an invocation's beginning is told by
    aws/invocations.py, and the kill comes at some moment of the time that such an invocation lately took, or shortly
    after, when it has answered."""

    REMEMBERED = 20  # invocations of each function, for how long they take
    STRETCH = 1.4  # of that time, so that some kills come after the answer
    PAUSE = (0.2, 1.5)  # seconds for which a function is then left alone

    def __init__(self, up, log, chance):
        self.up, self.log, self.chance = up, log, chance
        self.kills, self.cuts, self.invocations = (collections.Counter() for _ in range(3))
        self.killed = set()
        self.took = collections.defaultdict(lambda: collections.deque([20.0], self.REMEMBERED))
        self.next = collections.defaultdict(float)

    def follow(self, over):
        """Reads the log as it grows, until it is over."""
        with open(self.log) as log:
            line = ""
            while not over.is_set():
                line += log.readline()
                if line.endswith("\n"):
                    self.take(line.split())
                    line = ""
                else:
                    time.sleep(0.001)

    def take(self, words):
        if words[0] == "begin":
            self.consider(words[1], int(words[2]), float(words[3]))
            return
        function, pid, how, millis = words[1:]
        self.invocations[function] += 1
        self.took[function].append(float(millis))
        if how == "cut" and pid.isdigit() and int(pid) in self.killed:
            self.cuts[function] += 1

    def consider(self, function, pid, began):
        """A function is hit now and then; in between it may get on with its work."""
        now = time.monotonic()
        if now < self.next[function]:
            return
        self.next[function] = now + self.chance.uniform(*self.PAUSE)
        moment = began + self.chance.uniform(0, self.STRETCH) * self.chance.choice(self.took[function]) / 1000
        threading.Timer(max(0, moment - now), self.kill, (function, pid)).start()

    def kill(self, function, pid):
        self.killed.add(pid)
        if kill_child(pid, self.up["pids"]["aws"]):
            self.kills[function] += 1
        else:
            self.killed.discard(pid)


def kill_child(pid, parent):
    """kill -9 of a process, if it is a function's and a child of this very parent; says whether it was."""
    try:
        handle = os.pidfd_open(pid)  # whatever gets the number later is another process
    except OSError:
        return False
    try:
        if parent_of(pid) != parent or not program(pid).endswith("/bootstrap"):
            return False
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def parent_of(pid):
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def program(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]
    except OSError:
        return ""
