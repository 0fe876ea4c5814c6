"""How hutong says no: a refusal is a value with a name, a kind and the field's own code."""

from enum import Enum
from typing import Any, Self


class Kind(Enum):
    """What sort of no; `runtime.http` maps each to one status."""

    INVALID = "INVALID"  # The input itself is wrong; sending it again cannot help.
    REFUSED = "REFUSED"  # Well formed, and a rule says no.
    CONFLICT = "CONFLICT"  # The same id came before with other content.
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"  # Who asks is not known, or may not.
    LIMITED = "LIMITED"  # Too often, or too many at once; later is fine.


class Reason(Enum):
    """
    One row per reason: everything the edges need to say it.

    A row is `NAME = Kind, iso_code`, where the code is from ISO 20022's external code sets, or
    `NARR` where those have none. Rows are append-only: clients match on the name. Enum rows with equal
    values would silently become one, so the base class numbers them.
    """

    kind: Kind
    iso_code: str

    def __new__(cls, kind: Kind, iso_code: str = "NARR") -> Self:
        row = object.__new__(cls)
        row._value_ = f"{cls.__name__}.{len(cls.__members__)}"
        row.kind = kind
        row.iso_code = iso_code
        return row


class Refusal(Exception):  # noqa: N818  # It is an answer, not an error.
    """
    A definite no: nothing moved, and asking again in the same way gets the same answer.

    `facts` are shown to the caller: field names, limits, ids of the caller's own. Never a secret.
    """

    def __init__(self, reason: Reason, /, **facts: Any) -> None:
        super().__init__(reason, facts)
        self.reason = reason
        self.facts = facts

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        return f"{self.reason.name}: {told}" if told else self.reason.name


class OutcomeUnknown(Exception):  # noqa: N818  # It is not a failure: enquire, then conclude.
    """We asked a peer, or our own disk, and heard nothing: it may or may not have happened."""


class KernelReason(Reason):
    """Why a value of the kernel could not be read."""

    ID_MALFORMED = Kind.INVALID, "NARR"
    ID_OF_OTHER_KIND = Kind.INVALID, "NARR"
    AMOUNT_MALFORMED = Kind.INVALID, "AM12"
    AMOUNT_HAS_TOO_MANY_DECIMALS = Kind.INVALID, "AM12"
    AMOUNT_OUT_OF_RANGE = Kind.INVALID, "AM12"
    CURRENCY_UNKNOWN = Kind.INVALID, "AM11"
