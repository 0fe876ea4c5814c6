"""What the API takes and shows of payment requests."""

from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.institution.merchants.views import AtMs, Reference, ShopId, shop_id_of, shop_text
from hutong.institution.requests.draft import RequestDraft
from hutong.institution.requests.request import PaymentRequest, RequestState
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.scheme.messages import Channel

REQUEST_PREFIX = "req"
RequestId = Annotated[str, Meta(examples=["req_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
Amount = Annotated[int, Meta(description="Minor units: 1200 is 12.00 yuan.", examples=[1200])]


class Way(Enum):
    """How a request reaches its payer."""

    DYNAMIC_CODE = "DYNAMIC_CODE"  # We answer a code, the merchant shows it.
    PAYMENT_CODE = "PAYMENT_CODE"  # The merchant scanned the payer's code.
    LINK = "LINK"  # Otherwise: a link, an order of another system.


CHANNEL_OF = {
    Way.DYNAMIC_CODE: Channel.DYNAMIC_CODE,
    Way.PAYMENT_CODE: Channel.PAYMENT_CODE,
    Way.LINK: Channel.REQUEST,
}


class CreateRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be paid, once."""

    reference: Reference
    amount: Amount
    currency: Annotated[str, Meta(description="ISO 4217; the merchant's own.", examples=["CNY"])] = "CNY"
    way: Annotated[
        Way,
        Meta(
            description="DYNAMIC_CODE: we answer a code to show. PAYMENT_CODE: you scanned the payer's. LINK: another way."
        ),
    ] = Way.DYNAMIC_CODE
    payer_code: Annotated[
        str, Meta(description="What was scanned off the payer's phone; with PAYMENT_CODE, and with nothing else.")
    ] = ""
    shop_id: ShopId = ""
    remark: Annotated[str, Meta(description="Shown to the payer; at most 128 characters.", examples=["两碗炸酱面"])] = (
        ""
    )
    lifetime_s: Annotated[
        int | None,
        Meta(
            description="How long it can be paid: 30 seconds to 7 days. Default: 2 hours; 60 seconds by payment code."
        ),
    ] = None

    def draft(self) -> RequestDraft:
        return RequestDraft(
            reference=self.reference,
            amount=self.amount,
            currency=self.currency,
            channel=CHANNEL_OF[self.way],
            shop_id=shop_id_of(self.shop_id),
            remark=self.remark,
            payer_code=self.payer_code,
            lifetime_s=self.lifetime_s,
        )


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """A payment request as it is now."""

    request_id: RequestId
    reference: Annotated[str, Meta(description="Yours; empty for a payment of a static code.")]
    shop_id: ShopId
    amount: Amount
    currency: str
    channel: Annotated[
        str, Meta(description="STATIC, DYNAMIC, PYMTCD or REQUEST, as in pacs.008.", examples=["DYNAMIC"])
    ]
    remark: str
    state: Annotated[
        RequestState,
        Meta(description="OPEN; CLAIMED while a payment is under way; PAID, CANCELLED and EXPIRED are final."),
    ]
    code: Annotated[str, Meta(description="What the QR code of a dynamic code says.")]
    emvco: Annotated[str, Meta(description="The same code as an EMVCo payload with the amount.")]
    created_at_ms: AtMs
    expires_at_ms: Annotated[int, Meta(description="Milliseconds since 1970 UTC; 0 for never.")]
    changed_at_ms: AtMs


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, newest first."""

    requests: list[RequestView]
    next_cursor: Annotated[str | None, Meta(description="What to ask the next page with; null at the end.")]


def request_view(request: PaymentRequest, texts: tuple[str, str], now_ns: int) -> RequestView:
    code, emvco = texts
    return RequestView(
        request_id=id_text(REQUEST_PREFIX, request.id),
        reference=request.reference,
        shop_id=shop_text(request.shop_id),
        amount=request.amount,
        currency=request.currency,
        channel=request.channel,
        remark=request.remark,
        state=request.state_at(now_ns),
        code=code,
        emvco=emvco,
        created_at_ms=request.created_ns // NS_PER_MS,
        expires_at_ms=request.expires_ns // NS_PER_MS,
        changed_at_ms=request.changed_ns // NS_PER_MS,
    )
