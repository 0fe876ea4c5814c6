"""One-time codes: that somebody holds a telephone number, shown by typing what was sent to it."""

from enum import Enum

import msgspec

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Bytes, SmallInt, Text

CODE_DIGITS = 6
LIFE_NS = 300 * NS_PER_S
PAUSE_NS = 60 * NS_PER_S  # Between two codes to one number.
SENT_MAX = 10  # To one number for one purpose in a day.
WRONG_MAX = 5  # Per code: so 50 guesses a day of 1,000,000.


class Purpose(Enum):
    """What a code is good for; one for signing in resets no PIN."""

    SIGN_IN = "SIGN_IN"  # Registers, too: who holds the number is all that either asks.
    PIN_RESET = "PIN_RESET"
    STAFF_SIGN_IN = "STAFF_SIGN_IN"  # A merchant's staff, who need no wallet.
    STAFF_PIN = "STAFF_PIN"  # Takes an invitation, too.


class OneTimeCode(msgspec.Struct, frozen=True):
    """The last code sent to a number for a purpose, and how many before it that day."""

    id: Text  # `SIGN_IN:+8613800138000`.
    mac: Bytes  # The code itself is stored nowhere.
    expires_ns: BigInt
    sent_ns: BigInt
    day_starts_ns: BigInt
    sent_in_day: SmallInt
    wrong: SmallInt = 0
    used_for: Text = ""

    def may_send_another(self, now_ns: int) -> None:
        """Refuses CODE_REQUESTS_EXHAUSTED within a minute of the last, or behind the tenth of a day."""
        wait_ns = self.sent_ns + PAUSE_NS - now_ns
        if self.sent_in_day >= SENT_MAX:
            wait_ns = max(wait_ns, self.day_starts_ns + NS_PER_DAY - now_ns)
        if wait_ns > 0:
            raise Refusal(PeopleReason.CODE_REQUESTS_EXHAUSTED, retry_after_s=-(-wait_ns // NS_PER_S))

    def check_fresh(self, used_for: str, now_ns: int) -> None:
        """
        Refuses ONE_TIME_CODE_EXPIRED and, for anything but what it was used for, ONE_TIME_CODE_USED.

        The same use again is a retry whose first answer was lost, and is let through while the code lives.
        """
        if now_ns >= self.expires_ns or self.wrong >= WRONG_MAX:
            raise Refusal(PeopleReason.ONE_TIME_CODE_EXPIRED)
        if self.used_for and self.used_for != used_for:
            raise Refusal(PeopleReason.ONE_TIME_CODE_USED)


def code_key(purpose: Purpose, phone: str) -> str:
    """Under what the last code is found."""
    return f"{purpose.value}:{phone}"


def next_code(previous: OneTimeCode | None, key: str, mac: bytes, now_ns: int) -> OneTimeCode:
    """A code just sent; refuses as `may_send_another`."""
    day_starts_ns, sent_in_day = now_ns, 1
    if previous is not None:
        previous.may_send_another(now_ns)
        if now_ns < previous.day_starts_ns + NS_PER_DAY:
            day_starts_ns, sent_in_day = previous.day_starts_ns, previous.sent_in_day + 1
    return OneTimeCode(
        id=key,
        mac=mac,
        expires_ns=now_ns + LIFE_NS,
        sent_ns=now_ns,
        day_starts_ns=day_starts_ns,
        sent_in_day=sent_in_day,
    )
