"""What the counter took today, one payment with all that became of it, and giving it back."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from hutong.institution.bills.bill import Days
from hutong.institution.bills.figures import total
from hutong.institution.bills.sale import SaleLife, SaleSearch
from hutong.institution.merchants.staff import MEMBER_PREFIX, StaffMember
from hutong.institution.merchants.staff_key import Right
from hutong.institution.payments.bodies import REFUND_PREFIX
from hutong.institution.payments.payment import Outcome, Payment, PaymentState
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.refund import Refund, RefundOrder, return_id_of
from hutong.institution.payments.staff_act import StaffAct
from hutong.institution.payments.views import state_of
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.messages import Channel
from hutong.web.language import phrase
from hutong.web.page import AnyRequest
from hutong.web.till.counter import Counter, Place

_SHOWN = 50
CHANNELS = {
    Channel.STATIC_CODE.value: phrase("Plate on the counter"),
    Channel.DYNAMIC_CODE.value: phrase("Code on the screen"),
    Channel.PAYMENT_CODE.value: phrase("Customer's code"),
    Channel.REQUEST.value: phrase("Payment request"),
}
STATES = {
    PaymentState.COMPLETED: (phrase("Money received"), "good"),
    PaymentState.REJECTED: (phrase("Not paid"), "bad"),
    PaymentState.PENDING: (phrase("Outcome not known yet"), "warn"),
}
REFUND_STATES = {
    PaymentState.COMPLETED: (phrase("Refunded"), "good"),
    PaymentState.REJECTED: (phrase("Not refunded"), "bad"),
    PaymentState.PENDING: (phrase("Outcome not known yet"), "warn"),
}


def takings_pages(counter: Counter) -> list[ControllerRouterHandler]:
    """`/till/payments/...` and `/till/refunds/...`."""
    return [_today(counter), *_payment(counter)]


def _today(counter: Counter) -> ControllerRouterHandler:
    @get("/till/payments")
    async def today(request: AnyRequest) -> Response[str]:
        place = await counter.placed(request)
        day = counter.bills.today()
        days = Days.of(day, day, counter.bills.zone)
        figures = total(await counter.bills.hours(place.key, days))
        sales, more = await counter.bills.sales(place.key, SaleSearch(days=days, shop_id=place.key.shop_id), _SHOWN)
        return counter.pages.render(
            request,
            "till/payments.html",
            nav="payments",
            place=place,
            day=day,
            figures=figures,
            sales=[(id_text("pay", sale.payment_id), sale) for sale in sales],
            more=more,
            channels=CHANNELS,
            states=STATES,
        )

    return today


def _payment(counter: Counter) -> list[ControllerRouterHandler]:
    pages = counter.pages

    async def page(
        request: AnyRequest, place: Place, payment_id: int, refund_id: str, refusal: Refusal | None = None, **typed: str
    ) -> Response[str]:
        values = await _told(counter, place, await counter.bills.sale(place.key, payment_id))
        values |= {"refund_id": refund_id, "typed": {"amount": "", "remark": "", "approver": "", **typed}}
        return pages.shown(request, "till/payment.html", refusal, **values)

    @get("/till/payments/{payment_id:str}")
    async def show(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        refund_id = id_text(REFUND_PREFIX, counter.node.mint.mint())
        return await page(request, await counter.placed(request), parse_id("pay", payment_id), refund_id)

    @post("/till/payments/{payment_id:str}/refund", status_code=200)
    async def refund(request: AnyRequest, payment_id: FromPath[str]) -> Response[Any]:
        form, place, id_ = await pages.form(request), await counter.placed(request), parse_id("pay", payment_id)
        refund_id = form.needed("refund_id", length_max=40)
        approver = form.text("approver", length_max=40)
        try:
            order = RefundOrder(
                refund_id=parse_id(REFUND_PREFIX, refund_id),
                payment_id=id_,
                amount=form.amount("amount"),
                remark=form.needed("remark", length_max=140),
                shop_id=place.key.shop_id,
            )
            found, _ = await counter.institution.counter.refund(
                place.key,
                order,
                approver_id=parse_id(MEMBER_PREFIX, approver) if approver else 0,
                pin=form.text("pin", length_max=12),
            )
        except Refusal as refusal:
            typed = {"amount": form.text("amount"), "remark": form.text("remark"), "approver": approver}
            return await page(request, place, id_, refund_id, refusal, **typed)
        return pages.go(f"/till/refunds/{id_text(REFUND_PREFIX, found.refund_id)}")

    @get("/till/refunds/{refund_id:str}")
    async def refunded(request: AnyRequest, refund_id: FromPath[str]) -> Response[str] | Redirect:
        place = await counter.placed(request)
        id_ = return_id_of(place.key.merchant_id, parse_id(REFUND_PREFIX, refund_id))
        refunds = counter.institution.payments.refunds
        found, outcome = await decided(counter.node.journal, lambda: refunds.found(id_, place.key.shop_id))
        if found.merchant_id != place.key.merchant_id:
            raise Refusal(PaymentReason.REFUND_UNKNOWN)
        state = state_of(outcome)
        return pages.render(
            request,
            "till/refund.html",
            nav="payments",
            refund=found,
            state=state,
            states=REFUND_STATES,
            reason=pages.words(request).reason(outcome.reason) if outcome is not None and outcome.reason else "",
            payment_id=id_text("pay", found.payment_id),
        )

    return [show, refund, refunded]


async def _told(counter: Counter, place: Place, sale: SaleLife) -> dict[str, Any]:
    """What the page says of a payment: all that became of it, and who did it."""
    payment = sale.payment
    asked = sale.request.id if sale.request is not None else 0
    acts = await counter.institution.counter.acts([asked, *(refund.id for refund, _ in sale.refunds)])
    staff, approvers = await _people(counter, place, acts)
    may_charge, may_refund = place.key.has_right(Right.CHARGE), place.key.has_right(Right.REFUND)
    return {
        "nav": "payments",
        "payment": payment,
        "payment_id": id_text("pay", payment.id),
        "payer_agent": "" if isinstance(payment, Payment) else payment.debtor_agent,
        "state": state_of(sale.outcome),
        "decided_ns": sale.outcome.decided_ns if sale.outcome else 0,
        "reason": sale.outcome.reason if sale.outcome else "",
        "asked": sale.request,
        "left": sale.left,
        "asked_by": _name(staff, acts.get(asked)),
        "refunds": [_refund(staff, acts, *each) for each in sale.refunds],
        "may_refund": sale.left > 0
        and sale.outcome is not None
        and sale.outcome.completed
        and (may_refund or may_charge),
        "needs_approval": not may_refund,
        "approvers": [(id_text(MEMBER_PREFIX, each.id), each) for each in approvers],
        "channels": CHANNELS,
        "states": STATES,
        "refund_states": REFUND_STATES,
    }


async def _people(
    counter: Counter, place: Place, acts: dict[int, StaffAct]
) -> tuple[dict[int, StaffMember], list[StaffMember]]:
    staff, journal = counter.institution.staff, counter.node.journal
    ids = {id_ for act in acts.values() for id_ in (act.member_id, act.approved_by) if id_}
    named = await warmed(journal, lambda: staff.named(place.key, ids))
    approvers = await warmed(journal, lambda: staff.approvers(place.key, Right.REFUND))
    return named, approvers


def _refund(
    staff: dict[int, StaffMember], acts: dict[int, StaffAct], refund: Refund, outcome: Outcome | None
) -> dict[str, Any]:
    act = acts.get(refund.id)
    approver = staff.get(act.approved_by) if act is not None else None
    return {
        "id": id_text(REFUND_PREFIX, refund.refund_id),
        "amount": refund.gross,
        "at_ns": refund.created_ns,
        "remark": refund.remark,
        "state": state_of(outcome),
        "by": _name(staff, act),
        "approved_by": approver.name if approver is not None else "",
    }


def _name(staff: dict[int, StaffMember], act: StaffAct | None) -> str:
    member = staff.get(act.member_id) if act is not None else None
    return member.name if member is not None else ""
