"""One function, one event, `sam local invoke`: in the container that SAM makes, against the stack that `make up` made.

    python3 local/invoke.py receive events/receive-….json [more words for sam]

The function gets the environment that it has on the local AWS, which it reaches as host.docker.internal. Without a
stack it runs with the template's own environment, and whatever it asks of AWS fails.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import deploy
import stack
from install import LOCAL, ROOT
from trouble import Trouble, told_in_one_line

HOST = "host.docker.internal"


@told_in_one_line
def main():
    if len(sys.argv) < 3:
        raise Trouble("say the function and the event")
    name, event, more = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    if not event.is_file():
        raise Trouble(f"there is no file {event}")
    function = name.capitalize() + "Function"
    folder, log = LOCAL / "invoke", LOCAL / "invoke.log"
    deploy.build(folder, log, function)
    name_endpoint(folder / "template.yaml")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as variables:
        json.dump({function: environment(function)}, variables)
        variables.flush()
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.call(
            [deploy.SAM, "local", "invoke", function, "--template", folder / "template.yaml", "--event", event,
             "--env-vars", variables.name, "--add-host", f"{HOST}:host-gateway", "--region", stack.cloud.REGION,
             "--parameter-overrides", f"Architecture={deploy.architecture()}", *more],
            cwd=ROOT, env={**clean, "SAM_CLI_TELEMETRY": "0", "AWS_EC2_METADATA_DISABLED": "true"})


def name_endpoint(template):
    """SAM hands a function only variables that the template names; here one more is named, in the built copy."""
    text = template.read_text()
    named = re.sub(r"(?m)^( +)LOCAL_RUN:", r"\1AWS_ENDPOINT_URL: ''\n\g<0>", text, count=1)
    if named == text:
        raise Trouble("template.yaml gives the functions no LOCAL_RUN any more: mend local/invoke.py")
    template.write_text(named)


def environment(function):
    """What the function has for environment on the local AWS, as it reads inside a container."""
    up = stack.load(stack.FILE)
    if not up.get("ready"):
        return {}
    with urllib.request.urlopen(f"{up['aws']}/2015-03-31/functions/?MaxItems=1000", timeout=10) as answer:
        functions = json.load(answer)["Functions"]
    found = next((f for f in functions if f["FunctionName"].startswith(f"{deploy.STACK}-{function}-")), None)
    if not found:
        raise Trouble(f"the stack that is up has no {function}")
    variables = {**found["Environment"]["Variables"], **stack.cloud.credentials(), "AWS_ENDPOINT_URL": up["aws"]}
    return {name: value.replace("127.0.0.1", HOST) for name, value in variables.items()}  # queues keep their names


if __name__ == "__main__":
    main()
