"""
128-bit ids: 48 bits of milliseconds, 72 of randomness, 8 that say which part.

It is the ULID layout, with the last byte of the randomness kept at zero so that the parts of a thing
(`part`) are its neighbours in every index. People see a prefix and Crockford base32: `pay_01J...`.
In memory an id is an int; PostgreSQL keeps it as `uuid`.
"""

import hashlib
import random
import struct
from secrets import SystemRandom
from typing import Protocol

from hutong.kernel.clock import NS_PER_MS, Clock
from hutong.kernel.errors import KernelReason, Refusal

RANDOM_BITS = 80
PART_BITS = 8
PARTS_MAX = 1 << PART_BITS
ID_MAX = (1 << 128) - 1
_STEPS = struct.Struct(">256I")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TEXT_LENGTH = 26
# Three letters at a time, and back by way of the digits that `int` knows: ids are read and written for every payment.
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_TRIPLES = [pair + third for pair in _PAIRS for third in _CROCKFORD]
_LOW_60 = (1 << 60) - 1
# Every other byte becomes one that no number has: reading an id is then one call that also checks it.
_AS_DIGITS = bytearray(b"!" * 256)
for _digit, _letter in zip(b"0123456789abcdefghijklmnopqrstuv", _CROCKFORD.encode(), strict=True):
    _AS_DIGITS[_letter] = _digit


class Randomness(Protocol):
    """What a source of randomness must do; `SystemRandomness` in life, `random.Random(seed)` in a simulation."""

    def getrandbits(self, k: int, /) -> int: ...

    def randbytes(self, n: int, /) -> bytes: ...


def system_randomness() -> Randomness:
    """The operating system's randomness, for ids, nonces and secrets."""
    return SystemRandom()


SeededRandomness = random.Random  # Its type, for who draws more than bits.


def seeded_randomness(seed: int) -> SeededRandomness:
    """A repeatable source: for simulation and tests alone."""
    return random.Random(seed)  # noqa: S311  # Not for secrets: the point is that it repeats.


class IdMint:
    """Mints time-ordered ids: of two minted here, the later is the greater."""

    def __init__(self, clock: Clock, randomness: Randomness) -> None:
        self._clock = clock
        self._randomness = randomness
        self._ms = 0
        self._tail = 0
        self._steps: list[int] = []

    def mint(self) -> int:
        """A new id whose last byte is zero."""
        ms = self._clock.now_ns() // NS_PER_MS
        if ms > self._ms:
            self._ms = ms
            # The top bit stays clear, so that counting up within a millisecond never overflows.
            self._tail = self._randomness.getrandbits(RANDOM_BITS - PART_BITS - 1)
        else:
            if not self._steps:
                # Many at once: asking the operating system for each costs more than all the rest.
                self._steps = list(_STEPS.unpack(self._randomness.randbytes(_STEPS.size)))
            self._tail += 1 + self._steps.pop()
        return (self._ms << RANDOM_BITS) | (self._tail << PART_BITS)


def derive(parent: int, label: str) -> int:
    """
    Name a part of something by what it is, so that a retry names it the same.

    After a crash the service rebuilds the same batch, and the ledger answers `exists`. The label
    carries whose parent it is where that is somebody else's id: nobody can squat another's ids.
    Its last byte is zero: `part` numbers the legs.
    """
    digest = hashlib.blake2b(parent.to_bytes(16, "big") + label.encode(), digest_size=9).digest()
    return (parent >> RANDOM_BITS << RANDOM_BITS) | int.from_bytes(digest, "big") << PART_BITS


def part(parent: int, number: int) -> int:
    """The id of the `number`-th part of a thing whose id ends in a zero byte."""
    assert 0 <= number < PARTS_MAX
    assert parent & (PARTS_MAX - 1) == 0
    return parent | number


def minted_ms(id_: int) -> int:
    """When the id says it was minted: milliseconds since 1970."""
    return id_ >> RANDOM_BITS


def id_text(prefix: str, id_: int) -> str:
    """How people see an id: `pay_01JD...`, prefix and 26 letters of Crockford's base32."""
    assert 0 <= id_ <= ID_MAX
    # Halves small enough for the machine's own arithmetic, and no loop: every notice and answer names some ids.
    three, high, low = _TRIPLES, id_ >> 60, id_ & _LOW_60
    return (
        f"{prefix}_{_PAIRS[high >> 60]}"
        f"{three[high >> 45 & 32767]}{three[high >> 30 & 32767]}{three[high >> 15 & 32767]}{three[high & 32767]}"
        f"{three[low >> 45]}{three[low >> 30 & 32767]}{three[low >> 15 & 32767]}{three[low & 32767]}"
    )


def parse_id(prefix: str, text: str) -> int:
    """The id in `text`; refuses another prefix (`ID_OF_OTHER_KIND`) and a wrong spelling (`ID_MALFORMED`)."""
    head, _, letters = text.rpartition("_")
    if head != prefix:
        raise Refusal(KernelReason.ID_OF_OTHER_KIND, expected=f"{prefix}_…")
    try:
        id_ = int(letters.encode(errors="replace").translate(_AS_DIGITS), 32)
    except ValueError:
        raise _malformed(prefix, letters) from None
    # The first letter holds three bits: 26 letters are 130.
    if len(letters) != _TEXT_LENGTH or id_ > ID_MAX:
        raise _malformed(prefix, letters)
    return id_


def _malformed(prefix: str, letters: str) -> Refusal:
    """Says where the spelling goes wrong."""
    if len(letters) != _TEXT_LENGTH:
        return Refusal(KernelReason.ID_MALFORMED, expected=f"{prefix}_ and {_TEXT_LENGTH} letters")
    wrong = (i for i, letter in enumerate(letters) if letter not in _CROCKFORD or (i == 0 and letter > "7"))
    return Refusal(KernelReason.ID_MALFORMED, offset=len(prefix) + 1 + next(wrong))
