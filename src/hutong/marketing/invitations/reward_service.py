"""
Rewards: what a friend's payment brings the inviter, held, looked at, then paid or refused; and appeals.

What a payment or a refund sets off is an effect that a crash may lose; so a start looks at the last payments again, and the end
of every hold asks the books themselves what came back.
"""

from collections import deque
from functools import partial
from typing import Any

import msgspec
import structlog

from hutong.institution.payments.cashier import ELSEWHERE
from hutong.institution.payments.payment import Payment
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.invitations.circle import Circle
from hutong.marketing.invitations.circle_service import CircleService
from hutong.marketing.invitations.ports import Awards, Campaigns, Money, Notices, People
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.referral import (
    REFERRAL_PREFIX,
    WORDS_MAX,
    Referral,
    ReferralState,
    Standing,
    referral_id,
    standing,
)
from hutong.marketing.invitations.register_service import ReferralRegister
from hutong.marketing.invitations.signals import Signal, score, seen
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel

log = structlog.get_logger()
AGAIN_NS = NS_PER_HOUR  # Where the budget has no room, or a refund is under way.
SOURCE = "invitation"
_NO_ROOM = frozenset({CampaignReason.BUDGET_EXHAUSTED, CampaignReason.CAMPAIGN_NOT_RUNNING})
_RETRY_NS = 300 * NS_PER_S  # Where looking failed: the database was away, say.
_NOT_MERCHANTS = frozenset({Channel.PERSONAL_CODE.value, Channel.TOP_UP.value, Channel.WITHDRAWAL.value})
_NEWS = {
    ReferralState.HELD: "invitation.held",
    ReferralState.PAID: "invitation.paid",
    ReferralState.REFUSED: "invitation.refused",
}


class RewardService:
    """Every step is one decision: the money and the referral's row are in one commit."""

    def __init__(
        self,
        node: NodeRuntime,
        register: ReferralRegister,
        people: People,
        campaigns: Campaigns,
        awards: Awards,
        money: Money,
        circles: CircleService,
        notices: Notices,
    ) -> None:
        self._node = node
        self._register = register
        self._people = people
        self._campaigns = campaigns
        self._awards = awards
        self._money = money
        self._circles = circles
        self._notices = notices
        self._due: deque[int] = deque()
        self._looking = False

    async def start(self) -> None:
        """Take up what is open: before payments start."""
        await self._register.start()

    async def resume(self) -> None:
        """Look again at the last payments, of which a crash may have kept the news from us: once payments have started."""
        for payment in await self._money.completed_lately():
            self.completed(payment)

    # What happens to the friend's payments.

    def completed(self, payment: Payment) -> None:
        """A payment is complete, durably. Repeats: nothing. Of nearly everybody it costs a look into a set."""
        if payment.user_id in self._register.expected:
            self._node.decide(partial(self._consider, payment))

    def given_back(self, friend_id: int, payment_id: int) -> None:
        """Something of a payment came back, durably. Repeats: nothing."""
        id_ = referral_id(friend_id)
        if id_ in self._register.held:
            self._node.decide(partial(self._came_back, id_, payment_id))

    def _consider(self, payment: Payment) -> None:
        """Is it the qualifying payment? Then what it brings is set aside."""
        now_ns = self._node.clock.now_ns()
        referral = self._register.referrals.get(referral_id(payment.user_id))
        if referral is None or referral.state_at(now_ns) is not ReferralState.JOINED:
            return
        campaign = self._campaigns.inviting_campaign(referral.campaign_id)
        if not campaign.runs(now_ns) or not self._qualifies(payment, referral):
            return
        if not self._money.has_funding(referral.friend_id):
            # A bank that has yet to say whose account it is may do so now: then this payment is looked at again.
            self._money.ask_banks(referral.friend_id, partial(self.completed, payment))
            return
        merchant = f"{payment.creditor_agent}/{payment.merchant_id or payment.payee_name}"
        self._hold(referral, payment.id, merchant, payment.paid)

    def _qualifies(self, payment: Payment, referral: Referral) -> bool:
        """Enough, to a merchant that is neither's own, by somebody whose name is known, and not given back."""
        terms = referral.told
        if (
            payment.funding in ELSEWHERE
            or payment.channel in _NOT_MERCHANTS
            or payment.payee_user_id
            or payment.paid < terms.amount_min
        ):
            return False
        if payment.created_ns < referral.joined_ns:
            return False
        friend, inviter = self._people.user(referral.friend_id), self._people.user(referral.inviter_id)
        if payment.merchant_id and any(self._money.works_at(each, payment.merchant_id) for each in (friend, inviter)):
            return False
        return friend.tier >= terms.tier_min and self._money.left(payment.id) >= terms.amount_min

    def _hold(self, referral: Referral, payment_id: int, merchant: str, paid: int) -> None:
        now_ns, terms = self._node.clock.now_ns(), referral.told
        mine = self._standing(referral)
        self._people.user(referral.friend_id)  # Whom the news will name.
        self._money.has_funding(referral.inviter_id)  # What is asked at the end of this is loaded before it.
        if mine.is_full(terms):
            waiting = referral.waits(payment_id, merchant, paid, now_ns, now_ns)
            self._put(waiting.refused(InvitationReason.STEPS_EXHAUSTED, now_ns))
            return
        held = mine.to_hold(terms)
        if held and not self._is_held(referral, referral.award_id, held, mine):
            # The day's or the town's part of the budget is used up, say: there may be room tomorrow.
            self._put(referral.waits(payment_id, merchant, paid, now_ns, now_ns + AGAIN_NS))
        else:
            self._put(referral.holds(payment_id, merchant, paid, held, now_ns))
            self._money.ask_banks(referral.inviter_id)  # To compare with by the end of the hold.

    def _is_held(self, referral: Referral, award_id: int, amount: int, mine: Standing) -> bool:
        facts: dict[str, object] = {
            "referral": id_text(REFERRAL_PREFIX, referral.id),
            "friends": mine.expected + 1,
            "terms": referral.told.version,
        }
        try:
            self._set_aside(award_id, referral.campaign_id, referral.inviter_id, amount, facts)
        except Refusal as refusal:
            if refusal.reason not in _NO_ROOM:
                raise
            log.info("reward_waits", referral=id_text(REFERRAL_PREFIX, referral.id), reason=refusal.reason.name)
            return False
        return True

    def _set_aside(
        self, award_id: int, campaign_id: int, inviter_id: int, amount: int, facts: dict[str, object]
    ) -> None:
        """Behind the campaign's end out of what was kept back. Refuses as `Awards.hold`."""
        hold = self._awards.hold_behind_end if self._is_over(campaign_id) else self._awards.hold
        hold(award_id, campaign_id, inviter_id, amount, SOURCE, facts)

    def _came_back(self, id_: int, payment_id: int) -> None:
        referral = self._register.referrals.get(id_)
        if referral is None or referral.payment_id != payment_id or id_ not in self._register.held:
            return
        self._look_up(referral)
        if self._money.left(payment_id) < referral.told.amount_min and not self._money.is_returning(payment_id):
            self._refuse(referral, InvitationReason.QUALIFYING_PAYMENT_REFUNDED, [])

    # What time brings about.

    def tick(self) -> None:
        """Look at what is due, one after the other, beside what decides."""
        self._due.extend(self._register.due(self._node.clock.now_ns()))
        if self._due and not self._looking:
            self._looking = True
            self._node.spawn(self._look())

    async def _look(self) -> None:
        try:
            while self._due:
                id_ = self._due.popleft()
                try:
                    await self._look_at(id_)
                except Exception:
                    self._later(id_)
                    raise
        finally:
            self._looking = False

    async def _look_at(self, id_: int) -> None:
        journal, now_ns = self._node.journal, self._node.clock.now_ns()
        referral = await warmed(journal, lambda: self._register.referrals.get(id_))
        if referral is None or referral.due_ns > now_ns:
            return
        if referral.state == ReferralState.JOINED:
            self._register.expected.discard(referral.friend_id)  # Lapsed.
        elif referral.state == ReferralState.REFUSED:
            self._register.appealable.discard(id_)  # Nobody asked.
        elif referral.state == ReferralState.WAITING:
            self._node.decide(partial(self._try_again, id_), partial(self._later, id_))
        elif referral.state == ReferralState.HELD:
            circle = await self._circles.around(referral)
            self._node.decide(partial(self._conclude, id_, circle), partial(self._later, id_))

    def _later(self, id_: int, failed: Exception | None = None) -> None:
        """Looking failed: the database was away, say."""
        if failed is not None:
            log.warning("referral_not_decided", referral=id_text(REFERRAL_PREFIX, id_), because=repr(failed))
        self._register.look_at(id_, self._node.clock.now_ns() + _RETRY_NS)

    def _try_again(self, id_: int) -> None:
        now_ns = self._node.clock.now_ns()
        referral = self._register.referrals.get(id_)
        if referral is None or referral.state != ReferralState.WAITING or referral.due_ns > now_ns:
            return
        self._look_up(referral)
        if self._money.is_returning(referral.payment_id):
            self._put(referral.delayed(now_ns + AGAIN_NS, now_ns))
        elif self._money.left(referral.payment_id) < referral.told.amount_min:
            self._refuse(referral, InvitationReason.QUALIFYING_PAYMENT_REFUNDED, [])
        elif self._is_over(referral.campaign_id):
            self._refuse(referral, InvitationReason.REWARD_BUDGET_SPENT, [])
        else:
            self._hold(referral, referral.payment_id, referral.merchant, referral.paid)

    def _conclude(self, id_: int, circle: Circle) -> None:
        """The hold is over: pay, or refuse with what was seen."""
        now_ns = self._node.clock.now_ns()
        referral = self._register.referrals.get(id_)
        if referral is None or referral.state != ReferralState.HELD or referral.due_ns > now_ns:
            return
        self._look_up(referral)
        if self._money.is_returning(referral.payment_id):
            self._put(referral.delayed(now_ns + AGAIN_NS, now_ns))
            return
        mine, signals = self._standing(referral), seen(circle, referral.told)
        reason = self._why_not(referral, mine, signals)
        if reason is not None:
            self._refuse(referral, reason, signals)
        else:
            self._pay(referral, mine, signals)

    def _why_not(self, referral: Referral, mine: Standing, signals: list[Signal]) -> Reason | None:
        """Why it is not to be paid; None: nothing is in the way."""
        terms = referral.told
        if self._money.left(referral.payment_id) < terms.amount_min:
            return InvitationReason.QUALIFYING_PAYMENT_REFUNDED
        friend, inviter = self._people.user(referral.friend_id), self._people.user(referral.inviter_id)
        if friend.closed or friend.frozen_by_operator:
            return InvitationReason.FRIEND_NOT_ACTIVE
        if inviter.closed or inviter.frozen_by_operator:
            return InvitationReason.INVITER_NOT_ACTIVE
        if score(signals) >= terms.refuse_at:
            return InvitationReason.COLLUSION_SUSPECTED
        return InvitationReason.STEPS_EXHAUSTED if mine.is_full(terms) else None

    def _pay(self, referral: Referral, mine: Standing, signals: list[Signal]) -> None:
        """
        Pay what one more friend brings.

        It is less than was held where friends before this one were refused, and may be more; the more is paid if a budget has it.
        """
        due = mine.to_pay(referral.told)
        part, further = min(due, referral.held), max(0, due - referral.held)
        if further and not self._is_held(referral, referral.further_award_id, further, mine):
            further = 0
        if part:
            self._awards.pay(referral.award_id, part)
        elif referral.held:
            self._awards.refuse(referral.award_id, InvitationReason.STEPS_EXHAUSTED.name)
        if further:
            self._awards.pay(referral.further_award_id, further)
        now_ns = self._node.clock.now_ns()
        self._put(referral.rewarded(part + further, score(signals), _told(signals), now_ns))

    def _refuse(self, referral: Referral, reason: Reason, signals: list[Signal]) -> None:
        if referral.state == ReferralState.HELD and referral.held:
            self._awards.refuse(referral.award_id, reason.name)
        self._put(referral.refused(reason, self._node.clock.now_ns(), score(signals), _told(signals)))

    # Appeals.

    def appeal(self, inviter_id: int, id_: int, words: str) -> Referral:
        """
        The inviter asks for a refused reward to be looked at by a person, once.

        Refuses:  a text that is none; REFERRAL_UNKNOWN; APPEAL_DECIDED_BEFORE; REFERRAL_NOT_REFUSED; APPEAL_TOO_LATE.
        Repeats:  the same.
        """
        check_text("words", words, length_max=WORDS_MAX)
        referral = self.referral(id_)
        if referral.inviter_id != inviter_id:
            raise Refusal(InvitationReason.REFERRAL_UNKNOWN)
        appealed = referral.appealed(words, self._node.clock.now_ns())
        if appealed is not referral:
            self._register.put(appealed)
        return appealed

    def check_grant(self, id_: int) -> None:
        """Refuses REFERRAL_UNKNOWN, APPEAL_NOT_OPEN."""
        self.referral(id_).check_appealed()

    def grant(self, id_: int, by: str, remark: str) -> Referral:
        """
        The appeal is right: pay what one more friend brings.

        Moves:    campaign's budget -> wallet; behind the campaign's end, out of what was kept back for that.
        Refuses:  REFERRAL_UNKNOWN; APPEAL_NOT_OPEN; STEPS_EXHAUSTED; the inviter may not receive; no room in the budget.
        Repeats:  what was granted.
        """
        check_text("remark", remark, length_max=WORDS_MAX, empty=True)
        referral = self.referral(id_)
        if referral.state == ReferralState.PAID and referral.appealed_ns:
            return referral
        referral.check_appealed()
        terms, now_ns = referral.told, self._node.clock.now_ns()
        mine = self._standing(referral)
        self._people.user(referral.friend_id)
        self._people.user(referral.inviter_id).may_receive(now_ns)
        if mine.is_full(terms):
            raise Refusal(InvitationReason.STEPS_EXHAUSTED)
        due = mine.to_pay(terms)
        if due:
            facts: dict[str, object] = {
                "referral": id_text(REFERRAL_PREFIX, id_),
                "terms": terms.version,
                "granted_by": by,
            }
            inviter_id = referral.inviter_id
            self._set_aside(referral.further_award_id, referral.campaign_id, inviter_id, due, facts)
            self._awards.pay(referral.further_award_id, due)
        return self._put(referral.rewarded(due, referral.score, referral.evidence, now_ns, by, remark))

    def uphold(self, id_: int, by: str, remark: str) -> Referral:
        """
        The refusal stands, for good; the inviter is shown the remark.

        Refuses:  a text that is none; REFERRAL_UNKNOWN; APPEAL_NOT_OPEN.
        Repeats:  the same.
        """
        check_text("remark", remark, length_max=WORDS_MAX)
        referral = self.referral(id_)
        if referral.state == ReferralState.REFUSED and referral.appealed_ns:
            return referral
        referral.check_appealed()
        self._people.user(referral.friend_id)
        return self._put(referral.upheld(by, remark, self._node.clock.now_ns()))

    # Looking.

    def referral(self, id_: int) -> Referral:
        """Refuses REFERRAL_UNKNOWN; may raise `Cold`."""
        referral = self._register.referrals.get(id_)
        if referral is None:
            raise Refusal(InvitationReason.REFERRAL_UNKNOWN)
        return referral

    async def signals(self, id_: int) -> tuple[Referral, list[Signal]]:
        """What is seen around a referral now. Refuses REFERRAL_UNKNOWN."""
        referral = await warmed(self._node.journal, lambda: self.referral(id_))
        return referral, seen(await self._circles.around(referral), referral.told)

    def _is_over(self, campaign_id: int) -> bool:
        campaign = self._campaigns.inviting_campaign(campaign_id)
        return campaign.is_over or campaign.ends_ns <= self._node.clock.now_ns()

    def _standing(self, referral: Referral) -> Standing:
        return standing(self._register.brought_by(referral.inviter_id), referral.campaign_id)

    def _look_up(self, referral: Referral) -> None:
        """All that a conclusion needs, before it writes anything; may raise `Cold`."""
        self._people.user(referral.friend_id)
        self._people.user(referral.inviter_id)
        self._register.brought_by(referral.inviter_id)
        if referral.held:
            self._awards.look_up(referral.award_id)
        self._money.left(referral.payment_id)

    def _put(self, referral: Referral) -> Referral:
        self._register.put(referral)
        self._campaigns.reserve_changed(referral.campaign_id)
        news = _NEWS.get(ReferralState(referral.state))
        if news is not None:
            self._notices.tell_user(referral.inviter_id, news, self._data(referral))
        return referral

    def _data(self, referral: Referral) -> dict[str, Any]:
        return {
            "referral_id": id_text(REFERRAL_PREFIX, referral.id),
            "friend_name": self._people.user(referral.friend_id).masked_name,
            "amount": referral.reward or referral.held,
            "reason": referral.reason,
        }


def _told(signals: list[Signal]) -> str:
    return msgspec.json.encode(signals).decode()
