"""Members of a merchant's staff: people who sign in at a till or a console, with their telephone and a PIN."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from hutong.institution.key_token import SECRET_BYTES
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.staff_key import SESSION_PREFIX, Role, StaffKey
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Text, Uuid

MEMBER_PREFIX = "mem"
NAME_LENGTH_MAX = 40
CALLERS_ID_LENGTH_MAX = 64
# A shift with its breaks: who comes back the next morning signs in, so the till knows who stands at it.
IDLE_NS = 12 * NS_PER_HOUR
# Using a session writes a row at most so often.
_RENEWED_NS = 1800 * NS_PER_S
_TOKEN_LENGTH = len(SESSION_PREFIX) + 43


class StaffState(StrEnum):
    INVITED = "INVITED"  # Or to choose a new PIN: comes in once the telephone was shown to be theirs.
    ACTIVE = "ACTIVE"
    REVOKED = "REVOKED"  # For good.


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """
    One version of a member of staff of one merchant; `shop_id` 0 is all of its shops.

    Who works for several merchants is a member of each, signs in with one telephone and one PIN, and chooses.
    """

    id: Uuid
    merchant_id: Uuid
    shop_id: Uuid
    role: Text
    name: Text
    phone: Text
    state: Text
    created_ns: BigInt
    changed_ns: BigInt
    changed_by: (
        Uuid  # The member or key whose act this version is; 0: the institution's operator, or the telephone's holder.
    )

    @property
    def is_active(self) -> bool:
        return self.state == StaffState.ACTIVE

    @property
    def key(self) -> StaffKey:
        """What this member may do, as every service of the merchant's asks for it. It has no token of its own."""
        return StaffKey(
            id=self.id,
            merchant_id=self.merchant_id,
            shop_id=self.shop_id,
            role=self.role,
            name=self.name,
            token_hash=b"",
            created_ns=self.created_ns,
            rotated_ns=self.created_ns,
            revoked_ns=self.changed_ns if self.state == StaffState.REVOKED else 0,
        )

    def check_same(self, name: str, phone: str, role: Role, shop_id: int) -> None:
        """Whether an invitation under this id said the same. Refuses STAFF_TAKEN, naming the field."""
        for field, was, wanted in (
            ("name", self.name, name),
            ("phone", self.phone, phone),
            ("role", self.role, role),
            ("shop_id", self.shop_id, shop_id),
        ):
            if was != wanted:
                raise Refusal(MerchantReason.STAFF_TAKEN, field=field)

    def check_here(self) -> None:
        """Refuses STAFF_REVOKED."""
        if self.state == StaffState.REVOKED:
            raise Refusal(MerchantReason.STAFF_REVOKED)

    def accepted(self, now_ns: int) -> "StaffMember":
        """Whoever holds the telephone took the invitation; itself when that was before."""
        if self.state != StaffState.INVITED:
            return self
        return msgspec.structs.replace(self, state=StaffState.ACTIVE, changed_ns=now_ns, changed_by=0)

    def placed(self, role: Role, shop_id: int, by: int, now_ns: int) -> "StaffMember":
        """With another role or shop; itself where it has them. Refuses STAFF_REVOKED."""
        self.check_here()
        if (self.role, self.shop_id) == (role, shop_id):
            return self
        return msgspec.structs.replace(self, role=role, shop_id=shop_id, changed_ns=now_ns, changed_by=by)

    def turned(self, state: StaffState, by: int, now_ns: int) -> "StaffMember":
        """Invited anew, or revoked; itself where it is so. Refuses STAFF_REVOKED to invite who is gone."""
        if self.state == state:
            return self
        self.check_here()
        return msgspec.structs.replace(self, state=state, changed_ns=now_ns, changed_by=by)


class SessionEnd(StrEnum):
    """How a session ended, if it did."""

    NONE = ""
    SIGNED_OUT = "SIGNED_OUT"  # The device stays known to its user.
    REVOKED = "REVOKED"  # By the merchant, or with a new PIN: the next sign-in asks for a one-time code.


class StaffSession(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a session: a member of staff signed in on a device."""

    id: Uuid  # A keyed hash of the token, which is nowhere kept.
    member_id: Uuid
    device_id: Uuid
    began_ns: BigInt
    used_ns: BigInt
    ended: Text = SessionEnd.NONE

    def check(self, now_ns: int) -> None:
        """Refuses SESSION_UNKNOWN when it ended, SESSION_EXPIRED when nobody used it for IDLE_NS."""
        if self.ended:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        if now_ns >= self.used_ns + IDLE_NS:
            raise Refusal(PeopleReason.SESSION_EXPIRED)

    def used(self, now_ns: int) -> "StaffSession":
        """Used now; itself where that was noted a moment ago."""
        return self if now_ns < self.used_ns + _RENEWED_NS else msgspec.structs.replace(self, used_ns=now_ns)

    def moved(self, member_id: int) -> "StaffSession":
        """Going on as another member; itself as the same."""
        return self if self.member_id == member_id else msgspec.structs.replace(self, member_id=member_id)

    def end(self, how: SessionEnd) -> "StaffSession":
        """Never good again; itself where it ended so before. Revoked is more than signed out: of the device, too."""
        done = self.ended and how == SessionEnd.SIGNED_OUT
        return self if done or self.ended == how else msgspec.structs.replace(self, ended=how)


@dataclass(frozen=True, slots=True)
class SignedInStaff:
    """Who is at a till or a console. `key` is the authority that the merchant's services take."""

    member: StaffMember
    session: StaffSession

    @property
    def key(self) -> StaffKey:
        return self.member.key


def member_id_of(merchant_id: int, callers_id: str) -> int:
    """The id of a member whom the merchant calls so: the same call again means the same member."""
    return derive(merchant_id, f"staff/{callers_id}")


def holder_of(phone: str) -> int:
    """Under what the PIN of a telephone's holder is kept, whichever merchants they work for."""
    return int.from_bytes(hashlib.blake2b(phone.encode(), digest_size=16, person=b"hutong staffpin").digest())


def token_of(secret: bytes) -> str:
    """A session's token, of a secret fresh from chance."""
    assert len(secret) == SECRET_BYTES
    return SESSION_PREFIX + urlsafe_b64encode(secret).rstrip(b"=").decode()


def session_id_of(pepper: bytes, token: str) -> int:
    """Under what a token's session is kept: nobody finds a token for it. Refuses SESSION_UNKNOWN."""
    if len(token) != _TOKEN_LENGTH or not token.isascii() or not token.startswith(SESSION_PREFIX):
        raise Refusal(PeopleReason.SESSION_UNKNOWN)
    return int.from_bytes(hmac.digest(pepper, b"staff session/" + token.encode(), "sha256")[:16])
