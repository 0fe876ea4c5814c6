"""
Faults, on purpose: what merchants' software must bear from the real services, and can't have them do when it is tested.

They are kept in memory, for one account at a time, and are over with the process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from hutong.gateways.notification import GatewayNotification, Letter
from hutong.gateways.order import Trade, TradeState
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.wire import Injected
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal

Answer = TypeVar("Answer")
Count = Annotated[int, Meta(ge=0, le=1000)]
_CODE_PRODUCTS = frozenset({"MICROPAY", "BAR_CODE"})
# What merchants are told by in a header, and what stands in it when the vendor only tries whether they look.
_SIGNATURE, _PROBE = "wechatpay-signature", "WECHATPAY/SIGNTEST/"


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to go wrong for one account. What is counted is counted down."""

    user_paying: Annotated[
        Count, Meta(description="So many looks at a payment-code order find its payer still asked for a password.")
    ] = 0
    system_error: Annotated[Count, Meta(description="So many calls fail with a system error, and do nothing.")] = 0
    system_error_done: Annotated[
        Count, Meta(description="So many calls say that they failed with a system error, and were done all the same.")
    ] = 0
    refuse: Annotated[
        str,
        Meta(
            max_length=100,
            description="A code of the vendor's, as it documents it: `refuse_times` calls are answered it, and do nothing.",
            examples=["BANK_ERROR", "isv.app-call-limited"],
        ),
    ] = ""
    refuse_times: Annotated[Count, Meta(description="How many.")] = 0
    transfer_daily_max: Annotated[
        int,
        Meta(
            ge=0,
            description="What the merchant may send to people in a day, until this is changed; 0: as in production.",
        ),
    ] = 0
    time_out: Annotated[Count, Meta(description="So many calls are done, and answered too late.")] = 0
    time_out_s: Annotated[int, Meta(ge=1, le=120, description="How late.")] = 60
    only: Annotated[
        str,
        Meta(
            max_length=100,
            description="Only calls whose path or method has this in it fail, or are late.",
            examples=["codepay", "trade.pay"],
        ),
    ] = ""
    callback_late_s: Annotated[
        int, Meta(ge=0, le=86_400, description="How much later than its news a callback comes, until this is changed.")
    ] = 0
    callback_copies: Annotated[
        int, Meta(ge=0, le=10, description="How often a callback is sent again that has come, until this is changed.")
    ] = 0
    callback_probe: Annotated[
        bool, Meta(description="Each callback is preceded by one with a wrong signature, until this is changed.")
    ] = False


NONE = Faults()


class FaultService:
    """Whose calls and callbacks go wrong, and how. Each method is asked where it would happen."""

    def __init__(self, codes: Collection[str]) -> None:
        self._codes = codes  # That the vendors document.
        self._of: dict[int, Faults] = {}

    def of(self, account_id: int) -> Faults:
        """What is still to go wrong."""
        return self._of.get(account_id, NONE)

    def set(self, account_id: int, faults: Faults) -> Faults:
        """Have this go wrong from now on, and nothing that was asked for before. Refuses FAULT_CODE_UNKNOWN."""
        if faults.refuse and faults.refuse not in self._codes:
            raise Refusal(GatewayReason.FAULT_CODE_UNKNOWN, field="refuse", code=faults.refuse)
        self._of[account_id] = faults
        return faults

    async def around(self, account_id: int, what: str, answer: Callable[[], Awaitable[Answer]]) -> Answer:
        """One call of an account's, by its path or method."""
        faults = self.of(account_id)
        if faults is NONE or faults.only not in what:
            return await answer()
        if self._counted(account_id, "system_error"):
            raise Injected(what)
        if faults.refuse and self._counted(account_id, "refuse_times"):
            raise Injected(what, faults.refuse)
        if self._counted(account_id, "system_error_done"):
            await answer()
            raise Injected(what)
        answered = await answer()
        if self._counted(account_id, "time_out"):
            await _wait(faults.time_out_s)
        return answered

    def looked(self, trade: Trade) -> Trade:
        """An order as its merchant is to see it."""
        order = trade.order
        if order.product not in _CODE_PRODUCTS or trade.state not in {TradeState.PAID, TradeState.PAYING}:
            return trade
        if not self._counted(order.account_id, "user_paying"):
            return trade
        return msgspec.structs.replace(trade, state=TradeState.PAYING, payment=None, refunded=0, refunds=0)

    def transfer_daily_max(self, account_id: int, otherwise: int) -> int:
        """What an account's merchant may send to people in a day."""
        return self.of(account_id).transfer_daily_max or otherwise

    # Of callbacks (`Tampering`).

    def late_ns(self, account_id: int) -> int:
        return self.of(account_id).callback_late_s * NS_PER_S

    def copies(self, notification: GatewayNotification) -> int:
        return self.of(notification.account_id).callback_copies

    def probe(self, notification: GatewayNotification, letter: Letter) -> Letter | None:
        if not self.of(notification.account_id).callback_probe:
            return None
        headers = dict(letter.headers)
        signed = next((name for name in headers if name.lower() == _SIGNATURE), None)
        if signed is None:
            return None  # A signature in the body is none of what the vendors try merchants with.
        headers[signed] = (_PROBE + headers[signed])[: len(headers[signed])]
        return Letter(headers, letter.body)

    def _counted(self, account_id: int, name: str) -> bool:
        """Whether one more is to be had of what is counted down."""
        faults = self.of(account_id)
        left: int = getattr(faults, name)
        if left:
            self._of[account_id] = msgspec.structs.replace(faults, **{name: left - 1})
        return left > 0


async def _wait(seconds: int) -> None:
    """By the clock of whoever waits for the answer: a sandbox's own may stand still."""
    try:
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().create_future()
    except TimeoutError:
        return
