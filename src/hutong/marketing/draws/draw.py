"""
One draw: what chance gave one person on one day, as anybody recomputes it once the day's seed is revealed.

The operator can't choose afterwards: the seed is committed to before the day, the person's token follows from a key that is
committed to before the campaign's first day, and a phrase of the person's own goes in, too. The person can't draw again:
neither the payment nor its moment goes in, so whoever cancels and pays anew, less, or later, meets the same draw.
"""

import hashlib
import hmac
from datetime import date

import msgspec

from hutong.marketing.draws.distribution import Distribution

SEED_BYTES = 32
TOKEN_BYTES = 16
REFERENCE_LENGTH = 32
PHRASE_LENGTH_MAX = 64
NUMBERS = 1_000_000  # A draw's number is below; so is a slot's threshold, or just there when all are admitted.
_CHANCE = 1 << 96
_NUMBER_BITS = 64


class Draw(msgspec.Struct, frozen=True, gc=False):
    """What chance gave: an amount by the distribution, and a number that thresholds of admission are held against."""

    amount: int
    number: int

    def is_admitted(self, threshold: int) -> bool:
        return self.number < threshold

    def given(self, to_pay: int, budget_left: int) -> int:
        """What becomes of it at a payment: at least one fen is paid, and the last draw of a budget takes what is left."""
        return max(0, min(self.amount, to_pay - 1, budget_left))


def commitment_of(campaign: str, day: date, seed: bytes) -> str:
    """What is published of a seed before its day: it says nothing about the seed, and fits no other."""
    assert len(seed) == SEED_BYTES
    return _hash(f"hutong draw seed 1\n{campaign}\n{day}\n{seed.hex()}")


def key_commitment_of(campaign: str, key: bytes) -> str:
    """What is published of the key that people's tokens come from, before the first day."""
    return _hash(f"hutong draw key 1\n{campaign}\n{key.hex()}")


def token_of(key: bytes, campaign: str, person_id: int) -> bytes:
    """A person's token at a campaign: the person may know it, others need not."""
    message = f"hutong draw token 1\n{campaign}\n{person_id:032x}"
    return hmac.digest(key, message.encode(), "sha256")[:TOKEN_BYTES]


def reference_of(campaign: str, day: date, token: bytes, phrase: str) -> str:
    """Who draws, as the public sees it: another on each day, so that nobody is followed from day to day."""
    assert "\n" not in phrase
    return _hash(f"hutong draw entrant 1\n{campaign}\n{day}\n{token.hex()}\n{phrase}")[:REFERENCE_LENGTH]


def drawn(seed: bytes, distribution: Distribution, campaign: str, day: date, reference: str, turn: int) -> Draw:
    """
    The draw of a person's `turn` on a day.

    Of the 32 bytes of the HMAC the first 12 choose the band, the next 12 the amount within it, the last 8 the number: so the
    number says nothing about the amount. A share x of n is x * n >> bits, which is off by less than n in 2**64.
    """
    message = f"hutong draw 1\n{campaign}\n{day}\n{reference}\n{turn}"
    chance = hmac.digest(seed, message.encode(), "sha256")
    band = distribution.band_at(int.from_bytes(chance[:12], "big"), _CHANCE)
    within = int.from_bytes(chance[12:24], "big") * (band.high - band.low + 1) // _CHANCE
    number = int.from_bytes(chance[24:], "big") * NUMBERS >> _NUMBER_BITS
    return Draw(band.low + within, number)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
