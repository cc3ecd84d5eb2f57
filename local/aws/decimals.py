"""DynamoDB counts with 38 digits; Python's decimal, on which ministack counts, with 28."""

import decimal


def install():
    """Raises the precision of every thread that is still to start, and of this one."""
    decimal.DefaultContext.prec = 38
    decimal.setcontext(decimal.Context(prec=38))
