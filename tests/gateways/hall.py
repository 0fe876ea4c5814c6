"""One institution in memory with its gateways, a merchant's accounts there, and people who pay: no port, no database."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.gateways import keys
from hutong.gateways.account import Account, AlipayAccount, Caller, GatewayKind, WechatAccount
from hutong.gateways.account_service import AccountDraft
from hutong.gateways.gateways import Gateways
from hutong.gateways.order import Dialect, OrderDraft
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.ids import parse_id
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import warmed
from tests.gateways.catalogues.conformity import conforms
from tests.institution.payments.test_http import Jing, Phone

# Making RSA keys is slow; what is tested does not depend on which.
MERCHANT_KEY = keys.new_key()
MERCHANT_PUBLIC = keys.public_pem(MERCHANT_KEY.public_key())


class Hall:
    """The institution, its gateways and everybody in it."""

    merchant: Phone
    wechat: WechatAccount
    alipay: AlipayAccount

    def __init__(self, pool: WorkerPool, *, sandbox: bool = False) -> None:
        self.jing = Jing(pool)
        self.gateways = Gateways(
            self.jing.institution, self.jing.marketing, name="Jing Pay", payer_key=b"k" * 32, sandbox=sandbox
        )
        self.merchant_key: RSAPrivateKey = MERCHANT_KEY

    async def open(self, stack: AsyncExitStack) -> None:
        self.jing.before.append(self.gateways.start)
        await self.jing.start(stack)
        self.merchant = await self.jing.merchant()
        wechat, alipay = await self.account(GatewayKind.WECHATPAY), await self.account(GatewayKind.ALIPAY)
        assert isinstance(wechat, WechatAccount)
        assert isinstance(alipay, AlipayAccount)
        self.wechat, self.alipay = wechat, alipay
        door = self.gateways.door(_nothing)
        transport = httpx.ASGITransport(cast("Any", door), client=("203.0.113.7", 4711))
        self.http = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport, base_url="http://jing.example", timeout=10, event_hooks={"response": [conforms]}
            )
        )

    async def account(self, kind: GatewayKind, merchant: Phone | None = None, **more: Any) -> Account:
        """Another account; of another merchant, if one is named."""
        draft = AccountDraft(
            account_id=self.jing.mint.mint(), kind=kind, name="till software", public_key=MERCHANT_PUBLIC, **more
        )
        return await self.gateways.accounts.make(await self.owner(merchant), draft)

    async def owner(self, merchant: Phone | None = None) -> StaffKey:
        token = (merchant or self.merchant).headers["authorization"].removeprefix("Bearer ")
        return await warmed(self.jing.node.journal, lambda: self.jing.institution.merchants.key(token))

    def caller(self, account: Account | None = None) -> Caller:
        account = account or self.wechat
        return Caller(account, account)

    async def pay(self, payer: Phone, code: str) -> dict[str, Any]:
        """Scan and pay what the code asks for, with the PIN where it is wanted."""
        quote = await payer.post("/v1/codes/consult", 200, {"code": code})
        payment_id = payer.new_id("pay")
        body = {"payment_id": payment_id, "quote_id": quote["quote_id"]}
        body["pin_token"] = await payer.token(payment_id, quote["amount"], quote["creditor"])
        return cast("dict[str, Any]", await payer.post("/v1/payments", 200, body))

    async def payment_code(self, payer: Phone) -> str:
        """What the payer's phone shows at a till."""
        told = await payer.get("/v1/payment-codes/keys")
        phone = PaymentCodeGenerator(told["head_today"], base64.b64decode(told["seed"]))
        return phone.generate(self.jing.clock.now_ns())

    async def merchant_balance(self) -> int:
        return int((await self.merchant.get("/v1/merchant/balance"))["balance"])


def order(number: str = "T20261122001", amount: int = 1_280, **more: Any) -> OrderDraft:
    return OrderDraft(
        out_trade_no=number,
        amount=amount,
        **({"product": "NATIVE", "description": "两碗面", "dialect": Dialect.WECHATPAY_V3} | more),
    )


_KEYS: list[RSAPrivateKey] = []


class KeepingPool(WorkerPool):
    """Hands the same keys out to every hall, in order."""

    def __init__(self) -> None:
        super().__init__()
        self._handed = 0

    async def run(self, work: Callable[[], Any]) -> Any:
        if work is not keys.new_key:
            return await super().run(work)
        if self._handed == len(_KEYS):
            _KEYS.append(keys.new_key())
        self._handed += 1
        return _KEYS[self._handed - 1]


@asynccontextmanager
async def opened_hall(*, sandbox: bool = False) -> AsyncIterator[Hall]:
    pool = KeepingPool()
    async with AsyncExitStack() as stack:
        stack.callback(pool.close)
        hall = Hall(pool, sandbox=sandbox)
        await hall.open(stack)
        yield hall


async def _nothing(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"the node's own"})


def user_id(payer: Phone) -> int:
    return parse_id("usr", payer.id)
