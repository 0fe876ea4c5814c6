"""
When an award is written down: with its payment, whatever happens next, and once where the payment is decided at once.
"""

from collections.abc import Coroutine
from typing import Any

import pytest

from hutong.institution.payments.payment import PAYMENT_OUTCOMES, PAYMENTS
from hutong.institution.payments.receipt import RECEIPT_OUTCOMES
from hutong.marketing.campaigns.award import ALL_AWARDS, AWARDS, Award
from hutong.marketing.campaigns.campaign import Campaign, Side
from hutong.runtime.node import run_now
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import Fair, House, off

where = pytest.mark.parametrize("on_us", [True, False], ids=["on us", "across"])


def rows(house: House) -> list[Award]:
    return [row for _, row in house.store.rows[ALL_AWARDS.name]]


def said(house: House) -> list[tuple[str, int, int]]:
    return [(row.state, row.change, row.times) for row in rows(house)]


def agrees(house: House, campaign: Campaign) -> None:
    """Rows, counters and ledger say the same, and each payment has the awards that its outcome says."""
    newest = {row.id: row for row in rows(house)}
    given = sum(row.change for row in rows(house))
    assert given == sum(award.left for award in newest.values())
    assert house.marketing.campaigns.spent[campaign.id].total == given
    assert house.left(campaign) == campaign.funded - given
    outcomes = {row.id: row.completed for _, row in house.store.rows[PAYMENT_OUTCOMES.name]}
    payments = {row.id: row for _, row in house.store.rows[PAYMENTS.name]}
    assert {award.payment_id for award in newest.values()} == {id_ for id_, row in payments.items() if row.adjuster}
    for award in newest.values():
        decided = outcomes.get(award.payment_id)
        assert award.state in {None: {"RESERVED"}, True: {"RESERVED", "COMMITTED"}, False: {"RELEASED"}}[decided]
        (shown,) = now(warmed(house.journal, lambda: house.marketing.awards.of_payment(award.payment_id)))  # noqa: B023
        assert shown.state == {None: "RESERVED", True: "COMMITTED", False: "RELEASED"}[decided]
        assert award.amount == payments[award.payment_id].payer_discount


@where
def test_what_is_decided_at_once_is_written_once_and_all_else_when_it_is_set_aside(on_us: bool) -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(10_000), fair.shop(jing if on_us else fair.wei)
    campaign = jing.campaign(jing.sponsor(1_000), 500, off(100))
    payment, _ = fair.pay(jing, payer, plate, 1_000)
    assert said(jing) == [("RESERVED", 100, 1)]  # In the payment's own row: its outcome says the rest.
    assert not jing.store.rows[AWARDS.name]
    assert {row.id for row in rows(jing)} == {payment.id}  # It is found by its payment, and the payment by it.
    agrees(jing, campaign)
    fair.pay(jing, jing.user(10), plate, 1_000)
    assert said(jing)[-2:] == [("RESERVED", 100, 1), ("RELEASED", -100, -1)]
    agrees(jing, campaign)


@where
def test_a_merchants_campaign_is_written_so_too(on_us: bool) -> None:
    fair = Fair()
    wei, house = fair.wei, fair.wei if on_us else fair.jing
    plate = fair.shop(wei, amount=1_000)
    campaign = wei.campaign(wei.sponsor(1_000), 500, off(100), side=Side.PAYEE)
    fair.pay(house, house.user(10_000), plate, 1_000)
    assert said(wei) == [("COMMITTED", 100, 1)] if on_us else [("RESERVED", 100, 1), ("COMMITTED", 0, 0)]
    assert wei.left(campaign) == 400
    fair.restart("wei")
    assert wei.marketing.campaigns.spent[campaign.id].total == 100


class Slow:
    """A ledger that has let go of all accounts, and a database that answers when the test says."""

    def __init__(self, fair: Fair, payer: Person, plate: str) -> None:
        self.fair, self.payer, self.plate = fair, payer, plate
        self.errands: list[Coroutine[Any, Any, None]] = []
        fair.restart("jing")
        terms = fair.jing.terms(plate)
        self.quote = now(
            warmed(fair.jing.journal, lambda: fair.jing.payments.consults.quote(payer, terms, 1_000)),
        )
        fair.jing.ledger._spawn = self.errands.append

    def pay(self) -> None:
        assert not self.fair.jing.pay(self.payer, self.fair.jing.order(self.quote, 1_000)), "nobody has decided yet"

    def answer(self) -> None:
        for errand in self.errands:
            run_now(errand)

    def crash(self) -> None:
        for errand in self.errands:
            errand.close()
        self.fair.restart("jing")


@where
@pytest.mark.parametrize("crashes", [False, True])
def test_where_the_ledger_looks_something_up_first_it_is_kept_meanwhile_and_found_behind_a_crash(
    on_us: bool, crashes: bool
) -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(10_000), fair.shop(jing if on_us else fair.wei)
    campaign = jing.campaign(jing.sponsor(1_000), 500, off(100))
    slow = Slow(fair, payer, plate)
    slow.pay()
    assert said(jing) == [("RESERVED", 100, 1)], "in the commit of its payment"
    assert not jing.store.rows[PAYMENT_OUTCOMES.name]
    if crashes:
        slow.crash()
    else:
        slow.answer()
    for _ in range(4):
        fair.settle()
        fair.tick(30)
    assert said(jing) == [("RESERVED", 100, 1)], "the payment's outcome says the rest"
    agrees(jing, campaign)
    assert jing.left(campaign) == 400


@where
@pytest.mark.parametrize("balance", [10_000, 10])
@pytest.mark.parametrize("steps", range(9))
def test_behind_a_crash_at_any_step_awards_say_what_their_payments_say(on_us: bool, balance: int, steps: int) -> None:
    fair = Fair(immediate=False)
    jing, wei = fair.jing, fair.wei
    plate = fair.shop(jing if on_us else wei)
    payers = [jing.user(10_000), jing.user(balance)]
    fair.flush()
    sponsor = jing.sponsor(1_000)
    fair.flush()
    campaign = jing.campaign(sponsor, 250, off(100), partial=True)
    fair.flush()
    campaign = jing.newest(campaign)
    shops = wei.sponsor(100, "shops")
    fair.flush()
    wei.campaign(shops, 25, off(10), side=Side.PAYEE)
    fair.flush()
    terms = jing.terms(plate)
    fair.flush()
    for payer in (*payers, *payers):
        quote = now(warmed(jing.journal, lambda p=payer: jing.payments.consults.quote(p, terms, 1_000)))  # type: ignore[misc]
        jing.pay(payer, jing.order(quote, 1_000))
    for step in range(steps):
        name = ("jing", "switch", "wei")[step % 3]
        fair.places[name].journal.seal()
        fair.places[name].journal.flush()
        while fair.letters:
            fair.deliver(fair.letters.pop(0))
    fair.restart("jing")
    agrees_so_far = {row.payment_id for row in rows(jing)}
    assert agrees_so_far == {row.id for _, row in jing.store.rows[PAYMENTS.name] if row.adjuster}
    for _ in range(12):
        fair.flush()
        fair.settle()
        fair.tick(20)
    agrees(jing, campaign)
    assert not wei.store.rows[RECEIPT_OUTCOMES.name] or not on_us
    spent = jing.marketing.campaigns.spent[campaign.id].total
    fair.restart("jing")
    assert jing.marketing.campaigns.spent[campaign.id].total == spent <= 250
