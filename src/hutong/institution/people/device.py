"""Devices and the sessions on them: a phone that may speak for a user."""

from enum import Enum

import msgspec

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Bytes, Text, Uuid

DEVICES_MAX = 5  # In use at a time. Each more makes a payment code likelier to be guessed.
# Who stole a telephone number can sign in with it; until a new phone may reset the PIN, the old one has been told.
NEW_NS = NS_PER_DAY
SESSION_LIFE_NS = 30 * NS_PER_DAY


class DeviceState(Enum):
    """What a device may do."""

    ACTIVE = "ACTIVE"
    LOST = "LOST"  # For good: who finds the phone again registers it anew.


class Device(msgspec.Struct, frozen=True):
    """One version of a device. Its seed, sealed, makes payment codes; a lost device has none."""

    id: Uuid
    user_id: Uuid
    name: Text
    seed_sealed: Bytes
    changed_ns: BigInt
    state: Text = DeviceState.ACTIVE.value

    @property
    def is_active(self) -> bool:
        return self.state == DeviceState.ACTIVE.value

    @property
    def seed_label(self) -> str:
        """Under what the seed is sealed."""
        return f"device-seed/{self.id:032x}"

    def check_settled(self, others: list["Device"], now_ns: int) -> None:
        """Refuses DEVICE_LOST; DEVICE_TOO_NEW within a day of being added, or signed in, beside others. An only one never is."""
        if not self.is_active:
            raise Refusal(PeopleReason.DEVICE_LOST)
        wait_ns = self.changed_ns + NEW_NS - now_ns
        if wait_ns > 0 and any(other.id != self.id for other in others):
            raise Refusal(PeopleReason.DEVICE_TOO_NEW, retry_after_s=-(-wait_ns // NS_PER_S))

    def lost(self, now_ns: int) -> "Device":
        """Reported lost: the seed is dropped."""
        return msgspec.structs.replace(self, state=DeviceState.LOST.value, seed_sealed=b"", changed_ns=now_ns)


class Session(msgspec.Struct, frozen=True):
    """One version of a session: a device's right to speak for its user, for a time."""

    id: Uuid  # A keyed hash of the token: the token itself is nowhere but with its device.
    user_id: Uuid
    device_id: Uuid
    expires_ns: BigInt
    changed_ns: BigInt
    revoked: Boolean = False

    def check(self, now_ns: int) -> None:
        """Refuses SESSION_UNKNOWN when revoked, SESSION_EXPIRED from its end on."""
        if self.revoked:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        if now_ns >= self.expires_ns:
            raise Refusal(PeopleReason.SESSION_EXPIRED)

    def revoked_at(self, now_ns: int) -> "Session":
        """Never good again."""
        return msgspec.structs.replace(self, revoked=True, changed_ns=now_ns)
