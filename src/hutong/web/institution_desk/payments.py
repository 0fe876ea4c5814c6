"""Payments nobody has decided yet, and the story of one: what was written down of it, and what it moved."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.books.account_name import ACCOUNT_PREFIX, TRANSFER_PREFIX
from hutong.institution.books.movement import Movement
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.refund import Refund, Return
from hutong.institution.payments.statement import Subject
from hutong.kernel.ids import id_text, parse_id
from hutong.scheme.messages import hex_id
from hutong.scheme.standing import OLDER_MS, Nudge, Standing
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import ACCOUNTS, CHANNELS, LEG_STATES, LEGS, LINE_KINDS, MOMENTS
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "payments"
_HEX_LENGTH = 32
_NS_PER_MS = 1_000_000


def payment_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/payments`, and each one's page below it."""
    payments = parts.institution.payments

    @get()
    async def leaf(request: AnyRequest) -> Response[Any]:
        wanted = Form(dict(request.query_params)).text("id", length_max=40)
        if wanted:
            return desk.pages.go(f"{HOME}/payments/{wanted}")
        found: list[Standing] = await desk.answer(payments.oversight.undecided)
        return desk.render(
            request,
            "institution_desk/payments.html",
            NAV,
            stuck=[each for each in found if each.age_ms >= OLDER_MS],
            under_way=sum(each.age_ms < OLDER_MS for each in found),
            kinds=LINE_KINDS,
            moments=MOMENTS,
        )

    @post("/nudge")
    async def nudge(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        meant = Nudge(id=form.needed("id", length_max=40))
        await desk.answer(lambda: payments.oversight.nudge(meant))
        return desk.pages.go(f"{HOME}/payments/{meant.id}")

    async def moved(subject: Subject) -> Movement | None:
        if subject is None:
            return None
        return await parts.books.movement_about(subject.account, subject.id, subject.created_ns)

    @get("/{payment_id:str}")
    async def story(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        id_ = _id(payment_id)
        moments = await desk.answer(partial(payments.oversight.story, id_))
        undecided = await desk.answer(payments.oversight.undecided)
        subject = await desk.answer(partial(payments.oversight.subject, id_))
        return desk.render(
            request,
            "institution_desk/payment.html",
            NAV,
            id=payment_id,
            moments=[(MOMENTS[each.state], LINE_KINDS[each.kind], each, each.at_ms * _NS_PER_MS) for each in moments],
            waits=[each for each in undecided if each.id == payment_id],
            subject=subject,
            is_payment=isinstance(subject, Payment | Receipt),
            is_receipt=isinstance(subject, Receipt),
            channel=CHANNELS.get(subject.channel, subject.channel) if isinstance(subject, Payment | Receipt) else "",
            original=id_text("pay", subject.payment_id) if isinstance(subject, Refund | Return) else "",
            movement=await moved(subject),
            legs=LEGS,
            leg_states=LEG_STATES,
            accounts=ACCOUNTS,
            account_id=partial(id_text, ACCOUNT_PREFIX),
            transfer_id=partial(id_text, TRANSFER_PREFIX),
            user_id=partial(id_text, "usr"),
            merchant_id=partial(id_text, "mer"),
        )

    return desk.router(f"{HOME}/payments", [leaf, nudge, story])


def _id(text: str) -> int:
    """A payment or a return, by its id as nodes know it: `pay_…`, `rtn_…` or 32 digits."""
    if len(text) == _HEX_LENGTH and set(text) <= set("0123456789abcdef"):
        return hex_id(text)
    return parse_id("rtn" if text.startswith("rtn_") else "pay", text)
