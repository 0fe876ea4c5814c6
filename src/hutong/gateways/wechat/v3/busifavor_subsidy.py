"""What one merchant pays another for its coupons, and what of it comes back."""

from typing import Any

from hutong.gateways.account import WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.till_coupons.subsidy import SubsidyDraft, TillSubsidy
from hutong.gateways.till_coupons.till_coupons import TillCoupons
from hutong.gateways.wechat.v3.busifavor import PREFIX, PRODUCT
from hutong.gateways.wechat.v3.busifavor_shapes import PAID, PAY, PAY_BACK
from hutong.gateways.wechat.v3.busifavor_view import BusifavorView
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, ok
from hutong.gateways.wechat.v3.errors import Code, Fault
from hutong.gateways.wechat.v3.orders import words
from hutong.gateways.wechat.v3.parties import Parties
from hutong.gateways.wechat.v3.shape import read_body, read_query
from hutong.gateways.wire import WireAnswer
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

_PAID, _BACK = f"{PREFIX}/subsidy/pay-receipts", f"{PREFIX}/subsidy/return-receipts"


class BusifavorSubsidies:
    """Endpoints below `/v3/marketing/busifavor/subsidy`."""

    def __init__(
        self, journal: Journal, parties: Parties, accounts: AccountService, coupons: TillCoupons, view: BusifavorView
    ) -> None:
        self._journal = journal
        self._parties = parties
        self._accounts = accounts
        self._stocks = coupons.stocks
        self._held = coupons.held
        self._subsidies = coupons.subsidies
        self._view = view

    def endpoints(self) -> list[Endpoint]:
        table = (
            ("POST", _PAID, self._pay),
            ("GET", _PAID, self._of_coupon),
            ("GET", f"{_PAID}/{{subsidy_receipt_id}}", self._one),
            ("POST", _BACK, self._give_back),
            ("GET", f"{_BACK}/{{subsidy_return_receipt_id}}", self._one_back),
        )
        return [Endpoint(method, path, PRODUCT, handler) for method, path, handler in table]

    async def _pay(self, call: Call) -> WireAnswer:
        body = read_body(PAY, call.signed)
        stock = self._stocks.stock(call.account, body["stock_id"])
        caller = await self._parties.for_whom(call, body["payer_merchant"])
        payee = await self._account(body["payee_merchant"])
        draft = _draft(body, body["out_subsidy_no"])
        return await self._shown(await self._subsidies.pay(caller, stock, payee, draft), draft.letters)

    async def _give_back(self, call: Call) -> WireAnswer:
        body = read_body(PAY_BACK, call.signed)
        stock = self._stocks.stock(call.account, body["stock_id"])
        caller = await self._parties.for_whom(call, body["payee_merchant"])
        payer = await self._account(body["payer_merchant"])
        draft = _draft(body, body["out_subsidy_return_no"], body["refund_id"])
        return await self._shown(await self._subsidies.give_back(caller, stock, payer, draft), draft.letters)

    async def _one(self, call: Call) -> WireAnswer:
        found = await self._subsidies.find(call.account, call.path["subsidy_receipt_id"], is_back=False)
        return await self._shown(found)

    async def _one_back(self, call: Call) -> WireAnswer:
        found = await self._subsidies.find(call.account, call.path["subsidy_return_receipt_id"], is_back=True)
        return await self._shown(found)

    async def _of_coupon(self, call: Call) -> WireAnswer:
        told = read_query(PAID, call.query)
        stock = self._stocks.stock(call.account, told["stock_id"])
        letters, number = told["coupon_code"], told.get("out_subsidy_no")
        found = await self._subsidies.of_coupon(call.account, stock, letters)
        wanted = [each for each in found if number in (None, each.request)]
        shown = await warmed(self._journal, lambda: [self._view.subsidy(each, letters) for each in wanted])
        return ok({"pay_receipt_list": shown})

    async def _shown(self, subsidy: TillSubsidy, letters: str = "") -> WireAnswer:
        def show() -> dict[str, Any]:
            return self._view.subsidy(subsidy, letters or self._held.letters(subsidy.code_id))

        return ok(await warmed(self._journal, show))

    async def _account(self, mchid: str) -> WechatAccount:
        """Refuses MCH_NOT_EXISTS."""
        try:
            return await warmed(self._journal, lambda: self._accounts.wechatpay(mchid))
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ACCOUNT_UNKNOWN:
                raise Fault(Code.MCH_NOT_EXISTS) from None
            raise


def _draft(body: dict[str, Any], number: str, refund_no: str = "") -> SubsidyDraft:
    return SubsidyDraft(
        number=number,
        letters=body["coupon_code"],
        trade_no=body["transaction_id"],
        refund_no=refund_no,
        amount=body["amount"],
        description=words(body["description"]),
    )
