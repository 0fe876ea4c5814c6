"""What two institutions say to each other of a complaint, through the switch: `docs/scheme/complaint.md`."""

from typing import Annotated

import msgspec

from hutong.scheme.complaint import ComplaintAct, ComplaintKind, ComplaintParty, ComplaintStatus
from hutong.scheme.message import (
    CurrencyCode,
    EntryNumber,
    Max35Text,
    MaybeId,
    MaybeMax512Text,
    Message,
    MessageId,
    Milliseconds,
    MinorUnits,
    NodeId,
)

PICTURES_MAX = 4  # With one turn.
PICTURE_BYTES_MAX = 2 * 1024 * 1024
PIECE_BYTES_MAX = 48 * 1024  # Of a picture, in one message.

# SHA-256 of a picture's bytes.
PictureDigest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Pictures = Annotated[list[PictureDigest], msgspec.Meta(max_length=PICTURES_MAX)]
PieceText = Annotated[str, msgspec.Meta(max_length=PIECE_BYTES_MAX // 3 * 4)]  # Base64.
PictureSize = Annotated[int, msgspec.Meta(ge=0, le=PICTURE_BYTES_MAX)]


class ComplaintSaid(Message, frozen=True, kw_only=True, tag="hutong.complaint"):
    """
    What a payer has to say of a completed payment to a merchant. From the debtor agent through the switch to the creditor agent.

    Every one says which turns the debtor agent knows; one without an act says nothing else. Sent again until the act is
    a turn, or refused.
    """

    complaint_id: MessageId = msgspec.field(name="CmplntId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    number: EntryNumber = msgspec.field(name="ElctrncSeqNb")  # The first turn it does not know.
    act: ComplaintAct | None = msgspec.field(name="CmplntAct", default=None)
    act_id: MaybeId = msgspec.field(name="ActId", default="")
    currency: CurrencyCode = msgspec.field(name="Ccy")  # The payment's.
    kind: ComplaintKind = msgspec.field(name="CmplntTp", default=ComplaintKind.OTHER)  # This and two more with OPEN.
    amount: MinorUnits = msgspec.field(name="ReqdAmt", default=0)  # What the payer wants back.
    contact: Max35Text = msgspec.field(name="CtctDtls", default="")
    text: MaybeMax512Text = msgspec.field(name="AddtlInf", default="")
    pictures: Pictures = msgspec.field(name="PictrDgst", default=[])
    at_ms: Milliseconds = msgspec.field(name="CreDtTm")


class ComplaintTurn(Message, frozen=True, kw_only=True, tag="hutong.complained"):
    """
    One turn of a complaint, or, with number 0, why an act is none. From the creditor agent through the switch to the debtor agent.

    Turns are numbered without a gap. Told again until the debtor agent says that it knows it.
    """

    complaint_id: MessageId = msgspec.field(name="CmplntId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = msgspec.field(name="ElctrncSeqNb")
    by: ComplaintParty = msgspec.field(name="Pty")
    act: ComplaintAct = msgspec.field(name="CmplntAct")
    act_id: MaybeId = msgspec.field(name="ActId", default="")
    status: ComplaintStatus = msgspec.field(name="CmplntSts")  # Behind this turn.
    currency: CurrencyCode = msgspec.field(name="Ccy")  # The payment's.
    amount: MinorUnits = msgspec.field(name="Amt", default=0)  # Of the act: refunded, or to be.
    text: MaybeMax512Text = msgspec.field(name="AddtlInf", default="")
    pictures: Pictures = msgspec.field(name="PictrDgst", default=[])
    answer_by_ms: Milliseconds = msgspec.field(name="XpryDtTm", default=0)  # Until when the payee should act; 0: never.
    at_ms: Milliseconds = msgspec.field(name="CreDtTm")
    reason: Max35Text = msgspec.field(name="StsRsnCd", default="")
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")


class ComplaintPictureAsked(Message, frozen=True, kw_only=True, tag="hutong.picture"):
    """
    One agent of a complaint asks the other for a piece of a picture that was said there. Through the switch, either way.

    Asked again until it has come, for as long as the asker cares.
    """

    complaint_id: MessageId = msgspec.field(name="CmplntId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    side: ComplaintParty = msgspec.field(name="Pty")  # Whose agent asks: DBTR or CDTR.
    digest: PictureDigest = msgspec.field(name="PictrDgst")
    offset: PictureSize = msgspec.field(name="PcOfst")  # Of the first byte that the asker lacks.

    @property
    def is_debtors(self) -> bool:
        """Whether it is the debtor agent that asks."""
        return self.side is ComplaintParty.PAYER


class ComplaintPiece(Message, frozen=True, kw_only=True, tag="hutong.pictured"):
    """
    The bytes of a picture from an offset on, at most 48 KiB of them: the answer to a hutong.picture, which it repeats.

    A size of 0 says that the picture isn't there, or not any more.
    """

    complaint_id: MessageId = msgspec.field(name="CmplntId")
    payment_id: MessageId = msgspec.field(name="OrgnlTxId")
    debtor_agent: NodeId = msgspec.field(name="DbtrAgt")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    side: ComplaintParty = msgspec.field(name="Pty")  # Whose agent asked.
    digest: PictureDigest = msgspec.field(name="PictrDgst")
    offset: PictureSize = msgspec.field(name="PcOfst")
    size: PictureSize = msgspec.field(name="PictrSz")  # Of the whole picture.
    content: PieceText = msgspec.field(name="Pc", default="")

    @property
    def is_debtors(self) -> bool:
        """Whether it is the debtor agent that asked."""
        return self.side is ComplaintParty.PAYER


ComplaintMessage = ComplaintSaid | ComplaintTurn | ComplaintPictureAsked | ComplaintPiece
