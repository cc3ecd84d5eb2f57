"""The whole product on this machine: a local AWS, a local chain, the real template, a shop to try it with.

    python local/stack.py up     starts it in the background; when it already runs, builds and deploys anew
    python local/stack.py down   stops everything that was started
    python local/stack.py run    the same in the foreground, with one real payment shown on its way;
                                 stays up until Ctrl-C (with --once: until the payment is through)

What a program needs to know of it stands in .local/stack.json; logs are under .local/stack.
"""

import argparse
import hashlib
import json
import secrets
import shutil
import signal
import sys
import urllib.parse
from pathlib import Path

import chain
import cloud
import deploy
import display
import install
import processes
from api import Api
from trouble import Trouble, told_in_one_line

FILE = install.LOCAL / "stack.json"
PORTS = {"aws": 4566, "api": 8080, "chain": 8545}

# The account m/44'/60'/1' of the mnemonic "test test test test test test test test test test test junk" that every
# local chain uses (BIP-39 seed without passphrase, BIP-32, three hardened steps, the public half serialised).
XPUB = ("xpub6Ce9NcJvTk372KjsGfWqbcex5DumjpNquQLApoeQUavSCjEc823BV1tb4rXUuPuht8h2hSxkg2EXUaKUJmniJvRZAELxypsCzBFdto"
        "smV76")


def up(file=FILE, any_ports=False, show=None, keep=False):
    """Brings the stack up, or deploys anew onto one that is up; gives what its file says. With keep, its parts can be
    stopped and started again, and go on where they were."""
    show = show or display.Plain()
    stack = load(file)
    if stack.get("ready") and all(processes.runs(pid, install.ROOT) for pid in stack["pids"].values()):
        publish(file, stack, show)
        return stack
    down(file)
    try:
        stack = begin(file, any_ports, show, keep)
        publish(file, stack, show)
        open_shop(stack, show)
        save(file, {**stack, "ready": True})
        return load(file)
    except BaseException:
        down(file)
        raise


def begin(file, any_ports, show, keep=False):
    """Starts the local AWS and the chain, and lays the token."""
    ports = {name: processes.free_port() for name in PORTS} if any_ports else PORTS
    for name, port in ports.items():
        processes.require_free(port, f"the local {name}")
    folder = folder_of(file)
    shutil.rmtree(folder)
    stack = {
        "ready": False,
        "api": f"http://127.0.0.1:{ports['api']}",
        "aws": cloud.endpoint(ports["aws"]),
        "region": cloud.REGION,
        "rpc": f"http://127.0.0.1:{ports['chain']}",
        "chain": chain.CHAIN,
        "payer": chain.PAYER,
        "payer_private_key": chain.PAYER_PRIVATE_KEY,
        "operator_key": "fk_op_" + secrets.token_urlsafe(32),
        "logs": str(folder),
        "pids": {},
    }
    with show.step("Local AWS") as step:
        start_aws(file, stack, keep)
        step.say(stack["aws"])
    with show.step("Local chain") as step:
        start_chain(file, stack, keep)
        stack["token"] = chain.deploy_token(stack["rpc"])
        stack["asset"] = f"{chain.CHAIN}/erc20:{stack['token']}"
        step.say(f"{stack['rpc']}, USDT at {stack['token'][:10]}…")
    return stack


def start_aws(file, stack, keep):
    """Starts the stack's local AWS, and notes its process."""
    aws, api = port_of(stack["aws"]), port_of(stack["api"])
    stack["pids"]["aws"] = cloud.start(aws, folder_of(file), api, keep).pid
    save(file, stack)


def start_chain(file, stack, keep):
    """Starts the stack's local chain, and notes its process."""
    folder = folder_of(file)
    state = folder / "chain.state" if keep else None
    stack["pids"]["chain"] = chain.start(port_of(stack["rpc"]), folder / "chain.log", block_time=1, state=state).pid
    save(file, stack)


def port_of(url):
    return urllib.parse.urlsplit(url).port


def publish(file, stack, show):
    """Builds the functions and deploys the template."""
    folder = folder_of(file)
    log = folder / "sam.log"
    with show.step("Functions built") as step:
        deploy.build(folder / "build", log)
        step.say("sam build")
    with show.step("Template deployed") as step:
        parameters = {
            "OperatorKeyHash": hashlib.sha256(stack["operator_key"].encode()).hexdigest(),
            "Chains": json.dumps([chain_configuration(stack["token"])], separators=(",", ":")),
            "ChainEndpoints": json.dumps({chain.CHAIN: [stack["rpc"]]}, separators=(",", ":")),
            "PublicUrl": stack["api"],
            "Protection": "false",
            "LocalRun": "true",
        }
        deploy.deploy(folder / "build", stack["aws"], parameters, log)
        step.say(f"sam deploy, API at {stack['api']}")


def chain_configuration(token):
    """The local chain as the template's parameter `Chains` describes it."""
    return {
        "id": chain.CHAIN,
        "name": "Local",
        "native": {"symbol": "ETH", "decimals": 18},
        "block_time": "1s",
        "finality": {"depth": 3},
        "tokens": [{"symbol": "USDT", "decimals": 6, "address": token}],
    }


def open_shop(stack, show):
    """Makes a merchant and its key, through the API like anybody."""
    with show.step("Demo shop opened") as step:
        operator = Api(stack["api"], stack["operator_key"])
        stack["merchant"] = operator.post("/v1/merchants", name="Demo shop", xpub=XPUB)["id"]
        key = operator.post(f"/v1/merchants/{stack['merchant']}/keys", name="demo", scopes=["*"])
        stack["merchant_key"] = key["key"]
        step.say(f"merchant {stack['merchant']}")


def down(file=FILE):
    """Stops everything that the stack of this file started; says whether there was anything."""
    stack = load(file)
    pids = stack.get("pids", {}).values()
    processes.stop([pid for pid in pids if processes.runs(pid, install.ROOT) or processes.orphaned(pid)])
    file.unlink(missing_ok=True)
    return bool(stack)


def folder_of(file):
    """Logs, builds and temporary files of a stack lie beside its file."""
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def load(file):
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return {}


def save(file, stack):
    """Replaces the file at once, so that no reader sees half of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(stack, indent=2) + "\n")
    draft.replace(file)


def run(any_ports, once):
    """Up, one payment, what to try; down at the end whatever happens."""
    import journey  # only here are its packages needed

    if load(FILE).get("ready"):
        raise Trouble("it is already up: `make down` first, or `make up` to deploy anew")
    show = display.of_this_terminal()
    show.heading("Farrier on this machine")
    try:
        stack = up(any_ports=any_ports, show=show)
        show.heading("One payment")
        with journey.Shop() as shop:
            journey.pay(stack, shop, show)
            if not once:
                print(journey.what_to_try(stack))
                signal.pause()
    except KeyboardInterrupt:
        print()
    finally:
        with show.step("Everything stopped"):
            down()


@told_in_one_line
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "down", "run"])
    parser.add_argument("--any-ports", action="store_true", help="take ports that are free")
    parser.add_argument("--once", action="store_true", help="end after the payment")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that `finally` stops what was started
    if asked.command == "run":
        run(asked.any_ports, asked.once)
    elif asked.command == "up":
        stack = up(any_ports=asked.any_ports, show=display.of_this_terminal())
        print(f"\nup: {stack['api']}  (all of it: {FILE.relative_to(Path.cwd())})")
    else:
        print("stopped" if down() else "nothing was running")


if __name__ == "__main__":
    main()
