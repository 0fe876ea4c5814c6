"""
The public log of a campaign's draws: what was published, in order, each entry bound to all before it by a hash.

Whoever noted the newest hash once can tell later whether anything before it was changed. An entry's text is hashed as it
is served, byte for byte, so that a verifier in any language needs no rule for writing JSON.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

GENESIS = "0" * 64
COMMITMENTS, DAY, SLOT, REVEAL = "commitments", "day", "slot", "reveal"


class Entry(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One thing published. `text` is a JSON object; what is in it goes by `kind`."""

    number: int
    at_ms: int
    kind: str
    text: str
    hash: str

    @property
    def told(self) -> dict[str, Any]:
        """The text, read."""
        read: dict[str, Any] = msgspec.json.decode(self.text, type=dict[str, Any])
        return read


def chained(campaign: str, before: str, number: int, at_ms: int, kind: str, told: msgspec.Struct) -> Entry:
    """The entry behind the one whose hash is `before`."""
    text = msgspec.json.encode(told).decode()
    return Entry(number, at_ms, kind, text, hash_of(campaign, before, number, at_ms, kind, text))


def hash_of(campaign: str, before: str, number: int, at_ms: int, kind: str, text: str) -> str:
    """What binds an entry to all before it."""
    whole = f"hutong draw log 1\n{campaign}\n{number}\n{before}\n{at_ms}\n{kind}\n{text}"
    return hashlib.sha256(whole.encode()).hexdigest()


def breaks(campaign: str, before: str, entries: Iterable[Entry]) -> Iterator[str]:
    """Where a part of the log, behind the entry whose hash is `before`, is not the chain that it should be."""
    last: Entry | None = None
    for entry in entries:
        if last is not None and entry.number != last.number + 1:
            yield f"log: entry {entry.number} follows entry {last.number}"
        if last is not None and entry.at_ms < last.at_ms:
            yield f"log: entry {entry.number} is older than the one before it"
        if entry.hash != hash_of(campaign, before, entry.number, entry.at_ms, entry.kind, entry.text):
            yield f"log: entry {entry.number} does not have the hash of what it says and of what came before it"
        last, before = entry, entry.hash
