"""The local AWS: starts it, and says how to reach it."""

import urllib.request
from pathlib import Path

import processes
from install import HERE, LOCAL

REGION = "us-east-1"


def endpoint(port):
    return f"http://127.0.0.1:{port}"


def credentials():
    """What any AWS client wants to see; the local AWS takes everybody in."""
    return {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}


def start(port, state, api_port=None, keep=False):
    """Starts the local AWS; its temporary files and its logs go into the folder `state`. It begins empty, unless it is
    to keep what it holds: then a clean stop saves it in that folder, and the next start finds it there."""
    scratch = Path(state) / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    log = Path(state) / "aws.log"
    env = {
        **credentials(),
        "AWS_ENDPOINT_URL": endpoint(port),
        "BIND_HOST": "127.0.0.1",
        "FUNCTIONS_LOG": str(Path(state) / "functions.log"),
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "TMPDIR": str(scratch),
    }
    if api_port:
        env["API_PORT"] = str(api_port)
    if keep:
        env |= {"PERSIST_STATE": "1", "STATE_DIR": str(Path(state) / "kept"), "STATE_WHOLE": str(whole(state)),
                "INVOCATIONS_LOG": str(invocations(state))}
    process = processes.start([LOCAL / "venv" / "bin" / "python", HERE / "aws" / "launch.py"], log, env)
    processes.wait_until(lambda: _healthy(port), process, "the local AWS", log)
    return process


def whole(state):
    """The file that a stop leaves once everything that was to be kept is saved."""
    return Path(state) / "whole"


def invocations(state):
    """The log of which function worked when in which process (aws/invocations.py)."""
    return Path(state) / "invocations.log"


def _healthy(port):
    try:
        with urllib.request.urlopen(f"{endpoint(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
