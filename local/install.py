"""Installs what the local run, the tests and the linters need under .local, and only there.

    python3 local/install.py run | lint | conformance ...

Each part is installed once and again only when the file that names its versions has changed.
Runs on a bare Python 3: nothing is imported that is not in its standard library.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from trouble import Trouble, told_in_one_line

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCAL = ROOT / ".local"


def run(*argv, cwd=ROOT, env=None):
    """Runs a package manager quietly; what it said is shown only when it failed."""
    done = subprocess.run([str(word) for word in argv], cwd=cwd, env={**os.environ, **(env or {})},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise Trouble(f"{Path(str(argv[0])).name} failed, see above")


def need(command, for_what):
    """Refuses to go on without a tool that the machine itself must bring."""
    if not shutil.which(command):
        raise Trouble(f"{command} is not on the PATH; it is needed for {for_what}")


@contextlib.contextmanager
def once(name, *sources):
    """Gives the folder .local/NAME to fill, or None when it was already made from these very sources."""
    folder = LOCAL / name
    stamp = folder / ".made-from"
    LOCAL.mkdir(exist_ok=True)
    with open(LOCAL / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made_from = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
        if stamp.exists() and stamp.read_text() == made_from:
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder
        stamp.write_text(made_from)


def python(name, requirements):
    """A virtual environment of its own."""
    with once(name, HERE / requirements) as folder:
        if folder:
            print(f"installing {requirements} into .local/{name}", file=sys.stderr)
            run(sys.executable, "-m", "venv", folder)
            run(folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / requirements)


def node():
    """The chain, the Solidity compiler and the webhook library."""
    files = [HERE / name for name in ("package.json", "package-lock.json", ".npmrc")]
    with once("npm", *files) as folder:
        if folder:
            need("npm", "the local chain (install Node.js)")
            print("installing local/package.json into .local/npm", file=sys.stderr)
            for file in files:
                shutil.copy(file, folder)
            run("npm", "ci", "--ignore-scripts", cwd=folder)


def tokens():
    """The demonstration's tokens, compiled: .local/tokens/<Contract>.json with abi and bytecode. Beside them, in
    .local/strange-tokens, those that tests meet: they take fees, change balances, say nothing, change their mind."""
    node()
    compiled("tokens", HERE / "chain")
    compiled("strange-tokens", HERE / "chain" / "strange")


def compiled(name, where):
    contracts = sorted(where.glob("*.sol"))
    with once(name, HERE / "chain" / "compile.js", HERE / "package.json", *contracts) as folder:
        if folder:
            run("node", HERE / "chain" / "compile.js", folder, *contracts,
                env={"NODE_PATH": str(LOCAL / "npm" / "node_modules")})


def go(name, packages):
    """Programs written in Go, each built by its own module's versions."""
    with once(name, HERE / packages) as folder:
        if folder:
            need("go", "everything")
            for line in (HERE / packages).read_text().splitlines():
                package = line.split("#")[0].strip()
                if package:
                    print(f"installing {package} into .local/{name}", file=sys.stderr)
                    run("go", "install", package, env={"GOBIN": str(folder), "GOFLAGS": ""})


def go_parts():
    """btcd, the node of the Bitcoin chain that tests speak to."""
    go("go-parts", "go-parts.txt")


def java():
    """DynamoDB Local and ElasticMQ."""
    with once("java", HERE / "pom.xml") as folder:
        if folder:
            need("java", "make conformance (install Java 17)")
            need("mvn", "make conformance (install Maven)")
            print("installing local/pom.xml into .local/java", file=sys.stderr)
            run("mvn", "--batch-mode", "--quiet", "-f", HERE / "pom.xml", "dependency:copy-dependencies",
                f"-DoutputDirectory={folder}")


def sam():
    """The SAM CLI, cfn-lint and ruff."""
    python("sam", "requirements-sam.txt")


def local_run():
    """The local AWS, the local chain and the SAM CLI."""
    need("go", "building the functions")
    python("venv", "requirements.txt")
    tokens()
    sam()


def lint():
    """Every linter."""
    sam()
    python("checkov", "requirements-checkov.txt")
    go("bin", "go-tools.txt")


def schema():
    """The judge of the API against its document."""
    python("schemathesis", "requirements-schemathesis.txt")


PARTS = {"run": local_run, "sam": sam, "lint": lint, "conformance": java, "schema": schema}


@told_in_one_line
def main():
    unknown = [name for name in sys.argv[1:] if name not in PARTS]
    if unknown or len(sys.argv) < 2:
        raise Trouble(f"say which: {' '.join(PARTS)}")
    for name in sys.argv[1:]:
        PARTS[name]()


if __name__ == "__main__":
    main()
