"""Who a forgotten person was: sealed, for as long as the law has it kept."""

from importlib.resources import files

import msgspec

from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Kind, Reason
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid


class ErasureReason(Reason):
    """Why nobody is forgotten, or remembered."""

    USER_NOT_CLOSED = Kind.REFUSED, "NARR"
    IDENTITY_NOT_RETAINED = Kind.NOT_FOUND, "NARR"


class RetentionPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is kept behind the end of a business relation, and by which law."""

    version: str
    identity_days: int
    transaction_days: int
    because: str


class Identity(msgspec.Struct, frozen=True):
    """Who it was. Sealed as JSON."""

    phone: str
    name: str
    tier: int
    evidence: str
    registration_id: str


class RetainedIdentity(msgspec.Struct, frozen=True):
    """The row; deleted when its time is over."""

    user_id: Uuid
    sealed: Bytes
    erased_ns: BigInt
    kept_until_ns: BigInt
    policy_version: Text


RETAINED_IDENTITIES = Table("retained_identities", RetainedIdentity)


def shipped_retention() -> RetentionPolicy:
    """The policy that comes along."""
    text = files("hutong.institution.erasure").joinpath("retention.json").read_bytes()
    return msgspec.json.decode(text, type=RetentionPolicy)


def kept_until_ns(policy: RetentionPolicy, closed_ns: int) -> int:
    """Counted from the end of the business relation."""
    return closed_ns + policy.identity_days * NS_PER_DAY


def seal_label(user_id: int) -> str:
    """What it is sealed under: no other row's opens in its place."""
    return f"retained-identity/{user_id:032x}"
