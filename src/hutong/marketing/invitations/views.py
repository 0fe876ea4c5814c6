"""What the API of invitations takes and shows. Instants are milliseconds since 1970 UTC, amounts minor units."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hutong.institution.people.user import User
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.invitations.invitation import Invitation
from hutong.marketing.invitations.invite_campaign import InviteCampaign
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, WORDS_MAX, Referral, ReferralState, standing
from hutong.marketing.invitations.signals import Signal
from hutong.marketing.invitations.terms import InvitationTerms, Step

CampaignIdText = Annotated[str, Meta(max_length=40, examples=["cmp_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
CodeText = Annotated[str, Meta(max_length=200, description="The code, or the whole link", examples=["7Q2K9MX4TB"])]
Words = Annotated[str, Meta(max_length=WORDS_MAX)]


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In which campaign somebody wants to invite."""

    campaign_id: CampaignIdText


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By whose code somebody came."""

    code: CodeText


class Appeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a refusal is wrong, in the inviter's words."""

    words: Words


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator says to an appeal; the inviter is shown it."""

    remark: Words = ""


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """A person's own invitation in a campaign."""

    campaign_id: str
    code: str
    link: str


class FriendView(msgspec.Struct, frozen=True, kw_only=True):
    """A friend as the inviter sees it: a masked name, and what became of the reward."""

    referral_id: str
    name: str
    joined_at_ms: int
    state: Annotated[str, Meta(description="JOINED, WAITING, HELD, PAID, REFUSED, APPEALED, LAPSED")]
    amount: Annotated[int, Meta(description="What was paid; before, what is set aside")]
    due_at_ms: Annotated[
        int, Meta(description="When a hold ends, or until when the friend has to pay; 0: nothing is due")
    ]
    reason: Annotated[str, Meta(description="Why it was refused")]
    appeal_until_ms: Annotated[int, Meta(description="Until when an appeal is heard; 0: there is none to be made")]
    appeal: str
    remark: Annotated[str, Meta(description="What was answered to the appeal")]


class InvitingView(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that rewards inviting, and how far the person has come in it."""

    campaign_id: str
    name: str
    running: bool
    ends_at_ms: int
    code: Annotated[str, Meta(description="Empty: ask for one")]
    link: str
    steps: Sequence[Step]
    amount_min: int
    tier_min: int
    qualify_days: int
    hold_hours: int
    counted: Annotated[int, Meta(description="Friends paid for")]
    earned: int
    held: int
    next: Annotated[
        int, Meta(description="What one more friend would bring; 0: nothing at the next step, or all are taken")
    ]
    friends: Sequence[FriendView]


class QualifyView(msgspec.Struct, frozen=True, kw_only=True):
    """What a friend has to do so that the inviter is rewarded."""

    tier_min: int
    amount_min: int
    until_ms: Annotated[int, Meta(description="Before when; 0: `qualify_days` from joining on")] = 0
    qualify_days: int


class MyInvitationsView(msgspec.Struct, frozen=True, kw_only=True):
    """All of a person's inviting."""

    invited_by: Annotated[str, Meta(description="The masked name of who brought this person; empty: nobody did")]
    to_do: Annotated[
        QualifyView | None, Meta(description="What this person has to do for whoever brought them; null: nothing")
    ]
    campaigns: Sequence[InvitingView]


class LandingView(msgspec.Struct, frozen=True, kw_only=True):
    """Whose invitation a code is, for whoever opens the link."""

    code: str
    invited_by: str
    campaign: str
    to_do: QualifyView


class SignalView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign of collusion, as it was seen."""

    name: str
    weight: int
    facts: Mapping[str, Any]


class ReferralView(msgspec.Struct, frozen=True, kw_only=True):
    """A referral as the operator sees it. `signals` are those of now while it is held; behind that, those that decided."""

    referral_id: str
    campaign_id: str
    inviter_id: str
    friend_id: str
    state: str
    joined_at_ms: int
    at_registration: bool
    payment_id: str
    paid: int
    held: int
    reward: int
    due_at_ms: int
    reason: str
    score: int
    refuse_at: int
    signals: Sequence[SignalView]
    appeal: str
    appealed_at_ms: int
    decided_by: str
    remark: str


class FiguresView(msgspec.Struct, frozen=True, kw_only=True):
    """What inviting came to in a campaign."""

    campaign_id: str
    name: str
    inviters: int
    friends: int
    states: Mapping[str, int]
    reasons: Annotated[Mapping[str, int], Meta(description="Refused, by reason")]
    held: int
    paid: int
    cost_per_friend: Annotated[int, Meta(description="Paid, by friends who were paid for; 0: none was")]


def invitation_view(invitation: Invitation, base: str) -> InvitationView:
    return InvitationView(
        campaign_id=id_text(CAMPAIGN_PREFIX, invitation.campaign_id), code=invitation.code, link=invitation.link(base)
    )


def friend_view(referral: Referral, friend: User | None, now_ns: int) -> FriendView:
    state = referral.state_at(now_ns)
    until_ns = referral.decided_ns + referral.told.appeal_ns
    may_appeal = state is ReferralState.REFUSED and not referral.appealed_ns and now_ns < until_ns
    is_due = state in {ReferralState.JOINED, ReferralState.HELD}
    return FriendView(
        referral_id=id_text(REFERRAL_PREFIX, referral.id),
        name=friend.masked_name if friend is not None and friend.name else "*",
        joined_at_ms=referral.joined_ns // NS_PER_MS,
        state=state.value,
        amount=referral.reward if state is ReferralState.PAID else referral.held * (state is ReferralState.HELD),
        due_at_ms=referral.due_ns // NS_PER_MS if is_due else 0,
        reason=referral.reason,
        appeal_until_ms=until_ns // NS_PER_MS if may_appeal else 0,
        appeal=referral.appeal,
        remark=referral.remark,
    )


def inviting_view(  # All of it.
    campaign: InviteCampaign,
    invitation: Invitation | None,
    mine: Sequence[Referral],
    friends: Mapping[int, User],
    base: str,
    now_ns: int,
) -> InvitingView:
    here = [each for each in mine if each.campaign_id == campaign.id]
    stands, terms = standing(here, campaign.id), campaign.terms
    return InvitingView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        name=campaign.name,
        running=campaign.runs(now_ns),
        ends_at_ms=campaign.ends_ns // NS_PER_MS,
        code=invitation.code if invitation is not None else "",
        link=invitation.link(base) if invitation is not None else "",
        steps=terms.steps,
        amount_min=terms.amount_min,
        tier_min=terms.tier_min,
        qualify_days=terms.qualify_days,
        hold_hours=terms.hold_hours,
        counted=stands.friends,
        earned=stands.paid,
        held=stands.reserved - stands.paid,
        next=stands.to_hold(terms),
        friends=[friend_view(each, friends.get(each.friend_id), now_ns) for each in here],
    )


def landing_view(invitation: Invitation, campaign: InviteCampaign, inviter: User) -> LandingView:
    to_do = qualify_view(campaign.terms)
    return LandingView(code=invitation.code, invited_by=inviter.masked_name, campaign=campaign.name, to_do=to_do)


def qualify_view(terms: InvitationTerms, until_ns: int = 0) -> QualifyView:
    return QualifyView(
        tier_min=terms.tier_min,
        amount_min=terms.amount_min,
        until_ms=until_ns // NS_PER_MS,
        qualify_days=terms.qualify_days,
    )


def my_invitations_view(
    by: tuple[Referral, User] | None, campaigns: Sequence[InvitingView], now_ns: int
) -> MyInvitationsView:
    """`by`: who brought this person, if anybody did."""
    joined = by is not None and by[0].state_at(now_ns) is ReferralState.JOINED
    return MyInvitationsView(
        invited_by=by[1].masked_name if by is not None else "",
        to_do=qualify_view(by[0].told, by[0].due_ns) if by is not None and joined else None,
        campaigns=campaigns,
    )


def referral_view(referral: Referral, signals: Sequence[Signal] | None, now_ns: int) -> ReferralView:
    """`signals`: those of now; None: those that decided."""
    if signals is None:
        signals = msgspec.json.decode(referral.evidence, type=list[Signal])
    return ReferralView(
        referral_id=id_text(REFERRAL_PREFIX, referral.id),
        campaign_id=id_text(CAMPAIGN_PREFIX, referral.campaign_id),
        inviter_id=id_text("usr", referral.inviter_id),
        friend_id=id_text("usr", referral.friend_id),
        state=referral.state_at(now_ns).value,
        joined_at_ms=referral.joined_ns // NS_PER_MS,
        at_registration=referral.at_registration,
        payment_id=id_text("pay", referral.payment_id) if referral.payment_id else "",
        paid=referral.paid,
        held=referral.held,
        reward=referral.reward,
        due_at_ms=referral.due_ns // NS_PER_MS,
        reason=referral.reason,
        score=sum(each.weight for each in signals),
        refuse_at=referral.told.refuse_at,
        signals=[SignalView(name=each.name, weight=each.weight, facts=each.facts) for each in signals],
        appeal=referral.appeal,
        appealed_at_ms=referral.appealed_ns // NS_PER_MS,
        decided_by=referral.decided_by,
        remark=referral.remark,
    )


def figures_view(campaign: InviteCampaign, referrals: Iterable[Referral], now_ns: int) -> FiguresView:
    found = list(referrals)
    states = Counter(each.state_at(now_ns).value for each in found)
    paid = sum(each.reward for each in found)
    paid_for = states[ReferralState.PAID.value]
    return FiguresView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        name=campaign.name,
        inviters=len({each.inviter_id for each in found}),
        friends=len(found),
        states=dict(sorted(states.items())),
        reasons=dict(sorted(Counter(each.reason for each in found if each.reason).items())),
        held=sum(each.held for each in found if each.state == ReferralState.HELD),
        paid=paid,
        cost_per_friend=paid // paid_for if paid_for else 0,
    )
