"""What a payer's institution gives at merchants of another one, by what that one says of them."""

from typing import Any

import pytest
from msgspec import json

from hutong.institution.payments.request_to_pay import ChargeState
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.award import MERCHANT_SAID
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import Campaign
from hutong.marketing.campaigns.parties import PlaceFacts
from hutong.marketing.campaigns.rules import RuleRow
from hutong.marketing.campaigns.trait import STATEMENTS, Statement
from hutong.scheme.messages import AnyMessage, CodeResolve, MerchantFacts
from tests.institution.payments.test_payment_codes import CODE, PIN_FREE, Till
from tests.marketing.campaigns.fair import Fair, House, off


class Telling(House):
    tells = True


class Silent(House):
    """As a release before: it says nothing of merchants."""


class Town(Fair):
    """Who pays is at jing, whose campaign it is; shops are at wei, which says what they are."""

    institution: type[House] = Telling

    def __init__(self, *rows: RuleRow, caps: Caps | None = None) -> None:
        self.told: list[MerchantFacts | None] = []
        super().__init__()
        self.payer = self.jing.user(1_000_000)
        self.campaign: Campaign = self.jing.campaign(self.jing.sponsor(10_000), 10_000, *rows, caps=caps or Caps())

    def post(self, sender: str, peer: str, messages: list[AnyMessage]) -> None:
        self.told += [each.merchant for each in messages if sender == "wei" and isinstance(each, CodeResolve)]
        super().post(sender, peer, messages)

    def stall(self, city: str = "上海", *tags: str, house: House | None = None, **fields: Any) -> str:
        """The plate of somebody who sells at wei, of whom this is said."""
        house = house or self.wei
        plate = self.shop(house, **fields)
        self.say(plate, city, *tags, house=house)
        return plate

    def say(self, plate: str, city: str, *tags: str, house: House | None = None) -> None:
        merchant = self.shops[plate]
        place = PlaceFacts(city, id_text("mer", merchant), "", frozenset(tags), "small" in tags)
        (house or self.wei).parties.is_(merchant, place)

    def statements(self) -> list[Statement]:
        return [row for _, row in self.wei.store.rows[STATEMENTS.name]]

    def off(self, plate: str, amount: int = 2_000) -> int:
        """What is taken off there, and paid so."""
        payment, outcome = self.pay(self.jing, self.payer, plate, amount)
        assert outcome is not None
        assert outcome.completed
        return payment.payer_discount


def test_small_merchants_of_every_institution_are_subsidised_and_no_others() -> None:
    town = Town(off(200, small="true"))
    assert [town.off(town.stall("上海", "small")), town.off(town.stall("上海"))] == [200, 0]
    assert town.off(town.stall("上海", "small", house=town.jing)) == 200


@pytest.mark.parametrize(
    ("rule", "fits", "others"),
    [
        ({"small": "false"}, ("上海", ()), ("上海", ("small",))),
        ({"city": "'苏州'"}, ("苏州", ()), ("上海", ())),
        ({"tag": "'small'"}, ("上海", ("small",)), ("上海", ())),
    ],
)
def test_a_rule_asks_what_the_payees_institution_says(
    rule: dict[str, str], fits: tuple[str, tuple[str, ...]], others: tuple[str, tuple[str, ...]]
) -> None:
    town = Town(off(200, **rule))
    assert [town.off(town.stall(city, *tags)) for city, tags in (fits, others)] == [200, 0]


def test_a_shop_elsewhere_is_named_with_its_institution_and_none_can_pass_for_anothers() -> None:
    town = Town(off(1, city="'nowhere'"))
    here, there, thief = town.stall(house=town.jing), town.stall(), town.stall()
    ours, theirs = (id_text("mer", town.shops[each]) for each in (here, there))
    rows = off(200, merchant=f"'wei/{theirs}'"), off(300, merchant=f"'{ours}'")
    town.jing.campaign(town.jing.sponsor(5_000, "S-2"), 5_000, *rows)
    town.wei.parties.is_(town.shops[thief], PlaceFacts("上海", ours))
    assert [town.off(each) for each in (here, there, thief)] == [300, 200, 0]


class Before(Town):
    institution = Silent


@pytest.mark.parametrize("condition", ["true", "false"])
def test_where_nothing_is_said_no_rule_that_asks_fits(condition: str) -> None:
    town = Before(off(200, small=condition), off(50))
    assert town.off(town.stall("上海", "small")) == 50, "the next row, which does not ask"
    assert town.told == [None]
    assert STATEMENTS.name not in town.wei.store.rows


def test_a_person_is_no_merchant_whatever_the_rule() -> None:
    town = Town(off(200, small="false"))
    friend = town.wei.user()
    town.wei.asks(user=friend, code="https://wei.example/q/friend")
    town.register("wei", "url:https://wei.example/q/")
    assert town.off("https://wei.example/q/friend") == 0
    assert town.told == [None]


def test_the_award_keeps_what_was_said_and_the_payees_institution_has_the_same_in_its_rows() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上海", "small")
    payment, _ = town.pay(town.jing, town.payer, plate, 2_000)
    (award,) = town.jing.awards(payment)
    said = award.told[MERCHANT_SAID]
    assert (said["SmllInd"], said["TwnNm"]) == (True, "上海")
    (statement,) = town.statements()
    assert (statement.merchant_id, json.decode(statement.said)) == (town.shops[plate], said)


def test_what_nothing_was_asked_of_is_kept_with_the_payment_alone() -> None:
    town = Town(off(200, amount=">= 1000"))
    payment, _ = town.pay(town.jing, town.payer, town.stall("上海", "small"), 2_000)
    assert payment.campaign_id == town.campaign.id
    assert town.jing.awards(payment)[0].told == {}


def test_what_is_said_is_written_down_before_it_is_said_once_for_as_long_as_it_holds() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上海", "small")
    for _ in range(3):
        assert town.off(plate) == 200
    assert len(town.statements()) == 1
    town.say(plate, "上海")
    assert town.off(plate) == 0
    assert [json.decode(each.said)["SmllInd"] for each in town.statements()] == [True, False]
    town.restart("wei")
    assert town.off(plate) == 0
    assert len(town.statements()) == 2, "a restart says nothing anew"


def test_what_was_shown_on_other_words_is_not_shown_again() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上海", "small")
    assert town.quote(town.jing, town.payer, plate, 2_000).discount == 200
    town.say(plate, "上海")
    assert town.quote(town.jing, town.payer, plate, 2_000).discount == 0


def test_a_quote_is_good_for_what_was_said_when_it_was_made() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上海", "small")
    quote = town.quote(town.jing, town.payer, plate, 2_000)
    town.say(plate, "上海")
    ((payment, outcome),) = town.jing.pay(town.payer, town.jing.order(quote, 2_000))
    assert outcome is not None
    assert (outcome.completed, payment.payer_discount) == (True, 200)


def test_a_city_has_one_budget_whichever_institutions_shops_are_in_it() -> None:
    town = Town(off(200), caps=Caps(place=500, place_is="city"))
    shops = [town.stall("上海"), town.stall("上海", house=town.jing), town.stall("上海"), town.stall("苏州")]
    assert [town.off(each) for each in shops] == [200, 200, 0, 200]


@pytest.mark.parametrize("amount", [2_000, PIN_FREE + 1])
@pytest.mark.parametrize("small", [True, False])
def test_who_shows_a_payment_code_gets_it_too_at_once_or_when_asked(amount: int, small: bool) -> None:
    town = Town(off(200, small="true"))
    town.register("jing", "digits:62:18")
    town.jing.code_prefix = "62"
    town.restart("jing")
    town.jing.shown[CODE] = town.payer.id
    at = Till(town, town.jing, town.wei, town.payer, town.wei.merchant())
    place = PlaceFacts("上海", id_text("mer", at.merchant), "", frozenset({"small"} if small else ()), small)
    town.wei.parties.is_(at.merchant, place)
    at.charge(amount)
    for row in at.waiting():
        at.approve(row)
    assert at.shop.payments.charges.charge(at.merchant, 0, at.sent.id).state == ChargeState.PAID
    assert town.jing.balance(town.payer.wallet_account) == 1_000_000 - amount + (200 if small else 0)
    assert [json.decode(each.said)["SmllInd"] for each in town.statements()] == [small]


def test_words_that_show_another_thing_than_they_are_are_refused() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上\u202e海", "small")
    with pytest.raises(Refusal) as refused:
        town.quote(town.jing, town.payer, plate, 2_000)
    assert refused.value.facts["field"] == "city"


def test_a_refund_brings_it_back() -> None:
    town = Town(off(200, small="true"))
    plate = town.stall("上海", "small")
    payment, _ = town.pay(town.jing, town.payer, plate, 2_000)
    returned = town.refund(town.wei, plate, payment, 1_000)
    assert returned is not None
    assert returned.completed
    assert town.jing.left(town.campaign) == 10_000 - 100
    assert all(place.balanced() for place in town.places.values())
