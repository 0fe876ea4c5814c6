"""Marketing of one institution, wired."""

from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from litestar import Router

from hutong.institution.chart import Chart
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.service import PaymentService
from hutong.ledger.engine import LedgerEngine
from hutong.marketing.campaigns.api import campaign_api
from hutong.marketing.campaigns.award_repository import AwardTotals, PgAwardTotals, ScannedAwardTotals
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.calendar import Calendar
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.campaigns.edge_api import CampaignEdge
from hutong.marketing.campaigns.parties import Parties
from hutong.marketing.campaigns.party_service import PartyService
from hutong.marketing.campaigns.place_service import PlaceService
from hutong.marketing.campaigns.programme_service import ProgrammeService
from hutong.marketing.campaigns.sponsor_key_service import SponsorKeyService
from hutong.marketing.campaigns.sponsor_service import SponsorService
from hutong.marketing.campaigns.sponsor_session_service import SponsorSessions
from hutong.marketing.campaigns.statement_service import StatementService
from hutong.marketing.campaigns.subsidy_service import Sponsorships, Subsidies
from hutong.marketing.coupons.api import CouponEdge, coupon_routes
from hutong.marketing.coupons.paid_api import PaidCoupons, paid_coupon_routes
from hutong.marketing.coupons.redemption_service import SOURCE as COUPON
from hutong.marketing.coupons.service import Coupons, OfferedCampaigns
from hutong.marketing.coupons.template_api import TemplateEdge, template_routes
from hutong.marketing.coupons.use_repository import PgCouponUses, ScannedCouponUses
from hutong.marketing.draws.api import draw_api
from hutong.marketing.draws.draw_service import DRAW, DrawService
from hutong.marketing.draws.record_service import RecordService
from hutong.marketing.draws.terms import check_terms
from hutong.marketing.effects.api import effect_api
from hutong.marketing.effects.effect_service import EffectService
from hutong.marketing.effects.repository import PgEffectRows, ScannedEffectRows
from hutong.marketing.invitations.inviting_service import Invitations
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime

ZONE = "Asia/Shanghai"


class Campaigns:
    """Campaigns upon payments: what every kind of campaign shares."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        own: Chart,
        payments: PaymentService,
        parties: Parties,
        totals: AwardTotals,
        zone: str = ZONE,
    ) -> None:
        self.node = node
        self.calendar = calendar = Calendar(ZoneInfo(zone))
        self.sponsors = SponsorService(node, ledger, own)
        self.campaigns = campaigns = CampaignService(node, ledger, own, self.sponsors, totals)
        self.awards = awards = AwardService(
            node, ledger, own, campaigns, parties, calendar.day, payments.debtor.payments, payments.debtor.outcomes
        )
        self.audience = awards.audience
        self.programmes = programmes = ProgrammeService(node, campaigns)
        self.places = places = PlaceService(node, campaigns, totals, parties, calendar.day)
        self.subsidies = Subsidies(campaigns, awards, parties, programmes, places, calendar, own)
        self.sponsorships = Sponsorships(campaigns, awards, parties, programmes, places, calendar, own)
        payments.cashier.plug_in(adjuster=self.subsidies, sponsor=self.sponsorships)
        payments.debtor.on_completed.append(self._completed)
        payments.on_let_go.append(awards.resume)

    async def start(self) -> None:
        """Load what it knows, and count what was given; before anything is decided."""
        await self.sponsors.start()
        await self.campaigns.start()
        await self.places.start()
        await self.programmes.start()
        await self.awards.start()

    def take_up(self) -> None:
        """When payments have started: take up the rest of what a crash left half done, before anybody decides anything."""
        self.campaigns.resume()
        self.node.journal.seal()

    def tick(self) -> None:
        """What time alone brings about."""
        self.campaigns.tick()
        if self.audience.noted:
            self.node.decide(self.audience.keep)

    def _completed(self, payment: Payment) -> None:
        self.audience.has_paid(payment.user_id)


class Marketing(Campaigns):
    """Built upon an institution; `start` before the institution starts, so that it hears of everything."""

    def __init__(
        self, institution: InstitutionNode, pool: "asyncpg.Pool[Any] | None" = None, *, key: bytes, zone: str = ZONE
    ) -> None:
        node, ledger = institution.node, institution.ledger
        self.institution = institution
        self.parties = PartyService(node, ledger, institution.people, institution.merchants, institution.staff)
        self.statements = StatementService(
            node, self.parties, self.parties.traits, lambda: institution.merchants.changes
        )
        institution.payments.describe_merchants(self.statements)
        totals = ScannedAwardTotals(node.store) if pool is None else PgAwardTotals(pool)
        super().__init__(node, ledger, institution.chart, institution.payments, self.parties, totals, zone)
        offered = OfferedCampaigns(self.campaigns, self.audience)
        self.coupon_uses = ScannedCouponUses(node.store) if pool is None else PgCouponUses(pool)
        self.coupons = Coupons(node, offered, self.calendar, institution.notices, key)
        self.subsidies.sources[COUPON] = self.coupons.redemptions
        people = institution.people
        self.invitations = Invitations(
            institution.payments,
            self.campaigns,
            self.awards,
            people,
            people.devices,
            institution.staff,
            institution.notices,
            key=key,
        )
        people.welcome = self.invitations.invitations
        self.draws = DrawService(node, institution.sealing, self.campaigns, self.awards, self.calendar)
        self.subsidies.sources[DRAW] = self.draws
        self.campaigns.checks[CampaignKind.DRAW] = check_terms
        self.records = RecordService(node, self.draws)
        rows = ScannedEffectRows(node.store, node.node_id) if pool is None else PgEffectRows(pool, node.node_id)
        self.effects = EffectService(node, self.campaigns, rows)
        self.sponsor_keys = SponsorKeyService(node, self.sponsors, key)
        self.sponsor_sessions = SponsorSessions(node, self.sponsor_keys)
        institution.on_started.append(self.resume)
        institution.on_tick += [self.tick, self.draws.tick, self.invitations.tick]

    async def start(self) -> None:
        """Load what it knows; before anything is decided."""
        await self.parties.start()
        await super().start()
        await self.draws.start()
        await self.coupons.start()
        await self.invitations.start()

    async def resume(self) -> None:
        """Behind the institution's start: look for what a crash may have kept from it."""
        self.take_up()
        await self.invitations.resume()

    def routes(self, operator_only: Guard) -> list[Router]:
        """What the node's own API has of it."""
        people, merchants = self.institution.people, self.institution.merchants
        return [
            *campaign_api(self.campaign_edge, self.sponsor_keys, people, operator_only),
            *self._coupon_routes(operator_only),
            *draw_api(self.node, self.records, people, operator_only),
            *effect_api(self.node, self.effects, self.sponsor_keys, merchants, operator_only),
        ]

    @property
    def campaign_edge(self) -> CampaignEdge:
        """Campaigns and budgets, for whoever shows them."""
        merchants = self.institution.merchants
        return CampaignEdge(
            self.node, self.sponsors, self.campaigns, self.programmes, self.awards, self.parties, merchants
        )

    @property
    def coupon_edge(self) -> CouponEdge:
        """A person's coupons, for whoever shows them."""
        institution, coupons = self.institution, self.coupons
        return CouponEdge(
            self.node,
            institution.people,
            institution.payments,
            coupons.templates,
            coupons.claims,
            coupons.redemptions,
            coupons.till,
            self.subsidies.fitting,
        )

    def _coupon_routes(self, operator_only: Guard) -> list[Router]:
        coupons, institution = self.coupons, self.institution
        edge = TemplateEdge(
            self.node, institution.people, coupons.templates, coupons.claims, coupons.redemptions, self.coupon_uses
        )
        return [
            *coupon_routes(self.coupon_edge),
            *template_routes(edge, institution.merchants, operator_only),
            *paid_coupon_routes(PaidCoupons(self.campaigns, edge), self.sponsor_keys, institution.merchants),
        ]
