"""Draws over HTTP: what is published, for everybody; one's own, for people; pacing, for operators."""

from datetime import date
from typing import Annotated

from litestar import Controller, Router, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.institution.door_api import Door, given, session_guard
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.draws.record import DayRecord, LogPart
from hutong.marketing.draws.record_service import RecordService
from hutong.marketing.draws.views import DrawCampaignView, OwnDraw, PacingView, PhraseBody, PhraseView
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

OWN_MAX = 100
Records = NamedDependency[SkipValidation[RecordService]]
Node = NamedDependency[SkipValidation[NodeRuntime]]
Signed = NamedDependency[SkipValidation[Session]]
After = Annotated[int, QueryParameter(ge=0, le=2**31 - 2, description="Entries behind the one of this number.")]


class PublicDraws(Controller):
    """What anybody may check: see docs/draws.md."""

    path = "/v1/draws"
    tags = ("Draws",)

    @get("/")
    async def list_campaigns(self, records: Records) -> list[DrawCampaignView]:
        """Campaigns with daily random discounts (天天减): distribution, commitments, and the seeds of days that are over."""
        return records.campaigns()

    @get("/{campaign_id:str}")
    async def show(self, records: Records, campaign_id: FromPath[str]) -> DrawCampaignView:
        """One campaign."""
        return records.campaign(parse_id(CAMPAIGN_PREFIX, campaign_id))

    @get("/{campaign_id:str}/log")
    async def log(self, records: Records, campaign_id: FromPath[str], after: After = 0) -> LogPart:
        """The public log, a thousand entries at a time."""
        return await records.log(parse_id(CAMPAIGN_PREFIX, campaign_id), after)

    @get("/{campaign_id:str}/days/{day:date}")
    async def day(self, records: Records, campaign_id: FromPath[str], day: FromPath[date]) -> DayRecord:
        """A day's record, for `hutong draw verify`: its part of the log, and after the day every draw."""
        return await records.day(parse_id(CAMPAIGN_PREFIX, campaign_id), day)


class OwnDraws(Controller):
    """A person's own."""

    path = "/me/draws"
    tags = ("Draws",)

    @get("/")
    async def list_own(self, records: Records, session: Signed) -> list[OwnDraw]:
        """One's newest draws, each a receipt that can be verified."""
        return await records.own(session.user_id, OWN_MAX)

    @put("/phrase")
    async def say(self, records: Records, node: Node, session: Signed, data: JSONBody[PhraseBody]) -> PhraseView:
        """A phrase of one's own goes into one's draws, from tomorrow on: no seed that is committed to knew it."""
        row = await decided(node.journal, lambda: records.draws.say(session.user_id, data.phrase))
        return PhraseView(phrase=row.phrase, from_day=date.fromordinal(row.from_day))


class Pacing(Controller):
    """How a day goes."""

    path = "/v1/operator/campaigns"
    tags = ("Operator: campaigns",)

    @get("/{campaign_id:str}/pacing")
    async def pacing(self, records: Records, campaign_id: FromPath[str]) -> PacingView:
        """
        Today's draws against their plan, slot by slot.

        Refuses DRAW_CAMPAIGN_UNKNOWN; DRAW_DAY_UNKNOWN where nothing is drawn today.
        """
        return records.pacing(parse_id(CAMPAIGN_PREFIX, campaign_id))


def draw_api(node: NodeRuntime, records: RecordService, people: PeopleService, operator_only: Guard) -> list[Router]:
    """`/v1/draws...`, `/v1/me/draws...`, `/v1/operator/campaigns/{id}/pacing`."""
    return [
        Router("/", route_handlers=[PublicDraws], dependencies=given(records=records, node=node), security=[{}]),
        Door("operator", operator_only).router("/", [Pacing], records=records, node=node),
        Door("session", session_guard(node, people)).router("/v1", [OwnDraws], records=records, node=node),
    ]
