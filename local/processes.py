"""Starts programs in process groups of their own, waits until they answer, and stops whole groups."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from trouble import Trouble


def free_port():
    """Any port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_free(port, who):
    """Refuses a port that somebody already listens on."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise Trouble(f"port {port} is taken, and {who} wants it: free it, or say make run ARGS=--any-ports")


def start(argv, log, env=None, cwd=None):
    """Starts a program as the head of a new process group, its output going to a file."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as out:
        return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)


def wait_until(answers, process, what, log, seconds=60):
    """Waits until answers() is true; a program that ended or stays silent is stopped, and Trouble."""
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None:
            raise Trouble(f"{what} ended at once, see {log}")
        if time.monotonic() > deadline:
            stop([process.pid])
            raise Trouble(f"{what} did not answer within {seconds} s, see {log}")
        time.sleep(0.05)


def listening(port):
    """A condition for wait_until: something accepts connections."""

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return answers


def runs(pid, folder):
    """Whether a process lives, and is the one started from this folder rather than a later bearer of its number."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    command = Path(f"/proc/{pid}/cmdline")
    return str(folder) in command.read_text(errors="replace") if command.exists() else True


def stop(groups, seconds=1):
    """Ends process groups, every member of them: politely, then not. Groups that are gone are no matter."""
    groups = [group for group in groups if _signal(group, signal.SIGTERM)]
    deadline = time.monotonic() + seconds
    while groups and time.monotonic() < deadline:
        _reap()
        groups = [group for group in groups if _signal(group, 0)]
        time.sleep(0.02)
    for group in groups:
        _signal(group, signal.SIGKILL)
    _reap()


def orphaned(pid):
    """Whether a process is gone while others of its group live on."""
    return not Path(f"/proc/{pid}").exists() and _signal(pid, 0)


def _signal(group, number):
    """Whether the group still had a member to take the signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _reap():
    """Collects children that ended, so that their groups disappear."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
