"""PINs (支付密码): which are too easy to guess, and how often one may be guessed."""

from itertools import pairwise

import msgspec

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, SmallInt, Text, Uuid

PIN_LENGTH = 6
# How long a PIN is locked behind the n-th wrong try in a row. Behind the last only a reset helps: 9 guesses of the
# 900,000 or so PINs that are not weak, whoever has the phone and however long.
_MINUTE_NS = 60 * NS_PER_S
LOCKED_NS_BEHIND = (0, 0, 0, 0, 15 * _MINUTE_NS, 60 * _MINUTE_NS, 360 * _MINUTE_NS, 1440 * _MINUTE_NS)
WRONG_MAX = len(LOCKED_NS_BEHIND) + 1
_DAYS_MAX = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Pin(msgspec.Struct, frozen=True):
    """One version of a user's PIN: its hash, and the wrong tries in a row."""

    user_id: Uuid
    hash: Text  # argon2id over the peppered PIN.
    changed_ns: BigInt
    wrong: SmallInt = 0
    locked_until_ns: BigInt = 0

    def may_be_tried(self, now_ns: int) -> None:
        """Refuses PIN_BLOCKED behind the last wrong try, and PIN_LOCKED before the lock's end."""
        if self.wrong >= WRONG_MAX:
            raise Refusal(PeopleReason.PIN_BLOCKED)
        if now_ns < self.locked_until_ns:
            raise Refusal(PeopleReason.PIN_LOCKED, retry_after_s=-(-(self.locked_until_ns - now_ns) // NS_PER_S))

    def tried_wrong(self, now_ns: int) -> "Pin":
        """With one more wrong try, and the lock that follows from it."""
        wrong = self.wrong + 1
        locked_ns = LOCKED_NS_BEHIND[wrong - 1] if wrong < WRONG_MAX else 0
        locked_until_ns = now_ns + locked_ns if locked_ns else 0
        return msgspec.structs.replace(self, wrong=wrong, locked_until_ns=locked_until_ns, changed_ns=now_ns)

    def tried_right(self, now_ns: int, hashed: str) -> "Pin":
        """Counting from nothing again; `hashed` is the same PIN, perhaps by stronger parameters."""
        return msgspec.structs.replace(self, hash=hashed, wrong=0, locked_until_ns=0, changed_ns=now_ns)

    def wrong_tries(self) -> Refusal:
        """What is told behind a wrong try: how many are left before the next lock."""
        if self.wrong >= WRONG_MAX:
            return Refusal(PeopleReason.PIN_BLOCKED)
        free = next(tries for tries, locked in enumerate(LOCKED_NS_BEHIND) if locked)
        return Refusal(PeopleReason.PIN_WRONG, tries_left=max(free + 1 - self.wrong, 0))


def check_spelling(pin: str) -> None:
    """Refuses PIN_MALFORMED, unless it is six ASCII digits."""
    if len(pin) != PIN_LENGTH or not (pin.isascii() and pin.isdigit()):
        raise Refusal(PeopleReason.PIN_MALFORMED, digits=PIN_LENGTH)


def check_strength(pin: str, phone: str) -> None:
    """
    Refuses PIN_WEAK: what a thief tries first.

    Repeats and runs of digits, dates as people write them (birthdays are the first guess of all), and digits of the
    user's own telephone number.
    """
    check_spelling(pin)
    weakness = (
        ("repeats" if _repeats(pin) else "")
        or ("runs" if _runs(pin) else "")
        or ("date" if _is_like_a_date(pin) else "")
        or ("telephone number" if pin in phone else "")
    )
    if weakness:
        raise Refusal(PeopleReason.PIN_WEAK, weakness=weakness)


def _repeats(pin: str) -> bool:
    # 111111, 121212, 123123; 112233 and 111222; two different digits in all.
    return (
        pin == pin[:2] * 3
        or pin == pin[:3] * 2
        or (pin[0::2] == pin[1::2])
        or (pin[:3] == pin[0] * 3 and pin[3:] == pin[3] * 3)
        or len(set(pin)) <= 2
        or pin == pin[::-1]
    )


def _runs(pin: str) -> bool:
    # 123456, 987654, 890123, 135790, 147036 and the like: one step all along, around the end too.
    steps = {(int(later) - int(earlier)) % 10 for earlier, later in pairwise(pin)}
    return len(steps) == 1 or pin in {"147258", "258369", "159357", "123321", "321321"}


def _is_like_a_date(pin: str) -> bool:
    first, second, third = int(pin[:2]), int(pin[2:4]), int(pin[4:])
    year_and_month = pin[:2] in {"19", "20"} and 1 <= third <= 12
    return _is_day(second, third) or _is_day(second, first) or _is_day(first, second) or year_and_month


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _DAYS_MAX[month - 1]
