"""Whom campaigns reach: what each person got so far, and in which group each is."""

from collections.abc import Iterable
from functools import partial

from hutong.institution.payments.cashier import Grant
from hutong.kernel.ids import derive
from hutong.marketing.campaigns.award import EXPOSURES, Award, AwardState, Exposure
from hutong.marketing.campaigns.budget import NOTHING, PersonSpent
from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.campaigns.parties import Parties
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Cold, Shelf

ROWS_MAX = 200_000
_KNOWN_MAX = 200_000
_RESERVED, _COMMITTED = AwardState.RESERVED.value, AwardState.COMMITTED.value  # Read once: each is a call.


class Known:
    """One person, or one hour of a shop, as campaigns know it."""

    __slots__ = ("arms", "is_new", "spent", "undecided")

    def __init__(self) -> None:
        self.spent: dict[int, PersonSpent] = {}  # By campaign.
        self.arms: dict[int, str] = {}  # By campaign that was there for this one already.
        self.is_new: bool | None = None  # Has never paid; None: nobody asked yet.
        self.undecided: set[int] = set()  # Payments under way that a discount was set aside for.

    def of(self, campaign_id: int) -> PersonSpent:
        """What this one got of a campaign."""
        return self.spent.get(campaign_id, NOTHING)


class AudienceService:
    """
    Counters of persons are folded from their awards when first asked for, and changed with every award since.

    That a campaign was there for somebody is noted beside the payments: kept at the next tick, in a commit of its own.
    """

    def __init__(self, node: NodeRuntime, parties: Parties, awards: Shelf[Award]) -> None:
        self._node = node
        self._parties = parties
        self._awards = awards
        self.exposures = Shelf(EXPOSURES, node.journal, node.store, by=("unit_id",), rows_max=ROWS_MAX)
        self._known: dict[int, Known] = {}
        self._to_keep: list[Exposure] = []

    def person(self, person_id: int) -> Known:
        """What is known of a person. May raise `Cold`."""
        known = self._known.get(person_id)
        if known is None:
            exposures, awards = self.exposures.find("unit_id", person_id), self._awards.find("person_id", person_id)
            known = self._kept(person_id, exposures)
            for award in awards:
                spent = known.spent.get(award.campaign_id)
                if spent is None:
                    spent = known.spent[award.campaign_id] = PersonSpent()
                spent.count(award.day, award.left, int(award.state != AwardState.RELEASED))
                self._watch(known, award)
        return known

    def unit(self, unit_id: int) -> Known:
        """What is known of an hour of a shop. May raise `Cold`."""
        known = self._known.get(unit_id)
        return known if known is not None else self._kept(unit_id, self.exposures.find("unit_id", unit_id))

    def is_new(self, person_id: int) -> bool:
        """
        Whether this person has never paid anything, and is not about to: else whoever pays twice before the first payment is
        decided would be new twice. May raise `Cold`.
        """
        known = self.person(person_id)
        if known.is_new is None:
            raise Cold(partial(self._load_new, person_id))
        return known.is_new and not known.undecided

    def has_paid(self, person_id: int) -> None:
        """Somebody has just paid."""
        known = self._known.get(person_id)
        if known is not None and known.is_new:
            known.is_new = False

    def expose(self, campaign: Campaign, unit_id: int, known: Known, at_ns: int = 0) -> str:
        """
        The group this one is in; the first time, that the campaign was there is noted. `at_ns`: the moment that the payment
        has by which it is met, else that payment came before it; 0: now.
        """
        arm = known.arms.get(campaign.id)
        if arm is None:
            arm = known.arms[campaign.id] = campaign.arm(unit_id)
            self._to_keep.append(
                Exposure(
                    id=derive(campaign.id, f"exposure/{unit_id:032x}"),
                    campaign_id=campaign.id,
                    unit_id=unit_id,
                    arm=arm,
                    at_ns=at_ns or self._node.clock.now_ns(),
                )
            )
        return arm

    def count(self, award: Award) -> None:
        """A version of an award was written down."""
        known = self._known.get(award.person_id)
        if known is None:
            return
        change, times = award.change, award.times
        if change or times:
            spent = known.spent.get(award.campaign_id)
            if spent is None:
                spent = known.spent[award.campaign_id] = PersonSpent()
            spent.count(award.day, change, times)
        if award.state == _RESERVED or known.undecided or known.is_new:
            self._watch(known, award)

    def granted(self, person_id: int, grant: Grant, amount: int) -> None:
        """A payment's row is written down that is an award."""
        known = self._known.get(person_id)
        if known is not None:
            spent = known.spent.get(grant.campaign_id)
            if spent is None:
                spent = known.spent[grant.campaign_id] = PersonSpent()
            spent.count(grant.day, amount, 1)

    def waits(self, person_id: int, payment_id: int) -> None:
        """Something was set aside for a payment that nobody has decided yet."""
        known = self._known.get(person_id)
        if known is not None:
            known.undecided.add(payment_id)

    def paid(self, person_id: int, payment_id: int) -> None:
        """A payment with an award was made, and no version of the award says so."""
        known = self._known.get(person_id)
        if known is not None:
            known.undecided.discard(payment_id)
            known.is_new = False

    def keep(self) -> None:
        """Write down what was noted since."""
        noted, self._to_keep = self._to_keep, []
        for exposure in noted:
            self._node.journal.append(EXPOSURES, exposure)

    @property
    def noted(self) -> bool:
        """Whether there is anything to write down."""
        return bool(self._to_keep)

    def _watch(self, known: Known, award: Award) -> None:
        if not award.payment_id:  # A reward.
            return
        state = award.state
        if state == _RESERVED:
            known.undecided.add(award.payment_id)
            return
        known.undecided.discard(award.payment_id)
        if known.is_new and state == _COMMITTED:
            known.is_new = False

    def _kept(self, unit_id: int, exposures: Iterable[Exposure]) -> Known:
        if len(self._known) >= _KNOWN_MAX:
            noted = {each.unit_id for each in self._to_keep}
            for old in [each for each in list(self._known)[: _KNOWN_MAX // 10] if each not in noted]:
                del self._known[old]
        known = self._known[unit_id] = Known()
        known.arms = {each.campaign_id: each.arm for each in exposures}
        return known

    async def _load_new(self, person_id: int) -> None:
        has_paid = await self._parties.has_paid(person_id)
        known = self._known.get(person_id)
        if known is not None and known.is_new is None:
            known.is_new = not has_paid
