"""Which function works in which process, for one who wants to stop it in the midst of its work.

The file INVOCATIONS_LOG, where it is named, gets a line at each beginning, "begin Function pid monotonic-seconds", and
at each end, "end Function pid how milliseconds"; how is "done", "failed" or "cut": the process was gone before it
answered.
"""

import os
import time

from ministack.core import lambda_runtime

from output import short


def install():
    path = os.environ.get("INVOCATIONS_LOG")
    if not path:
        return
    log = open(path, "a", buffering=1)  # noqa: SIM115  open as long as the process lives
    invoke, spawn = lambda_runtime.ProvidedWorker.invoke, lambda_runtime.ProvidedWorker._spawn

    def begin(worker):
        worker.at_work = worker._proc.pid
        log.write(f"begin {short(worker.func_name)} {worker.at_work} {time.monotonic()}\n")

    def spawn_and_tell(worker, *args, **named):
        spawn(worker, *args, **named)
        begin(worker)

    def invoke_and_tell(worker, *args, **named):
        worker.at_work = None
        if worker._proc is not None and worker._proc.poll() is None:
            begin(worker)
        began = time.monotonic()
        result = invoke(worker, *args, **named)
        millis = (time.monotonic() - began) * 1000
        log.write(f"end {short(worker.func_name)} {worker.at_work} {how(result)} {millis:.1f}\n")
        return result

    lambda_runtime.ProvidedWorker.invoke, lambda_runtime.ProvidedWorker._spawn = invoke_and_tell, spawn_and_tell


def how(result):
    """What became of an invocation."""
    if result["status"] == "ok":
        return "done"
    return "cut" if (result.get("error_payload") or {}).get("errorType") == "Runtime.ExitError" else "failed"
