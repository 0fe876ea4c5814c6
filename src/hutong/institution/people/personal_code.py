"""Personal codes (个人码): plates that people are paid by, with an amount or without."""

import msgspec

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.kernel.money import MINOR_MAX, currency_of
from hutong.runtime.tables import BigInt, Boolean, Text, Uuid

REMARK_LENGTH_MAX = 140
CODES_MAX = 100  # Active ones of a user.


class PersonalCode(msgspec.Struct, frozen=True):
    """One version of a personal code. Amount 0: the payer says how much."""

    id: Uuid
    plate: Text  # The id on the plate: `P…`.
    user_id: Uuid
    amount: BigInt
    currency: Text
    remark: Text
    changed_ns: BigInt
    active: Boolean = True

    def check_same(self, amount: int, currency: str, remark: str) -> None:
        """Refuses PERSONAL_CODE_TAKEN, naming the first field that differs."""
        for field, ours, theirs in (
            ("amount", self.amount, amount),
            ("currency", self.currency, currency),
            ("remark", self.remark, remark),
        ):
            if ours != theirs:
                raise Refusal(PeopleReason.PERSONAL_CODE_TAKEN, field=field)


def check_amount(amount: int, currency: str) -> None:
    """Refuses AMOUNT_OUT_OF_RANGE and CURRENCY_UNKNOWN."""
    currency_of(currency)
    if not 0 <= amount <= MINOR_MAX:
        raise Refusal(PeopleReason.AMOUNT_OUT_OF_RANGE, field="amount")
