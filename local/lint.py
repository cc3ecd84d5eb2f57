"""Runs every linter and says in one line each how it went; what a linter has to say is shown when it objects.

    python3 local/lint.py [NAME...]
"""

import os
import subprocess
import sys
import time

from install import LOCAL, ROOT
from trouble import Trouble, told_in_one_line

GO, SAM, CHECKOV = LOCAL / "bin", LOCAL / "sam" / "bin", LOCAL / "checkov" / "bin"

LINTERS = {
    "gofmt": ["gofmt", "-l", *(folder for folder in ROOT.glob("[!.]*") if folder.is_dir())],
    "go vet": ["go", "vet", "./..."],
    "staticcheck": [GO / "staticcheck", "./..."],
    "gosec": [GO / "gosec", "-quiet", "-color=false", "-exclude-dir=.local", "-exclude-dir=.aws-sam", "./..."],
    "govulncheck": [GO / "govulncheck", "./..."],
    "sam validate": [SAM / "sam", "validate", "--lint", "--region", "us-east-1"],
    "cfn-lint": [SAM / "cfn-lint", "template.yaml"],
    "checkov": [CHECKOV / "checkov", "--file", "template.yaml", "--framework", "cloudformation", "--quiet", "--compact",
                "--skip-download", "--config-file", "local/checkov.yaml"],
    "ruff": [SAM / "ruff", "check", "--quiet", "local"],
}

# What govulncheck says where its database is out of reach.
UNREACHABLE = ("no such host", "dial tcp", "connection refused", "Forbidden", "timeout", "unexpected status code")


def lint(name):
    """Runs one linter; gives "passed", "failed" or "skipped", and what it said."""
    env = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run([str(word) for word in LINTERS[name]], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = done.stdout.strip()
    if name == "gofmt" and said:
        return "failed", f"not formatted:\n{said}"
    if name == "govulncheck" and done.returncode == 1 and any(sign in said for sign in UNREACHABLE):
        return "skipped", "its database cannot be reached from here"
    return ("failed", said) if done.returncode else ("passed", "")


@told_in_one_line
def main():
    names = sys.argv[1:] or list(LINTERS)
    failed = []
    for name in names:
        began = time.monotonic()
        outcome, said = lint(name)
        print(f"{outcome:<8} {name:<14} {time.monotonic() - began:6.1f} s"
              f"{'  (' + said + ')' if outcome == 'skipped' else ''}", flush=True)
        if outcome == "failed":
            failed.append(name)
            print(said, flush=True)
    if failed:
        raise Trouble(f"objections by {', '.join(failed)}")


if __name__ == "__main__":
    main()
