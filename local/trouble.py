"""What went wrong, told to a person in one line."""

import functools
import sys


class Trouble(Exception):
    """Something the person at the keyboard can mend: its text is the whole message."""


def told_in_one_line(main):
    """Wraps a command's main: Trouble becomes one line and exit code 1, Ctrl-C a quiet 130."""

    @functools.wraps(main)
    def wrapped():
        try:
            sys.exit(main())
        except Trouble as trouble:
            sys.exit(f"{sys.argv[0]}: {trouble}")
        except KeyboardInterrupt:
            sys.exit(130)

    return wrapped
