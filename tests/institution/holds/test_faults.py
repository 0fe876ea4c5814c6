"""
A world from a seed: holds under loss, repeats, reordering and crashes, while merchants and people do what they may.

Safety at every moment: of a hold no more is paid and let go than was held, and the ledger has what its row says is left. Then
healing: both sides agree on what is held, taken and let go, and what nobody wants is the person's own again.
"""

from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from hutong.institution.holds.authorisation import Authorisation, AuthorisationState, Offer
from hutong.institution.holds.hold import HELD_DAYS, HOLDING_MONEY, HOLDS, Hold, HoldState
from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RefundOrder
from hutong.institution.payments.request_to_pay import CHARGES, ChargeState
from hutong.kernel.errors import Refusal
from tests.institution.holds.cases import OPENING, Town
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, now
from tests.institution.recalls.cases import do
from tests.institution.weather import Weather

STEPS = 400
CAP = 90_000  # Low enough for the switch to refuse some payments.
_AMOUNTS = (5_000, 60_000, 120_000, OPENING + 1)


class Trouble(Weather):
    """One run: random acts, each checked, then healing."""

    def __init__(self, seed: int) -> None:
        self.town = Town(seed=seed, immediate=False, cap=CAP)
        super().__init__(self.town, heals_in_hours=30)
        self.town.fees(20, 5)
        self.people: list[tuple[Institution, Person]] = [
            (place, self.town.person(place)) for place in (self.town.jing, self.town.zhi) for _ in range(2)
        ]
        self.offers: list[Offer] = []
        self.town.flush()

    def run(self) -> None:
        acts = [self.deliver] * 20 + [self.flush] * 12 + [self.lose, self.repeat, self.tick, self.calm]
        acts += [self.ask, self.ask, self.offer, self.open, self.open, self.agree, self.agree, self.agree, self.decline]
        acts += [self.take] * 6 + [self.let_go, self.end, self.withdraw, self.refund, self.refund]
        self.live(acts, STEPS)

    # Acts.

    def tick(self) -> None:
        """Mostly little time goes by: most offers and requests last some minutes."""
        self.town.tick(self.random.choice([1, 1, 5, 5, 20, 20, 60, 3_600]))

    def calm(self) -> None:
        """For a moment all arrives."""
        self.town.flush()
        self.town.settle()

    def offer(self) -> None:
        self.offers.append(self.town.offer(self.random.choice(_AMOUNTS)))

    def ask(self) -> None:
        """A till scans a phone."""
        place, person = self.random.choice(self.people)
        offer = self.town.offer(self.random.choice(_AMOUNTS))
        self.offers.append(offer)
        self.town.ask(offer, self.town.shows(place, person))

    def open(self) -> None:
        """Somebody opens a link, also one of what a till has asked somebody else."""
        if self.offers:
            place, person = self.random.choice(self.people)
            with suppress(Refusal):
                self.town.opened(place, person, self.random.choice(self.offers))

    def agree(self) -> None:
        for place, hold in self.holds():
            if hold.state == HoldState.WAITING:
                with suppress(Refusal):
                    self.town.agree(place, hold)

    def decline(self) -> None:
        waiting = [(place, hold) for place, hold in self.holds() if hold.state == HoldState.WAITING]
        if waiting:
            place, hold = self.random.choice(waiting)
            with suppress(Refusal):
                do(place, partial(place.hold_desk.holds.decline, hold.user_id, hold.id))

    def take(self) -> None:
        held = [each for each in self.authorisations() if each.state == AuthorisationState.HELD]
        if held:
            known = self.random.choice(held)
            self.town.take(known, self.random.choice([1_000, known.amount // 3, known.amount]))

    def let_go(self) -> None:
        held = [each for each in self.authorisations() if each.state == AuthorisationState.HELD]
        if held:
            known = self.random.choice(held)
            self.town.let_go(known.id, self.random.choice([500, known.amount // 2]))

    def end(self) -> None:
        held = [each for each in self.authorisations() if each.state == AuthorisationState.HELD]
        if held and self.random.random() < 0.3:
            self.town.let_go(self.random.choice(held).id, 0)

    def withdraw(self) -> None:
        if self.offers and self.random.random() < 0.3:
            service, id_ = self.town.wei.hold_desk.authorisations, self.random.choice(self.offers).id
            self.town.wei.decide(partial(service.withdraw, id_))

    def refund(self) -> None:
        done = {row.id for _, row in self.town.jing.store.rows[PAYMENT_OUTCOMES.name] if row.completed}
        paid = [row for _, row in self.town.jing.store.rows[PAYMENTS.name] if row.id in done]
        if paid:
            payment = self.random.choice(paid)
            order = RefundOrder(refund_id=self.town.wei.node.mint.mint(), payment_id=payment.id, amount=300)
            with suppress(Refusal):
                refunds = self.town.wei.payments.refunds
                self.town.wei.decide(partial(refunds.refund, self.town.merchant, order))

    # What must hold.

    def holds(self) -> list[tuple[Institution, Hold]]:
        places = (self.town.jing, self.town.zhi)
        return [(place, hold) for place in places for hold in place.hold_desk.holds.holds.everything()]

    def authorisations(self) -> list[Authorisation]:
        return self.town.wei.hold_desk.authorisations.all.everything()

    def check_safety(self) -> None:
        assert all(place.balanced() for place in self.town.places.values())
        for place, hold in self.holds():
            paying = sum(
                undecided.row.paid
                for undecided in place.payments.debtor.undecided.values()
                if undecided.row.held_id == hold.id and undecided.held
            )
            assert self.town.held(place, hold) == (hold.left - paying if hold.state in HOLDING_MONEY else 0)
            assert hold.taken == self.paid_of(place, hold)
        for name in ("jing", "zhi"):
            numbers: dict[int, int] = {}
            for _, row in self.town[name].store.rows[HOLDS.name]:
                assert row.number >= numbers.get(row.id, 0)
                numbers[row.id] = row.number

    def paid_of(self, place: Institution, hold: Hold) -> int:
        payments = [row for row in place.payments.debtor.payments.everything() if row.held_id == hold.id]
        outcomes = {row.id: now(_of(place, row.id)) for row in payments}
        return sum(row.paid for row in payments if outcomes[row.id])

    def check_agreement(self) -> None:
        assert not self.town.letters
        known = {each.id: each for each in self.authorisations()}
        held = Counter(hold.hold_id for _, hold in self.holds() if hold.state in HOLDING_MONEY)
        assert all(count == 1 for count in held.values()), "two hold for one authorisation"
        for place, hold in self.holds():
            assert hold.under_way == 0
            assert hold.state not in (HoldState.HOLDING, HoldState.ENDING)
            authorisation = known.get(hold.hold_id)
            if hold.state == HoldState.HELD:
                assert authorisation is not None
                assert authorisation.state == AuthorisationState.HELD
            if authorisation is not None and authorisation.debtor_agent == place.node_id:
                assert (authorisation.taken, authorisation.released) == (hold.taken, hold.released)
        for authorisation in known.values():
            assert authorisation.state != AuthorisationState.ASKED
            if authorisation.state == AuthorisationState.HELD:
                assert held[authorisation.id] == 1
        releases = self.town.wei.hold_desk.authorisations.releases.everything()
        assert all(release.state != "WANTED" for release in releases)
        assert not any(place.payments.debtor.undecided for place, _ in self.people)
        self.check_money()
        self.lapse()

    def check_money(self) -> None:
        """What people have, have let be held and have paid is what they had."""
        refunded = {row.id: row.completed for _, row in self.town.wei.store.rows[REFUND_OUTCOMES.name]}
        back = sum(row.gross for _, row in self.town.wei.store.rows[REFUNDS.name] if refunded.get(row.id))
        has = sum(place.balance(person.wallet_account) for place, person in self.people)
        held = sum(self.town.held(place, hold) for place, hold in self.holds())
        taken = sum(hold.taken for _, hold in self.holds())
        assert has + held + taken - back == OPENING * len(self.people)
        charges = {row.id: row for _, row in self.town.wei.store.rows[CHARGES.name]}.values()
        assert sum(row.amount for row in charges if row.state == ChargeState.PAID) == taken

    def lapse(self) -> None:
        """What nobody takes goes back by itself, and the merchant's side hears of it."""
        self.town.tick(HELD_DAYS * 86_400)
        self.heal()
        assert not any(hold.left for _, hold in self.holds())
        assert not any(each.state == AuthorisationState.HELD for each in self.authorisations())
        self.check_money()


async def _of(place: Institution, payment_id: int) -> bool:
    await place.payments.debtor.outcomes.load([payment_id])
    outcome = place.payments.debtor.outcomes.get(payment_id)
    return outcome is not None and outcome.completed


@pytest.mark.parametrize("seed", range(14))
def test_whatever_the_network_does_what_is_held_is_paid_or_goes_back(seed: int) -> None:
    Trouble(seed).run()


def test_a_seed_replays_exactly() -> None:
    runs = []
    for _ in range(2):
        trouble = Trouble(99)
        trouble.run()
        runs.append(dict(trouble.town.jing.store.rows))
    assert runs[0] == runs[1]
