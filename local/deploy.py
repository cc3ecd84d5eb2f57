"""Builds the functions with the SAM CLI and deploys template.yaml onto the local AWS: the same template, the same
binaries and the same commands as for the real one."""

import json
import os
import platform
import subprocess
from pathlib import Path

import cloud
from install import LOCAL, ROOT
from trouble import Trouble

SAM = LOCAL / "sam" / "bin" / "sam"
STACK = "farrier"

SAM_ENV = {
    # Static, stripped and without the paths of this machine: half the size, the same bytes wherever it is built.
    "CGO_ENABLED": "0",
    "GOFLAGS": '-tags=lambda.norpc -trimpath "-ldflags=-s -w"',
    "SAM_CLI_TELEMETRY": "0",
    "SAM_CLI_POLL_DELAY": "0.2",  # seconds between looks at a deployment; the local one is quick
}


def architecture():
    """What the functions must be built for to run on this machine."""
    return "x86_64" if platform.machine() in ("x86_64", "AMD64") else "arm64"


def build(folder, log, *function):
    """`sam build` into a folder: of every function, or of the one that is named."""
    if not function:
        compile_once(log)
    _run(log, SAM, "build", *function, "--template", ROOT / "template.yaml", "--build-dir", folder, "--parallel",
         "--parameter-overrides", f"Architecture={architecture()}")


def compile_once(log):
    """Compiles what the functions share before SAM's builders start, each of which would compile all of it again."""
    target = {"GOOS": "linux", "GOARCH": {"x86_64": "amd64", "arm64": "arm64"}[architecture()]}
    _run(log, "go", "build", "./functions/...", env=target)


def deploy(folder, endpoint, parameters, log):
    """`sam deploy` of what was built, to the AWS at an endpoint."""
    overrides = {"Architecture": architecture(), **parameters}
    _run(log, SAM, "deploy", "--template", folder / "template.yaml", "--stack-name", STACK, "--resolve-s3",
         "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--region", cloud.REGION,
         "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--parameter-overrides",
         *(f"ParameterKey={name},ParameterValue={_quoted(value)}" for name, value in overrides.items()),
         env={**cloud.credentials(), "AWS_ENDPOINT_URL": endpoint})


def _quoted(value):
    """A parameter as the SAM CLI reads it: JSON inside must have its quotes escaped."""
    return json.dumps(value)


def _run(log, *argv, env=None):
    """Runs a program, its output going to the log; when it fails, the end of the log is the Trouble."""
    with open(log, "ab") as out:
        done = subprocess.run([str(word) for word in argv], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=out, env={**os.environ, **SAM_ENV, **(env or {})})
    if done.returncode:
        tail = Path(log).read_text(errors="replace").strip().splitlines()[-15:]
        raise Trouble("\n".join([f"{Path(argv[0]).name} {argv[1]} failed, see {log}:", *tail]))
