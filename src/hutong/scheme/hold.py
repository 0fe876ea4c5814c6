"""Holds, as they travel: `docs/scheme/hold.md`."""

from enum import Enum
from typing import Annotated

import msgspec

from hutong.scheme.message import (
    CurrencyCode,
    Max35Text,
    Max140Text,
    MaybeId,
    MaybeMax512Text,
    Message,
    MessageId,
    Milliseconds,
    MinorUnits,
    NodeId,
)


class HoldAct(Enum):
    """What a creditor agent wants of a hold."""

    OPEN = "OPEN"  # Whose code this is, let the merchant hold so much.
    RELEASE = "RLSE"  # So much is the payer's again; 0: everything, and the hold has ended.


class HoldStatus(Enum):
    """How a hold stands at the debtor agent, which alone knows."""

    PENDING = "PDNG"  # The payer is asked: nothing is held.
    HELD = "HELD"
    ENDED = "ENDD"  # Everything was taken or let go.
    REJECTED = "RJCT"  # Nothing is held, nor will be.


class HoldRequest(Message, frozen=True, kw_only=True, tag="hutong.hold"):
    """
    A merchant asks to hold money of a payer elsewhere, or lets some go. From the creditor agent through the switch to the debtor agent.

    Every one says what the creditor agent knows of the hold; one without an act says nothing else. Sent again until it is answered.
    """

    hold_id: MessageId = msgspec.field(name="HldId")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    debtor_agent: NodeId | None = msgspec.field(name="DbtrAgt", default=None)  # None: whoever owns the code.
    number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = msgspec.field(
        name="ElctrncSeqNb"
    )  # The newest it knows.
    act: HoldAct | None = msgspec.field(name="HldAct", default=None)
    act_id: MaybeId = msgspec.field(name="ActId", default="")  # With RLSE.
    amount: MinorUnits = msgspec.field(name="InstdAmt", default=0)
    currency: CurrencyCode = msgspec.field(name="Ccy")
    code: MaybeMax512Text = msgspec.field(name="PmtCd", default="")  # As scanned; until the debtor agent is known.
    creditor_name: Max140Text = msgspec.field(name="CdtrNm", default="")
    remittance: Max140Text = msgspec.field(name="RmtInf", default="")
    expires_at_ms: Milliseconds = msgspec.field(
        name="XpryDtTm", default=0
    )  # With OPEN: until when the payer may agree.
    at_ms: Milliseconds = msgspec.field(name="CreDtTm")


class HoldReport(Message, frozen=True, kw_only=True, tag="hutong.held"):
    """
    How a hold stands, whole. From the debtor agent through the switch to the creditor agent; a refusal also from the switch.

    States are numbered: the greatest is the newest. Told again until the creditor agent says that it knows it.
    """

    hold_id: MessageId = msgspec.field(name="HldId")
    creditor_agent: NodeId = msgspec.field(name="CdtrAgt")
    debtor_agent: NodeId | None = msgspec.field(name="DbtrAgt", default=None)  # None: the switch knows of none.
    number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = msgspec.field(name="ElctrncSeqNb")  # 0: a refusal alone.
    status: HoldStatus = msgspec.field(name="HldSts")
    amount: MinorUnits = msgspec.field(name="InstdAmt", default=0)  # What was held at first,
    taken: MinorUnits = msgspec.field(name="TknAmt", default=0)  # was paid of it,
    released: MinorUnits = msgspec.field(name="RlsdAmt", default=0)  # and went back.
    currency: CurrencyCode = msgspec.field(name="Ccy")
    act_id: MaybeId = msgspec.field(
        name="ActId", default=""
    )  # The act that this answers; done, or refused by the reason.
    code: MaybeMax512Text = msgspec.field(name="PmtCd", default="")  # With HELD: what requests to pay out of it name.
    debtor_name: Max140Text = msgspec.field(name="DbtrNm", default="")
    debtor_ref: Max35Text = msgspec.field(name="DbtrRef", default="")
    lapses_at_ms: Milliseconds = msgspec.field(name="RlsDtTm", default=0)  # What is left then goes back by itself.
    at_ms: Milliseconds = msgspec.field(name="CreDtTm")
    reason: Max35Text = msgspec.field(name="StsRsnCd", default="")
    reason_name: Annotated[str, msgspec.Meta(max_length=70)] = msgspec.field(name="StsRsnPrtry", default="")
