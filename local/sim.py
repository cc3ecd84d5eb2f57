"""The simulation: random histories of the whole system from a seed on, or every stop of one scenario.

    python3 local/sim.py --seed 1 --runs 200
    python3 local/sim.py --scenario Paid

A history that fails is made smaller and printed as a timeline, with the seed that brings it again.
"""

import argparse
import re
import subprocess
import sys

from install import ROOT
from trouble import Trouble, told_in_one_line

SCENARIO = "TestEveryStopOf"


@told_in_one_line
def main():
    asked = arguments()
    if asked.scenario:
        test, more = f"^{SCENARIO}{scenario(asked.scenario)}$", []
    else:
        seed, runs = number("SEED", asked.seed), number("RUNS", asked.runs)
        test, more = "^TestHistories$", [f"-rapid.seed={seed}", f"-rapid.checks={runs}", "-rapid.nofailfile"]
    command = ["go", "test", "-count=1", "-v", "-timeout=60m", "-run", test, "./proof", *more]
    done = subprocess.Popen([sys.executable, ROOT / "local" / "parts.py", "--aws", "--", *command],
                            cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in done.stdout:
        if line.strip() and not line.startswith(("=== ", "PASS", "--- PASS")):
            print(line, end="", flush=True)
    return 1 if done.wait() else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--runs", default="200")
    parser.add_argument("--scenario")
    return parser.parse_args()


def number(name, text):
    """A whole number from 1 to what a seed can be."""
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise Trouble(f"{name} must be a whole number from 1 to 999999999999999999, not “{text}”")
    return int(text)


def scenario(name):
    """The scenario, which must be one of those that the tests have."""
    listed = subprocess.run(["go", "test", "-list", f"^{SCENARIO}", "./proof"],
                            cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise Trouble(f"the tests do not compile:\n{listed.stderr}")
    names = re.findall(rf"(?m)^{SCENARIO}(\w+)$", listed.stdout)
    if name not in names:
        raise Trouble(f"there is no scenario “{name}”; there are {', '.join(names)}")
    return name


if __name__ == "__main__":
    main()
