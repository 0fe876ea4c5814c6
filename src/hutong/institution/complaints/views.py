"""What payers, merchants and operators are shown of complaints. Amounts are integers of minor units (fen)."""

from base64 import b64encode
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hutong.institution.complaints.complaint import COMPLAINT_PREFIX, Complaint
from hutong.institution.complaints.grievance import GRIEVANCE_PREFIX, Grievance
from hutong.institution.complaints.picture import Picture
from hutong.institution.complaints.picture_file import BYTES_MAX, PictureFile
from hutong.institution.complaints.turn import TEXT_LENGTH_MAX, Turn
from hutong.institution.payments.views import payment_id_text
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.scheme.complaint import ComplaintKind
from hutong.scheme.complaint_messages import PICTURES_MAX

ACT_PREFIX = "act"
Words = Annotated[str, Meta(max_length=TEXT_LENGTH_MAX)]
PictureName = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="As a picture is named that was given.")]
Pictures = Annotated[list[PictureName], Meta(max_length=PICTURES_MAX)]


class ComplainBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Complain of a payment. `kind` RFND wants `amount` back (0: all of it), SRVC was not served, OTHR is anything else."""

    complaint_id: Annotated[str, Meta(description="Minted and kept by you before the first try.")]
    payment_id: str
    kind: ComplaintKind
    text: Words
    amount: Annotated[int, Meta(ge=0)] = 0
    contact: Annotated[str, Meta(max_length=35, description="A telephone number that the merchant may call.")] = ""
    pictures: Pictures = []


class SayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say something. `act_id` is yours: with it, try as often as need be."""

    act_id: str
    text: Words = ""
    pictures: Pictures = []


class ApproveBody(SayBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Agree to a refund. With an `amount` it is made at once; with 0 it is made later, as ever."""

    amount: Annotated[int, Meta(ge=0)] = 0


class PictureBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture to say something with: PNG, JPEG or BMP, at most 2 MiB of it."""

    content: Annotated[str, Meta(max_length=-(-BYTES_MAX // 3) * 4, description="Its bytes, in base64.")]


class PictureView(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that was given: `picture`, its SHA-256 as it is kept, names it to what is said within a day."""

    picture: str
    kind: str
    size: int


class PictureContent(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a complaint, as it is kept: in base64, so that nothing here is ever taken for a page."""

    kind: str
    content: str


class TurnView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One turn: `by` DBTR the payer, CDTR the merchant, AGNT the merchant's institution."""

    number: int
    by: str
    act: str
    amount: int = 0
    text: str = ""
    pictures: list[str] = []
    author: str = ""
    state: str
    at_ms: int


class ComplaintView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complaint as the merchant sees it. `answer_by_ms`: until when the merchant should act; `overdue`: it did not."""

    complaint_id: str
    payment_id: str
    merchant_id: str
    shop_id: str = ""
    debtor_agent: str
    kind: str
    state: str
    ended: str = ""
    currency: str
    paid: int
    asked: int = 0
    refunded: int = 0
    contact: str = ""
    waiting: bool = False
    times: int
    owner: str = ""
    created_at_ms: int
    changed_at_ms: int
    answer_by_ms: int = 0
    overdue: bool = False
    turns: list[TurnView] = []


class GrievanceView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A complaint as its payer sees it. `sending`: what was said last is on its way; `refusal`: why it was not taken."""

    complaint_id: str
    payment_id: str
    payee_name: str
    creditor_agent: str
    kind: str
    state: str
    ended: str = ""
    currency: str
    paid: int
    asked: int = 0
    sending: str = ""
    refusal: str = ""
    refusal_code: str = ""
    created_at_ms: int
    changed_at_ms: int
    answer_by_ms: int = 0
    turns: list[TurnView] = []


def turn_view(turn: Turn, *, to_payer: bool = False) -> TurnView:
    return TurnView(
        number=turn.number,
        by=turn.by,
        act=turn.act,
        amount=turn.amount,
        text=turn.text,
        pictures=turn.digests,
        author="" if to_payer else turn.author,
        state=turn.state,
        at_ms=turn.at_ns // NS_PER_MS,
    )


def complaint_view(complaint: Complaint, now_ns: int, turns: list[Turn] | None = None) -> ComplaintView:
    return ComplaintView(
        complaint_id=id_text(COMPLAINT_PREFIX, complaint.id),
        payment_id=payment_id_text(complaint.payment_id),
        merchant_id=id_text("mer", complaint.merchant_id),
        shop_id=id_text("shp", complaint.shop_id) if complaint.shop_id else "",
        debtor_agent=complaint.debtor_agent,
        kind=complaint.kind,
        state=complaint.state,
        ended=complaint.ended,
        currency=complaint.currency,
        paid=complaint.paid,
        asked=complaint.asked,
        refunded=complaint.refunded,
        contact=complaint.contact,
        waiting=complaint.waiting,
        times=complaint.times,
        owner=complaint.owner,
        created_at_ms=complaint.created_ns // NS_PER_MS,
        changed_at_ms=complaint.changed_ns // NS_PER_MS,
        answer_by_ms=complaint.answer_by_ns // NS_PER_MS,
        overdue=complaint.is_overdue(now_ns),
        turns=[turn_view(turn) for turn in turns or ()],
    )


def grievance_view(grievance: Grievance, turns: list[Turn] | None = None) -> GrievanceView:
    return GrievanceView(
        complaint_id=id_text(GRIEVANCE_PREFIX, grievance.id),
        payment_id=payment_id_text(grievance.payment_id),
        payee_name=grievance.payee_name,
        creditor_agent=grievance.creditor_agent,
        kind=grievance.kind,
        state=grievance.state,
        ended=grievance.ended,
        currency=grievance.currency,
        paid=grievance.paid,
        asked=grievance.asked,
        sending=grievance.act if grievance.is_sending else "",
        refusal=grievance.refusal,
        refusal_code=grievance.refusal_code,
        created_at_ms=grievance.created_ns // NS_PER_MS,
        changed_at_ms=grievance.changed_ns // NS_PER_MS,
        answer_by_ms=grievance.answer_by_ns // NS_PER_MS,
        turns=[turn_view(turn, to_payer=True) for turn in turns or ()],
    )


def picture_content(file: PictureFile) -> PictureContent:
    return PictureContent(kind=file.kind.value, content=b64encode(file.content).decode())


def picture_view(picture: Picture) -> PictureView:
    return PictureView(picture=picture.digest, kind=picture.kind, size=picture.size)


def complaint_data(complaint: Complaint, turn: Turn) -> dict[str, Any]:
    """The news of a turn, for the merchant. What was said is read in the complaint."""
    return {
        "complaint_id": id_text(COMPLAINT_PREFIX, complaint.id),
        "payment_id": payment_id_text(complaint.payment_id),
        "kind": complaint.kind,
        "state": complaint.state,
        "act": turn.act,
        "amount": turn.amount,
        "currency": complaint.currency,
        "answer_by_ms": complaint.answer_by_ns // NS_PER_MS,
    }


def grievance_data(grievance: Grievance, turn: Turn | None = None) -> dict[str, Any]:
    """The news of a turn, for the payer; without one, that what was said was not taken."""
    return {
        "complaint_id": id_text(GRIEVANCE_PREFIX, grievance.id),
        "payment_id": payment_id_text(grievance.payment_id),
        "payee_name": grievance.payee_name,
        "state": grievance.state,
        "act": grievance.act if turn is None else turn.act,
        "amount": 0 if turn is None else turn.amount,
        "currency": grievance.currency,
        "refusal": grievance.refusal,
    }
