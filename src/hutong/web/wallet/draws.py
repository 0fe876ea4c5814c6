"""The daily draw (天天减) in the wallet: what is published of today, what one drew, and how anybody checks it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.award import Award
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX, Campaign, CampaignKind
from hutong.marketing.draws.draw import PHRASE_LENGTH_MAX
from hutong.marketing.draws.draw_service import DRAW
from hutong.marketing.draws.record_service import RecordService
from hutong.marketing.draws.views import DrawCampaignView, OwnDraw
from hutong.runtime.shelf import decided, warmed
from hutong.web.page import HEADERS, AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

_HOME = "/wallet/draws"
_NAV = "draws"
_OWN_MAX = 30
MetBy = Callable[[int], Sequence[Campaign]]
LabelOf = Callable[[Award], str]


@dataclass(frozen=True, slots=True)
class Chance:
    """A band of a distribution, as people read it: from, to, and in how many of a hundred draws."""

    low: int
    high: int
    percent: str


@dataclass(frozen=True, slots=True)
class Today:
    """A campaign's draw of today: what is published of it, and what the reader drew."""

    view: DrawCampaignView
    day: date
    commitment: str
    next_commitment: str
    chances: list[Chance]
    mine: list[OwnDraw]


class _Shown:
    """The pages themselves."""

    def __init__(
        self,
        institution: InstitutionNode,
        pages: Pages,
        records: RecordService,
        met_by: MetBy,
        label_of: LabelOf,
        base: Callable[[], str],
    ) -> None:
        self.institution = institution
        self.pages = pages
        self.records = records
        self._met_by = met_by
        self._label_of = label_of
        self._base = base

    async def leaf(self, request: AnyRequest, refusal: Refusal | None = None, typed: str = "") -> Response[str]:
        user_id, journal = request.auth.user_id, self.institution.node.journal
        own = await self.records.own(user_id, _OWN_MAX)
        draws = self.records.draws
        today = draws.calendar.day(self.institution.node.clock.now_ns())
        met = [each for each in self._met_by(user_id) if each.kind == CampaignKind.DRAW]
        known = {each.id for each in draws.campaigns()}
        phrases = await warmed(journal, lambda: (draws.phrase(user_id, today), draws.phrase(user_id, today + 1)))
        return self.pages.shown(
            request,
            "wallet/draws.html",
            refusal,
            nav=_NAV,
            campaigns=[self._today(each.id, today, own) for each in met if each.id in known],
            own=own,
            phrase=typed or phrases[1],
            phrase_today=phrases[0],
            phrase_max=PHRASE_LENGTH_MAX,
        )

    def _today(self, campaign_id: int, today: int, own: Sequence[OwnDraw]) -> Today:
        view = self.records.campaign(campaign_id)
        commitments = {each.day.toordinal(): each.commitment for each in view.days}
        return Today(
            view=view,
            day=date.fromordinal(today),
            commitment=commitments.get(today, ""),
            next_commitment=commitments.get(today + 1, ""),
            chances=_chances(view),
            mine=[
                each
                for each in own
                if each.receipt.campaign == view.campaign_id and each.receipt.day.toordinal() == today
            ],
        )

    async def one(self, request: AnyRequest, payment_id: int) -> Response[str]:
        user_id, journal = request.auth.user_id, self.institution.node.journal
        payment = await self._payment(user_id, payment_id)
        awards = await warmed(journal, lambda: self.records.draws.awards.of_payment(payment_id))
        labels = await warmed(journal, lambda: [self._label_of(each) for each in awards])
        own = await self.records.of_payment(user_id, payment_id)
        return self.pages.render(
            request,
            "wallet/discount.html",
            nav=_NAV,
            payment_id=id_text("pay", payment_id),
            parts=list(zip(labels, awards, strict=True)),
            shop=payment.payee_discount,
            payment=payment,
            draws=[(each, self.records.campaign(parse_id(CAMPAIGN_PREFIX, each.receipt.campaign))) for each in own],
            base=self._base().rstrip("/"),
        )

    async def receipt(self, user_id: int, payment_id: int, campaign: str) -> OwnDraw:
        """Refuses PAYMENT_UNKNOWN."""
        await self._payment(user_id, payment_id)
        for each in await self.records.of_payment(user_id, payment_id):
            if each.receipt.campaign == campaign:
                return each
        raise Refusal(PaymentReason.PAYMENT_UNKNOWN)

    async def _payment(self, user_id: int, payment_id: int) -> Payment:
        """A payment of this payer's. Refuses PAYMENT_UNKNOWN."""
        user = await warmed(self.institution.node.journal, lambda: self.institution.people.user(user_id))
        payment, _ = await self.institution.payments.statements.payment(payment_id, user.wallet_account)
        if not isinstance(payment, Payment) or payment.user_id != user_id:
            raise Refusal(PaymentReason.PAYMENT_UNKNOWN)
        return payment


def draw_pages(  # What marketing has of them, each by itself.
    institution: InstitutionNode,
    pages: Pages,
    records: RecordService,
    met_by: MetBy,
    label_of: LabelOf,
    base: Callable[[], str],
) -> list[ControllerRouterHandler]:
    """
    `/wallet/draws`; `/wallet/discounts/{payment_id}`, what made a payment cheaper; and each draw's receipt.

    `met_by` says what runs for a person, `label_of` what an award is called, `base` where the institution is.
    """
    shown = _Shown(institution, pages, records, met_by, label_of, base)

    @get(_HOME)
    async def leaf(request: AnyRequest) -> Response[str]:
        return await shown.leaf(request)

    @post(f"{_HOME}/phrase", status_code=200)
    async def say(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        phrase = form.text("phrase", length_max=4 * PHRASE_LENGTH_MAX)
        try:
            await decided(institution.node.journal, lambda: records.draws.say(request.auth.user_id, phrase))
        except Refusal as refusal:
            return await shown.leaf(request, refusal, phrase)
        return pages.go(_HOME)

    @get("/wallet/discounts/{payment_id:str}")
    async def one(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        return await shown.one(request, parse_id("pay", payment_id))

    @get("/wallet/discounts/{payment_id:str}/{campaign:str}")
    async def receipt(request: AnyRequest, payment_id: FromPath[str], campaign: FromPath[str]) -> Response[bytes]:
        """A draw's receipt as a file, for `hutong draw verify --receipt`."""
        found = await shown.receipt(request.auth.user_id, parse_id("pay", payment_id), campaign)
        name = {"content-disposition": 'attachment; filename="receipt.json"'}
        return Response(msgspec.json.encode(found.receipt), media_type=MediaType.JSON, headers={**HEADERS, **name})

    return [pages.router("/", [leaf, say, one, receipt], WALLET, [wallet_guard(institution, pages)])]


def award_label(name_of_coupon: Callable[[int], str], name_of_campaign: Callable[[int], str]) -> LabelOf:
    """What an award is called: the coupon's name, else the campaign's. May raise `Cold`."""

    def label(award: Award) -> str:
        is_plain = award.source == DRAW or not award.source_id
        return name_of_campaign(award.campaign_id) if is_plain else name_of_coupon(award.source_id)

    return label


def _chances(view: DrawCampaignView) -> list[Chance]:
    distribution = view.terms.distribution
    return [Chance(band.low, band.high, _percent(band.weight, distribution.weight)) for band in distribution.bands]


def _percent(weight: int, whole: int) -> str:
    """Rounded to a hundredth of a per cent; what is rarer is said to be so."""
    hundredths = (weight * 20_000 + whole) // (2 * whole)
    if not hundredths:
        return "< 0.01 %"
    return f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".") + " %"
