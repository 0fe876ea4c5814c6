"""Awards that are a part of their payment's row: read as the others are, whoever asks and whenever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.payments.payment import PAYMENTS, Payment
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.award import ALL_AWARDS, AWARDS, Award, AwardState, granted
from hutong.marketing.campaigns.budget import Caps
from hutong.runtime.shelf import warmed
from hutong.runtime.tables import Table
from tests.institution.payments.world import now
from tests.marketing.campaigns.fair import DAY_S, Fair, House, off

_APART = Table(PAYMENTS.name, Payment)


def of_person(house: House, person_id: int) -> list[Award]:
    return now(warmed(house.journal, lambda: house.marketing.awards.of_person(person_id)))


def test_a_persons_awards_are_the_same_at_once_and_behind_a_restart() -> None:
    fair = Fair()
    jing, wei = fair.jing, fair.wei
    payer, plates = jing.user(100_000), [fair.shop(jing), fair.shop(wei)]
    campaign = jing.campaign(jing.sponsor(10_000), 5_000, off(100))
    payments = [fair.pay(jing, payer, plate, 1_000)[0] for plate in plates]
    assert [each.payment_id for each in of_person(jing, payer.id)] == [each.id for each in payments]
    payments += [fair.pay(jing, payer, plate, 1_000)[0] for plate in plates]  # Who has asked is told of these, too.
    fair.refund(jing, plates[0], payments[0], 500)
    told = of_person(jing, payer.id)
    assert [(each.payment_id, each.state) for each in told] == [(each.id, AwardState.COMMITTED) for each in payments]
    assert [each.left for each in told] == [50, 100, 100, 100]
    page = now(jing.marketing.awards.page(campaign.id, None, 10))
    assert [row for _, row in page] == [told[0], *reversed(told[1:]), granted_as_given(jing, payments[0])]
    fair.restart("jing")
    assert of_person(jing, payer.id) == told
    assert [jing.awards(each) for each in payments] == [[each] for each in told]
    assert [row.payment_id for _, row in jing.store.rows[AWARDS.name]] == [payments[0].id]  # What the refund changed.


def granted_as_given(house: House, payment: Payment) -> Award:
    """The first version of its award, as it stands."""
    award = granted(payment)
    assert award is not None
    return award.standing(now(warmed(house.journal, lambda: house.payments.debtor.outcomes.get(payment.id))))


def test_what_nobody_asked_for_is_let_go_of_and_looked_up() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    jing.campaign(jing.sponsor(10_000), 5_000, off(100))
    first = fair.pay(jing, payer, plate, 1_000)[0]
    assert len(of_person(jing, payer.id)) == 1
    others = [fair.pay(jing, payer, plate, 1_000)[0] for _ in range(3)]
    shelf = jing.marketing.awards.all
    shelf._let_go()
    assert not shelf._noted
    assert [each.payment_id for each in of_person(jing, payer.id)] == [each.id for each in (first, *others)]


def test_what_is_not_durable_yet_is_not_let_go_of() -> None:
    fair = Fair(immediate=False)
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    fair.flush()
    sponsor = jing.sponsor(1_000)
    fair.flush()
    jing.campaign(sponsor, 500, off(100))
    for _ in range(3):
        fair.flush()
    terms = jing.terms(plate)
    fair.flush()
    quote = now(warmed(jing.journal, lambda: jing.payments.consults.quote(payer, terms, 1_000)))
    jing.pay(payer, jing.order(quote, 1_000))
    awards = jing.marketing.awards
    awards.all._let_go()
    assert [each.payment_id for each in awards.all.find("person_id", payer.id)] == [
        each.id for each in jing.payments.debtor.payments.everything()
    ]


def test_budgets_of_people_places_and_days_count_it_behind_a_restart_and_on_its_own_day() -> None:
    fair = Fair()
    jing = fair.jing
    payer, other, plate = jing.user(100_000), jing.user(100_000), fair.shop(jing)
    jing.campaign(jing.sponsor(10_000), 5_000, off(100), caps=Caps(times_day=2, day=300, place=300))

    def discounts(*payers: int) -> list[int]:
        people = {payer.id: payer, other.id: other}
        return [fair.pay(jing, people[each], plate, 1_000)[0].payer_discount for each in payers]

    assert discounts(payer.id) == [100]
    fair.restart("jing")
    assert discounts(payer.id, payer.id, other.id, other.id) == [100, 0, 100, 0]
    fair.tick(DAY_S)
    assert discounts(payer.id) == [100]
    days = [row.award_day for _, row in jing.store.rows[PAYMENTS.name] if row.campaign_id is not None]
    assert days == [days[0]] * 3 + [days[0] + 1]


def test_what_was_shown_before_midnight_and_is_paid_behind_it_counts_on_the_new_day() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    jing.campaign(jing.sponsor(10_000), 5_000, off(100), caps=Caps(times_day=1))
    calendar = jing.marketing.calendar
    today = calendar.day(fair.clock.now_ns())
    fair.tick((calendar.midnight_ns(today + 1) - fair.clock.now_ns()) // 1_000_000_000 - 5)
    assert fair.pay(jing, payer, plate, 1_000)[0].award_day == today
    other = jing.user(100_000)
    quote = fair.quote(jing, other, plate, 1_000)
    fair.tick(10)
    ((payment, _),) = jing.pay(other, jing.order(quote, 1_000))
    assert (payment.payer_discount, payment.award_day) == (100, today + 1)
    assert fair.pay(jing, payer, plate, 1_000)[0].award_day == today + 1


def test_only_what_keeps_no_state_of_its_own_and_is_one_campaigns_is_in_the_payments_row() -> None:
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    sponsor = jing.sponsor(10_000)
    one, other = (jing.campaign(sponsor, 1_000, off(each)) for each in (100, 7))
    payment, _ = fair.pay(jing, payer, plate, 1_000)
    assert (payment.payer_discount, payment.campaign_id) == (107, None)
    assert sorted(each.campaign_id for each in jing.awards(payment)) == sorted((one.id, other.id))
    assert len(jing.store.rows[AWARDS.name]) == len(jing.store.rows[ALL_AWARDS.name]) == 2


def test_a_payment_is_written_as_it_was_agreed() -> None:
    """Each column by its name: it is made by position."""
    fair = Fair()
    jing = fair.jing
    payer, plate = jing.user(100_000), fair.shop(jing)
    campaign = jing.campaign(jing.sponsor(10_000), 5_000, off(100))
    quote = fair.quote(jing, payer, plate, 1_000)
    order = jing.order(quote, 1_000)
    ((payment, _),) = jing.pay(payer, order)
    terms = quote.terms
    for name in (
        "creditor_agent",
        "request_id",
        "payee_name",
        "shop_name",
        "mcc",
        "is_static",
        "currency",
        "fee_version",
        "mandate_id",
        "remark",
    ):
        assert getattr(payment, name) == getattr(terms, name), name
    assert (payment.id, payment.quote_id, payment.funding) == (order.payment_id, quote.id, order.funding)
    assert (payment.user_id, payment.account) == (payer.id, payer.wallet_account)
    assert (payment.debtor_name, payment.channel) == (payer.masked_name, terms.channel.code)
    assert (payment.gross, payment.payer_discount, payment.payee_discount, payment.paid) == (1_000, 100, 0, 900)
    assert (payment.interchange, payment.switch_fee, payment.budget_account) == (0, 0, campaign.account)
    assert (payment.adjuster, payment.sponsor, payment.sponsor_account) == ("campaigns", "", 0)
    assert (payment.merchant_id, payment.payee_user_id) == (fair.shops[plate], 0)
    day = jing.marketing.calendar.day(fair.clock.now_ns())
    told = payment.campaign_id, payment.award_version, payment.award_row, payment.award_day, payment.award_place
    assert told == (campaign.id, campaign.version, 1, day, "")
    assert payment.created_ns < payment.expires_ns


@given(
    st.lists(st.integers(0, 2**63 - 1), min_size=2, max_size=2),
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80), min_size=5, max_size=5
    ),
    st.one_of(st.none(), st.integers(1, 2**128 - 1)),
)
def test_what_many_payments_have_in_common_is_packed_as_it_is_apart(
    numbers: list[int], texts: list[str], campaign_id: int | None
) -> None:
    one, other = numbers
    name, mcc, adjuster, funding, place = texts
    ids = (1, 2, 3, name, 4, 5, 6, 7, 8, name, name, one, 2, 3, 4, 5, 6, other, 8, 9, 10, name, one, 1, 2, 3, 4, 5)
    grant = (None,) * 5 if campaign_id is None else (campaign_id, 2, 3, 4, place)
    payment = Payment(*ids, "jing", mcc, "STATIC", True, "CNY", adjuster, "", funding, "", "", 3, False, *grant)
    for position in (1, other):  # The second is found.
        assert PAYMENTS.pack(position, payment) == _APART.pack(position, payment)


@pytest.mark.parametrize("what", ["paused", "spent", "its day", "as it was"])
def test_what_was_shown_is_given_only_while_it_holds(what: str) -> None:
    """It is not asked for again when it is paid: so all that it follows from is looked at."""
    fair = Fair()
    jing = fair.jing
    payer, other, plate = jing.user(100_000), jing.user(100_000), fair.shop(jing)
    campaign = jing.campaign(jing.sponsor(10_000), 150, off(100), caps=Caps(times_day=2))
    quote = fair.quote(jing, payer, plate, 1_000)
    assert quote.shown is not None
    name, shown, occasion = quote.shown
    holds = jing.payments.cashier.adjuster(name).still_gives(shown, occasion, fair.clock.now_ns())
    assert holds
    if what == "paused":
        jing.do(lambda: jing.marketing.campaigns.pause(campaign.id))
    elif what == "spent":
        fair.pay(jing, other, plate, 1_000)
    elif what == "its day":
        assert not jing.payments.cashier.adjuster(name).still_gives(
            shown, occasion, fair.clock.now_ns() + DAY_S * 10**9
        )
    if what in ("its day", "as it was"):
        ((payment, _),) = jing.pay(payer, jing.order(quote, 1_000))
        assert payment.payer_discount == 100
        return
    with pytest.raises(Refusal) as refused:
        jing.pay(payer, jing.order(quote, 1_000))
    assert refused.value.reason is PaymentReason.DISCOUNT_GONE
