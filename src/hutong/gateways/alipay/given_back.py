"""Giving money back under one number: what the merchant's balance did not cover may be tried again under it."""

from msgspec.structs import replace

from hutong.gateways.account import Caller
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.order import GatewayOrder
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import RefundDraft, RefundProgress, RefundState
from hutong.gateways.refund_service import GatewayRefundService
from hutong.kernel.errors import Refusal

_TRIES_MAX = 50


async def give_back(
    refunds: GatewayRefundService, caller: Caller, order: GatewayOrder, draft: RefundDraft
) -> RefundState:
    """
    The refund of a number: the one there is, unless that failed before; then another.

    Refuses:  as `GatewayRefundService.refund`; ACQ.TRADE_NOT_ALLOW_REFUND when it has failed too often.
    """
    for attempt in range(1, _TRIES_MAX + 1):
        numbered = replace(draft, out_refund_no=_numbered(draft.out_refund_no, attempt))
        state = await refunds.refund(caller, order, numbered, wait=True)
        if not (state.repeated and state.progress is RefundProgress.FAILED):
            return state
    raise AlipayError("ACQ.TRADE_NOT_ALLOW_REFUND", said="当前交易不允许退款")


async def last_try(
    refunds: GatewayRefundService, caller: Caller, order: GatewayOrder, number: str
) -> RefundState | None:
    """What became of a number at last; None if it is none's."""
    found = None
    for attempt in range(1, _TRIES_MAX + 1):
        try:
            found = await refunds.find(caller, out_refund_no=_numbered(number, attempt), order=order)
        except Refusal as refusal:
            if refusal.reason is GatewayReason.REFUND_UNKNOWN:
                return found
            raise
        if found.progress is not RefundProgress.FAILED:
            return found
    return found


def _numbered(number: str, attempt: int) -> str:
    """The first is what the merchant says; a merchant's own has no such sign in it."""
    return number if attempt == 1 else f"{number}#{attempt}"
