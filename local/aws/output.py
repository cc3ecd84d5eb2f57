"""What functions print stands in one file too, as it comes: the function's name, then the line."""

import os

from ministack.core import lambda_runtime


def install():
    """Lets every line pass through the file FUNCTIONS_LOG on its way to the log group."""
    pump = lambda_runtime.ProvidedWorker._pump_output
    log = open(os.environ["FUNCTIONS_LOG"], "a", buffering=1)  # noqa: SIM115  open as long as the process lives

    def pump_and_tell(worker, stream, lines):
        pump(worker, stream, Tee(lines, log, worker.func_name))

    lambda_runtime.ProvidedWorker._pump_output = pump_and_tell


def short(name):
    """A function's name in the template: the middle of stack-Function-XXXX."""
    return name.split("-")[-2] if name.count("-") >= 2 else name


class Tee:
    """The queue of a function's lines, written down as they are put in."""

    def __init__(self, lines, log, name):
        self.lines, self.log = lines, log
        self.name = short(name)

    def put_nowait(self, line):
        self.log.write(f"{self.name}  {line}\n")
        self.lines.put_nowait(line)

    def get_nowait(self):
        return self.lines.get_nowait()
