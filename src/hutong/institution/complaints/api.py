"""Complaints over HTTP: for payers, for merchants' staff keys, and for the institution's operators."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong.institution.complaints.complaint import COMPLAINT_PREFIX, Complaint
from hutong.institution.complaints.grievance import GRIEVANCE_PREFIX, GrievanceOrder
from hutong.institution.complaints.picture_file import picture_file
from hutong.institution.complaints.service import ComplaintDesk
from hutong.institution.complaints.turn import Words
from hutong.institution.complaints.views import (
    ACT_PREFIX,
    ApproveBody,
    ComplainBody,
    ComplaintView,
    GrievanceView,
    PictureBody,
    PictureContent,
    PictureView,
    SayBody,
    complaint_view,
    grievance_view,
    picture_content,
    picture_view,
)
from hutong.institution.door_api import Doors
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.people.device import Session
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.http import HttpReason
from hutong.runtime.shelf import decided
from hutong.scheme.complaint import ComplaintAct, ComplaintParty

Answer = TypeVar("Answer")
OpenOnly = Annotated[bool, QueryParameter(description="Only those that have not ended.")]


@dataclass(frozen=True, slots=True)
class ComplaintEdge:
    """What the handlers need."""

    desk: ComplaintDesk

    async def decided(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.desk.node.journal, decide)

    async def say(self, session: Session, complaint_id: str, act: ComplaintAct, data: SayBody) -> GrievanceView:
        """What a payer says in one."""
        id_, words, grievances = parse_id(GRIEVANCE_PREFIX, complaint_id), words_of(data), self.desk.grievances

        def say() -> GrievanceView:
            grievance = grievances.grievance(id_, session.user_id)
            return grievance_view(grievances.say(grievance, act, words), grievances.history(grievance))

        return await self.decided(say)

    async def answer(
        self, key: StaffKey, complaint_id: str, data: SayBody, act: ComplaintAct, amount: int = 0
    ) -> ComplaintView:
        """What a merchant answers in one."""
        key.check_right(Right.REFUND)
        words, complaints = words_of(data), self.desk.complaints

        def answer(complaint: Complaint) -> Complaint:
            if act is ComplaintAct.APPROVE and amount:
                return complaints.approve(complaint, words, key.name, amount)
            return complaints.answer(complaint, act, words, key.name)

        return await self.of(complaint_id, answer, key.merchant_id, key.shop_id)

    async def of(
        self, complaint_id: str, change: Callable[[Complaint], Complaint], merchant_id: int = 0, shop_id: int = 0
    ) -> ComplaintView:
        """One complaint, behind what is done to it, with its history."""
        id_, complaints = parse_id(COMPLAINT_PREFIX, complaint_id), self.desk.complaints

        def decide() -> ComplaintView:
            complaint = complaints.complaint(id_, merchant_id, shop_id)
            complaints.history(complaint)
            changed = change(complaint)
            return complaint_view(changed, self.desk.node.clock.now_ns(), complaints.history(changed))

        return await self.decided(decide)

    async def give(self, giver: int, data: PictureBody, *, is_merchant: bool = False) -> PictureView:
        """Somebody gives a picture."""
        try:
            file, pictures = picture_file(b64decode(data.content, validate=True)), self.desk.pictures
        except NotBase64:
            raise Refusal(HttpReason.FIELD_INVALID, field="content", problem="not base64") from None
        return picture_view(await self.decided(lambda: pictures.give(giver, file, is_merchant=is_merchant)))

    async def look(self, place: Callable[[], int], digest: str) -> PictureContent:
        """A picture of a complaint that whoever asks may see."""
        return picture_content(await self.decided(lambda: self.desk.pictures.look(place(), digest)))

    async def list(self, found: Callable[[], list[Complaint]], *, open_only: bool) -> list[ComplaintView]:
        now_ns = self.desk.node.clock.now_ns()
        complaints = await self.decided(found)
        return [complaint_view(each, now_ns) for each in complaints if each.is_open or not open_only]


Edge = NamedDependency[SkipValidation[ComplaintEdge]]
Signed = NamedDependency[SkipValidation[Session]]
Key = NamedDependency[SkipValidation[StaffKey]]
OperatorName = NamedDependency[SkipValidation[str]]


class Complaining(Controller):
    """What a payer may do."""

    path = "/complaints"
    tags = ("Complaints",)

    @post(status_code=200)
    async def open(self, edge: Edge, session: Signed, data: JSONBody[ComplainBody]) -> GrievanceView:
        """Complain of a payment of mine to a merchant, here or at another institution."""
        order = GrievanceOrder(
            grievance_id=parse_id(GRIEVANCE_PREFIX, data.complaint_id),
            payment_id=parse_id("pay", data.payment_id),
            kind=data.kind.value,
            text=data.text,
            amount=data.amount,
            contact=data.contact,
            pictures=tuple(data.pictures),
        )
        return grievance_view(await edge.decided(lambda: edge.desk.grievances.open(session.user_id, order)))

    @get()
    async def list_complaints(self, edge: Edge, session: Signed) -> list[GrievanceView]:
        """What I complained of, oldest first."""
        found = await edge.decided(lambda: edge.desk.grievances.grievances.find("user_id", session.user_id))
        return [grievance_view(each) for each in found]

    @get("/{complaint_id:str}")
    async def show_complaint(self, edge: Edge, session: Signed, complaint_id: FromPath[str]) -> GrievanceView:
        """One, with all that was said."""
        id_, grievances = parse_id(GRIEVANCE_PREFIX, complaint_id), edge.desk.grievances

        def look() -> GrievanceView:
            grievance = grievances.grievance(id_, session.user_id)
            return grievance_view(grievance, grievances.history(grievance))

        return await edge.decided(look)

    @post("/{complaint_id:str}/say", status_code=200)
    async def say(
        self, edge: Edge, session: Signed, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> GrievanceView:
        """Say more."""
        return await edge.say(session, complaint_id, ComplaintAct.SAY, data)

    @get("/{complaint_id:str}/pictures/{picture:str}")
    async def show_picture(
        self, edge: Edge, session: Signed, complaint_id: FromPath[str], picture: FromPath[str]
    ) -> PictureContent:
        """A picture of it, whoever gave it."""
        id_, grievances = parse_id(GRIEVANCE_PREFIX, complaint_id), edge.desk.grievances
        return await edge.look(lambda: grievances.grievance(id_, session.user_id).id, picture)

    @post("/pictures", status_code=200)
    async def give_picture(self, edge: Edge, session: Signed, data: JSONBody[PictureBody]) -> PictureView:
        """Give a picture, to say something with it within a day. What else the file tells, such as where it was taken, is left away."""
        return await edge.give(session.user_id, data)

    @post("/{complaint_id:str}/continue", status_code=200)
    async def continue_(
        self, edge: Edge, session: Signed, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> GrievanceView:
        """I am not content with how the merchant completed it."""
        return await edge.say(session, complaint_id, ComplaintAct.CONTINUE, data)

    @post("/{complaint_id:str}/withdraw", status_code=200)
    async def withdraw(
        self, edge: Edge, session: Signed, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> GrievanceView:
        """I take it back."""
        return await edge.say(session, complaint_id, ComplaintAct.WITHDRAW, data)

    @post("/{complaint_id:str}/confirm", status_code=200)
    async def confirm(
        self, edge: Edge, session: Signed, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> GrievanceView:
        """I am content."""
        return await edge.say(session, complaint_id, ComplaintAct.CONFIRM, data)


class Answering(Controller):
    """What a merchant does with complaints of what it sold. Keys of one shop see that shop's."""

    path = "/merchant/complaints"
    tags = ("Merchants: complaints",)

    @get()
    async def list_complaints(self, edge: Edge, key: Key, *, open_only: OpenOnly = False) -> list[ComplaintView]:
        """What payers complain of, oldest first."""
        key.check_right(Right.READ)
        complaints = edge.desk.complaints.complaints

        def find() -> list[Complaint]:
            found = complaints.find("merchant_id", key.merchant_id)
            return [each for each in found if key.sees(each.merchant_id, each.shop_id)]

        return await edge.list(find, open_only=open_only)

    @get("/{complaint_id:str}")
    async def show_complaint(self, edge: Edge, key: Key, complaint_id: FromPath[str]) -> ComplaintView:
        """One, with all that was said."""
        key.check_right(Right.READ)
        return await edge.of(complaint_id, lambda found: found, key.merchant_id, key.shop_id)

    @get("/{complaint_id:str}/pictures/{picture:str}")
    async def show_picture(
        self, edge: Edge, key: Key, complaint_id: FromPath[str], picture: FromPath[str]
    ) -> PictureContent:
        """A picture of it, whoever gave it."""
        key.check_right(Right.READ)
        id_, complaints = parse_id(COMPLAINT_PREFIX, complaint_id), edge.desk.complaints
        return await edge.look(lambda: complaints.complaint(id_, key.merchant_id, key.shop_id).id, picture)

    @post("/pictures", status_code=200)
    async def give_picture(self, edge: Edge, key: Key, data: JSONBody[PictureBody]) -> PictureView:
        """Give a picture, to answer with it within a day. What else the file tells is left away."""
        key.check_right(Right.REFUND)
        return await edge.give(key.merchant_id, data, is_merchant=True)

    @post("/{complaint_id:str}/say", status_code=200)
    async def say(self, edge: Edge, key: Key, complaint_id: FromPath[str], data: JSONBody[SayBody]) -> ComplaintView:
        """Answer the payer."""
        return await edge.answer(key, complaint_id, data, ComplaintAct.SAY)

    @post("/{complaint_id:str}/approve", status_code=200)
    async def approve(
        self, edge: Edge, key: Key, complaint_id: FromPath[str], data: JSONBody[ApproveBody]
    ) -> ComplaintView:
        """Agree to the refund that is asked for; with an amount, make it."""
        return await edge.answer(key, complaint_id, data, ComplaintAct.APPROVE, data.amount)

    @post("/{complaint_id:str}/refuse", status_code=200)
    async def refuse(self, edge: Edge, key: Key, complaint_id: FromPath[str], data: JSONBody[SayBody]) -> ComplaintView:
        """Don't agree to the refund, and why."""
        return await edge.answer(key, complaint_id, data, ComplaintAct.REFUSE)

    @post("/{complaint_id:str}/complete", status_code=200)
    async def complete(
        self, edge: Edge, key: Key, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> ComplaintView:
        """All that this merchant will do has been done."""
        return await edge.answer(key, complaint_id, data, ComplaintAct.COMPLETE)


class Desk(Controller):
    """What the institution's operators see of complaints of its merchants."""

    path = "/operator/complaints"
    tags = ("Operator: complaints",)

    @get()
    async def list_complaints(self, edge: Edge, *, open_only: OpenOnly = False) -> list[ComplaintView]:
        """All, oldest first."""
        return await edge.list(edge.desk.complaints.complaints.everything, open_only=open_only)

    @get("/{complaint_id:str}")
    async def show_complaint(self, edge: Edge, complaint_id: FromPath[str]) -> ComplaintView:
        """One, with all that was said."""
        return await edge.of(complaint_id, lambda found: found)

    @get("/{complaint_id:str}/pictures/{picture:str}")
    async def show_picture(self, edge: Edge, complaint_id: FromPath[str], picture: FromPath[str]) -> PictureContent:
        """A picture of it, whoever gave it."""
        id_, complaints = parse_id(COMPLAINT_PREFIX, complaint_id), edge.desk.complaints
        return await edge.look(lambda: complaints.complaint(id_).id, picture)

    @post("/{complaint_id:str}/own", status_code=200)
    async def own(self, edge: Edge, operator: OperatorName, complaint_id: FromPath[str]) -> ComplaintView:
        """Look after it."""
        return await edge.of(complaint_id, lambda found: edge.desk.complaints.own(found, operator))

    @post("/{complaint_id:str}/disown", status_code=200)
    async def disown(self, edge: Edge, complaint_id: FromPath[str]) -> ComplaintView:
        """Nobody looks after it any more."""
        return await edge.of(complaint_id, lambda found: edge.desk.complaints.own(found, ""))

    @post("/{complaint_id:str}/say", status_code=200)
    async def say(
        self, edge: Edge, operator: OperatorName, complaint_id: FromPath[str], data: JSONBody[SayBody]
    ) -> ComplaintView:
        """Say something in the institution's own name."""
        words, complaints = words_of(data), edge.desk.complaints

        def say(found: Complaint) -> Complaint:
            return complaints.answer(found, ComplaintAct.SAY, words, operator, by=ComplaintParty.AGENT)

        return await edge.of(complaint_id, say)


def words_of(data: SayBody) -> Words:
    """Refuses ID_MALFORMED, ID_OF_OTHER_KIND."""
    return Words(act_id=parse_id(ACT_PREFIX, data.act_id), text=data.text, pictures=tuple(data.pictures))


def complaint_api(desk: ComplaintDesk, doors: Doors) -> list[ControllerRouterHandler]:
    """The handlers for `make_app`."""
    edge = ComplaintEdge(desk)
    return [
        doors.people.router("/v1", [Complaining], edge=edge),
        doors.keys.router("/v1", [Answering], edge=edge),
        doors.operators.router("/v1", [Desk], edge=edge),
    ]
