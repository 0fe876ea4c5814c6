"""Hutong (互通): every wallet scans every code."""

if not __debug__:
    # An assertion here means "our code is wrong, stop before money moves": it must never be compiled away.
    raise SystemExit("hutong proves its books with assertions: do not run it under python -O")

__version__ = "0.1.0"
