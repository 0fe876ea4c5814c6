"""
Two institutions and the switch between them, on memory: who pays is at jing, who sells is at wei.

Everything is real but disks and lines: what a gateway decides here, it decides in life.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx
from argon2 import PasswordHasher

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.gateways import keys
from hutong.gateways.account import Account, GatewayKind
from hutong.gateways.account_service import AccountDraft
from hutong.gateways.gateways import Gateways
from hutong.institution import chart
from hutong.institution.door_api import doors_of
from hutong.institution.holds.api import hold_api
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.institution.payments.api import payment_api
from hutong.institution.people.api import people_api
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.settings import PeopleSettings
from hutong.kernel.ids import id_text, parse_id
from hutong.ledger import recipes
from hutong.ledger.transfer import TransferStatus
from hutong.marketing.marketing import Marketing
from hutong.runtime.http_app import make_app
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.scheme.messages import AnyMessage
from tests.gateways.catalogues.conformity import conforms
from tests.institution.merchants.shop_street import noodles
from tests.institution.payments.world import Place, World

PIN = "483915"
OPERATOR = {"authorization": "Bearer op_a-long-token"}
PEM = keys.public_pem(keys.new_key().public_key())  # Of all merchants here; no test of these is about keys.


class _Telephones:
    """Where one-time codes arrive."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, Purpose], str] = {}

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        self.codes[phone, purpose] = code


class _NoWebhooks:
    async def post(self, url: str, headers: Any, body: bytes) -> Any:
        raise AssertionError("no endpoint is registered", url, headers, body)


class House(Place):
    """One institution with its gateways, and its API for people."""

    def __init__(self, world: World, node_id: str, seed: int, prefix: str, pool: WorkerPool) -> None:
        super().__init__(world, node_id, seed)
        self.telephones = _Telephones()
        self.people = self.shops = 0
        self.node = self.runtime()
        people = PeopleSettings(
            token_key=b"t" * 32,
            pin_pepper=b"p" * 32,
            sealing_keys=(b"s" * 32,),
            payment_code_key=b"c" * 32,
            payment_code_prefix=prefix,
            plate_base=f"https://{node_id}.example",
            operators={"duty": "op_a-long-token"},
        )
        self.institution = InstitutionNode(
            self.node,
            self.ledger,
            InstitutionSettings(people=people, merchant_pepper=b"m" * 32),
            sender=self.telephones,
            pool=pool,
            poster=cast("Any", _NoWebhooks()),
            hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        )
        self.marketing = Marketing(self.institution, key=b"m" * 32)
        self.gateways = Gateways(self.institution, self.marketing, name=node_id, payer_key=b"k" * 32, sandbox=True)

    async def start(self, stack: AsyncExitStack) -> None:
        await self.marketing.start()
        await self.gateways.start()
        await self.institution.start(stack)
        inner = self.institution
        doors = doors_of(self.node, inner.people, inner.merchants)
        # What people do, and no more: making the whole of an institution's API takes longer than most tests.
        handlers = [
            *people_api(self.node, inner.people, inner.balance_of),
            *payment_api(inner.payments, inner.people, inner.tills, inner.counter, doors),
            hold_api(inner.holds, doors.people),
            *self.gateways.people_api(),
        ]
        app = self.gateways.door(make_app(handlers, title=self.node_id, version="1"))
        self.client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(cast("Any", app)),
                base_url=f"http://{self.node_id}",
                timeout=5,
                event_hooks={"response": [conforms]},
            )
        )

    def receive(self, sender: str, messages: list[AnyMessage]) -> None:
        self.institution.receive(sender, messages)

    def tick(self) -> None:
        self.institution.tick()

    @asynccontextmanager
    async def slow_disk(self) -> AsyncIterator[None]:
        """What is decided takes a while to be durable: others are decided before the first is answered."""

        async def turn() -> None:
            while True:
                await asyncio.sleep(0.002)
                self.journal.flush()

        self.journal._immediate = False
        turning = asyncio.create_task(turn())
        try:
            yield
        finally:
            turning.cancel()
            self.journal._immediate = True
            self.journal.flush()

    async def said(self, method: str, path: str, body: Any = None, headers: Any = None) -> Any:
        response = await self.client.request(method, path, json=body, headers=headers)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    async def person(self, balance: int = 1_000_000) -> "Person":
        """Somebody with a wallet, a PIN, a phone and money."""
        self.people += 1
        phone = f"+8613800{self.people:06d}"
        await self.said("POST", "/v1/users/codes", {"phone": phone})
        body = {
            "phone": phone,
            "name": "王小明",
            "code": self.telephones.codes[phone, Purpose.SIGN_IN],
            "registration_id": "r-1",
            "device_id": id_text("dev", self.node.mint.mint()),
            "device_name": "phone",
        }
        told = await self.said("POST", "/v1/users", body)
        person = Person(self, told["user"]["id"], {"authorization": f"Bearer {told['token']}"})
        await self.said("PUT", "/v1/pin", {"pin": PIN}, person.headers)
        tier = {"tier": "II", "evidence": "SOURCES_3", "name": "王小明"}
        await self.said("POST", f"/v1/operator/users/{person.id}/tier", tier, OPERATOR)
        if balance:
            pay_in = {"pay_in_id": id_text("pin", self.node.mint.mint()), "user_id": person.id, "amount": balance}
            for _ in range(2):  # The second of two is the approval.
                await self.said("POST", "/v1/operator/pay-ins", pay_in, OPERATOR)
        return person

    async def merchant(self) -> StaffKey:
        """A merchant's owner."""
        self.shops += 1
        merchants, profile = self.institution.merchants, noodles(reference=f"M-{self.shops}")
        made = await decided(self.journal, lambda: merchants.onboard(profile, 60))
        key, _ = await decided(self.journal, lambda: merchants.issue_owner_key(made.id, "boss"))
        return key

    async def account(self, owner: StaffKey, kind: GatewayKind = GatewayKind.WECHATPAY, **told: Any) -> Account:
        """An account of the merchant's at a gateway."""
        draft = AccountDraft(account_id=self.node.mint.mint(), kind=kind, name="till", public_key=PEM, **told)
        return await self.gateways.accounts.make(owner, draft)

    async def merchant_balance(self, owner: StaffKey) -> int:
        """What the merchant has."""
        return self.balance(chart.merchant_account(owner.merchant_id))

    def pay_out(self, owner: StaffKey, amount: int) -> None:
        """The merchant takes money home; somebody else's has to be in the reserve."""
        taken = recipes.withdraw(
            self.node.mint.mint(),
            reserve=self.institution.chart.reserve,
            account=chart.merchant_account(owner.merchant_id),
            amount=amount,
            ledger=156,
            code=31,
        )
        answers: list[TransferStatus] = []
        self.ledger.create_transfers([taken], answers.extend)
        assert answers == [TransferStatus.CREATED]
        self.journal.seal()


class Person:
    """Somebody with a wallet."""

    def __init__(self, house: House, id_: str, headers: dict[str, str]) -> None:
        self.house = house
        self.id = id_
        self.user_id = parse_id("usr", id_)
        self.headers = headers

    async def said(self, method: str, path: str, body: Any = None) -> Any:
        return await self.house.said(method, path, body, self.headers)

    async def balance(self) -> int:
        return int((await self.said("GET", "/v1/balance"))["balance"])

    async def quote(self, code: str) -> Any:
        """Look at a code."""
        return await self.said("POST", "/v1/codes/consult", {"code": code})

    async def pay(self, code: str, **more: Any) -> Any:
        """Scan a code with an amount, and pay it with the PIN."""
        quote = await self.quote(code)
        payment_id = id_text("pay", self.house.node.mint.mint())
        token = await self._token(payment_id, quote["amount"], quote["creditor"])
        body = {"payment_id": payment_id, "quote_id": quote["quote_id"], "pin_token": token} | more
        return await self.said("POST", "/v1/payments", body)

    async def payment_code(self) -> str:
        """What the phone shows at a till."""
        told = await self.said("GET", "/v1/payment-codes/keys")
        phone = PaymentCodeGenerator(told["head_today"], base64.b64decode(told["seed"]))
        return phone.generate(self.house.world.clock.now_ns())

    async def waiting(self) -> list[Any]:
        """What the phone asks about."""
        return list(await self.said("GET", "/v1/requests-to-pay"))

    async def approve(self) -> Any:
        """Say yes to what the phone asks, with the PIN."""
        (asked,) = await self.waiting()
        token = await self._token(asked["payment_id"], asked["amount"], asked["creditor"])
        path = f"/v1/requests-to-pay/{asked['request_to_pay_id']}/approve"
        return await self.said("POST", path, {"pin_token": token})

    async def decline(self) -> Any:
        """Say no to what the phone asks."""
        (asked,) = await self.waiting()
        return await self.said("POST", f"/v1/requests-to-pay/{asked['request_to_pay_id']}/decline")

    async def sign(self, agreement_id: str) -> Any:
        """Look at what is offered, and say yes with the PIN."""
        told = await self.said("GET", f"/v1/agreements/offers/{agreement_id}")
        token = await self._token(told["payment_id"], told["day_max"], told["creditor"])
        return await self.said("POST", f"/v1/agreements/{agreement_id}/sign", {"pin_token": token})

    async def sign_elsewhere(self, link: str) -> Any:
        """Scan what a merchant of another institution offers, and say yes with the PIN."""
        told = await self.said("POST", "/v1/agreements/elsewhere/look", {"link": link})
        token = await self._token(told["payment_id"], told["day_max"], told["creditor"])
        return await self.said("POST", "/v1/agreements/elsewhere/sign", {"link": link, "pin_token": token})

    async def agree(self, preauth_id: str) -> Any:
        """Look at what a merchant asks to hold, and say yes with the PIN."""
        told = await self.said("GET", f"/v1/preauths/{preauth_id}")
        token = await self._token(told["payment_id"], told["amount"], told["creditor"])
        return await self.said("POST", f"/v1/preauths/{preauth_id}/agree", {"pin_token": token})

    async def holds(self) -> list[Any]:
        """What merchants elsewhere ask, and hold."""
        return list(await self.said("GET", "/v1/holds"))

    async def agree_to_hold(self, hold: Any) -> Any:
        """Say yes to what a merchant elsewhere asks to hold, with the PIN."""
        token = await self._token(hold["payment_id"], hold["amount"], hold["creditor"])
        return await self.said("POST", f"/v1/holds/{hold['hold_id']}/agree", {"pin_token": token})

    @property
    def wallet(self) -> int:
        """Their account."""
        return chart.user_account(self.user_id)

    async def _token(self, payment_id: str, amount: int, creditor: str) -> str:
        asked = {"pin": PIN, "payment_id": payment_id, "amount": amount, "creditor": creditor}
        return str((await self.said("POST", "/v1/pin/tokens", asked))["token"])


class Street:
    """The network."""

    def __init__(self, pool: WorkerPool) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jing = House(self.world, "jing", 1, "31", pool)
        self.wei = House(self.world, "wei", 2, "13", pool)
        for house, prefix in ((self.jing, "31"), (self.wei, "13")):
            self.world.places[house.node_id] = house
            self.world.switch.admit(house.node_id)
            for path in ("q", "agreements"):
                self.world.register(house.node_id, f"url:https://{house.node_id}.example/{path}/")
            self.world.register(house.node_id, f"digits:{prefix}:18")
        self.world.flush()

    async def start(self, stack: AsyncExitStack) -> None:
        for house in (self.jing, self.wei):
            await house.start(stack)
        carrying = asyncio.create_task(self._carry())
        stack.callback(carrying.cancel)

    async def _carry(self) -> None:
        """Who asks across the network waits for nothing durable: somebody has to carry what was said."""
        while True:
            self.world.flush()
            await asyncio.sleep(0.001)
