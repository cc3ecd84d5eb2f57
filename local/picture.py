"""Draws what `make run` printed, for the README.

    .local/venv/bin/python local/stack.py run --once 2>&1 | .local/venv/bin/python local/picture.py docs/run.svg
"""

import re
import sys
from pathlib import Path

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
    drawn = console.export_svg(title="make run")
    # Fonts that rich would fetch from elsewhere: the reader's own monospace does.
    Path(sys.argv[1]).write_text(re.sub(r"@font-face\s*{.*?}\s*", "", drawn, flags=re.DOTALL))


if __name__ == "__main__":
    main()
