"""What is started is stopped, all of it; what cannot be started is told in one line."""

import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

import processes
from trouble import Trouble

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = os.fork()
print("up", flush=True)
time.sleep(60)
"""


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"

    def test_a_group_is_stopped_with_members_that_ignore_a_polite_word(self):
        process = processes.start([sys.executable, "-c", STUBBORN], self.log)
        processes.wait_until(lambda: self.log.read_text().count("up") == 2, process, "the stubborn program", self.log)
        processes.stop([process.pid], seconds=0.2)
        process.wait()
        deadline = time.monotonic() + 5
        while processes.orphaned(process.pid):
            self.assertLess(time.monotonic(), deadline, "its child outlived it")
            time.sleep(0.01)

    def test_stopping_what_is_gone_is_no_matter(self):
        process = processes.start([sys.executable, "-c", ""], self.log)
        process.wait()
        processes.stop([process.pid])

    def test_a_program_that_ends_at_once_is_trouble(self):
        process = processes.start([sys.executable, "-c", "print('no')"], self.log)
        with self.assertRaisesRegex(Trouble, "the thing ended at once, see"):
            processes.wait_until(lambda: False, process, "the thing", self.log)

    def test_a_taken_port_is_trouble(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(Trouble, f"port {port} is taken, and the chain wants it"):
                processes.require_free(port, "the chain")


if __name__ == "__main__":
    unittest.main()
