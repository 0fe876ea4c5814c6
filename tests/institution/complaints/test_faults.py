"""
A world from a seed: complaints under loss, repeats, reordering and crashes, while both sides say what they may.

Safety at every moment: a history has no gap and no act twice, and the payer's copy is its beginning. Then healing: both sides
hold the same history, and nothing is on its way.
"""

from contextlib import suppress
from functools import partial

import pytest

from hutong.institution.complaints.complaint import Complaint, complaint_id_of
from hutong.institution.complaints.grievance import GrievanceOrder, GrievanceState
from hutong.institution.complaints.picture import IN_CASE_MAX, digest_of
from hutong.institution.complaints.picture_file import picture_file
from hutong.institution.complaints.turn import COMPLAINT_TURNS, GRIEVANCE_TURNS, Turn, Words
from hutong.institution.payments.payment import Payment
from hutong.institution.payments.refund import REFUND_OUTCOMES, REFUNDS, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed
from hutong.scheme.complaint import ComplaintAct
from tests.institution.complaints.drawn import noise, png
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World, now
from tests.institution.recalls.cases import do
from tests.institution.weather import Weather

STEPS = 260
PAID = 3_000
_PAYERS = (ComplaintAct.SAY, ComplaintAct.SAY, ComplaintAct.CONTINUE, ComplaintAct.WITHDRAW, ComplaintAct.CONFIRM)
_PAYEES = (ComplaintAct.SAY, ComplaintAct.APPROVE, ComplaintAct.REFUSE, ComplaintAct.COMPLETE)


class Trouble(Weather):
    """One run: random acts, each checked, then healing."""

    def __init__(self, seed: int) -> None:
        super().__init__(World("jing", "wei", seed=seed, immediate=False), heals_in_hours=40)
        self.world.fees(20, 5)
        self.world.register("wei", "url:https://wei.example/q/")
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.merchant = self.wei.merchant()
        self.wei.asks(self.merchant, code="https://wei.example/q/m", fee_bps=60)
        self.world.flush()
        self.paid: list[tuple[str, Person, Payment]] = []
        for debtor in (self.jing, self.wei):
            payer = debtor.user(100_000)
            for _ in range(2):
                self.world.flush()
                quote = debtor.quote(payer, "https://wei.example/q/m")
                answers = debtor.pay(payer, debtor.order(quote, PAID))
                self.world.flush()
                self.world.settle()
                self.paid.append((debtor.node_id, payer, answers[0][0]))
        self.world.flush()
        self.world.settle()
        self.orders: list[tuple[str, Person, GrievanceOrder]] = []
        self.said: list[tuple[int, ComplaintAct, Words]] = []

    def run(self) -> None:
        acts = [self.deliver] * 10 + [self.flush] * 8 + [self.lose, self.repeat, self.tick, self.refund]
        acts += [self.open, self.say, self.say, self.answer, self.answer, self.answer]
        self.live(acts, STEPS)

    # Acts.

    def open(self) -> None:
        """Somebody complains, or asks again."""
        if self.orders and self.random.random() < 0.5:
            name, payer, order = self.random.choice(self.orders)
        else:
            name, payer, payment = self.random.choice(self.paid)
            id_ = self.world[name].node.mint.mint()
            order = GrievanceOrder(
                grievance_id=id_,
                payment_id=payment.id,
                kind="RFND",
                text="面是凉的",
                pictures=self.given(self.world[name], payer.id),
            )
            self.orders.append((name, payer, order))
        place = self.world[name]
        with suppress(Refusal):
            do(place, partial(place.complaints.grievances.open, payer.id, order))

    def say(self) -> None:
        for name in ("jing", "wei"):
            service = self.world[name].complaints.grievances
            for grievance in service.grievances.everything():
                act = self.random.choice(_PAYERS)
                pictures = self.given(self.world[name], grievance.user_id)
                words = Words(act_id=self.world[name].node.mint.mint(), text="喂", pictures=pictures)
                with suppress(Refusal):
                    do(self.world[name], partial(service.say, grievance, act, words))

    def answer(self) -> None:
        service = self.wei.complaints.complaints
        if self.said and self.random.random() < 0.3:
            id_, act, words = self.random.choice(self.said)
        else:
            every = service.complaints.everything()
            if not every:
                return
            id_, act = self.random.choice(every).id, self.random.choice(_PAYEES)
            words = Words(act_id=self.wei.node.mint.mint(), text="在", pictures=self.given(self.wei, self.merchant))
            self.said.append((id_, act, words))

        def answer() -> None:
            complaint = service.complaint(id_)
            if act is ComplaintAct.APPROVE:
                service.approve(complaint, words, "老板", 500)
            else:
                service.answer(complaint, act, words, "老板")

        with suppress(Refusal):
            do(self.wei, answer)

    def given(self, place: Institution, giver: int) -> tuple[str, ...]:
        """Now and then a picture, of one piece or of several."""
        if self.random.random() < 0.7:
            return ()
        data = png(shade=self.random.randrange(9)) if self.random.random() < 0.7 else noise(1, 100_000)
        file = picture_file(data)
        with suppress(Refusal):
            do(place, partial(place.complaints.pictures.give, giver, file))
        return (digest_of(file.content),)

    def refund(self) -> None:
        _, _, payment = self.random.choice(self.paid)
        order = RefundOrder(refund_id=self.wei.node.mint.mint(), payment_id=payment.id, amount=700)
        with suppress(Refusal):
            do(self.wei, partial(self.wei.payments.refunds.refund, self.merchant, order))

    # What must hold.

    def history(self, place: Institution, table: str, case_id: int) -> list[Turn]:
        """What is durable of it."""
        turns = [row for _, row in place.store.rows[table] if row.case_id == case_id]
        return sorted(turns, key=lambda turn: turn.number)

    def check_safety(self) -> None:
        assert all(place.balanced() for place in self.world.places.values())
        for name in ("jing", "wei"):
            for grievance in self.world[name].complaints.grievances.grievances.everything():
                id_ = complaint_id_of(grievance.id, name)
                here = self.history(self.world[name], GRIEVANCE_TURNS.name, grievance.id)
                there = self.history(self.wei, COMPLAINT_TURNS.name, id_)
                assert [turn.number for turn in here] == list(range(1, len(here) + 1))
                assert [turn.number for turn in there] == list(range(1, len(there) + 1))
                assert len({turn.act_key for turn in there}) == len(there)
                assert [_told(turn) for turn in here] == [_told(turn) for turn in there[: len(here)]]

    def check_agreement(self) -> None:
        assert not self.world.letters
        complaints = {each.id: each for each in self.wei.complaints.complaints.complaints.everything()}
        for name in ("jing", "wei"):
            for grievance in self.world[name].complaints.grievances.grievances.everything():
                assert not grievance.is_sending
                complaint = complaints.pop(complaint_id_of(grievance.id, name), None)
                if complaint is None:
                    assert grievance.state == GrievanceState.REFUSED
                    continue
                assert (grievance.turns, grievance.state) == (complaint.turns, complaint.state)
                assert grievance.ended == complaint.ended
                self.check_refunds(complaint)
                self.check_pictures(self.world[name], grievance.id, complaint.id)
        assert not complaints, "a complaint nobody made"

    def check_pictures(self, place: Institution, here: int, there: int) -> None:
        """Whatever was said is on both sides, but for what was more than one complaint may have."""
        found = {}
        for side, at, table in ((place, here, GRIEVANCE_TURNS), (self.wei, there, COMPLAINT_TURNS)):
            said = {digest for turn in self.history(side, table.name, at) for digest in turn.digests}
            assert len(said) <= IN_CASE_MAX
            pictures = side.complaints.pictures
            states = now(warmed(side.journal, partial(pictures.states, at)))
            assert said <= {name for name, state in states.items() if state == "HELD"}
            look = pictures.look
            found[at] = {digest: now(warmed(side.journal, partial(look, at, digest))).content for digest in said}
        assert found[here] == found[there]
        assert all(digest_of(content) == digest for digest, content in found[here].items())

    def check_refunds(self, complaint: Complaint) -> None:
        """Every refund of the payment is counted once."""
        outcomes = {row.id: row.completed for _, row in self.wei.store.rows[REFUND_OUTCOMES.name]}
        refunds = [row for _, row in self.wei.store.rows[REFUNDS.name] if row.payment_id == complaint.payment_id]
        assert complaint.refunded == sum(row.gross for row in refunds if outcomes.get(row.id))


def _told(turn: Turn) -> tuple[str, str, int, str, str]:
    return turn.by, turn.act, turn.amount, turn.text, turn.state


@pytest.mark.parametrize("seed", range(14))
def test_whatever_the_network_does_both_sides_hold_one_history(seed: int) -> None:
    Trouble(seed).run()


def test_a_seed_replays_exactly() -> None:
    runs = []
    for _ in range(2):
        trouble = Trouble(99)
        trouble.run()
        runs.append(dict(trouble.wei.store.rows))
    assert runs[0] == runs[1]
