"""Real kills: the whole product under load on this machine while its functions are killed with -9, the local AWS and
the node are stopped and started again, and the node is frozen. Then everything heals, and what is left is counted and
judged from outside: nothing may be lost, and nothing doubled.

    .local/venv/bin/python local/kills.py --seed 7 --minutes 1.5      or  --payments 150

The seed decides what is asked, paid, said, forged and struck, and when; the machine decides what that hits, so the
same seed is the same run only in its orders. Figures and checks go to .local/kills.json too.
"""

import argparse
import contextlib
import json
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import api
import display
import install
import orders
import parts
import stack
from faults import Faults
from trouble import Trouble, told_in_one_line

RESULT = install.LOCAL / "kills.json"
PER_SECOND, MINUTES = 2, 1.5  # payments asked for; how long that goes on
GIVEN_BACK = 20  # seconds after which a queue gives out again what a function died over; the template says 180 to 360
HEALING = 300  # seconds, at the most


@told_in_one_line
def main():
    asked = arguments()
    if not Path("/proc/self/stat").exists():
        raise Trouble("killing a function's process, and no other, needs Linux and its /proc")
    install.local_run()
    if Path(sys.prefix) != install.LOCAL / "venv":
        raise Trouble("say .local/venv/bin/python local/kills.py, or make kills")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` stops what was started
    return run(asked)


def arguments():
    """Seed and size of the run; what makes no sense is told in one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     exit_on_error=False)
    parser.error = refuse
    parser.add_argument("--seed", type=int, help="repeats the orders and the choices of a run")
    parser.add_argument("--minutes", type=float, help=f"of load and trouble; {MINUTES} if nothing is said")
    parser.add_argument("--payments", type=int, help=f"instead: how many, {PER_SECOND} a second")
    try:
        asked = parser.parse_args()
    except argparse.ArgumentError as wrong:
        refuse(str(wrong))
    if asked.minutes is not None and asked.payments is not None:
        refuse("say minutes or payments, not both")
    if asked.minutes is not None and not 0.5 <= asked.minutes <= 60:
        refuse("minutes must be from 0.5 to 60")
    if asked.payments is not None and not 60 <= asked.payments <= 7200:
        refuse("payments must be from 60 to 7200")
    asked.seed = random.randrange(10**6) if asked.seed is None else asked.seed
    asked.payments = asked.payments or round((asked.minutes or MINUTES) * 60 * PER_SECOND)
    asked.seconds = asked.payments / PER_SECOND
    return asked


def refuse(why):
    raise Trouble(why)


def run(asked):
    """Up, trouble, healing, verdict; down at the end whatever happens."""
    show = display.of_this_terminal()
    show.heading(f"Real kills, seed {asked.seed}: {asked.payments} payments in {asked.seconds:.0f} s")
    folder, result, began = parts.folder(), None, time.monotonic()
    try:
        up = stack.up(folder / "stack.json", any_ports=True, show=show, keep=True)
        result = strike(folder / "stack.json", up, asked, show)
    finally:
        stack.down(folder / "stack.json")
        holds = result and not any(check["wrong"] for check in result["checks"])
        if holds:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"what the parts wrote: {folder.relative_to(install.ROOT)}", file=sys.stderr)
    result["took, s"] = round(time.monotonic() - began)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    tell(result, show)
    return 0 if holds else 1


def strike(file, up, asked, show):
    """Load and trouble together; then rest; then everything is read and judged."""
    import crowd as around
    import verdict  # only here are the packages of these two needed

    reader = verdict.Reader(up, api.Api(up["api"], up["merchant_key"]))
    reader.give_back_after(GIVEN_BACK)
    faults = Faults(file, up, asked.seed, asked.seconds)
    with around.Crowd(up, asked.seed) as crowd:
        with show.step("Load and trouble") as step:
            with faults:
                end = time.monotonic() + asked.seconds
                crowd.begin(crowd.follow, orders.plan(asked.seed, asked.payments, asked.seconds))
                while time.monotonic() < end:
                    faults.check()
                    crowd.done()  # tells of what went wrong among them
                    step.say(f"{len(crowd.asked)} payments, {sum(faults.killer.kills.values())} kills, "
                             f"{len(crowd.shop.told)} events told")
                    time.sleep(0.5)
            faults.check()
        with show.step("Everything heals") as step:
            under_way = heal(reader, crowd, step)
        with show.step("Everything read") as step:
            facts = reader.facts(crowd, under_way, troubles(faults))
            step.say(facts["rebuilt"]["says"])
    return {"seed": asked.seed, "seconds of load": asked.seconds,
            "figures": {**verdict.figures(facts), **dict(sorted(faults.counts.items()))},
            "functions": functions(faults.killer), "checks": verdict.judge(facts)}


def heal(reader, crowd, step):
    """Waits until nothing is under way, twice in a row; gives what still is when the time is over."""
    end, quiet = time.monotonic() + HEALING, 0
    while quiet < 2 and time.monotonic() < end:
        under_way = reader.unsettled(crowd)
        quiet = 0 if under_way else quiet + 1
        step.say(under_way or "quiet")
        time.sleep(2)
    return under_way


def troubles(faults):
    return {"kills in the midst of work": sum(faults.killer.cuts.values()),
            **{what: faults.counts[what] for what in ("restarts of AWS", "restarts of the node", "node frozen")}}


def functions(killer):
    """For each function: its invocations, how often it was killed, and how many of these cut an invocation."""
    counts = {"invocations": killer.invocations, "killed": killer.kills, "in the midst of work": killer.cuts}
    return {name.removesuffix("Function").lower(): {what: count[name] for what, count in counts.items()}
            for name in sorted(killer.invocations | killer.kills)}


def tell(result, show):
    """The figures and the checks, for a person."""
    show.heading("Figures")
    for what, count in result["figures"].items():
        print(f"   {what:<42} {count:>7}")
    show.heading("Functions" + " " * 16 + "invocations   killed   in the midst of work")
    for name, counts in result["functions"].items():
        print(f"   {name:<20}" + "".join(f"{count:>{width}}" for count, width in zip(counts.values(), (13, 9, 23))))
    show.heading("Checks")
    for check in result["checks"]:
        print(f" {'✗' if check['wrong'] else '✓'} {check['says']}")
        for wrong in check["wrong"][:10]:
            print(f"     {wrong}")
        if len(check["wrong"]) > 10:
            print(f"     and {len(check['wrong']) - 10} more")
    with contextlib.suppress(ValueError):
        show.heading(f"seed {result['seed']}, {result['took, s']} s; all of it: {RESULT.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
