"""Tracing: first in first out on one account, over payments on us, and joined by the switch over nodes."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.recalls.trace import pseudonym, spent
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import TraceAnswer, TraceHop, TraceKind, TraceRequest, id_hex
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import Institution, World, now
from tests.institution.recalls.cases import do, paid

CODES = {"wei": "https://wei.example/q/", "jing": "https://jing.example/q/"}


@pytest.mark.parametrize(
    ("before", "traced", "debits", "shares"),
    [
        (0, 100, [40, 60], [40, 60]),
        (0, 100, [40, 100], [40, 60]),
        (50, 100, [40, 30, 200], [0, 20, 80]),
        (50, 100, [50], [0]),
        (0, 0, [10], [0]),
        (10, 5, [100], [5]),
        (0, 100, [], []),
    ],
)
def test_what_was_there_before_is_spent_first(before: int, traced: int, debits: list[int], shares: list[int]) -> None:
    assert spent(before, traced, debits) == shares


@given(st.integers(0, 200), st.integers(0, 200), st.lists(st.integers(0, 100)))
def test_shares_never_exceed_their_debits_and_add_up_to_what_was_spent(before: int, traced: int, debits: Any) -> None:
    shares = spent(before, traced, debits)
    assert all(0 <= share <= debit for share, debit in zip(shares, debits, strict=True))
    assert sum(shares) == min(max(sum(debits) - before, 0), traced)


class Street:
    """People of two institutions who pay each other."""

    def __init__(self) -> None:
        self.world = World("jing", "wei")
        self.places: dict[int, Institution] = {}
        self.codes: dict[int, str] = {}
        for name, prefix in CODES.items():
            self.world.register(name, f"url:{prefix}")

    def person(self, name: str, balance: int = 0) -> Person:
        place = self.world[name]
        person = place.user(balance)
        self.places[person.id] = place
        self.codes[person.id] = f"{CODES[name]}{person.id}"
        place.asks(user=person, code=self.codes[person.id], mcc="0000")
        return person

    def pay(self, payer: Person, payee: Person, amount: int) -> int:
        self.world.clock.advance(seconds=1)
        place = self.places[payer.id]
        quote = place.quote(payer, self.codes[payee.id])
        ((payment, outcome),) = place.pay(payer, place.order(quote, amount))
        assert outcome is not None
        assert outcome.completed
        return payment.id

    def ask(self, name: str, payment_id: int, amount: int = 10_000, depth: int = 5) -> TraceAnswer:
        """What the switch joins for a node that asks."""
        answers: list[TraceAnswer | None] = []
        place = self.world[name]
        do(place, lambda: place.recalls.traces.ask(payment_id, "jing", amount, depth, answers.append))
        self.world.tick(20)
        (answer,) = answers
        assert answer is not None
        return answer

    def ref(self, person: Person) -> str:
        return pseudonym(self.places[person.id].node_id, person.id)


def steps(hops: list[TraceHop]) -> Counter[tuple[str, str, str, int]]:
    return Counter((hop.source, hop.target, hop.kind.value, hop.amount) for hop in hops)


def test_money_is_followed_over_accounts_and_nodes() -> None:
    street = Street()
    victim, mule = street.person("jing", 50_000), street.person("wei", 500)
    friend, cousin, last = street.person("wei"), street.person("jing", 1_000), street.person("wei")
    payment_id = street.pay(victim, mule, 10_000)
    street.pay(mule, friend, 4_500)  # 500 of it was the mule's own.
    street.pay(mule, cousin, 3_000)
    street.world["wei"].user(50_000)
    street.world.clock.advance(seconds=1)
    street.world["wei"].pay_out(mule.wallet_account, 1_000)
    street.pay(cousin, last, 2_500)  # 1000 of it was the cousin's own.
    answer = street.ask("jing", payment_id)
    assert answer.holder == street.ref(mule)
    assert answer.is_whole
    assert steps(answer.hops) == Counter(
        [
            (street.ref(mule), street.ref(friend), "PAYMENT", 4_000),
            (street.ref(mule), street.ref(cousin), "PAYMENT", 3_000),
            (street.ref(mule), "", "PAIDOUT", 1_000),
            (street.ref(mule), "", "KEPT", 2_000),
            (street.ref(friend), "", "KEPT", 4_000),
            (street.ref(cousin), street.ref(last), "PAYMENT", 1_500),
            (street.ref(cousin), "", "KEPT", 1_500),
            (street.ref(last), "", "KEPT", 1_500),
        ]
    )
    kept = sum(hop.amount for hop in answer.hops if hop.kind in (TraceKind.KEPT, TraceKind.PAID_OUT))
    assert kept == 10_000


def test_money_that_goes_in_circles_ends_at_the_depth_and_says_so() -> None:
    street = Street()
    one, other = street.person("jing", 1_000), street.person("wei")
    payment_id = street.pay(one, other, 1_000)
    for _ in range(6):
        street.pay(other, one, 1_000)
        street.pay(one, other, 1_000)
    answer = street.ask("jing", payment_id, depth=4)
    assert not answer.is_whole
    assert [hop.amount for hop in answer.hops] == [1_000] * 4


def test_a_silent_node_leaves_a_trace_that_is_not_whole() -> None:
    street = Street()
    payment_id = street.pay(street.person("jing", 10_000), street.person("wei"), 10_000)
    wei = street.world["wei"]
    wei.payments.on_recall = lambda _: None
    answer = street.ask("jing", payment_id)
    assert (answer.is_whole, answer.hops) == (False, [])


def test_a_stranger_is_told_nothing() -> None:
    street = Street()
    payment_id = street.pay(street.person("jing", 10_000), street.person("wei"), 10_000)
    street.world.switch.admit("zhi")
    street.world.posting = True
    request = TraceRequest(trace_id="1" * 32, payment_id=id_hex(payment_id), originator="jing", amount=1, depth_max=3)
    street.world.switch.receive("zhi", [request])
    told = [message for _, _, message in street.world.letters if isinstance(message, TraceAnswer)]
    assert [(each.reason_name, each.hops) for each in told] == [("PAYMENT_UNKNOWN", [])]


def test_a_node_cannot_put_words_into_anothers_mouth() -> None:
    """Only who was asked answers, and only its own payments are followed."""
    street = Street()
    victim, mule = street.person("jing", 50_000), street.person("wei")
    payment_id = street.pay(victim, mule, 10_000)
    street.world.posting = True
    switch = street.world.switch
    answers: list[TraceAnswer] = []
    switch.switch.traces.trace("jing", payment_id, 0, 4, answers.append)
    switch.journal.seal()
    ((_, peer, question),) = street.world.letters
    assert peer == "wei"
    assert isinstance(question, TraceRequest)
    lie = TraceHop(
        source="wei:1", kind=TraceKind.PAYMENT, amount=5, payment_id=id_hex(payment_id), originator="jing", agent="jing"
    )
    lies = TraceAnswer(trace_id=question.trace_id, holder="wei:1", hops=[lie])
    switch.receive("jing", [lies])
    assert answers == []
    switch.receive("wei", [lies])
    assert [answer.hops for answer in answers] == [[lie]]
    assert len(street.world.letters) == 1  # Nobody else was asked.


@pytest.mark.parametrize("accepted", [None, False, True])
def test_what_is_disputed_is_followed_until_it_went_back_or_is_free_again(accepted: bool | None) -> None:
    case = paid(person=True)
    assert case.payee is not None
    recall = case.open(4_000)
    if accepted is not None:
        (case.accept if accepted else case.reject)(recall)
    trace = now(case.creditor.recalls.traces.follow(case.payment.id, 10_000, 1))
    payee = pseudonym("wei", case.payee.id)
    dispute = pseudonym("wei", case.dispute(recall).id)
    seen = Counter([(payee, dispute, "DISPUTED", 4_000), (payee, "", "KEPT", 6_000)])
    if accepted is None:
        seen[dispute, "", "KEPT", 4_000] += 1
    elif accepted:
        seen[dispute, "", "RETURNED", 4_000] += 1
    else:
        seen += Counter([(dispute, payee, "RELEASED", 4_000), (payee, "", "KEPT", 4_000)])
    assert steps(trace.hops) == seen
    assert trace.is_whole
    assert set(trace.people.values()) == {("usr", case.payee.id), ("dsp", case.dispute(recall).id)}


def test_a_payment_of_strangers_is_unknown_to_an_institution() -> None:
    case = paid()
    with pytest.raises(Refusal) as no:
        now(case.debtor.recalls.traces.follow(case.payment.id, 10_000, 3))
    assert no.value.reason is PaymentReason.PAYMENT_UNKNOWN
    with pytest.raises(Refusal):
        now(case.creditor.recalls.traces.payment(1 << 100))
