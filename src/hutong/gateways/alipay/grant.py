"""What a merchant or a person lets an application do: a code that is good once, and the tokens it is changed for."""

import hashlib
from enum import StrEnum

import msgspec

from hutong.kernel.clock import NS_PER_S
from hutong.runtime.tables import BigInt, Table, Text, Uuid

DAY_S = 86_400


class GrantKind(StrEnum):
    """What it is, and how long it is good for."""

    APP_CODE = "APP_CODE"
    APP_TOKEN = "APP_TOKEN"  # noqa: S105  # A kind, and no secret.
    APP_REFRESH = "APP_REFRESH"
    USER_CODE = "USER_CODE"
    USER_TOKEN = "USER_TOKEN"  # noqa: S105  # As above.
    USER_REFRESH = "USER_REFRESH"

    @property
    def life_s(self) -> int:
        """Seconds."""
        return _LIVES_S[self]


_LIVES_S = {
    GrantKind.APP_CODE: DAY_S,
    GrantKind.APP_TOKEN: 365 * DAY_S,
    GrantKind.APP_REFRESH: 372 * DAY_S,
    GrantKind.USER_CODE: 180,
    GrantKind.USER_TOKEN: 15 * DAY_S,
    GrantKind.USER_REFRESH: 30 * DAY_S,
}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a grant. Its token is nowhere but with whom it was told."""

    id: Uuid  # A hash of the token.
    kind: Text
    account_id: Uuid  # The application that may use it.
    subject_id: Uuid  # The merchant's account, or the person.
    scope: Text
    created_ns: BigInt
    expires_ns: BigInt
    used_ns: BigInt  # 0: not yet. A code is good once.

    def is_good(self, kind: GrantKind, account_id: int, now_ns: int) -> bool:
        """Whether this application may use it as that now."""
        return self.kind == kind and self.account_id == account_id and now_ns < self.expires_ns and not self.used_ns


GRANTS = Table("alipay_grants", Grant)


def grant_id(token: str) -> int:
    """By what a token is found."""
    return int.from_bytes(hashlib.blake2b(token.encode(), digest_size=16, person=b"alipay grant").digest())


def new_grant(kind: GrantKind, token: str, *, account_id: int, subject_id: int, scope: str, now_ns: int) -> Grant:
    """A grant from now on."""
    return Grant(
        id=grant_id(token),
        kind=kind.value,
        account_id=account_id,
        subject_id=subject_id,
        scope=scope,
        created_ns=now_ns,
        expires_ns=now_ns + kind.life_s * NS_PER_S,
        used_ns=0,
    )
