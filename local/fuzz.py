"""Runs every fuzz target of the Go code for a while, one after the other, beside a local AWS for those that want one.

    python3 local/fuzz.py [--for 30s] [--package shared/api] [--target FuzzBody]

The targets are those that `go test -list` finds. An input that fails stays under testdata/fuzz beside its package,
where `go test` runs it from then on; what each target wrote is under .local/fuzz.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys

import cloud
import install
import parts
import processes
from trouble import Trouble, told_in_one_line

LOGS = install.LOCAL / "fuzz"
SILENCE = 120  # seconds that a target may take beyond its time, to build and to make a failing input small


@told_in_one_line
def main():
    asked = arguments()
    seconds = duration(asked.time)
    chosen = choose(targets(install.ROOT), asked.package, asked.target)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` stops what was started
    state, started = parts.folder(), []
    try:
        env = {**cloud.credentials(), **parts.aws(state, started)}
        failed = table(chosen, lambda package, target: fuzz(install.ROOT, package, target, seconds, LOGS, env))
    finally:
        processes.stop(started)
        shutil.rmtree(state, ignore_errors=True)
    if failed:
        raise Trouble(f"{len(failed)} of {len(chosen)} targets failed: {', '.join(failed)}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--for", dest="time", default="30s", help="how long each target runs")
    parser.add_argument("--package", help="only the targets of this package")
    parser.add_argument("--target", help="only the targets of this name")
    return parser.parse_args()


def duration(text):
    """Seconds, from "30s" or "5m" or "1h"."""
    read = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", text)
    if not read:
        raise Trouble(f"FOR must be a time such as 30s, 5m or 1h, not “{text}”")
    return int(read[1]) * {"s": 1, "m": 60, "h": 3600}[read[2]]


def targets(root):
    """Every fuzz target, as (package, name), in order."""
    def go(*words):
        return subprocess.run(["go", *words], cwd=root, capture_output=True, text=True)

    listed = go("test", "-json", "-list", "^Fuzz", "./...")
    events = [json.loads(line) for line in listed.stdout.splitlines() if line.startswith("{")]
    if listed.returncode:
        said = "".join(e["Output"] for e in events if e["Action"] == "build-output")
        raise Trouble(f"the tests do not compile:\n{said}")
    module = go("list", "-m").stdout.strip()
    return sorted((e["Package"].removeprefix(module).lstrip("/"), e["Output"].strip()) for e in events
                  if e["Action"] == "output" and e["Output"].startswith("Fuzz"))


def choose(known, package=None, target=None):
    """The targets that were asked for; a package or a name that has none is Trouble."""
    if package:
        path = package.removeprefix("./").rstrip("/")
        known = [one for one in known if one[0] == path]
        if not known:
            raise Trouble(f"there is no package “{package}” with fuzz targets")
    if target:
        names = ", ".join(sorted({name for _, name in known}))
        known = [one for one in known if one[1] == target]
        if not known:
            raise Trouble(f"there is no fuzz target “{target}”{f' in {package}' if package else ''}; there are {names}")
    return known


def table(chosen, run):
    """Runs the targets and prints a line for each as it ends; gives what failed: a file with its input, or a name."""
    width = max(len(f"{package} {target}") for package, target in chosen)
    print(f"{'target':<{width}}  {'executions':>12}  {'new interesting':>15}  result", flush=True)
    failed = []
    for package, target in chosen:
        outcome = run(package, target)
        print(f"{f'{package} {target}':<{width}}  {outcome['executions']:>12,}  {outcome['interesting']:>15,}  "
              f"{outcome['result']}", flush=True)
        if not outcome["result"].startswith("passed"):
            print(outcome["said"], flush=True)
            failed.append(outcome["input"] or f"{package} {target}")
    return failed


def fuzz(root, package, target, seconds, logs, env=None):
    """Runs one target in a process group of its own; gives how it went."""
    log = logs / f"{package.replace('/', '-')}-{target}.log"
    log.unlink(missing_ok=True)
    # Unbounded, Go spends up to a minute on making each interesting input smaller, and executes nothing meanwhile.
    process = processes.start(["go", "test", "-run", "^$", "-fuzz", f"^{target}$", "-fuzztime", f"{seconds}s",
                               "-fuzzminimizetime", "1s", f"./{package}"], log, env, root)
    try:
        code = process.wait(seconds + SILENCE)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        processes.stop([process.pid])
    return outcome(package, code, log.read_text(errors="replace"))


def outcome(package, code, said):
    """What a run of `go test -fuzz` says of itself. A target that was skipped has proved nothing, and failed."""
    counts = re.findall(r"execs: (\d+) .*new interesting: (\d+)", said)
    executions, interesting = map(int, counts[-1]) if counts else (0, 0)
    written = re.search(r"Failing input written to (\S+)", said)
    seed = re.search(r"failure while testing seed corpus entry: (\S+)", said)
    # Go's own end of a run, when the time is over in the midst of an input: https://go.dev/issue/75804.
    if code and not written and not seed and re.search(r"(?m)^ +context deadline exceeded$", said):
        code = 0
    if code is None:
        result = "hangs"
    elif code:
        result = "failed"
    elif executions:
        result = "passed"
    else:
        known = re.search(r"gathering baseline coverage: [1-9]", said)
        result = "passed, with nothing new: its time was too short" if known else "did not run"
    name = f"{package}/{written[1]}" if written else f"{package} {seed[1]}" if seed else ""
    rest = "\n".join(line for line in said.splitlines() if line.strip() and not line.startswith("fuzz: elapsed"))
    return {"executions": executions, "interesting": interesting, "result": result, "input": name, "said": rest}


if __name__ == "__main__":
    main()
