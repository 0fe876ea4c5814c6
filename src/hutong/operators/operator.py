"""An operator: a name, a role, and a token that is kept as its hash."""

import hashlib
from enum import Enum
from typing import Self

import msgspec

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.runtime.tables import BigInt, Bytes, Text

TOKEN_PREFIX = "op_"  # noqa: S105  # How one begins.
TOKEN_BYTES = 32


class OperatorReason(Reason):
    """Why an operator is not let do something."""

    OPERATOR_UNKNOWN = Kind.NOT_ALLOWED, "NARR"
    OPERATOR_MAY_NOT = Kind.NOT_ALLOWED, "NARR"
    OPERATOR_NAME_MALFORMED = Kind.INVALID, "NARR"
    NO_SUCH_OPERATOR = Kind.NOT_FOUND, "NARR"
    LAST_ADMIN = Kind.REFUSED, "NARR"  # Nobody could let anybody in again.
    SESSION_EXPIRED = Kind.NOT_ALLOWED, "NARR"
    FIRST_OPERATOR_NAMED = Kind.REFUSED, "NARR"
    OPERATOR_NAME_TAKEN = Kind.CONFLICT, "NARR"


class Role(Enum):
    """What an operator may do; each may all that the one before may."""

    VIEWER = "VIEWER"  # Look.
    OPERATOR = "OPERATOR"  # Run the node: participants, users, merchants, money.
    ADMIN = "ADMIN"  # Say who else may.

    def covers(self, needed: "Role") -> bool:
        """Whether who has this role may do what takes `needed`."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Operator(msgspec.Struct, frozen=True):
    """One operator. The newest row of a name says what the role is, and whether its token is still good."""

    name: Text
    role: Text
    token_hash: Bytes  # Empty: may not ask any more.
    changed_ns: BigInt
    changed_by: Text

    def __repr__(self) -> str:
        return f"Operator({self.name}, {self.role})"

    @property
    def active(self) -> bool:
        return bool(self.token_hash)

    def check_role(self, needed: Role) -> Self:
        """Refuses OPERATOR_MAY_NOT."""
        if not Role(self.role).covers(needed):
            raise Refusal(OperatorReason.OPERATOR_MAY_NOT, role=self.role, takes=needed.value)
        return self


def token_hash(token: str) -> bytes:
    """What is kept of a token. It holds 256 random bits, so a plain hash can't be searched."""
    return hashlib.blake2b(token.encode(errors="replace"), digest_size=32, person=b"hutong/operator").digest()
