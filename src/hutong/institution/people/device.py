"""Devices and the sessions on them: a phone that may speak for a user."""

from enum import Enum

import msgspec

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Bytes, Text, Uuid

DEVICES_MAX = 5  # In use at a time. Each more makes a payment code likelier to be guessed.
SESSION_LIFE_NS = 30 * 86_400 * NS_PER_S


class DeviceState(Enum):
    """What a device may do."""

    ACTIVE = "ACTIVE"
    LOST = "LOST"  # For good: who finds the phone again registers it anew.


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a device. Its seed, sealed, makes payment codes; a lost device has none."""

    id: Uuid
    user_id: Uuid
    name: Text
    seed_sealed: Bytes
    state: Text = DeviceState.ACTIVE.value
    changed_ns: BigInt

    @property
    def is_active(self) -> bool:
        return self.state == DeviceState.ACTIVE.value

    @property
    def seed_label(self) -> str:
        """Under what the seed is sealed."""
        return f"device-seed/{self.id:032x}"

    def lost(self, now_ns: int) -> "Device":
        """Reported lost: the seed is dropped."""
        return msgspec.structs.replace(self, state=DeviceState.LOST.value, seed_sealed=b"", changed_ns=now_ns)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a session: a device's right to speak for its user, for a time."""

    id: Uuid  # A keyed hash of the token: the token itself is nowhere but with its device.
    user_id: Uuid
    device_id: Uuid
    expires_ns: BigInt
    revoked: Boolean = False
    changed_ns: BigInt

    def check(self, now_ns: int) -> None:
        """Refuses SESSION_UNKNOWN when revoked, SESSION_EXPIRED from its end on."""
        if self.revoked:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        if now_ns >= self.expires_ns:
            raise Refusal(PeopleReason.SESSION_EXPIRED)

    def revoked_at(self, now_ns: int) -> "Session":
        """Never good again."""
        return msgspec.structs.replace(self, revoked=True, changed_ns=now_ns)
