"""
A referral: a friend who came by an invitation.

JOINED -> HELD (a qualifying payment) -> PAID | REFUSED; WAITING is between them while the budget has no room. A JOINED one whose
time is over is LAPSED, which is read off the clock and never written. REFUSED -> APPEALED, once -> PAID | REFUSED.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import derive
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.terms import InvitationTerms
from hutong.runtime.tables import BigInt, Boolean, Integer, Table, Text, Uuid

REFERRAL_PREFIX = "rfl"
WORDS_MAX = 500


class ReferralState(StrEnum):
    JOINED = "JOINED"
    WAITING = "WAITING"
    HELD = "HELD"
    PAID = "PAID"
    REFUSED = "REFUSED"
    APPEALED = "APPEALED"
    LAPSED = "LAPSED"


OPEN = frozenset({ReferralState.JOINED, ReferralState.WAITING, ReferralState.HELD, ReferralState.APPEALED})


class Referral(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a referral. A friend has one, ever: its id is derived from the friend's."""

    id: Uuid
    friend_id: Uuid
    inviter_id: Uuid
    campaign_id: Uuid
    at_registration: Boolean
    place_key: Uuid  # Where the friend registered: see `invitation.place_key`.
    joined_ns: BigInt
    state: Text
    due_ns: BigInt  # When time brings about something; 0: it does not.
    due_day: Integer | None  # The same as a day since 1970, by which a restart finds what is open.
    terms: Text  # JSON: the terms in force when the friend joined. They hold for this friend, whatever is changed.
    payment_id: Uuid = 0  # The qualifying one.
    merchant: Text = ""  # Whom it paid: the same text for the same merchant.
    paid: BigInt = 0
    held: BigInt = 0  # What was set aside.
    reward: BigInt = 0  # What was paid.
    reason: Text = ""
    score: Integer = 0
    evidence: Text = "[]"  # JSON: the signals that decided.
    appeal: Text = ""
    appealed_ns: BigInt = 0
    decided_by: Text = ""
    remark: Text = ""
    decided_ns: BigInt = 0  # When it was last paid or refused.
    changed_ns: BigInt

    def state_at(self, now_ns: int) -> ReferralState:
        """Where it stands now."""
        if self.state == ReferralState.JOINED and now_ns >= self.due_ns:
            return ReferralState.LAPSED
        return ReferralState(self.state)

    @property
    def told(self) -> InvitationTerms:
        """The terms, read."""
        return _terms(self.terms)

    @property
    def award_id(self) -> int:
        """Of what is set aside when the friend has paid."""
        return derive(self.id, "reward")

    @property
    def further_award_id(self) -> int:
        """Of what it brings beyond that: friends before this one were refused, or it was granted on appeal."""
        return derive(self.id, "reward/further")

    @property
    def appeal_ends_ns(self) -> int:
        """Until before when a refusal may be appealed, whatever became of the campaign meanwhile."""
        return self.decided_ns + self.told.appeal_ns

    def may_be_appealed(self, now_ns: int) -> bool:
        """Whether it was refused, nobody has asked yet, and there is time."""
        return self.state == ReferralState.REFUSED and not self.appealed_ns and now_ns < self.appeal_ends_ns

    def may_yet_be_paid(self, now_ns: int) -> bool:
        """Whether something may come of it without the friend doing anything more."""
        waits = self.state in {ReferralState.WAITING, ReferralState.HELD, ReferralState.APPEALED}
        return waits or self.may_be_appealed(now_ns)

    def waits(self, payment_id: int, merchant: str, paid: int, now_ns: int, until_ns: int) -> "Referral":
        """The friend made the qualifying payment; there is nothing left to set aside now."""
        return self._moved(ReferralState.WAITING, now_ns, until_ns, payment_id=payment_id, merchant=merchant, paid=paid)

    def holds(self, payment_id: int, merchant: str, paid: int, held: int, now_ns: int) -> "Referral":
        """So much is set aside for it, until the hold ends."""
        return self._moved(
            ReferralState.HELD,
            now_ns,
            now_ns + self.told.hold_ns,
            payment_id=payment_id,
            merchant=merchant,
            paid=paid,
            held=held,
        )

    def delayed(self, until_ns: int, now_ns: int) -> "Referral":
        """It is looked at again then."""
        return self._moved(ReferralState(self.state), now_ns, until_ns)

    def rewarded(
        self, reward: int, score: int, evidence: str, now_ns: int, by: str = "", remark: str = ""
    ) -> "Referral":
        """So much was paid for it."""
        return self._moved(
            ReferralState.PAID,
            now_ns,
            reward=reward,
            reason="",
            score=score,
            evidence=evidence,
            decided_by=by,
            remark=remark,
            decided_ns=now_ns,
        )

    def refused(self, reason: Reason, now_ns: int, score: int = 0, evidence: str = "[]") -> "Referral":
        """Nothing is paid for it, and why; until its time is over that may be appealed."""
        return self._moved(
            ReferralState.REFUSED,
            now_ns,
            now_ns + self.told.appeal_ns,
            reason=reason.name,
            score=score,
            evidence=evidence,
            decided_ns=now_ns,
        )

    def appealed(self, words: str, now_ns: int) -> "Referral":
        """Refuses APPEAL_DECIDED_BEFORE, REFERRAL_NOT_REFUSED, APPEAL_TOO_LATE. Repeats: itself."""
        if self.state == ReferralState.APPEALED:
            return self
        if self.appealed_ns:
            raise Refusal(InvitationReason.APPEAL_DECIDED_BEFORE)
        if self.state != ReferralState.REFUSED:
            raise Refusal(InvitationReason.REFERRAL_NOT_REFUSED, state=self.state_at(now_ns).value)
        if now_ns >= self.appeal_ends_ns:
            raise Refusal(InvitationReason.APPEAL_TOO_LATE, days=self.told.appeal_days)
        return self._moved(ReferralState.APPEALED, now_ns, now_ns, appeal=words, appealed_ns=now_ns)

    def upheld(self, by: str, remark: str, now_ns: int) -> "Referral":
        """The refusal stands."""
        return self._moved(ReferralState.REFUSED, now_ns, decided_by=by, remark=remark, decided_ns=now_ns)

    def check_appealed(self) -> None:
        """Refuses APPEAL_NOT_OPEN."""
        if self.state != ReferralState.APPEALED:
            raise Refusal(InvitationReason.APPEAL_NOT_OPEN, state=self.state)

    def _moved(self, state: ReferralState, now_ns: int, due_ns: int = 0, **fields: Any) -> "Referral":
        due_day = due_ns // NS_PER_DAY if state in OPEN or due_ns else None
        fields |= {"state": state.value, "due_ns": due_ns, "due_day": due_day, "changed_ns": now_ns}
        return msgspec.structs.replace(self, **fields)


@lru_cache(1_000)
def _terms(text: str) -> InvitationTerms:
    return msgspec.json.decode(text, type=InvitationTerms)


REFERRALS = Table("referrals", Referral)


def referral_id(friend_id: int) -> int:
    """A friend's referral. Nobody can tell the friend's id from it."""
    return derive(friend_id, "referral")


def joined(  # All that is known when a friend comes.
    friend_id: int,
    inviter_id: int,
    campaign_id: int,
    terms: InvitationTerms,
    now_ns: int,
    *,
    at_registration: bool,
    place_key: int,
) -> Referral:
    """As it begins."""
    due_ns = now_ns + terms.qualify_ns
    return Referral(
        id=referral_id(friend_id),
        friend_id=friend_id,
        inviter_id=inviter_id,
        campaign_id=campaign_id,
        at_registration=at_registration,
        place_key=place_key,
        joined_ns=now_ns,
        state=ReferralState.JOINED.value,
        due_ns=due_ns,
        due_day=due_ns // NS_PER_DAY,
        terms=msgspec.json.encode(terms).decode(),
        changed_ns=now_ns,
    )


class Standing(msgspec.Struct, frozen=True):
    """How far an inviter has come on the table."""

    friends: int = 0  # Paid for.
    paid: int = 0
    expected: int = 0  # Paid for, or held.
    reserved: int = 0  # Paid and held.

    def to_hold(self, terms: InvitationTerms) -> int:
        """What the next friend would bring, if all that is held is paid."""
        return max(0, terms.total(self.expected + 1) - self.reserved)

    def to_pay(self, terms: InvitationTerms) -> int:
        """
        What one more friend brings, going by those who were paid for alone.

        So friends who are refused in the end lift nobody up the steps, and the sum paid is the table's for as many as counted.
        """
        return max(0, terms.total(self.friends + 1) - self.paid)

    def is_full(self, terms: InvitationTerms) -> bool:
        """Whether all steps are paid for."""
        return self.friends >= terms.friends_max


def standing(referrals: list[Referral], campaign_id: int) -> Standing:
    """Of one inviter in one campaign."""
    here = [each for each in referrals if each.campaign_id == campaign_id]
    done = [each for each in here if each.state == ReferralState.PAID]
    held = [each for each in here if each.state == ReferralState.HELD]
    paid = sum(each.reward for each in done)
    return Standing(len(done), paid, len(done) + len(held), paid + sum(each.held for each in held))
