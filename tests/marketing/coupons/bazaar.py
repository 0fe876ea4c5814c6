"""One institution over HTTP with marketing upon it: payers, a merchant, the operator, and the wallet's pages."""

import re
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx

from hutong.app.marketing import marketing_handlers
from hutong.institution.api import institution_api
from hutong.institution.door_api import operator_guard
from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.ids import id_text, parse_id, seeded_randomness
from hutong.marketing.campaigns.campaign import CampaignDraft, CampaignKind, CampaignTerms
from hutong.marketing.campaigns.sponsor import SponsorKind, SponsorProfile
from hutong.runtime.http_app import make_app
from hutong.runtime.shelf import decided
from hutong.web.brand import Brand
from hutong.web.page import Pages
from hutong.web.wallet.pages import wallet_pages
from tests.institution.payments.test_http import OPERATOR, Jing, Phone

FIVE_OFF = {"kind": "AMOUNT_OFF", "amount_off": 500, "threshold": 2_000, "validity": {"days": 7}}


class Bazaar(Jing):
    """The institution with its marketing."""

    async def start(self, stack: AsyncExitStack) -> None:
        await self.ledger.start()
        await self.marketing.start()
        await self.institution.start(stack)
        pages = Pages(Brand("jing", "Jing", "#135"), b"k" * 32, seeded_randomness(1), ZoneInfo("Asia/Shanghai"))
        nobody = cast("Any", None)  # No merchant asks for consent here, nor sends money.
        here = cast("Any", SimpleNamespace(spec=SimpleNamespace(plate_base="https://jing.example"), sandbox=None))
        handlers = [
            *institution_api(self.institution),
            *wallet_pages(self.institution, pages, {"jing": "Jing"}, nobody, nobody),
            *marketing_handlers(
                self.marketing, pages, operator_guard(self.node, self.institution.people), here, {"jing": "Jing"}
            ),
        ]
        self.app = make_app(handlers, title="jing", version="1")
        transport = httpx.ASGITransport(cast("Any", self.app))
        self.client = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://jing", timeout=5)
        )

    async def campaign(
        self,
        budget: int = 1_000_000,
        merchant_id: int = 0,
        kind: CampaignKind = CampaignKind.COUPON,
        **terms: Any,
    ) -> str:
        """A campaign that has begun, for coupons unless the test says otherwise."""
        marketing, journal = self.marketing, self.node.journal
        profile = SponsorProfile(reference=id_text("r", self.mint.mint()), kind=SponsorKind.INSTITUTION, name="钱包")
        sponsors = marketing.sponsors
        sponsor = await decided(
            journal,
            lambda: sponsors.of_merchant(merchant_id, "面馆") if merchant_id else sponsors.register(profile),
        )
        self.node.decide(
            lambda: marketing.sponsors.deposit(self.mint.mint(), sponsor.id, budget, lambda _refusal: None)
        )
        draft = CampaignDraft(
            id=self.mint.mint(),
            name="早餐季",
            kind=kind,
            sponsors=[(sponsor.id, 1)],
            budget=budget,
            terms=CampaignTerms(**({"holdout_bps": 0} | terms)),
            ends_ns=self.clock.now_ns() + 30 * NS_PER_DAY,
            merchant_id=merchant_id,
        )
        await decided(journal, lambda: marketing.campaigns.draft(draft))
        self.node.decide(lambda: marketing.campaigns.begin(draft.id))
        return id_text("cmp", draft.id)

    async def template(self, campaign_id: str, *, stock: int = 100, **terms: Any) -> dict[str, Any]:
        body = {
            "template_id": id_text("ctp", self.mint.mint()),
            "campaign_id": campaign_id,
            "name": "早餐满20减5",
            "terms": FIVE_OFF | terms,
            "stock": stock,
        }
        path = "/v1/operator/coupon-templates"
        made = await self.said("POST", path, 201, body, headers=OPERATOR)
        assert await self.said("POST", path, 201, body, headers=OPERATOR) == made
        return dict(made)

    def left(self, campaign_id: str) -> int:
        """What of its budget is not given."""
        return self.marketing.campaigns.left(self.marketing.campaigns.campaign(parse_id("cmp", campaign_id)))


class Browser:
    """Somebody's, signed in to their wallet."""

    def __init__(self, bazaar: Bazaar, phone: Phone, language: str = "en") -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast("Any", bazaar.app)),
            base_url="http://jing",
            cookies={"wallet-jing": phone.headers["authorization"].removeprefix("Bearer ")},
            headers={"accept-language": language},
            follow_redirects=True,
        )

    async def see(self, path: str) -> str:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.text

    async def send(self, page: str, path: str, **fields: str) -> httpx.Response:
        (csrf,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        return await self.client.post(path, data={"csrf": csrf} | fields)
