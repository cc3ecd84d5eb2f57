"""Runs a command with real parts beside it: starts them on free ports, stops them when the command ends.

    python3 local/parts.py --aws --anvil --btcd --dynamodb --elasticmq --stack -- go test ./...

What the command finds in its environment:

    --aws        FARRIER_TEST_AWS, FARRIER_TEST_DYNAMODB and FARRIER_TEST_SQS: the local AWS
    --dynamodb   FARRIER_TEST_DYNAMODB: DynamoDB Local, the stricter judge
    --elasticmq  FARRIER_TEST_SQS: ElasticMQ, the stricter judge
    --anvil      FARRIER_TEST_RPC: a chain that mines at every transaction
                 FARRIER_TEST_ANVIL: the program itself, for a test that wants a chain of its own
                 FARRIER_TEST_TOKEN_BYTECODE: a compiled ERC-20 {abi, bytecode}, all of it the deployer's
                 FARRIER_TEST_STRANGE_TOKENS: a folder of others that misbehave, <Contract>.json
    --btcd       FARRIER_TEST_BTCD: the node of a Bitcoin chain, the program itself
    --stack      FARRIER_STACK: the stack.json of the whole product, deployed (see local/stack.py)
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import chain
import cloud
import install
import java_parts
import processes
import stack
from trouble import told_in_one_line


@told_in_one_line
def main():
    asked, command = arguments()
    if asked.aws or asked.anvil or asked.stack:
        install.local_run()
    if asked.btcd:
        install.go_parts()
    if asked.dynamodb or asked.elasticmq:
        install.java()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))  # so that `finally` stops what was started
    state = folder()
    started, env, code = [], cloud.credentials(), 1
    try:
        for part in PARTS:
            if getattr(asked, part):
                env.update(PARTS[part](state, started))
        code = subprocess.call(command, env={**os.environ, **env})
        return code
    finally:
        processes.stop(started)
        if code:
            print(f"what the parts wrote: {state.relative_to(install.ROOT)}", file=sys.stderr)
        else:
            shutil.rmtree(state, ignore_errors=True)


def folder():
    """A new folder for what the parts write; those of failed runs are kept for a day."""
    runs = install.LOCAL / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in runs.iterdir():
        if old.stat().st_mtime < time.time() - 86400:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=runs))


def aws(state, started):
    port = processes.free_port()
    started.append(cloud.start(port, state / "aws").pid)
    return dict.fromkeys(("FARRIER_TEST_AWS", "FARRIER_TEST_DYNAMODB", "FARRIER_TEST_SQS"), cloud.endpoint(port))


def dynamodb(state, started):
    port = processes.free_port()
    started.append(java_parts.dynamodb(port, state / "dynamodb.log").pid)
    return {"FARRIER_TEST_DYNAMODB": f"http://127.0.0.1:{port}"}


def elasticmq(state, started):
    port = processes.free_port()
    started.append(java_parts.elasticmq(port, state / "elasticmq.log").pid)
    return {"FARRIER_TEST_SQS": f"http://127.0.0.1:{port}"}


def anvil(state, started):
    port = processes.free_port()
    started.append(chain.start(port, state / "chain.log").pid)
    return {"FARRIER_TEST_RPC": f"http://127.0.0.1:{port}",
            "FARRIER_TEST_ANVIL": str(chain.binary()),
            "FARRIER_TEST_TOKEN_BYTECODE": str(chain.TOKEN),
            "FARRIER_TEST_STRANGE_TOKENS": str(install.LOCAL / "strange-tokens")}


def btcd(_state, _started):
    return {"FARRIER_TEST_BTCD": str(install.LOCAL / "go-parts" / "btcd")}


def whole_stack(state, started):
    file = state / "stack.json"
    started.extend(stack.up(file, any_ports=True)["pids"].values())
    return {"FARRIER_STACK": str(file)}


PARTS = {"aws": aws, "dynamodb": dynamodb, "elasticmq": elasticmq, "anvil": anvil, "btcd": btcd, "stack": whole_stack}


def arguments():
    """The parts asked for, and the command after `--`."""
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in PARTS:
        parser.add_argument(f"--{part}", action="store_true")
    asked = parser.parse_args(words[:cut])
    if not words[cut + 1:]:
        parser.error("say the command after --")
    return asked, words[cut + 1:]


if __name__ == "__main__":
    main()
