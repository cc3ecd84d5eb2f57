"""Draws what `make run` printed, for the README.

    .local/venv/bin/python local/stack.py run --once 2>&1 | .local/venv/bin/python local/picture.py docs/run.svg
"""

import sys

from rich.console import Console
from rich.text import Text


def main():
    console = Console(record=True, width=104, file=sys.stderr, force_terminal=True)
    for line in sys.stdin:
        text = Text(line.rstrip())
        text.highlight_regex(r"^ ✓", "bold green")
        text.highlight_regex(r"[\d.]+ m?s$", "dim")
        text.highlight_regex(r"▰+", "cyan")
        if line[:1].isalpha():
            text.stylize("bold")
        console.print(text)
    console.save_svg(sys.argv[1], title="make run")


if __name__ == "__main__":
    main()
