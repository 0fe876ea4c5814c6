"""Inviting and coming by an invitation: who brought whom, decided once."""

import hashlib
from collections.abc import Sequence
from functools import partial

from hutong.institution.people.user import User
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, minted_ms
from hutong.marketing.invitations.invitation import (
    INVITATIONS,
    Invitation,
    code_of,
    invitation_id,
    place_key,
    read_code,
)
from hutong.marketing.invitations.invite_campaign import InviteCampaign
from hutong.marketing.invitations.ports import Campaigns, Money, Notices, People
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, Referral, joined, referral_id
from hutong.marketing.invitations.register_service import ReferralRegister
from hutong.marketing.invitations.terms import InvitationTerms
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_CODES_TRIED_MAX = 8


class InvitationService:
    """Invitations of people, and friends who join by them."""

    def __init__(
        self,
        node: NodeRuntime,
        register: ReferralRegister,
        people: People,
        campaigns: Campaigns,
        money: Money,
        notices: Notices,
        *,
        key: bytes,
    ) -> None:
        self._node = node
        self._register = register
        self._people = people
        self._campaigns = campaigns
        self._money = money
        self._notices = notices
        self._key = hashlib.blake2b(key, digest_size=32, person=b"hutong invites").digest()
        self._invitations = Shelf(INVITATIONS, node.journal, node.store, by=("code",), timed=True)

    async def start(self) -> None:
        await self._invitations.start()

    # The inviter.

    def invite(self, inviter_id: int, campaign_id: int) -> Invitation:
        """
        The person's link and code in a campaign.

        Refuses:  CAMPAIGN_UNKNOWN; CAMPAIGN_NOT_FOR_INVITING, to the holdout group, too; USER_FROZEN, USER_CLOSED.
        Repeats:  the same.
        """
        now_ns = self._node.clock.now_ns()
        known = self._invitations.get(invitation_id(inviter_id, campaign_id))
        if known is not None:
            return known
        campaign = self._campaigns.inviting_campaign(campaign_id)
        if not campaign.runs(now_ns) or not self._campaigns.offers(campaign_id, inviter_id):
            raise Refusal(InvitationReason.CAMPAIGN_NOT_FOR_INVITING)
        self._people.user(inviter_id).may_receive(now_ns)
        invitation = Invitation(
            id=invitation_id(inviter_id, campaign_id),
            inviter_id=inviter_id,
            campaign_id=campaign_id,
            code=self._free_code(inviter_id, campaign_id),
            created_ns=now_ns,
        )
        self._invitations.put(invitation)
        return invitation

    def offers(self, inviter_id: int, campaign_id: int) -> bool:
        """Whether the person may invite in this campaign. May raise `Cold`."""
        return self._campaigns.offers(campaign_id, inviter_id)

    def invitation(self, inviter_id: int, campaign_id: int) -> Invitation | None:
        """The person's in this campaign, if there is one. May raise `Cold`."""
        return self._invitations.get(invitation_id(inviter_id, campaign_id))

    def referrals(self, inviter_id: int) -> Sequence[Referral]:
        """Everybody the person brought, oldest first. May raise `Cold`."""
        return sorted(self._register.brought_by(inviter_id), key=lambda each: (each.joined_ns, each.id))

    # The friend.

    def behind(self, code: str) -> tuple[Invitation, InviteCampaign, User]:
        """
        Whose code this is, for whoever opens the link. May raise `Cold`.

        Refuses:  INVITATION_UNKNOWN, also where the inviter is gone; CAMPAIGN_NOT_FOR_INVITING, when the campaign does not run.
        """
        now_ns = self._node.clock.now_ns()
        spelled = read_code(code)
        for invitation in self._invitations.find("code", spelled) if spelled else ():
            campaign = self._campaigns.inviting_campaign(invitation.campaign_id)
            inviter = self._people.user(invitation.inviter_id)
            if inviter.closed or inviter.frozen_by_operator:
                break
            if not campaign.runs(now_ns):
                raise Refusal(InvitationReason.CAMPAIGN_NOT_FOR_INVITING)
            return invitation, campaign, inviter
        raise Refusal(InvitationReason.INVITATION_UNKNOWN)

    def invited_by(self, friend_id: int) -> tuple[Referral, User] | None:
        """Who brought this person, if anybody did. May raise `Cold`."""
        referral = self._register.referrals.get(referral_id(friend_id))
        return None if referral is None else (referral, self._people.user(referral.inviter_id))

    def look_up(self, code: str) -> None:
        """Before somebody registers with a code: whatever `registered` needs. May raise `Cold`, and refuses nothing."""
        try:
            self.behind(code)
        except Refusal:
            return

    def registered(self, user: User, code: str, address: str) -> None:
        """Somebody new registered with a code, in this decision; a code that leads nowhere keeps nobody from it."""
        try:
            invitation, campaign, inviter = self.behind(code)
        except Refusal:
            return
        self._join(user, invitation, campaign, inviter, address, at_registration=True)

    def accept(self, friend_id: int, code: str, address: str) -> Referral:
        """
        Be brought by somebody, a few days after registering at the latest, and before the first payment.

        Refuses:  INVITATION_UNKNOWN; CAMPAIGN_NOT_FOR_INVITING; INVITATION_OWN; INVITED_BY_ANOTHER; NOT_NEW_HERE.
        Repeats:  the same.
        """
        invitation, campaign, inviter = self.behind(code)
        if invitation.inviter_id == friend_id:
            raise Refusal(InvitationReason.INVITATION_OWN)
        friend = self._people.user(friend_id)
        known = self._register.referrals.get(referral_id(friend_id))
        if known is not None:
            if (known.inviter_id, known.campaign_id) != (invitation.inviter_id, invitation.campaign_id):
                raise Refusal(InvitationReason.INVITED_BY_ANOTHER)
            return known
        friend.may_receive(self._node.clock.now_ns())
        self._check_new(friend, inviter, campaign.terms)
        return self._join(friend, invitation, campaign, inviter, address, at_registration=False)

    def _check_new(self, friend: User, inviter: User, terms: InvitationTerms) -> None:
        registered_ns = minted_ms(friend.id) * NS_PER_MS
        if self._node.clock.now_ns() >= registered_ns + terms.accept_ns:
            raise Refusal(InvitationReason.NOT_NEW_HERE, days=terms.accept_days)
        # Who came first invites: so nobody is, by however many others, their own inviter.
        if inviter.id >= friend.id or self._people.came_before(friend) or self._money.paid_anything(friend):
            raise Refusal(InvitationReason.NOT_NEW_HERE)

    def _join(
        self,
        friend: User,
        invitation: Invitation,
        campaign: InviteCampaign,
        inviter: User,
        address: str,
        *,
        at_registration: bool,
    ) -> Referral:
        referral = joined(
            friend.id,
            inviter.id,
            campaign.id,
            campaign.terms,
            self._node.clock.now_ns(),
            at_registration=at_registration,
            place_key=place_key(self._key, address),
        )
        assert referral.campaign_id == invitation.campaign_id
        self._register.put(referral)
        self._notices.tell_user(
            inviter.id,
            "invitation.joined",
            {
                "referral_id": id_text(REFERRAL_PREFIX, referral.id),
                "campaign": campaign.name,
                "friend_name": friend.masked_name,
            },
        )
        return referral

    def _free_code(self, inviter_id: int, campaign_id: int) -> str:
        """A code nobody has. It follows from whose it is, so that a decision made again looks up the same ones."""
        tried = partial(code_of, self._key, inviter_id, campaign_id)
        return next(code for code in map(tried, range(_CODES_TRIED_MAX)) if not self._invitations.find("code", code))
