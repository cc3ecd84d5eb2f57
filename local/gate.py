"""Takes each guard of proof/guards.yaml away and sees whether random histories notice: the gate of the simulation.

    python3 local/gate.py [--runs 200] [--seed 1] [--sample N] [WORDS…]

WORDS choose the guards whose names hold all of them; --sample takes N of them, evenly spread over the list.
Prints a table of guard, histories needed and invariant broken. Ends with 1 when a guard's removal was not noticed.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from install import ROOT
from trouble import Trouble, told_in_one_line

GUARDS = ROOT / "proof" / "guards.yaml"
AT_ONCE = 2


@told_in_one_line
def main():
    asked = arguments()
    guards = chosen(asked)
    texts = [without(guard) for guard in guards]  # a list that does not fit the code is found before anything is run
    print("| guard, taken away | histories until it was noticed | what was broken |\n| --- | ---: | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [pool.submit(run, guard, text, Path(folder) / str(n), asked)
                for n, (guard, text) in enumerate(zip(guards, texts))]
        results = []
        for guard, job in zip(guards, jobs):
            needed, broken = job.result()
            results.append(needed)
            print(f"| {guard['name']} | {needed or f'not in {asked.runs}'} | {broken} |", flush=True)
    missed = results.count(None)
    print(f"\n{len(results) - missed} of {len(results)} noticed, from seed {asked.seed}, "
          f"within {asked.runs} histories each")
    return 1 if missed else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=positive, default=200)
    parser.add_argument("--seed", type=positive, default=1)
    parser.add_argument("--sample", type=positive)
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def chosen(asked):
    guards = [guard for guard in listed() if all(word in guard["name"] for word in asked.words)]
    if not guards:
        raise Trouble(f"no guard in {GUARDS.relative_to(ROOT)} has a name with: {' '.join(asked.words)}")
    return spread(guards, asked.sample) if asked.sample else guards


def listed():
    """All guards."""
    return yaml.safe_load(GUARDS.read_text())


def spread(guards, count):
    """So many of them, evenly spread."""
    if count >= len(guards):
        return guards
    return [guards[n * len(guards) // count] for n in range(count)]


def without(guard):
    """The guard's file as it reads without the guard."""
    text = (ROOT / guard["file"]).read_text()
    times = text.count(guard["take"])
    if times != 1:
        raise Trouble(f"{guard['file']} has “{guard['name']}” {times} times: mend {GUARDS.relative_to(ROOT)}")
    return text.replace(guard["take"], guard["put"])


def run(guard, text, folder, asked):
    """How many histories it took, or None, and what was broken."""
    folder.mkdir()
    (folder / "code.go").write_text(text)
    overlay, binary = folder / "overlay.json", folder / "proof.test"
    overlay.write_text(json.dumps({"Replace": {str(ROOT / guard["file"]): str(folder / "code.go")}}))
    built = subprocess.run(["go", "test", "-c", "-overlay", overlay, "-o", binary, "./proof"],
                           cwd=ROOT, capture_output=True, text=True)
    if built.returncode:
        return None, f"does not compile: {' '.join(built.stderr.split())}"
    done = subprocess.run([binary, "-test.run=^TestHistories$", f"-rapid.seed={asked.seed}",
                           f"-rapid.checks={asked.runs}", "-rapid.nofailfile", "-rapid.shrinktime=0s",
                           "-test.timeout=30m"],
                          cwd=ROOT / "proof", capture_output=True, text=True, env={**os.environ, "GOMAXPROCS": "1"})
    binary.unlink()
    return read(done.stdout + done.stderr, done.returncode)


def read(output, code):
    """What a run says of itself. A history that fails by a panic or never ends is noticed too."""
    if code == 0:
        return None, ""
    found = re.search(r"\[rapid\] (?:failed|panic) after (\d+) tests: (.*)", output)
    if not found:
        if "flaky test" in output:
            return None, "a failure that did not come again"
        return None, f"ended with {code} and no verdict: {' '.join(output[-500:].split())}"
    return int(found[1]) + 1, found[2].removeprefix("broken: ")


if __name__ == "__main__":
    sys.exit(main())
