"""A participant: an institution admitted to the switch, the nodes it runs and the keys they sign with."""

from enum import Enum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Bytes, Text
from hutong.switch.reason import SwitchReason


class ParticipantStatus(Enum):
    """Suspension is a rule at admission: what is reserved already is still decided. See `lifecycle.stage`."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    LEAVING = "LEAVING"  # Nothing new but returns of what was paid.
    LEFT = "LEFT"


_REFUSED_AS = {
    ParticipantStatus.SUSPENDED.value: SwitchReason.PARTICIPANT_SUSPENDED,
    ParticipantStatus.LEAVING.value: SwitchReason.PARTICIPANT_LEAVING,
    ParticipantStatus.LEFT.value: SwitchReason.PARTICIPANT_LEFT,
}


class Participant(msgspec.Struct, frozen=True):
    """One node of a participant. Nodes of one `participant_id` owe each other nothing at settlement."""

    node_id: Text
    participant_id: Text
    name: Text
    url: Text  # Where it takes messages; empty for one that shares our process.
    status: Text
    changed_ns: BigInt
    returns_until_ns: BigInt = 0  # Of one that is leaving.

    @property
    def has_left(self) -> bool:
        return self.status == ParticipantStatus.LEFT.value

    @property
    def is_going(self) -> bool:
        """It has left or is about to: nothing of it begins any more."""
        return self.status in {ParticipantStatus.LEAVING.value, ParticipantStatus.LEFT.value}

    def check_active(self) -> None:
        """Refuses PARTICIPANT_SUSPENDED, PARTICIPANT_LEAVING, PARTICIPANT_LEFT."""
        if self.status != ParticipantStatus.ACTIVE.value:
            raise Refusal(_REFUSED_AS[self.status], participant=self.node_id)

    def check_returning(self, now_ns: int) -> None:
        """Refuses as `check_active`, but for one that is leaving and may still give back, or be given back."""
        if self.status != ParticipantStatus.LEAVING.value or now_ns >= self.returns_until_ns:
            self.check_active()


class ParticipantKey(msgspec.Struct, frozen=True):
    """A public key a node signs with, and when: two overlap while it changes from one to the other."""

    key_id: Text
    node_id: Text
    public_key: Bytes
    valid_from_ns: BigInt
    valid_until_ns: BigInt


class DescribedNode(msgspec.Struct, frozen=True):
    """What the network's description last said of a node: only what it changes there is a change."""

    node_id: Text
    name: Text
    url: Text


class RegisteredForm(msgspec.Struct, frozen=True):
    """A code form of a node, as registered: the newest row of a form says whose it is, if anybody's."""

    form: Text  # `hutong.codes.code_form`.
    node_id: Text
    consented: Text  # Who at the operator agreed that it overlaps another's; empty where it does not.
    active: Boolean
