"""Withdrawals over HTTP, for whoever holds an owner's key or session of the whole merchant."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff import MEMBER_PREFIX
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.payments.payment import Outcome, Payment, PaymentState
from hutong.institution.payments.withdrawal import (
    ACCOUNT_PREFIX,
    LABEL_LENGTH_MAX,
    MerchantBankAccount,
    WithdrawalState,
)
from hutong.institution.payments.withdrawal_service import WithdrawalService
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

WITHDRAWAL_PREFIX = "pay"  # It is a payment, and found as one.
_EXAMPLE = "_01JZ8Q5V7XN8E2M4T9B3K6C0D1"
BankAccountId = Annotated[str, msgspec.Meta(max_length=40, examples=[ACCOUNT_PREFIX + _EXAMPLE])]


class LinkMerchantBank(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The merchant's account at a bank of the network: `code` is what a payer there would be shown or scan."""

    bank_account_id: BankAccountId
    label: Annotated[str, msgspec.Meta(max_length=LABEL_LENGTH_MAX, examples=["对公账户"])]
    code: Annotated[str, msgspec.Meta(max_length=512)]


class MerchantBankView(msgspec.Struct, frozen=True):
    """A linked account; `holder` is whose the bank says it is."""

    bank_account_id: str
    bank: str
    label: str
    holder: str


class WithdrawBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be taken out, and the PIN of an owner who agrees."""

    withdrawal_id: Annotated[str, msgspec.Meta(max_length=40, examples=[WITHDRAWAL_PREFIX + _EXAMPLE])]
    bank_account_id: str
    amount: Annotated[int, msgspec.Meta(description="Minor units.", examples=[12_800])]
    owner_id: Annotated[str, msgspec.Meta(max_length=40, examples=[MEMBER_PREFIX + _EXAMPLE])]
    pin: Annotated[str, msgspec.Meta(max_length=12, examples=["284917"])]

    def __repr__(self) -> str:
        return f"WithdrawBody({self.withdrawal_id}, ...)"


class WithdrawalView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A withdrawal and how it stands."""

    withdrawal_id: str
    bank_account_id: str
    bank: str
    label: str
    amount: int
    currency: str
    state: PaymentState
    reason: str = ""
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class WithdrawalEdge:
    """What the handlers, and the pages, need."""

    node: NodeRuntime
    withdrawals: WithdrawalService
    staff: StaffService

    async def withdraw(
        self, key: StaffKey, withdrawal_id: int, account_id: int, amount: int, owner_id: int, pin: str
    ) -> WithdrawalState:
        """
        Check the owner's PIN, withdraw, and wait for what becomes of it, or to hear that it is still undecided.

        Refuses:  STAFF_MAY_NOT_APPROVE; what a PIN's check refuses; as `WithdrawalService.withdraw`.
        """
        await self.staff.approve(key, owner_id, pin, Right.MANAGE)
        answered = self.node.journal.promise()

        def answer(_: Payment, outcome: Outcome | None) -> None:
            if not answered.done():
                answered.set_result(outcome)

        await self.withdrawals.withdraw(key, withdrawal_id, account_id, amount, owner_id, answer)
        await answered
        return await decided(self.node.journal, lambda: self.withdrawals.withdrawal(key, withdrawal_id))


Edge = NamedDependency[SkipValidation[WithdrawalEdge]]
Key = NamedDependency[SkipValidation[StaffKey]]
_UNDECIDED = {202: ResponseSpec(WithdrawalView, generate_examples=False, description="Undecided as yet: ask again.")}


class Withdrawals(Controller):
    """A merchant's money on its way to the merchant's bank."""

    path = "/merchant"
    tags = ("Merchant: withdrawals",)

    @post("/bank-accounts", status_code=200)
    async def link(self, edge: Edge, key: Key, data: JSONBody[LinkMerchantBank]) -> MerchantBankView:
        """Link an account at a bank of the network. The same id and content again is the same account."""
        id_ = parse_id(ACCOUNT_PREFIX, data.bank_account_id)
        return _account_view(await edge.withdrawals.link(key, id_, data.label, data.code))

    @get("/bank-accounts")
    async def accounts(self, edge: Edge, key: Key) -> list[MerchantBankView]:
        """The linked accounts."""
        found = await decided(edge.node.journal, lambda: edge.withdrawals.accounts(key))
        return [_account_view(account) for account in found]

    @delete("/bank-accounts/{bank_account_id:str}", status_code=200)
    async def unlink(self, edge: Edge, key: Key, bank_account_id: FromPath[str]) -> MerchantBankView:
        """Forget an account: nothing goes there any more."""
        id_ = parse_id(ACCOUNT_PREFIX, bank_account_id)
        return _account_view(await decided(edge.node.journal, lambda: edge.withdrawals.unlink(key, id_)))

    @post("/withdrawals", status_code=200, responses=_UNDECIDED)
    async def withdraw(self, edge: Edge, key: Key, data: JSONBody[WithdrawBody]) -> Response[WithdrawalView]:
        """Send money to a linked account. 200: completed, or rejected, as `state` says. 202: undecided as yet."""
        id_, account_id = (
            parse_id(WITHDRAWAL_PREFIX, data.withdrawal_id),
            parse_id(ACCOUNT_PREFIX, data.bank_account_id),
        )
        owner_id = parse_id(MEMBER_PREFIX, data.owner_id)
        stand = await edge.withdraw(key, id_, account_id, data.amount, owner_id, data.pin)
        return Response(withdrawal_view(stand), status_code=202 if stand.outcome is None else 200)

    @get("/withdrawals")
    async def withdrawals(self, edge: Edge, key: Key) -> list[WithdrawalView]:
        """All withdrawals, newest first."""
        found = await decided(edge.node.journal, lambda: edge.withdrawals.withdrawals(key))
        return [withdrawal_view(each) for each in found]

    @get("/withdrawals/{withdrawal_id:str}")
    async def show(self, edge: Edge, key: Key, withdrawal_id: FromPath[str]) -> WithdrawalView:
        """One withdrawal, and its state now."""
        id_ = parse_id(WITHDRAWAL_PREFIX, withdrawal_id)
        return withdrawal_view(await decided(edge.node.journal, lambda: edge.withdrawals.withdrawal(key, id_)))


def _account_view(account: MerchantBankAccount) -> MerchantBankView:
    return MerchantBankView(id_text(ACCOUNT_PREFIX, account.id), account.bank, account.label, account.holder)


def withdrawal_view(stand: WithdrawalState) -> WithdrawalView:
    withdrawal = stand.withdrawal
    return WithdrawalView(
        withdrawal_id=id_text(WITHDRAWAL_PREFIX, withdrawal.id),
        bank_account_id=id_text(ACCOUNT_PREFIX, withdrawal.bank_account_id),
        bank=stand.account.bank,
        label=stand.account.label,
        amount=withdrawal.amount,
        currency=withdrawal.currency,
        state=stand.state,
        reason=stand.outcome.reason if stand.outcome is not None else "",
        created_at_ms=withdrawal.created_ns // NS_PER_MS,
    )


def withdrawal_routes(
    node: NodeRuntime, merchants: MerchantService, withdrawals: WithdrawalService, staff: StaffService
) -> Router:
    """The handlers for `make_app`."""
    edge = WithdrawalEdge(node, withdrawals, staff)
    return Door("key", key_guard(node, merchants)).router("/v1", [Withdrawals], edge=edge)
