"""Holds whose other side is away for long, while much else happens: nothing of them is forgotten."""

from functools import partial

import pytest
from msgspec import structs

from hutong.institution.holds.authorisation import AuthorisationState, Offer, ReleaseState
from hutong.institution.holds.hold import HELD_DAYS, HoldState
from hutong.institution.holds.reasons import HoldReason
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.scheme.hold import HoldAct
from hutong.scheme.messages import id_hex
from tests.institution.holds.cases import OPENING, Town
from tests.institution.payments.neighbours import Person
from tests.institution.recalls.cases import do

AMOUNT = 5_000
_MANY = 25_000  # Rows: seconds of a busy node.


@pytest.fixture
def town() -> Town:
    return Town(immediate=False)


def pass_time(town: Town, seconds: int = 1, *, heard: bool = True) -> None:
    """What is sent arrives, or none of it does."""
    for _ in range(4):
        town.flush()
        if heard:
            town.settle()
        town.letters.clear()
        town.tick(seconds)


def held(town: Town) -> tuple[Offer, Person]:
    """A hold at jing for a merchant at wei, which both know of."""
    person, offer = town.person(town.jing), town.offer(AMOUNT)
    town.ask(offer, town.shows(town.jing, person))
    pass_time(town)
    assert town.authorisation(offer).state == AuthorisationState.HELD
    return offer, person


def test_what_was_to_be_let_go_is_let_go_however_long_the_other_side_was_away(town: Town) -> None:
    offer, _ = held(town)
    release_id = town.let_go(offer.id, 500)
    pass_time(town, heard=False)
    for _ in range(_MANY):
        town.wei.hold_desk.authorisations.all.put(town.authorisation(offer))
    town.flush()
    town.restart("wei")
    pass_time(town, 60)
    release = town.wei.hold_desk.authorisations.releases.get(release_id)
    assert release is not None
    assert release.state == ReleaseState.DONE
    assert town.hold(town.jing, offer).released == 500


def test_an_end_that_nobody_heard_of_is_asked_for(town: Town) -> None:
    """It was told to nobody, and a restart forgot that somebody was to be told."""
    offer, person = held(town)
    town.tick((HELD_DAYS - 1) * 86_400)
    for _ in range(3):
        pass_time(town, 43_200, heard=False)
    assert town.hold(town.jing, offer).state == HoldState.ENDED
    assert town.jing.balance(person.wallet_account) == OPENING
    town.restart("jing")
    for _ in range(4):
        pass_time(town, 43_200)
    assert town.authorisation(offer).state == AuthorisationState.ENDED


def test_who_says_again_that_it_knows_is_not_remembered_for_ever(town: Town) -> None:
    offer, _ = held(town)
    pass_time(town, 60)
    hold = town.hold(town.jing, offer)
    town.jing.hold_desk.holds.asked(structs.replace(town.asked(offer), number=hold.number))
    pass_time(town, 3_600)
    assert town.jing.hold_desk.holds._teller._heard == {}


def test_what_is_not_in_memory_goes_back_in_time_as_well(town: Town) -> None:
    offer, person = held(town)
    town.jing.hold_desk.holds.holds.forget([town.hold(town.jing, offer).id])
    town.tick((HELD_DAYS + 1) * 86_400)
    pass_time(town, 60)
    assert town.jing.balance(person.wallet_account) == OPENING


def test_a_link_that_one_declined_is_open_to_others(town: Town) -> None:
    first, second, offer = town.person(town.jing), town.person(town.jing), town.offer(AMOUNT)
    town.opened(town.jing, first, offer)
    hold = town.hold(town.jing, offer)
    do(town.jing, partial(town.jing.hold_desk.holds.decline, first.id, hold.id))
    pass_time(town)
    town.opened(town.jing, second, offer)
    town.agree(town.jing, town.hold(town.jing, offer))
    pass_time(town)
    assert town.authorisation(offer).state == AuthorisationState.HELD
    assert town.hold(town.jing, offer).user_id == second.id


def test_what_one_was_asked_by_their_code_is_open_to_nobody_else(town: Town) -> None:
    first, second, offer = town.person(town.jing), town.person(town.jing), town.offer(120_000)
    town.ask(offer, town.shows(town.jing, first))
    pass_time(town)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            town.jing.hold_desk.holds.opened(second.id, town.asked(offer))
        assert refused.value.reason is HoldReason.HOLD_NOT_OPEN
        hold = town.hold(town.jing, offer)
        do(town.jing, partial(town.jing.hold_desk.holds.decline, first.id, hold.id))


def test_ids_of_years_to_come_are_not_written_down(town: Town) -> None:
    """Behind one, every id that is minted until then would have to be looked for in the database."""
    offer, person = held(town)
    service, far = town.jing.hold_desk.holds, town.wei.node.mint.mint() + (10**11 << 80)
    with pytest.raises(Refusal) as refused:
        service.opened(person.id, structs.replace(town.asked(offer), hold_id=id_hex(far)))
    assert refused.value.reason is PaymentReason.ID_FROM_THE_FUTURE
    let_go = structs.replace(town.asked(offer), act=HoldAct.RELEASE, act_id=id_hex(far), amount=500)
    service.asked(let_go)
    service.asked(structs.replace(let_go, act_id=id_hex(far), amount=0))
    pass_time(town)
    assert town.hold(town.jing, offer).free == AMOUNT
