"""The payment code: what the browser makes it from, what tills ask the payer meanwhile, and the news of the wallet."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.notices.event import Event
from hutong.institution.payments.bodies import TO_PAY_PREFIX, QuoteView, ToPayView, quote_view, to_pay_view
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import ToPay
from hutong.institution.people.views import payment_code_keys_view
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.web.language import Words, phrase
from hutong.web.live import feed_events
from hutong.web.page import HEADERS, AnyRequest, Pages
from hutong.web.wallet.consents import Consent, Consents
from hutong.web.wallet.door import WALLET, wallet_guard
from hutong.web.wallet.pay import Paying

_SENT = phrase("Paid %(amount)s to %(name)s")
_RECEIVED = phrase("Received %(amount)s from %(name)s")
_HELD = phrase("%(name)s holds %(amount)s of your balance")
_HOLD_THIS = phrase("Let this be held?")
_HOLDS = phrase(
    "This merchant holds this much of your balance. It takes what is due later, and the rest is yours again."
)
_LESS = phrase("%(off)s off %(price)s: %(why)s")
_SHOPS = phrase("The shop's discount")
_AGREE, _DECLINE, _LOOK = phrase("Agree"), phrase("Decline"), phrase("See it")


def code_pages(
    institution: InstitutionNode, pages: Pages, paying: Paying, consents: Consents
) -> list[ControllerRouterHandler]:
    """`/wallet/code`, what tills ask meanwhile below `/wallet/asked`, and `/wallet/news`."""
    people, journal = institution.people, institution.node.journal

    @get("/wallet/code", sync_to_thread=False)
    def code(request: AnyRequest) -> Response[str]:
        # Says nothing of who is signed in: the phone keeps this page for when there is no network.
        return pages.render(request, "wallet/code.html", nav="code")

    @post("/wallet/code/keys", status_code=200)
    async def keys(request: AnyRequest) -> Response[bytes]:
        pages.check_sender(request)
        session = request.auth
        found = await decided(journal, lambda: people.codes.payment_code_keys(session.user_id, session.device_id))
        return _json(payment_code_keys_view(found, institution.node.clock.now_ns()))

    @get("/wallet/news", sync_to_thread=False)
    def news(request: AnyRequest) -> Stream:
        token = pages.token(request, WALLET)
        return feed_events(
            request,
            institution.notices,
            request.auth.user_id,
            partial(_shown, pages.words(request)),
            lambda: warmed(journal, partial(people.session, token)),
        )

    handlers = [code, keys, *_meanwhile(institution, pages, paying, consents), news]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def _meanwhile(
    institution: InstitutionNode, pages: Pages, paying: Paying, consents: Consents
) -> list[ControllerRouterHandler]:
    """What tills ask: to be paid, or to hold some money."""
    people, to_pays, journal = institution.people, institution.payments.to_pays, institution.node.journal

    async def quoted(user_id: int, row: ToPay) -> QuoteView | None:
        """What it costs this payer; None where that can't be said, and the yes will be told why."""
        try:
            return quote_view(await warmed(journal, lambda: to_pays.quote(user_id, row.id)))
        except Refusal:
            return None

    @get("/wallet/asked")
    async def waiting(request: AnyRequest) -> Response[bytes]:
        words, user_id = pages.words(request), request.auth.user_id
        asked = [_asked(words, to_pay_view(row), await quoted(user_id, row)) for row in await to_pays.waiting(user_id)]
        found = await warmed(journal, lambda: consents.of(user_id))
        held = [_asked_to_hold(words, each) for each in found if each.by_code and each.is_open]
        return _json([*asked, *held])

    @post("/wallet/asked/{to_pay_id:str}/approve", status_code=200)
    async def approve(request: AnyRequest, to_pay_id: FromPath[str]) -> Response[bytes]:
        form, user_id = await pages.form(request), request.auth.user_id
        if not _is_payment(to_pay_id):
            return await agree(user_id, to_pay_id, form.text("pin"))
        id_ = parse_id(TO_PAY_PREFIX, to_pay_id)
        row = await _row(user_id, id_)
        token = await people.pin_token(user_id, form.text("pin"), row.payment_id, row.amount, row.terms.creditor)
        await paying.edge.approved(user_id, id_, token, form.text("quote"))
        return _json({"path": f"/wallet/paid/{id_text('pay', row.payment_id)}"})

    async def agree(user_id: int, consent_id: str, pin: str) -> Response[bytes]:
        """To hold it."""
        consent = await warmed(journal, lambda: consents.one(user_id, consent_id))
        token = await people.pin_token(user_id, pin, consent.payment_id, consent.amount, consent.creditor)
        await decided(journal, lambda: consents.agree(user_id, consent_id, token))
        return _json({"path": f"/wallet/agreements/{consent_id}"})

    async def _row(user_id: int, id_: int) -> ToPay:
        for row in await to_pays.waiting(user_id):
            if row.id == id_:
                return row
        raise Refusal(PaymentReason.REQUEST_TO_PAY_DECIDED)

    @post("/wallet/asked/{to_pay_id:str}/decline", status_code=200)
    async def decline(request: AnyRequest, to_pay_id: FromPath[str]) -> Response[bytes]:
        await pages.form(request)
        if _is_payment(to_pay_id):
            id_ = parse_id(TO_PAY_PREFIX, to_pay_id)
            await decided(journal, lambda: to_pays.decline(request.auth.user_id, id_))
        else:
            await decided(journal, lambda: consents.end(request.auth.user_id, to_pay_id))
        return _json({})

    return [waiting, approve, decline]


class _Told(msgspec.Struct, frozen=True):
    """What events about payments have in common, as far as the wallet's pages show it."""

    payment_id: str = ""
    request_to_pay_id: str = ""
    amount: int = 0
    payee_discount: int = 0
    paid: int = 0
    currency: str = "CNY"
    payee_name: str = ""
    payer_name: str = ""
    creditor_name: str = ""
    remark: str = ""
    reason: str = ""
    expires_at_ms: int = 0
    hold_id: str = ""
    merchant_name: str = ""
    title: str = ""


class _Body(msgspec.Struct, frozen=True):
    data: _Told


def _shown(words: Words, event: Event) -> Mapping[str, Any] | None:
    """An event of the payer's as the page says it; what is no payment and nothing held the page doesn't tell."""
    if not event.type.startswith(("payment.", "hold.")):
        return None
    told = msgspec.json.decode(event.body, type=_Body).data
    match event.type:
        case "payment.waiting":
            return _asked(words, told)
        case "hold.asked":
            return _to_hold(words, told.hold_id, told.merchant_name, told.title, told.amount)
        case "hold.held":
            said = words(_HELD, name=told.merchant_name, amount=words.money(told.amount, told.currency))
            return {"said": said, "bill": f"/wallet/agreements/{told.hold_id}", "look": words(_LOOK)}
        case "payment.sent":
            amount = words.money(told.paid, told.currency)
            return _paid(told) | {"said": words(_SENT, amount=amount, name=told.payee_name), "amount": amount}
        case "payment.rejected":
            return _paid(told) | {"said": words.reason(told.reason)}
        case "payment.received":
            amount = words.money(told.amount, told.currency)
            said = words(_RECEIVED, amount=amount, name=told.payer_name)
            return _paid(told) | {"said": said, "amount": amount, "name": told.payer_name, "remark": told.remark}
        case _:
            return None


def _paid(told: _Told) -> dict[str, Any]:
    return {"path": f"/wallet/paid/{told.payment_id}", "bill": f"/wallet/bills/{told.payment_id}"}


def _asked(words: Words, asked: "ToPayView | _Told", quote: QuoteView | None = None) -> dict[str, Any]:
    """What is to be paid, less what either side takes off, and why; without a quote, what the shop's side does."""
    own, theirs = (quote.discount if quote else 0), asked.payee_discount
    price, off = (words.money(amount, asked.currency) for amount in (asked.amount, own + theirs))
    why = [words(_SHOPS)] * bool(theirs) + ([quote.discount_label] if quote is not None and own else [])
    return {
        "id": asked.request_to_pay_id,
        "name": asked.creditor_name,
        "amount": words.money(asked.amount - own - theirs, asked.currency),
        "note": words(_LESS, price=price, off=off, why=" + ".join(why)) if why else None,
        "quote": quote.quote_id if quote is not None else "",
        "expires_at_ms": asked.expires_at_ms,
    }


def _asked_to_hold(words: Words, consent: Consent) -> dict[str, Any]:
    return _to_hold(words, consent.id, consent.merchant, consent.about, consent.amount)


def _to_hold(words: Words, id_: str, name: str, about: str, amount: int) -> dict[str, Any]:
    told = {"id": id_, "name": f"{name} · {about}" if about else name, "amount": words.money(amount)}
    return told | {"question": words(_HOLD_THIS), "note": words(_HOLDS), "yes": words(_AGREE), "no": words(_DECLINE)}


def _is_payment(id_: str) -> bool:
    """What a till asks is a payment, or else to hold some money."""
    return id_.startswith(f"{TO_PAY_PREFIX}_")


def _json(body: object) -> Response[bytes]:
    return Response(msgspec.json.encode(body), media_type=MediaType.JSON, headers=HEADERS)
