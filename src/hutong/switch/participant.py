"""A participant: an institution admitted to the switch, the nodes it runs and the keys they sign with."""

from enum import Enum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.tables import BigInt, Boolean, Bytes, Text
from hutong.switch.reason import SwitchReason


class ParticipantStatus(Enum):
    """Suspension is a rule at admission: what is reserved already is still decided."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class Participant(msgspec.Struct, frozen=True):
    """One node of a participant. Nodes of one `participant_id` owe each other nothing at settlement."""

    node_id: Text
    participant_id: Text
    name: Text
    url: Text  # Where it takes messages; empty for one that shares our process.
    status: Text
    changed_ns: BigInt

    def check_active(self) -> None:
        """Refuses PARTICIPANT_SUSPENDED."""
        if self.status != ParticipantStatus.ACTIVE.value:
            raise Refusal(SwitchReason.PARTICIPANT_SUSPENDED, participant=self.node_id)


class ParticipantKey(msgspec.Struct, frozen=True):
    """A public key a node signs with, and when: two overlap while it changes from one to the other."""

    key_id: Text
    node_id: Text
    public_key: Bytes
    valid_from_ns: BigInt
    valid_until_ns: BigInt


class RegisteredForm(msgspec.Struct, frozen=True):
    """A code form of a node, as registered: the newest row of a form says whose it is, if anybody's."""

    form: Text  # `hutong.codes.code_form`.
    node_id: Text
    consented: Text  # Who at the operator agreed that it overlaps another's; empty where it does not.
    active: Boolean
