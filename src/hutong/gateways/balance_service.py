"""What a merchant has, as the vendors' protocols ask for it."""

import msgspec

from hutong.gateways.account import Caller
from hutong.gateways.splits.hold_service import HoldService
from hutong.institution import chart
from hutong.institution.merchants.staff_key import Right
from hutong.kernel.money import Currency
from hutong.ledger.engine import LedgerEngine
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed


class MerchantBalance(msgspec.Struct, frozen=True):
    """What can be spent, and what can't yet: frozen for splits, or held for what is under way."""

    available: int
    pending: int


class BalanceService:
    """Scoped to the whole merchant that is paid."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, currency: Currency, holds: HoldService) -> None:
        self._journal = node.journal
        self._ledger = ledger
        self._currency = currency
        self._holds = holds

    async def now(self, caller: Caller) -> MerchantBalance:
        """As it is. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check(caller)
        frozen = await warmed(self._journal, lambda: self._holds.frozen_of(caller.key.merchant_id))
        (account,) = await self._ledger.lookup_accounts([self._account(caller)])
        held = account.debits_pending
        return MerchantBalance(account.credits_posted - account.debits_posted - held, frozen + held)

    async def at(self, caller: Caller, at_ns: int) -> int:
        """What was posted at a time. Refuses as `now`."""
        _check(caller)
        balance = await self._ledger.balance_at(self._account(caller), at_ns)
        return balance.credits_posted - balance.debits_posted if balance is not None else 0

    def _account(self, caller: Caller) -> int:
        return chart.merchant_account(caller.key.merchant_id, self._currency)


def _check(caller: Caller) -> None:
    caller.key.check_right(Right.READ)
    caller.key.check_whole_merchant()
