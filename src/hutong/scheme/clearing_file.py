"""
The clearing file: what went through the switch for one node in one closed window, a line for each payment or return.

`docs/scheme/settlement.md` is the contract. CSV in UTF-8, lines end with a line feed, the first names the columns.
"""

from collections.abc import AsyncIterator
from typing import Protocol

COLUMNS = (
    "window",
    "kind",
    "originator",
    "id",
    "original_id",
    "debtor_agent",
    "creditor_agent",
    "currency",
    "amount",
    "settlement",
    "interchange",
    "switch_fee",
    "direction",
    "cleared",
    "decided_at_ms",
)


def window_in_path(window: str) -> str:
    """How a window is written in a path: `2026-11-23.2`."""
    return window.replace("/", ".")


def window_of_path(text: str) -> str:
    """The reverse of `window_in_path`."""
    return text.replace(".", "/")


def clearing_path(window: str) -> str:
    """Where the switch serves a node its clearing file of a window."""
    return f"/scheme/v1/windows/{window_in_path(window)}/clearing.csv"


class ClearingFiles(Protocol):
    """Where an institution gets its own clearing files from: the switch, wherever it is."""

    def fetch(self, window: str) -> AsyncIterator[bytes]:
        """The file in pieces of any size. Refuses what the switch refuses: WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        ...
