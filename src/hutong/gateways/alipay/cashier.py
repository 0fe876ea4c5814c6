"""
The cashier: `alipay.trade.page.pay` and `wap.pay` bring a browser here, and it shows the order's code until it is paid.

Then the browser goes back to the merchant, with what the merchant can verify.
"""

from urllib.parse import urlencode, urlsplit

from hutong.gateways.alipay import trade as told
from hutong.gateways.alipay.asked import order_draft
from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.call import Call, Endpoint, Page, Reply
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.pages import page, qr_picture, redirected, shown, web_only
from hutong.gateways.alipay.signature import RSA2, signed_parameters
from hutong.gateways.order import OrderDraft, Trade, TradeState, trade_key
from hutong.gateways.order_service import OrderService
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.institution.node import InstitutionNode
from hutong.runtime.shelf import warmed

PATH = "/alipay/cashier/"
_LOOKS_AGAIN_S = 2
_METHODS = {"PAGE": "alipay.trade.page.pay", "WAP": "alipay.trade.wap.pay"}


class Cashier:
    """Orders that a browser brings."""

    def __init__(self, institution: InstitutionNode, platform: PlatformService, orders: OrderService) -> None:
        self._journal = institution.node.journal
        self._clock = institution.node.clock
        self._merchants = institution.merchants
        self._orders = orders
        self._platform = platform

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(method="alipay.trade.page.pay", product="web page", handler=self.page_pay, page=True),
            Endpoint(method="alipay.trade.wap.pay", product="phone's web page", handler=self.wap_pay, page=True),
            Endpoint(method="alipay.trade.app.pay", product="app", handler=self.app_pay),
        ]

    async def page_pay(self, call: Call) -> Page:
        draft = order_draft(call, "PAGE", ("FAST_INSTANT_TRADE_PAY",))
        return await self._placed(call, draft)

    async def wap_pay(self, call: Call) -> Page:
        # One client writes the second of these, and the real service takes it.
        draft = order_draft(call, "WAP", ("QUICK_WAP_WAY", "QUICK_WAP_PAY"))
        return await self._placed(call, draft)

    async def _placed(self, call: Call, draft: OrderDraft) -> Page:
        trade = await self._orders.place(call.caller, draft)
        return Page(await warmed(self._journal, lambda: self._waiting(trade)))

    async def app_pay(self, call: Call) -> Reply:
        """What the merchant's app hands to the payer's: the wallet posts it here, and learns what to pay."""
        draft = order_draft(call, "APP", ("QUICK_MSECURITY_PAY",))
        trade = await self._orders.place(call.caller, draft)
        return Reply(
            {
                "app_id": call.payee.row.number,
                "auth_app_id": call.payee.row.number,
                "charset": UTF8,
                "timestamp": beijing_text(call.now_ns),
                "total_amount": told.yuan(trade.amount),
                **told.numbers(trade),
                "seller_id": call.payee.facts.seller_id,
                "qr_code": self._orders.code_url(trade),
            }
        )

    async def __call__(self, request: WireRequest) -> WireAnswer:
        """The page of an order, by Alipay's number of it."""
        trade = await warmed(self._journal, lambda: self._trade(request.path.removeprefix(PATH)))
        if trade is None:
            return shown(page("page.html", title="找不到订单 No such order", text=""), 404)
        match trade.state:
            case TradeState.PAID:
                back = await warmed(self._journal, lambda: self._way_back(trade))
                if back:
                    return redirected(back)
                return shown(page("page.html", title="支付成功 Paid", text=f"¥{told.yuan(trade.amount)}"))
            case TradeState.NOT_PAID | TradeState.PAYING:
                return shown(await warmed(self._journal, lambda: self._waiting(trade)))
            case _:
                url = trade.order.told.get("return_url", "")
                return shown(page("page.html", title="交易已关闭 Closed", text="", onward=_origin(url)))

    def _trade(self, trade_no: str) -> Trade | None:
        for order in self._orders.orders.find("trade_key", trade_key(trade_no)):
            if order.product in _METHODS:
                return self._orders.trade(order)
        return None

    def _waiting(self, trade: Trade) -> str:
        facts = trade.order.told
        code = self._orders.code_url(trade)
        return page(
            "cashier.html",
            title=facts["subject"],
            merchant=self._merchants.merchant(trade.request.merchant_id).name,
            subject=facts["subject"],
            amount=told.yuan(trade.amount),
            picture=qr_picture(code),
            code=code,
            back=web_only(facts.get("quit_url", "")),
            trade_no=trade.order.trade_no,
            again=PATH + trade.order.trade_no,
            seconds=_LOOKS_AGAIN_S,
        )

    def _way_back(self, trade: Trade) -> str:
        """The merchant's `return_url`, with what it can verify; empty without one."""
        facts = trade.order.told
        url: str = facts.get("return_url", "")
        if not url:
            return ""
        caller = self._orders.caller_of(trade.order)
        codec = facts.get("codec", UTF8)
        values = {
            "charset": codec,
            "out_trade_no": trade.order.out_trade_no,
            "method": _METHODS[trade.order.product] + ".return",
            "total_amount": told.yuan(trade.amount),
            "trade_no": trade.order.trade_no,
            "auth_app_id": caller.payee.row.number,
            "version": "1.0",
            "app_id": caller.account.row.number,
            "seller_id": getattr(caller.payee.facts, "seller_id", ""),
            "timestamp": beijing_text(self._clock.now_ns()),
        }
        key = self._platform.current(KeyUse.ALIPAY)
        signed = signed_parameters(key, values, facts.get("sign_type", RSA2), codec)
        return url + ("&" if urlsplit(url).query else "?") + urlencode(signed, encoding=codec)


def _origin(url: str) -> str:
    """Where a merchant's pages are."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/" if parts.scheme in {"http", "https"} else ""
