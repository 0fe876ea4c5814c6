"""`POST /v1/payments`, from bytes to bytes: decode, know the payer, decide, answer when it is durable."""

from functools import partial

import msgspec

from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.payment import Order, Outcome, Payment, check_amount
from hutong.institution.payments.ports import People
from hutong.institution.payments.views import payment_view
from hutong.kernel.errors import Kind, Refusal
from hutong.kernel.ids import parse_id
from hutong.runtime.http import HotRequest, HttpReason, Problem, decode_refusal
from hutong.runtime.journal import JournalHalted
from hutong.runtime.node import NodeRuntime
from hutong.runtime.rate_limit import HotCount

METHOD_AND_PATH = ("POST", "/v1/payments")


class PayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Pay a quote. `payment_id` is the caller's own, minted and kept before the first try: with it, try as often as need be.

    Amounts are integers of minor units (fen); `amount` may be left out where the code names it.
    """

    payment_id: str
    quote_id: str
    amount: int | None = None
    currency: str = ""
    remark: str = ""
    funding: str = "balance"
    pin_token: str = ""

    def order(self) -> Order:
        """Refuses malformed ids and amounts."""
        if self.amount is not None:
            check_amount(self.amount)
        return Order(
            payment_id=parse_id("pay", self.payment_id),
            quote_id=parse_id("quo", self.quote_id),
            amount=self.amount or 0,
            currency=self.currency,
            remark=self.remark,
            funding=self.funding,
            pin_token=self.pin_token,
        )


_decode = msgspec.json.Decoder(PayBody).decode
_encode = msgspec.json.Encoder().encode


class PayEndpoint:
    """
    The hot handler. 200: completed. 202: undecided as yet, ask for the payment later. 422: rejected, by name.

    Any other answer is a refusal before anything was written.
    """

    def __init__(self, node: NodeRuntime, people: People, debtor: DebtorService) -> None:
        self._node = node
        self._people = people
        self._debtor = debtor
        self._count = HotCount(node.clock)

    def __call__(self, request: HotRequest) -> None:
        try:
            self._node.decide(partial(self._pay, request), partial(_failed, request))
        except JournalHalted as halted:
            request.refuse(halted)

    def _pay(self, request: HotRequest) -> None:
        try:
            session = self._people.session(request.bearer_token())
            self._count.check(session.user_id)
            body = _decode(request.body)
            self._debtor.pay(session.user_id, body.order(), partial(_answer, request))
        except msgspec.DecodeError as error:
            request.refuse(decode_refusal(error))
        except UnicodeDecodeError:
            request.refuse(Refusal(HttpReason.BODY_MALFORMED, problem="not UTF-8"))
        except Refusal as refusal:
            # What it is based on may not be durable yet, such as a payment of the same id.
            self._node.journal.effect(partial(request.refuse, refusal))


def _failed(request: HotRequest, error: Exception) -> None:
    if not request.answered:
        request.refuse(error)


def _answer(request: HotRequest, payment: Payment, outcome: Outcome | None) -> None:
    view = payment_view(payment, outcome)
    if outcome is None:
        request.respond(202, _encode(view))
    elif outcome.completed:
        request.respond(200, _encode(view))
    else:
        request.respond(422, _encode(rejected(outcome, payment_id=view.payment_id)))


def rejected(outcome: Outcome, **facts: str) -> Problem:
    """The no that came after something was written down, in the shape of every other no."""
    return Problem(
        reason=outcome.reason,
        kind=Kind.REFUSED.value,
        code=outcome.iso_code,
        message=outcome.reason.replace("_", " ").capitalize() + ".",
        facts={"state": "REJECTED", **facts},
    )
