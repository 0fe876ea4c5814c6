"""Invitations as people and operators look at them, and what operators decide of appeals."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import User
from hutong.kernel.ids import parse_id
from hutong.marketing.invitations.inviting_service import Invitations
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, Referral, ReferralState
from hutong.marketing.invitations.views import (
    FiguresView,
    FriendView,
    InvitationView,
    InvitingView,
    LandingView,
    MyInvitationsView,
    ReferralView,
    figures_view,
    friend_view,
    invitation_view,
    inviting_view,
    landing_view,
    my_invitations_view,
    referral_view,
)
from hutong.operators.approval import Approval
from hutong.operators.approval_service import ApprovalKind, Ended
from hutong.runtime.shelf import decided, warmed

Answer = TypeVar("Answer")
GRANT = "invitation.grant"
LISTED_MAX = 100


class NoFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subject says it all."""


class InvitationDesk:
    """What the API and the pages share. `base` is where the institution's links lead."""

    def __init__(self, inviting: Invitations, people: PeopleService, base: Callable[[], str]) -> None:
        self.inviting = inviting
        self.people = people
        self.approvals = people.operators.approvals
        self._base = base
        self._node = inviting.node
        self.approvals.register(ApprovalKind(GRANT, NoFacts, self._check_grant, self._grant))

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self._node.journal, decide)

    # For people.

    async def mine(self, user_id: int) -> MyInvitationsView:
        """All of a person's inviting: what runs and is there for them, and what they took part in."""
        now_ns, invitations = self._node.clock.now_ns(), self.inviting.invitations
        referrals = await self.answer(lambda: invitations.referrals(user_id))
        by = await self.answer(lambda: invitations.invited_by(user_id))
        friends = await self._users({each.friend_id for each in referrals})
        shown: list[InvitingView] = []
        for campaign in self.inviting.campaigns.inviting():
            own = await self._look(partial(invitations.invitation, user_id, campaign.id))
            runs = campaign.runs(now_ns)
            if own is None and not (runs and await self._look(partial(invitations.offers, user_id, campaign.id))):
                continue
            shown.append(inviting_view(campaign, own, referrals, friends, self._base(), now_ns))
        return my_invitations_view(by, shown, now_ns)

    async def invite(self, user_id: int, campaign_id: int) -> InvitationView:
        """The person's link and code; see `InvitationService.invite`."""
        invitations = self.inviting.invitations
        return invitation_view(await self.answer(lambda: invitations.invite(user_id, campaign_id)), self._base())

    async def accept(self, user_id: int, code: str, address: str) -> LandingView:
        """See `InvitationService.accept`."""
        invitations = self.inviting.invitations
        await self.answer(lambda: invitations.accept(user_id, code, address))
        return await self.landing(code)

    async def landing(self, code: str) -> LandingView:
        """Whose code it is; see `InvitationService.behind`."""
        return landing_view(*await self._look(lambda: self.inviting.invitations.behind(code)))

    async def appeal(self, user_id: int, referral_id: int, words: str) -> FriendView:
        """See `RewardService.appeal`."""
        rewards = self.inviting.rewards
        referral = await self.answer(lambda: rewards.appeal(user_id, referral_id, words))
        friends = await self._users([referral.friend_id])
        return friend_view(referral, friends.get(referral.friend_id), self._node.clock.now_ns())

    # For operators.

    async def figures(self, campaign_id: int) -> FiguresView:
        """What inviting came to. Refuses CAMPAIGN_UNKNOWN, CAMPAIGN_NOT_FOR_INVITING."""
        campaign = self.inviting.campaigns.inviting_campaign(campaign_id)
        found = await self.answer(lambda: self.inviting.register.of_campaign(campaign_id))
        return figures_view(campaign, found, self._node.clock.now_ns())

    async def held(self, campaign_id: int = 0) -> list[ReferralView]:
        """Rewards on hold, those due first, with what is seen now."""
        found = await self._known(self.inviting.register.held, campaign_id)
        return [await self.shown(each.id) for each in sorted(found, key=lambda each: each.due_ns)[:LISTED_MAX]]

    async def appeals(self, campaign_id: int = 0) -> list[ReferralView]:
        """Appeals that wait for an answer, oldest first, with what was seen when it was refused."""
        found = await self._known(self.inviting.register.appealed, campaign_id)
        now_ns = self._node.clock.now_ns()
        oldest = sorted(found, key=lambda each: each.appealed_ns)[:LISTED_MAX]
        return [referral_view(each, None, now_ns) for each in oldest]

    async def shown(self, referral_id: int) -> ReferralView:
        """One referral. Refuses REFERRAL_UNKNOWN."""
        rewards, now_ns = self.inviting.rewards, self._node.clock.now_ns()
        referral = await self._look(lambda: rewards.referral(referral_id))
        if referral.state != ReferralState.HELD:
            return referral_view(referral, None, now_ns)
        return referral_view(*await rewards.signals(referral_id), now_ns)

    async def grant(self, referral_id: int, by: str, remark: str) -> ReferralView:
        """See `RewardService.grant`. Refuses TWO_PEOPLE_NEEDED, where the node is set so."""
        self.approvals.check_alone(GRANT)
        rewards = self.inviting.rewards
        return referral_view(await self.answer(lambda: rewards.grant(referral_id, by, remark)), None, self._now())

    async def uphold(self, referral_id: int, by: str, remark: str) -> ReferralView:
        """See `RewardService.uphold`."""
        rewards = self.inviting.rewards
        return referral_view(await self.answer(lambda: rewards.uphold(referral_id, by, remark)), None, self._now())

    def _check_grant(self, referral: str, _: NoFacts) -> None:
        self.inviting.rewards.check_grant(parse_id(REFERRAL_PREFIX, referral))

    def _grant(self, approval: Approval, _: NoFacts, ended: Ended) -> None:
        both = f"{approval.proposed_by}, {approval.decided_by}"
        self.inviting.rewards.grant(parse_id(REFERRAL_PREFIX, approval.subject), both, approval.reason)
        ended("")

    # Looking.

    async def _look(self, look: Callable[[], Answer]) -> Answer:
        return await warmed(self._node.journal, look)

    async def _known(self, ids: Collection[int], campaign_id: int) -> Sequence[Referral]:
        found = await self._look(lambda: self.inviting.register.known(ids))
        return [each for each in found if campaign_id in (0, each.campaign_id)]

    async def _users(self, ids: Collection[int]) -> dict[int, User]:
        return {user.id: user for user in await self.people.users(ids)}

    def _now(self) -> int:
        return self._node.clock.now_ns()
