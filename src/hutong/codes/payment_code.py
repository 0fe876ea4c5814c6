"""
Payment codes (付款码): 18 digits that a phone makes offline and only its issuer understands.

    28 513947026 4471830
    |  |         one-time digits: from the device's own seed, new every 15 seconds
    |  handle: the user's number under the institution's key of the day
    prefix: the node, as the switch assigned it

Why these lengths. The one-time digits are always 7, because guessing is what they are for; the handle takes what the
prefix leaves, so a prefix of 2 digits has room for a thousand million users and one of 5 for a million (below that a
permutation could be tabulated). At any moment 6 values of the 10,000,000 are right for a device (steps, below): a guess
against a known handle with one device succeeds once in 1.7 million. `GuessLimiter` lets an acquirer miss a handle
10 times a day at most, so once in 170 thousand days for a handle that somebody photographed; a guess without knowing any
handle must also hit one in use.

The phone keeps the day's head (prefix and handle) and its own seed. The institution's key never leaves the institution,
and a seed that leaks makes codes of one device, which is revoked alone.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hutong.codes.code import CodeReason
from hutong.codes.format_preserving import FormatPreservingCipher
from hutong.kernel.clock import NS_PER_DAY, NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness

LENGTH = 18
ONE_TIME_DIGITS = 7
HEAD_LENGTH = LENGTH - ONE_TIME_DIGITS
PREFIX_LENGTH_MAX = 5
SEED_BYTES = 32
MASTER_KEY_BYTES = 32

STEP_NS = 15 * NS_PER_S
LATE_STEPS = 4  # On a right clock a code lives 60 to 75 seconds.
EARLY_STEPS = 1  # A phone's clock may be a step fast; as much slow shortens the life instead.
_FORGOTTEN_STEPS = 40  # Ten minutes: until then an old code is told to be old rather than wrong.

# A phone that was offline at midnight goes on with yesterday's head for so long.
DAY_GRACE_NS = NS_PER_HOUR


@dataclass(frozen=True, slots=True)
class PaymentCodeGenerator:
    """What the wallet on a phone keeps, and all it needs to show codes without a network until the day is over."""

    head: str
    seed: bytes

    def generate(self, now_ns: int) -> str:
        """The code to show at `now_ns` of the phone's clock; the same for up to `STEP_NS`."""
        return self.head + _one_time_text(self.seed, now_ns // STEP_NS, self.head)


@dataclass(frozen=True, slots=True)
class Device:
    """One phone of a user. Its seed is shared with that phone alone."""

    id: int
    seed: bytes


@dataclass(frozen=True, slots=True)
class VerifiedCode:
    """A payment code, and whose phone shows it. It is not claimed yet: `PaymentCodeClaims` does that."""

    code: str
    user_number: int
    device_id: int
    expires_ns: int  # From then on `verify` refuses it.


class PaymentCodeIssuer:
    """
    The institution's side: hands out heads, and tells from a code whose phone shows it.

    `master_key` is the institution's secret; the keys of days derive from it. `day_starts_ns` is how far the
    institution's midnight lies before UTC's: 8 hours in China.
    """

    def __init__(self, prefix: str, master_key: bytes, *, day_starts_ns: int = 8 * NS_PER_HOUR) -> None:
        assert 1 <= len(prefix) <= PREFIX_LENGTH_MAX
        assert prefix.isascii()
        assert prefix.isdigit()
        assert len(master_key) == MASTER_KEY_BYTES
        self.prefix = prefix
        self._master_key = master_key
        self._day_starts_ns = day_starts_ns
        self._handle_length = HEAD_LENGTH - len(prefix)
        self._cipher_of: dict[int, FormatPreservingCipher] = {}

    @property
    def user_number_max(self) -> int:
        """The greatest number a user can have under this prefix."""
        return int("9" * self._handle_length)

    def day(self, now_ns: int) -> int:
        """The institution's local day, counted from 1970."""
        return (now_ns + self._day_starts_ns) // NS_PER_DAY

    def head(self, user_number: int, day: int) -> str:
        """
        What the user's phones put before their one-time digits on `day`.

        The wallet fetches today's and, so that a phone may sleep offline, tomorrow's.
        """
        assert 0 <= user_number <= self.user_number_max
        return f"{self.prefix}{self._cipher(day).encrypt(user_number):0{self._handle_length}d}"

    def verify(self, code: str, now_ns: int, devices_of: Callable[[int], Iterable[Device]]) -> VerifiedCode:
        """
        Whose phone shows `code` at `now_ns`. `devices_of` tells a user's devices; none for a number nobody has.

        Refuses:  PAYMENT_CODE_MALFORMED, unless it is 18 digits under our prefix; PAYMENT_CODE_EXPIRED, for ten
                  minutes, if it was right once; PAYMENT_CODE_WRONG, a guess for `GuessLimiter` to count.
        """
        check_spelling(code)
        if not code.startswith(self.prefix):
            raise Refusal(CodeReason.PAYMENT_CODE_MALFORMED, offset=0, prefix=self.prefix)
        head, shown = code[:HEAD_LENGTH], code[HEAD_LENGTH:]
        step_now = now_ns // STEP_NS
        candidates = [
            (user_number, device) for user_number in self._users(head, now_ns) for device in devices_of(user_number)
        ]
        for user_number, device in candidates:
            for step in range(step_now + EARLY_STEPS, step_now - LATE_STEPS - 1, -1):
                if hmac.compare_digest(_one_time_text(device.seed, step, head), shown):
                    return VerifiedCode(code, user_number, device.id, (step + LATE_STEPS + 1) * STEP_NS)
        for _, device in candidates:
            for step in range(step_now - LATE_STEPS - 1, step_now - _FORGOTTEN_STEPS - 1, -1):
                if hmac.compare_digest(_one_time_text(device.seed, step, head), shown):
                    raise Refusal(CodeReason.PAYMENT_CODE_EXPIRED)
        raise Refusal(CodeReason.PAYMENT_CODE_WRONG)

    def _users(self, head: str, now_ns: int) -> Iterator[int]:
        """Who may be meant by `head`: one user on each day it can be from."""
        handle = int(head[len(self.prefix) :])
        today = self.day(now_ns)
        days = {today, self.day(now_ns - DAY_GRACE_NS), self.day(now_ns + EARLY_STEPS * STEP_NS)}
        for day in sorted(days, reverse=True):
            yield self._cipher(day).decrypt(handle)

    def _cipher(self, day: int) -> FormatPreservingCipher:
        cipher = self._cipher_of.get(day)
        if cipher is None:
            key = hmac.digest(self._master_key, b"payment code handle/%d" % day, "sha256")
            cipher = FormatPreservingCipher(key, self._handle_length, tweak=self.prefix.encode())
            self._cipher_of[day] = cipher
            for old in [known for known in self._cipher_of if abs(known - day) > 2]:
                del self._cipher_of[old]
        return cipher


def check_spelling(code: str) -> None:
    """Refuses PAYMENT_CODE_MALFORMED, unless `code` is 18 ASCII digits."""
    if len(code) != LENGTH:
        raise Refusal(CodeReason.PAYMENT_CODE_MALFORMED, offset=min(len(code), LENGTH), length=LENGTH)
    if not (code.isascii() and code.isdigit()):
        offset = next(at for at, letter in enumerate(code) if letter not in "0123456789")
        raise Refusal(CodeReason.PAYMENT_CODE_MALFORMED, offset=offset)


def mint_seed(randomness: Randomness) -> bytes:
    """A new device's seed."""
    return randomness.randbytes(SEED_BYTES)


def one_time_number(seed: bytes, counter: int, digits: int, context: bytes = b"") -> int:
    """
    HOTP with SHA-256 (RFC 4226, RFC 6238) over the counter, and `context` behind it.

    Truncation to 31 bits makes some of 10,000,000 values 0.5 % likelier than others: no help to a guesser.
    """
    digest = hmac.digest(seed, counter.to_bytes(8) + context, "sha256")
    at = digest[-1] & 0x0F
    return (int.from_bytes(digest[at : at + 4]) & 0x7FFF_FFFF) % _POWERS_OF_TEN[digits]


_POWERS_OF_TEN = (1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)


def _one_time_text(seed: bytes, step: int, head: str) -> str:
    # The head is signed, too: digits seen behind one handle prove nothing behind another, or on another day.
    return f"{one_time_number(seed, step, ONE_TIME_DIGITS, head.encode()):0{ONE_TIME_DIGITS}d}"
