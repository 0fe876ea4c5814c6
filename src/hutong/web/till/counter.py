"""What all pages of the till share: who stands where, and how a payment request looks from there."""

from dataclasses import dataclass

import msgspec
from litestar import MediaType, Response

from hutong.institution.bills.service import BillService
from hutong.institution.merchants.shop import Shop
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.request_to_pay import Charge, ChargeState
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.institution.requests.views import REQUEST_PREFIX
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Kind, Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided, warmed
from hutong.scheme.messages import Channel
from hutong.web.language import Words, phrase
from hutong.web.page import HEADERS, AnyRequest, Pages

SHOP_COOKIE = "till-shop"
ALL_SHOPS = "all"
_SAID = {
    "open": phrase("Let the customer scan this code."),
    "asking": phrase("Asking the customer's wallet …"),
    "waiting": phrase("The customer is asked for the PIN."),
    "paying": phrase("The customer is paying. Not known yet how it ends."),
    "paid": phrase("Paid."),
    "cancelled": phrase("Taken back. Nothing was paid."),
    "expired": phrase("The time is over. Nothing was paid."),
}
# Why the customer's side said no, for who stands at the counter; their wallet tells them more.
_STALE = phrase("This code is not good any more. Ask the customer for a new one.")
_REFUSED = {
    "DECLINED_BY_PAYER": phrase("The customer declined. Nothing was paid."),
    "BALANCE_INSUFFICIENT": phrase("The customer has not enough money there. Nothing was paid."),
    "CODE_UNKNOWN": phrase("No wallet of this network knows this code. Nothing was paid."),
    "DISCOUNT_GONE": phrase("The discount has just run out, and nothing was paid. Ask the customer for a new code."),
    "PAYMENT_CODE_MALFORMED": phrase("This is no payment code. Ask the customer for theirs."),
    **dict.fromkeys(("PAYMENT_CODE_WRONG", "PAYMENT_CODE_EXPIRED", "PAYMENT_CODE_REUSED"), _STALE),
}
_REFUSED_OTHERWISE = phrase("The customer's wallet said no (%(name)s). Nothing was paid.")


class AskedState(msgspec.Struct, frozen=True, kw_only=True):
    """How an asking to be paid stands, for the page's script and for people."""

    request_id: str
    is_charge: bool  # The payer's code was scanned; else they scan ours.
    step: str
    said: str
    amount: int
    left_ms: int


@dataclass(frozen=True, slots=True)
class Place:
    """Who stands at which counter: `key` does and sees nothing of other shops. None: no shop in particular, or all."""

    who: SignedInStaff
    key: StaffKey
    shop: Shop | None


class Counter:
    """The services behind the till's pages."""

    def __init__(self, institution: InstitutionNode, pages: Pages, bills: BillService) -> None:
        self.institution = institution
        self.node = institution.node
        self.pages = pages
        self.bills = bills

    async def shops(self, who: SignedInStaff) -> list[Shop]:
        """Where this member of staff may stand."""
        found = await warmed(self.node.journal, lambda: self.institution.merchants.shops(who.key))
        return [shop for shop in found if shop.is_open]

    async def place(self, request: AnyRequest) -> Place | None:
        """Where this browser's till is; None: there are several shops, and nobody has said."""
        who: SignedInStaff = request.auth
        shops = await self.shops(who)
        chosen = self.pages.kept(request, SHOP_COOKIE)
        shop = next((shop for shop in shops if id_text("shp", shop.id) == chosen), None)
        if shop is None and len(shops) == 1:
            shop = shops[0]
        if shop is None and shops and chosen != ALL_SHOPS:
            return None
        key = who.key if shop is None else msgspec.structs.replace(who.key, shop_id=shop.id)
        return Place(who, key, shop)

    async def placed(self, request: AnyRequest) -> Place:
        """As `place`; where nobody has said, all that the member sees."""
        found = await self.place(request)
        who: SignedInStaff = request.auth
        return found or Place(who, who.key, None)

    async def state(self, key: StaffKey, request_id: int, _: Words) -> AskedState:
        """How a request stands now, as far as it is durable. Refuses REQUEST_UNKNOWN."""
        requests, charges = self.institution.requests, self.institution.payments.charges

        def look() -> tuple[PaymentRequest, Charge | None]:
            request = requests.get(key, request_id)
            try:
                return request, charges.charge(key.merchant_id, key.shop_id, request_id)
            except Refusal as refusal:
                if refusal.reason.kind is not Kind.NOT_FOUND:
                    raise
                return request, None

        return self.shown(*await decided(self.node.journal, look), _)

    def shown(self, request: PaymentRequest, charge: Charge | None, _: Words) -> AskedState:
        """A request and, where the payer's code was scanned, what was asked of the payer."""
        now_ns = self.node.clock.now_ns()
        step = _step(request.state_at(now_ns), charge)
        said = _(_SAID[step]) if step != "refused" or charge is None else _refused(charge.reason, _)
        return AskedState(
            request_id=id_text(REQUEST_PREFIX, request.id),
            is_charge=request.channel == Channel.PAYMENT_CODE.value,
            step=step,
            said=said,
            amount=request.amount,
            left_ms=max(request.expires_ns - now_ns, 0) // NS_PER_MS,
        )


def _step(state: RequestState, charge: Charge | None) -> str:
    match state:
        case RequestState.PAID:
            return "paid"
        case RequestState.CANCELLED:
            return "cancelled"
        case RequestState.CLAIMED:
            return "paying"
        case _ if charge is not None and charge.state == ChargeState.REJECTED:
            return "refused"
        case RequestState.EXPIRED:
            return "expired"
        case RequestState.OPEN if charge is None:
            return "open"
        case RequestState.OPEN:
            assert charge is not None
            return "waiting" if charge.state == ChargeState.WAITING else "asking"


def _refused(reason: str, _: Words) -> str:
    known = _REFUSED.get(reason)
    return _(known) if known is not None else _(_REFUSED_OTHERWISE, name=reason)


def request_id_in(text: str) -> int:
    """The id of a payment request in a path."""
    return parse_id(REQUEST_PREFIX, text)


def as_json(found: msgspec.Struct) -> Response[bytes]:
    """An answer to a script of ours."""
    return Response(msgspec.json.encode(found), media_type=MediaType.JSON, headers=HEADERS)
