"""What a code was claimed for, and a crash before anything came of it: it goes on as it was first asked, and nobody is forgotten."""

from functools import partial

import pytest
from msgspec.structs import replace

from hutong.institution.holds.authorisation import AuthorisationState
from hutong.institution.holds.hold import HOLDS, HoldState
from hutong.institution.payments.quotes import Terms
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.request_to_pay import REQUESTS_TO_PAY
from hutong.scheme.messages import RequestToPay
from tests.institution.holds.cases import OFFER_LIFE_S, OPENING, Town
from tests.institution.payments.neighbours import Person

PIN_FREE = 100_000


def calm(town: Town) -> None:
    town.flush()
    town.settle()


def asked(town: Town, person: Person) -> int:
    """How often somebody was asked since the node's last start."""
    return [(to, type_) for to, type_, _ in town.jing.neighbours.said].count((person.id, "hold.asked"))


@pytest.mark.parametrize("amount", [PIN_FREE, PIN_FREE + 1])
def test_whose_code_was_claimed_for_a_hold_is_asked_after_a_crash(amount: int) -> None:
    town = Town(immediate=False)
    person = town.person(town.jing)
    town.flush()
    offer = town.offer(amount)
    town.ask(offer, town.shows(town.jing, person))
    town.flush()
    town.dies_behind(town.jing, town.until(town.jing, HOLDS.name))
    calm(town)
    assert asked(town, person) == 1
    assert (town.authorisation(offer).state, town.authorisation(offer).number) == (AuthorisationState.ASKED, 1)
    town.restart("jing")
    calm(town)
    assert asked(town, person) == 0, "once"
    town.agree(town.jing, town.hold(town.jing, offer))
    calm(town)
    assert town.authorisation(offer).state == AuthorisationState.HELD
    assert town.held(town.jing, town.hold(town.jing, offer)) == amount


def test_without_a_restart_they_are_asked_once_however_often_the_till_repeats_it() -> None:
    town = Town(immediate=False)
    person = town.person(town.jing)
    town.flush()
    offer = town.offer(PIN_FREE + 1)
    town.ask(offer, town.shows(town.jing, person))
    town.flush()
    letters = list(town.letters)
    calm(town)
    for letter in letters:
        town.deliver(letter)
        calm(town)
    assert asked(town, person) == 1


def test_what_has_lapsed_by_the_restart_ends_with_its_reason() -> None:
    town = Town(immediate=False)
    person = town.person(town.jing)
    town.flush()
    offer = town.offer(PIN_FREE)
    town.ask(offer, town.shows(town.jing, person))
    town.flush()
    position = town.until(town.jing, HOLDS.name)
    town.clock.advance(seconds=OFFER_LIFE_S)
    town.dies_behind(town.jing, position)
    calm(town)
    hold = town.hold(town.jing, offer)
    assert (hold.state, hold.reason) == (HoldState.CLOSED, PaymentReason.REQUEST_EXPIRED.name)
    assert asked(town, person) == 0


def held(town: Town) -> tuple[Person, str]:
    """A person of whom wei holds something, and what a request to pay out of it names."""
    person = town.person(town.jing)
    town.flush()
    offer = town.offer(50_000)
    town.ask(offer, town.shows(town.jing, person))
    calm(town)
    assert town.hold(town.jing, offer).state == HoldState.HELD
    return person, town.authorisation(offer).token


def repeated(town: Town, code: str) -> None:
    """wei asks again under the same id, and names something else to be paid from."""
    (row,) = {row.id: row for _, row in town.jing.store.rows[REQUESTS_TO_PAY.name]}.values()
    terms: Terms = row.terms
    message = RequestToPay(
        request_id=f"{row.request_id:032x}",
        code=code,
        amount=row.amount,
        currency="CNY",
        channel=terms.channel,
        mcc=terms.mcc,
        creditor_agent="wei",
        creditor_name=terms.payee_name,
        expires_at_ms=row.expires_ns // 10**6,
    )
    town.jing.decide(partial(town.jing.payments.to_pays.asked, message))
    calm(town)


def test_what_was_to_be_paid_out_of_a_hold_is_not_taken_from_the_balance() -> None:
    town = Town(immediate=False)
    person, token = held(town)
    (hold,) = town.jing.hold_desk.holds.holds.everything()
    town.take(town.authorisation(town.offers[hold.hold_id]), 20_000)
    town.flush()
    town.dies_behind(town.jing, town.until(town.jing, REQUESTS_TO_PAY.name))
    town.letters.clear()
    repeated(town, town.shows(town.jing, person))
    assert town.jing.balance(person.wallet_account) == OPENING - 50_000
    assert town.hold(town.jing, town.offers[hold.hold_id]).taken == 20_000
    assert token


def test_what_was_to_be_paid_from_the_balance_is_not_taken_out_of_a_hold() -> None:
    """Of which the payer has said yes to more than needs no PIN."""
    town = Town(immediate=False)
    person, token = held(town)
    (hold,) = town.jing.hold_desk.holds.holds.everything()
    authorisation = town.authorisation(town.offers[hold.hold_id])
    town.take(replace(authorisation, token=town.shows(town.jing, person)), 20_000)
    town.flush()
    town.dies_behind(town.jing, town.until(town.jing, REQUESTS_TO_PAY.name))
    town.letters.clear()
    repeated(town, token)
    assert town.hold(town.jing, town.offers[hold.hold_id]).taken == 0
    assert town.jing.balance(person.wallet_account) == OPENING - 50_000 - 20_000


def test_a_hold_that_has_ended_meanwhile_pays_nothing_and_says_so() -> None:
    town = Town(immediate=False)
    person, token = held(town)
    (hold,) = town.jing.hold_desk.holds.holds.everything()
    town.take(town.authorisation(town.offers[hold.hold_id]), 20_000)
    town.flush()
    town.dies_behind(town.jing, town.until(town.jing, REQUESTS_TO_PAY.name))
    town.letters.clear()
    town.let_go(hold.hold_id, 0)
    calm(town)
    repeated(town, token)
    assert town.jing.balance(person.wallet_account) == OPENING
    (state,) = {row.state for _, row in town.jing.store.rows[REQUESTS_TO_PAY.name][-1:]}
    assert state == "REJECTED"
