"""How large each function's package is, and how long its process takes until it first asks for an event, beside an
empty Go function in the same run.

    python3 local/starts.py [rounds]
"""

import http.server
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

import deploy
from install import LOCAL, ROOT
from trouble import told_in_one_line

# Every variable that any function needs to start; none of what they name is asked at a start.
DUMMY = {"CHAINS": "[]", "CHAIN_ENDPOINTS": "{}", "OPERATOR_KEY_HASH": "0" * 64, "AWS_REGION": "us-east-1",
         "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "LOCAL_RUN": "true"}


class Runtime(http.server.BaseHTTPRequestHandler):
    """The Lambda runtime API, as far as a function's first question for an event."""

    asked, at = threading.Event(), 0.0

    def do_GET(self):
        Runtime.at = time.perf_counter()
        Runtime.asked.set()
        time.sleep(5)

    def log_message(self, *_):
        """Nothing: one line a start would drown the table."""


def start(binary, port):
    """Milliseconds from the start of a process to its first request for an event."""
    Runtime.asked.clear()
    names = {name: "x" for function in ROOT.glob("functions/*/main.go") for name in variables(function)}
    began = time.perf_counter()
    process = subprocess.Popen([binary], env={**names, **DUMMY, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not Runtime.asked.wait(10):
            process.kill()
            raise SystemExit(f"{binary} did not start: {process.stderr.read().decode()[-300:]}")
        return (Runtime.at - began) * 1000
    finally:
        process.kill()
        process.wait()


def variables(source):
    """The environment variables that a main.go asks for."""
    return re.findall(r'(?:cloud.Env|table)\("([A-Z_]+)"', source.read_text())


def zipped(binary):
    """The size of the package that is uploaded."""
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
            package.write(binary, "bootstrap")
        return os.path.getsize(file.name)


@told_in_one_line
def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    folder = LOCAL / "starts"
    folder.mkdir(parents=True, exist_ok=True)
    binaries = {"empty": folder / "empty"}
    subprocess.run(["go", "build", "-o", binaries["empty"], "./local/empty"], cwd=ROOT, check=True,
                   env={**os.environ, **deploy.SAM_ENV})
    for source in sorted(ROOT.glob("functions/*/main.go")):
        name = source.parent.name
        binaries[name] = folder / name
        subprocess.run(["go", "build", "-o", binaries[name], f"./{source.parent.relative_to(ROOT)}"], cwd=ROOT,
                       check=True, env={**os.environ, **deploy.SAM_ENV})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Runtime)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    times = {name: [] for name in binaries}
    for _ in range(rounds):
        for name, binary in binaries.items():
            times[name].append(start(binary, server.server_port))
    empty = statistics.median(times["empty"])
    print(f"| function | package, MB | start, ms: median (min–max) of {rounds} | times an empty function |")
    print("| --- | ---: | ---: | ---: |")
    for name, measured in times.items():
        median = statistics.median(measured)
        size, fastest, slowest = zipped(binaries[name]) / 1e6, min(measured), max(measured)
        print(f"| {name} | {size:.1f} | {median:.1f} ({fastest:.1f}–{slowest:.1f}) | {median / empty:.2f} |")


if __name__ == "__main__":
    main()
