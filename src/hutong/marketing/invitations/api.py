"""Invitations over HTTP: for whoever invites or was invited, for whoever opens a link, and for the operator."""

from typing import Annotated, Any

from litestar import Controller, Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter, SkipValidation

from hutong.institution.door_api import Door, given, session_guard
from hutong.institution.people.device import Session
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.invitations.desk_service import InvitationDesk
from hutong.marketing.invitations.referral import REFERRAL_PREFIX
from hutong.marketing.invitations.views import (
    Accept,
    Appeal,
    FiguresView,
    FriendView,
    InvitationView,
    Invite,
    LandingView,
    MyInvitationsView,
    ReferralView,
    Verdict,
)
from hutong.operators.guard import Guard
from hutong.runtime.http import called_from
from hutong.runtime.node import NodeRuntime

Desk = NamedDependency[SkipValidation[InvitationDesk]]
Who = NamedDependency[SkipValidation[Session]]
OperatorName = NamedDependency[SkipValidation[str]]
InCampaign = Annotated[str, QueryParameter(description="Of this campaign alone: `cmp_…`.")]


class Mine(Controller):
    """Whom I invite, and who invited me."""

    path = "/me/invitations"
    tags = ("Person: invitations",)

    @get("/")
    async def show(self, desk: Desk, session: Who) -> MyInvitationsView:
        """What inviting brings, my links, my friends by masked names, and what became of each."""
        return await desk.mine(session.user_id)

    @post("/", status_code=200)
    async def invite(self, desk: Desk, session: Who, data: JSONBody[Invite]) -> InvitationView:
        """My link and code in a campaign. Again: the same. Refuses CAMPAIGN_UNKNOWN, CAMPAIGN_NOT_FOR_INVITING."""
        return await desk.invite(session.user_id, parse_id(CAMPAIGN_PREFIX, data.campaign_id))

    @post("/accept", status_code=200)
    async def accept(
        self, request: Request[Any, Any, Any], desk: Desk, session: Who, data: JSONBody[Accept]
    ) -> LandingView:
        """
        Say who invited me, some days after registering at the latest, and before my first payment. Again: the same.

        Refuses INVITATION_UNKNOWN, CAMPAIGN_NOT_FOR_INVITING, INVITATION_OWN, INVITED_BY_ANOTHER, NOT_NEW_HERE.
        """
        return await desk.accept(session.user_id, data.code, called_from(request))

    @post("/{referral_id:str}/appeal", status_code=200)
    async def appeal(self, desk: Desk, session: Who, referral_id: FromPath[str], data: JSONBody[Appeal]) -> FriendView:
        """
        Have somebody look at a refused reward, once. Again: the same.

        Refuses REFERRAL_UNKNOWN, REFERRAL_NOT_REFUSED, APPEAL_TOO_LATE, APPEAL_DECIDED_BEFORE.
        """
        return await desk.appeal(session.user_id, parse_id(REFERRAL_PREFIX, referral_id), data.words)


class Links(Controller):
    """For whoever opens an invitation's link. Nobody need sign in."""

    path = "/v1/invitations"
    tags = ("Person: invitations",)

    @get("/{code:str}")
    async def landing(self, desk: Desk, code: FromPath[str]) -> LandingView:
        """Whose invitation it is. Refuses INVITATION_UNKNOWN, CAMPAIGN_NOT_FOR_INVITING."""
        return await desk.landing(code)


class Operators(Controller):
    """What the institution's operator does with invitations."""

    path = "/v1/operator/invitations"
    tags = ("Operator: invitations",)

    @get("/campaigns/{campaign_id:str}")
    async def figures(
        self,
        desk: Desk,
        operator: OperatorName,  # noqa: ARG002  # Asking for it is what keeps others out.
        campaign_id: FromPath[str],
    ) -> FiguresView:
        """What inviting came to in a campaign."""
        return await desk.figures(parse_id(CAMPAIGN_PREFIX, campaign_id))

    @get("/held")
    async def held(
        self,
        desk: Desk,
        operator: OperatorName,  # noqa: ARG002  # As above.
        campaign_id: InCampaign = "",
    ) -> list[ReferralView]:
        """Rewards on hold, those due first, with the signals of now."""
        return await desk.held(parse_id(CAMPAIGN_PREFIX, campaign_id) if campaign_id else 0)

    @get("/appeals")
    async def appeals(
        self,
        desk: Desk,
        operator: OperatorName,  # noqa: ARG002  # As above.
        campaign_id: InCampaign = "",
    ) -> list[ReferralView]:
        """Appeals that wait for an answer, oldest first, with the signals that refused."""
        return await desk.appeals(parse_id(CAMPAIGN_PREFIX, campaign_id) if campaign_id else 0)

    @get("/{referral_id:str}")
    async def show(
        self,
        desk: Desk,
        operator: OperatorName,  # noqa: ARG002  # As above.
        referral_id: FromPath[str],
    ) -> ReferralView:
        """One referral."""
        return await desk.shown(parse_id(REFERRAL_PREFIX, referral_id))

    @post("/{referral_id:str}/grant", status_code=200)
    async def grant(
        self, desk: Desk, operator: OperatorName, referral_id: FromPath[str], data: JSONBody[Verdict]
    ) -> ReferralView:
        """
        The appeal is right: the reward is paid by the step table. Again: the same.

        Where two people are needed, propose `invitation.grant`. Refuses APPEAL_NOT_OPEN, STEPS_EXHAUSTED,
        CAMPAIGN_NOT_RUNNING, BUDGET_EXHAUSTED.
        """
        return await desk.grant(parse_id(REFERRAL_PREFIX, referral_id), operator, data.remark)

    @post("/{referral_id:str}/uphold", status_code=200)
    async def uphold(
        self, desk: Desk, operator: OperatorName, referral_id: FromPath[str], data: JSONBody[Verdict]
    ) -> ReferralView:
        """The refusal stands, for good; the remark says why. Again: the same. Refuses APPEAL_NOT_OPEN."""
        return await desk.uphold(parse_id(REFERRAL_PREFIX, referral_id), operator, data.remark)


def invitation_routes(node: NodeRuntime, desk: InvitationDesk, operator_only: Guard) -> list[Router]:
    """The handlers for `make_app`."""
    return [
        Door("session", session_guard(node, desk.people)).router("/v1", [Mine], desk=desk),
        Router("/", route_handlers=[Links], dependencies=given(desk=desk), security=[{}]),
        Door("operator", operator_only).router("/", [Operators], desk=desk),
    ]
