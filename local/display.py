"""Shows steps being taken: a living list on a terminal, plain lines anywhere else."""

import contextlib
import sys
import time


class Step:
    """One thing being done: what is known of it by now, and how long it took."""

    def __init__(self, title):
        self.title, self.detail, self.began, self.took, self.failed = title, "", time.monotonic(), None, False

    def say(self, detail):
        self.detail = detail

    def count(self, reached, wanted):
        """Shows a count on its way to a goal."""
        self.detail = f"{'▰' * reached}{'▱' * (wanted - reached)} {reached}/{wanted}"

    def elapsed(self):
        seconds = self.took if self.took is not None else time.monotonic() - self.began
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


class Plain:
    """One line for each step, when it is over."""

    def __init__(self, out=sys.stderr):
        self.out = out

    def heading(self, text):
        print(f"\n{text}", file=self.out, flush=True)

    @contextlib.contextmanager
    def step(self, title):
        step = Step(title)
        try:
            yield step
        except BaseException:
            step.failed = True
            raise
        finally:
            step.took = time.monotonic() - step.began
            self.over(step)

    def over(self, step):
        mark = "✗" if step.failed else "✓"
        print(f" {mark} {step.title:<26} {step.detail:<60} {step.elapsed():>8}", file=self.out, flush=True)


class Living(Plain):
    """The step at work turns and counts; a finished one stays with its time."""

    def __init__(self):
        from rich.console import Console

        super().__init__(sys.stdout)
        self.console = Console(highlight=False)
        self.console.width = min(self.console.width, 104)

    def heading(self, text):
        self.console.print(f"\n[bold]{text}[/bold]")

    @contextlib.contextmanager
    def step(self, title):
        from rich.live import Live

        with super().step(title) as step, Live(get_renderable=lambda: self.row(step), console=self.console,
                                               refresh_per_second=15, transient=True):
            yield step

    def row(self, step):
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        if not hasattr(step, "spinner"):
            step.spinner = Spinner("dots", style="cyan")
        mark = step.spinner if step.took is None else Text("✗", "bold red") if step.failed else Text("✓", "bold green")
        row = Table.grid(padding=(0, 1), expand=True)
        row.add_column(width=2, justify="right")
        row.add_column(width=26)
        row.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        row.add_column(width=8, justify="right", style="dim")
        row.add_row(mark, step.title, Text(step.detail, "cyan" if step.took is None else ""), step.elapsed())
        return row

    def over(self, step):
        self.console.print(self.row(step))


def of_this_terminal():
    """The living display where a person looks, the plain one where a program does."""
    return Living() if sys.stdout.isatty() else Plain(sys.stdout)
