"""
A season of campaigns at an institution of its own, on a clock of its own, lived through before anybody looks at it.

Three campaigns gave people something and left every second one out: one brought more, one less, one nothing. A fourth is a
shop's own, and left out every second hour. All of it is paid through the institution's own API; only time is told.
"""

import asyncio
import threading
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

from hutong.institution.api import institution_api
from hutong.institution.door_api import operator_guard
from hutong.institution.people.one_time_code import Purpose
from hutong.kernel.ids import id_text, parse_id, seeded_randomness
from hutong.operators.operator import Role
from hutong.runtime.http_app import make_app
from hutong.runtime.http_server import HttpServer
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided
from hutong.web.brand import Brand
from hutong.web.console.pages import console_pages
from hutong.web.desk.frame import COMMON_MENU, common_pages
from hutong.web.front import brand_pages
from hutong.web.institution_desk.campaigns import campaign_pages
from hutong.web.institution_desk.wordings import WORDINGS
from hutong.web.language import phrase
from hutong.web.operator import Desk, MenuEntry
from hutong.web.page import Pages
from hutong.web.sponsor.pages import sponsor_pages
from tests.institution.payments.test_http import OPERATOR, Jing, Phone

DAYS = 10
PEOPLE = 8  # Who come on a day to each campaign.
MORE, LESS, SAME = 1_000, 2_000, 3_000  # What each campaign's payments come to, and up to a thousand fen more.
_DAY_S, _HOUR_S = 86_400, 3_600
_STAFF_PIN = "284917"
_OWNER = "+8613700000001"


class Season(Jing):
    """What everybody did, and where it can be looked at."""

    campaigns: dict[int, str]
    own: str
    staff_session: str
    desk_session: str
    url: str

    async def live(self, stack: AsyncExitStack, pool: WorkerPool) -> None:
        """From the first day to the last; then serve."""
        await self.start(stack)
        self.merchants = await self.merchant()
        self.plate = (await self.merchants.post("/v1/plates", 201, {"reference": "counter"}))["text"]
        self.campaigns = {base: await self._campaign(name, base) for base, name in _NAMES.items()}
        self.own = await self._own_campaign()
        for day in range(DAYS):
            for number in range(PEOPLE):
                for base in self.campaigns:
                    await self._come(base, day * PEOPLE + number)
            await self._hours(day)
        await self._take_on_staff()
        await self._serve(stack, pool)

    async def _campaign(self, name: str, base: int) -> str:
        sponsor = await self._ask("/v1/operator/sponsors", 201, reference=name, kind="OUTSIDE", name="城市消费节")
        deposit = {"deposit_id": id_text("dep", self.mint.mint()), "amount": 500_000}
        await self._ask(f"/v1/operator/sponsors/{sponsor['sponsor_id']}/deposits", 200, **deposit)
        row = {"when": {"amount": f"[{base}..{base + 999}]"}, "off": 150}
        draft = await self._ask(
            "/v1/operator/campaigns",
            201,
            campaign_id=id_text("cmp", self.mint.mint()),
            name=name,
            sponsors=[{"sponsor_id": sponsor["sponsor_id"]}],
            budget=100_000,
            terms={"rules": {"rows": [row]}, "holdout_bps": 5_000},
            ends_at_ms=self.clock.now_ns() // 1_000_000 + 30 * _DAY_S * 1_000,
        )
        await self._ask(f"/v1/operator/campaigns/{draft['campaign_id']}/start", 200)
        return str(draft["campaign_id"])

    async def _own_campaign(self) -> str:
        """The shop's own, of what it has sold."""
        for number in range(4):
            await self._pay(await self._somebody(9_999_990 + number, 50_000), 20_000)
        amount = {"deposit_id": id_text("dep", self.mint.mint()), "amount": 50_000}
        await self.merchants.post("/v1/merchant/budget/deposits", 200, amount)
        draft = {
            "campaign_id": id_text("cmp", self.mint.mint()),
            "name": "午后立减",
            "budget": 50_000,
            "terms": {"rules": {"rows": [{"when": {"amount": "[500..599]"}, "off": 50}]}, "holdout_bps": 5_000},
            "ends_at_ms": self.clock.now_ns() // 1_000_000 + 30 * _DAY_S * 1_000,
        }
        made = await self.merchants.post("/v1/merchant/campaigns", 201, draft)
        await self.merchants.post(f"/v1/merchant/campaigns/{made['campaign_id']}/start", 200)
        return str(made["campaign_id"])

    async def _come(self, base: int, number: int) -> None:
        """Somebody new, and how much they buy: the same whatever they get, or more, or less."""
        payer = await self._somebody(base * 1_000 + number, 50_000)
        id_ = parse_id("usr", payer.id)
        treated = not self.marketing.campaigns.campaign(parse_id("cmp", self.campaigns[base])).is_held_out(id_)
        often = {MORE: treated, LESS: not treated, SAME: number % 2 == 0}[base] or number % 5 == 0
        for time in range(1 + often):
            await self._pay(payer, base + number * 37 % 900 + time)

    async def _hours(self, day: int) -> None:
        """A day at the shop: two in three hours that take something off bring a second customer."""
        payer = await self._somebody(8_000_000 + day, 50_000)
        self.clock.advance(seconds=_HOUR_S)  # The others came in the hour before.
        for hour in range(8):
            is_cheaper = await self._pay(payer, 500 + hour * 10) < 500 + hour * 10
            if is_cheaper and hour % 3:
                await self._pay(payer, 590)
            self.clock.advance(seconds=_HOUR_S)
        self.clock.advance(seconds=_DAY_S - 9 * _HOUR_S)
        self.marketing.tick()
        self.node.journal.seal()

    async def _somebody(self, number: int, balance: int) -> Phone:
        return await self.user(f"+86138{number:08}", balance)

    async def _pay(self, payer: Phone, amount: int) -> int:
        quote = await payer.post("/v1/codes/consult", 200, {"code": self.plate, "amount": amount})
        body = {"payment_id": payer.new_id("pay"), "quote_id": quote["quote_id"], "amount": amount}
        paid = await payer.post("/v1/payments", 200, body)
        assert paid["state"] == "COMPLETED"
        return int(paid["paid"])

    async def _take_on_staff(self) -> None:
        path = f"/v1/operator/merchants/{self.merchants.id}/staff"
        await self._ask(path, 201, staff_id="OWNER", name="王老板", phone=_OWNER)
        code = self.telephones.codes[_OWNER, Purpose.STAFF_PIN]
        begun = {"phone": _OWNER, "device_id": id_text("dev", self.mint.mint()), "pin": _STAFF_PIN, "code": code}
        self.staff_session = (await self.said("POST", "/v1/staff/pin", 201, begun))["token"]

        operators = self.institution.people.operators
        await operators.audit.start()

        def begun_at_the_desk() -> str:
            _, token = operators.appoint("wang", Role.ADMIN, "duty")
            return operators.sessions.begin(token)[1]

        self.desk_session = await decided(self.node.journal, begun_at_the_desk)

    async def _ask(self, path: str, status: int, **body: Any) -> Any:
        return await self.said("POST", path, status, body or None, headers=OPERATOR)

    async def _serve(self, stack: AsyncExitStack, pool: WorkerPool) -> None:
        pages = Pages(Brand("jing", "Jing Pay", "#113355"), b"k" * 32, seeded_randomness(1), ZoneInfo("Asia/Shanghai"))
        menu = [MenuEntry("campaigns", "/desk/campaigns", phrase("Campaigns")), *COMMON_MENU]
        desk = Desk(self.node, self.institution.people.operators, pages, menu, reads_noted=True)
        bills = cast("Any", SimpleNamespace(currency="CNY"))  # Nobody opens one here, nor makes gateways' accounts.
        console = console_pages(self.institution, pages, bills, pool, cast("Any", None), None, self.marketing)
        operator_only = operator_guard(self.node, self.institution.people)
        handlers = [
            *institution_api(self.institution),
            *self.marketing.routes(operator_only),
            *brand_pages(pages),
            *common_pages(desk, WORDINGS),
            campaign_pages(desk, self.marketing),
            *console,
            *sponsor_pages(self.marketing, pages),
        ]
        server = HttpServer("127.0.0.1", 0, {}, make_app(handlers, title="jing", version="1"))
        await server.start()
        stack.push_async_callback(server.stop, 1)
        self.url = f"http://127.0.0.1:{server.port}"


_NAMES = {MORE: "周末立减", LESS: "整单立减", SAME: "新客立减"}


class SeasonThread(threading.Thread):
    """The season on an event loop of its own, so that a browser's test can be a plain function that blocks."""

    def __init__(self) -> None:
        super().__init__(name="season", daemon=True)
        self.up = threading.Event()
        self.failed: BaseException | None = None
        self.season: Season
        self._loop: asyncio.AbstractEventLoop
        self._seen: asyncio.Event

    def run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  # Whoever waits for it raises it.
            self.failed = error
        finally:
            self.up.set()

    async def _live(self) -> None:
        self._loop, self._seen = asyncio.get_running_loop(), asyncio.Event()
        pool = WorkerPool()
        async with AsyncExitStack() as stack:
            stack.callback(pool.close)
            season = Season(pool)
            await season.live(stack, pool)
            self.season = season
            self.up.set()
            await self._seen.wait()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._seen.set)
        self.join(60)
        assert not self.is_alive()
        assert self.failed is None
