"""Withdrawal: the merchant's accounts at banks, and its money on the way there, with the PIN of the owner who asks."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution import chart
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.payments.withdrawal import ACCOUNT_PREFIX, LABEL_LENGTH_MAX
from hutong.institution.payments.withdrawal_api import WITHDRAWAL_PREFIX, WithdrawalEdge
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.web.console.place import Console
from hutong.web.page import AnyRequest

_LATEST = 50
_FIELDS = ("label", "code", "amount", "account")
_PATH = "/console/withdrawal"


def withdrawal_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/withdrawal...`."""
    institution = console.institution
    edge = WithdrawalEdge(institution.node, institution.withdrawals, institution.staff)

    async def shown(
        request: AnyRequest, typed: dict[str, str] | None = None, refusal: Refusal | None = None
    ) -> Response[str]:
        who: SignedInStaff = request.auth
        account = chart.merchant_account(who.key.merchant_id, institution.chart.currency)
        return await console.page(
            request,
            "withdrawal.html",
            "withdrawal",
            refusal,
            balance=await institution.payments.statements.balance(account),
            accounts=await console.look(lambda: edge.withdrawals.accounts(who.key)),
            account_text=_account_text,
            stands=(await console.look(lambda: edge.withdrawals.withdrawals(who.key)))[:_LATEST],
            limits=edge.withdrawals.limits,
            typed=typed or dict.fromkeys(_FIELDS, ""),
            new_account=_account_text(institution.node.mint.mint()),
            new_withdrawal=id_text(WITHDRAWAL_PREFIX, institution.node.mint.mint()),
            label_max=LABEL_LENGTH_MAX,
        )

    @get("/withdrawal")
    async def show(request: AnyRequest) -> Response[str]:
        return await shown(request)

    @post("/withdrawal", status_code=200)
    async def withdraw(request: AnyRequest) -> Response[Any]:
        """The answer is the list: it says what became of this one, also when that is not known yet."""
        who: SignedInStaff = request.auth
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=600) for name in _FIELDS}
        try:
            id_ = parse_id(WITHDRAWAL_PREFIX, form.needed("id", length_max=40))
            account_id = parse_id(ACCOUNT_PREFIX, form.needed("account", length_max=40))
            amount = form.amount("amount", console.bills.currency)
            pin = form.needed("pin", length_max=12)
            await edge.withdraw(who.key, id_, account_id, amount, who.member.id, pin)
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return console.pages.go(_PATH)

    @post("/withdrawal/accounts", status_code=200)
    async def link(request: AnyRequest) -> Response[Any]:
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=600) for name in _FIELDS}
        try:
            id_ = parse_id(ACCOUNT_PREFIX, form.needed("id", length_max=40))
            await edge.withdrawals.link(request.auth.key, id_, typed["label"], typed["code"])
        except Refusal as refusal:
            return await shown(request, typed, refusal)
        return console.pages.go(_PATH)

    @post("/withdrawal/accounts/{account_id:str}/unlink", status_code=200)
    async def unlink(request: AnyRequest, account_id: FromPath[str]) -> Response[None]:
        await console.pages.form(request)
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        await console.act(lambda: edge.withdrawals.unlink(request.auth.key, id_))
        return console.pages.go(_PATH)

    return [show, withdraw, link, unlink]


def _account_text(account_id: int) -> str:
    return id_text(ACCOUNT_PREFIX, account_id)
