"""
How a red packet is split: published, fixed when the packet is made, and open to check when it is over.

`docs/red-packets.md` has the algorithm in words for other languages, and what follows from it.
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise

SEED_BYTES = 32
_COMMITMENT = b"hutong red packet commitment 1"
_SPLIT = b"hutong red packet split 1"
_WORD_BYTES = 8
_WORDS = 1 << (8 * _WORD_BYTES)


class SplitKind(StrEnum):
    EQUAL = "EQUAL"  # Each the same.
    LUCKY = "LUCKY"  # 拼手气: every way to split is as likely as any other.


def commitment(packet_id: int, seed: bytes) -> bytes:
    """What is told of the seed while the packet is open: nobody finds the seed from it, nor another that fits."""
    return hashlib.sha256(_COMMITMENT + packet_id.to_bytes(16, "big") + seed).digest()


def shares(kind: SplitKind, amount: int, count: int, packet_id: int, seed: bytes) -> list[int]:
    """The shares in the order in which they are claimed; they add up to `amount`, and each is at least 1."""
    assert 1 <= count <= amount
    if kind is SplitKind.EQUAL:
        assert amount % count == 0
        return [amount // count] * count
    return _lucky(amount, count, packet_id, seed)


def _lucky(amount: int, count: int, packet_id: int, seed: bytes) -> list[int]:
    """
    One of all ways to write `amount` as `count` parts of at least 1, each way as likely.

    `count` - 1 different places to cut are drawn from the `amount` - 1 there are (Floyd's algorithm: one number for each).
    So every place in the queue has the same chances, and the mean is `amount` / `count`.
    """
    words = _words(packet_id, seed)
    cuts: set[int] = set()
    for last in range(amount - count + 1, amount):
        cut = 1 + _below(last, words)
        cuts.add(last if cut in cuts else cut)
    places = [0, *sorted(cuts), amount]
    return [after - before for before, after in pairwise(places)]


def _words(packet_id: int, seed: bytes) -> Iterator[int]:
    """The 64-bit numbers of SHA-256 over the seed and a counter, four from each digest, big-endian."""
    key = _SPLIT + packet_id.to_bytes(16, "big") + seed
    block = 0
    while True:
        digest = hashlib.sha256(key + block.to_bytes(8, "big")).digest()
        for start in range(0, len(digest), _WORD_BYTES):
            yield int.from_bytes(digest[start : start + _WORD_BYTES], "big")
        block += 1


def _below(bound: int, words: Iterator[int]) -> int:
    """A number from 0 to `bound` - 1, each as likely: words that would favour the smaller ones are passed over."""
    fair = _WORDS - _WORDS % bound
    return next(word for word in words if word < fair) % bound
