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


def start(port, state, api_port=None):
    """Starts the local AWS with an empty state; its temporary files and its log go into the folder `state`."""
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
    process = processes.start([LOCAL / "venv" / "bin" / "python", HERE / "aws" / "launch.py"], log, env)
    processes.wait_until(lambda: _healthy(port), process, "the local AWS", log)
    return process


def _healthy(port):
    try:
        with urllib.request.urlopen(f"{endpoint(port)}/_ministack/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False
