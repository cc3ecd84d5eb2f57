"""Makes the output of the checks readable, and ends it with `N passed, N failed, N skipped`.

Lines of `go test -json` become one line for each package and, where a test failed, what it said. The counts are of
tests, those of Go with their subtests and those of Python; a target of make that failed for another reason counts as
one failure.
"""

import collections
import json
import re
import sys

counts = collections.Counter()
said = collections.defaultdict(list)  # (package, test) → its output
targets = 0


def go(event):
    action, key = event.get("Action"), (event.get("Package") or event.get("ImportPath"), event.get("Test"))
    if action in ("output", "build-output"):
        said[key].append(event["Output"])
    elif action in ("pass", "fail", "skip"):
        output = said.pop(key, [])
        if event.get("Test"):
            counts[action] += 1
            if action != "pass":
                print("".join(output), end="")
        elif action == "fail":
            print("".join(said.pop((event.get("FailedBuild"), None), []) + output), end="")
        elif action == "pass":
            print(f"ok    {event['Package']}  {event['Elapsed']:.1f} s")


def python(line):
    if ran := re.match(r"Ran (\d+) tests? in", line):
        counts["pass"] += int(ran[1])
    elif re.match(r"(OK|FAILED)( \(.*\))?$", line):
        for what, number in re.findall(r"(failures|errors|skipped)=(\d+)", line):
            counts["skip" if what == "skipped" else "fail"] += int(number)
            counts["pass"] -= int(number)


for line in sys.stdin:
    try:
        event = json.loads(line) if line.startswith("{") else None
    except ValueError:
        event = None
    if event:
        go(event)
    else:
        python(line.strip())
        targets += line.startswith("make: ***")
        print(line, end="")
    sys.stdout.flush()

print(f"\n{counts['pass']} passed, {max(counts['fail'], targets)} failed, {counts['skip']} skipped")
