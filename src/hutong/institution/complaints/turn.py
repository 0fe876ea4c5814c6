"""A turn: what somebody did in a complaint. A history is its turns, numbered from 1 without a gap."""

import msgspec

from hutong.institution.complaints.picture import digests_in
from hutong.institution.complaints.reasons import ComplaintReason
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Integer, Table, Text, Uuid
from hutong.scheme.complaint import ComplaintParty
from hutong.scheme.complaint_messages import PICTURES_MAX, ComplaintTurn
from hutong.scheme.messages import hex_id

TEXT_LENGTH_MAX = 500
TURNS_MAX = 200


class Turn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One turn. At the payer's side `case_id` is the grievance's, at the merchant's the complaint's."""

    id: Uuid  # Derived from the case and the number.
    case_id: Uuid
    user_id: Uuid  # The payer, if ours.
    number: Integer
    by: Text
    act: Text
    act_id: Uuid  # The payer's own id of it; 0: nobody else's is told.
    act_key: Uuid  # Each act makes one turn.
    amount: BigInt
    text: Text
    pictures: Text  # Their digests, one a line.
    author: Text  # Who did it for the merchant or the institution; not told to the payer.
    state: Text  # Of the complaint behind it.
    at_ns: BigInt

    @property
    def digests(self) -> list[str]:
        """By which its pictures are found."""
        return digests_in(self.pictures.split("\n"))


class Words(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody says, under an id of their own: with it, as often as need be."""

    act_id: int
    text: str = ""
    pictures: tuple[str, ...] = ()  # By digest: they were given before.

    def check(self, *, empty: bool = False) -> None:
        """Refuses what `check_text` does; COMPLAINT_TOO_LONG for too many pictures, PICTURE_UNKNOWN for what names none."""
        # Lines are the one thing in it that can't be seen.
        flat = self.text.replace("\n", " ")
        check_text("text", flat, length_max=TEXT_LENGTH_MAX, empty=empty or bool(self.pictures))
        if len(self.pictures) > PICTURES_MAX:
            raise Refusal(ComplaintReason.COMPLAINT_TOO_LONG, field="pictures", pictures_max=PICTURES_MAX)
        if len(digests_in(self.pictures)) != len(self.pictures):
            raise Refusal(ComplaintReason.PICTURE_UNKNOWN, field="pictures")


COMPLAINT_TURNS = Table("complaint_turns", Turn)
GRIEVANCE_TURNS = Table("grievance_turns", Turn)


def turn_id(case_id: int, number: int) -> int:
    return derive(case_id, f"turn/{number}")


def act_key(case_id: int, by: ComplaintParty, act_id: int) -> int:
    """Acts are named by who acts: nobody can take another's name for one."""
    return derive(case_id, f"{by.value}/{act_id:032x}")


def turn_of(message: ComplaintTurn, grievance_id: int, user_id: int) -> Turn:
    """A turn as the payer's side keeps it."""
    return Turn(
        id=turn_id(grievance_id, message.number),
        case_id=grievance_id,
        user_id=user_id,
        number=message.number,
        by=message.by.value,
        act=message.act.value,
        act_id=hex_id(message.act_id or "0"),
        act_key=turn_id(grievance_id, message.number),
        amount=message.amount,
        text=message.text,
        pictures="\n".join(digests_in(message.pictures)),
        author="",
        state=message.status.value,
        at_ns=message.at_ms * NS_PER_MS,
    )
