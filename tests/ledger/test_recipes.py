"""The movements of the business, added up: what each account gains and loses."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.kernel.ids import derive
from hutong.ledger import recipes
from hutong.ledger.recipes import POST, VOID, Leg
from hutong.ledger.transfer import AMOUNT_MAX, Transfer, TransferFlag

BASE = derive(1 << 80, "a payment")
PAYER, PAYEE, CLEARING, BUDGET, SPONSOR, FEE, EXPENSE, INTERCHANGE = range(11, 19)
DEBTOR_POSITION, CREDITOR_POSITION, SCHEME_INCOME = range(21, 24)


def gains(transfers: Sequence[Transfer]) -> dict[int, int]:
    """What each account gains (credits less debits), zeros left out."""
    totals: Counter[int] = Counter()
    for transfer in transfers:
        totals[transfer.debit_account_id] -= transfer.amount
        totals[transfer.credit_account_id] += transfer.amount
    return {account: total for account, total in totals.items() if total}


def is_one_chain(transfers: Sequence[Transfer]) -> bool:
    linked = [bool(transfer.flags & TransferFlag.LINKED) for transfer in transfers]
    return linked == [True] * (len(linked) - 1) + [False]


@st.composite
def amounts(draw: st.DrawFn) -> dict[str, int]:
    """Gross and everything taken from it, such that no leg is negative."""
    gross = draw(st.integers(1, 10_000))
    payer_discount = draw(st.integers(0, gross))
    payee_discount = draw(st.integers(0, gross - payer_discount))
    crossing = gross - payee_discount
    fee = draw(st.integers(0, crossing))
    interchange = draw(st.integers(0, crossing))
    switch_fee = draw(st.integers(0, crossing - interchange))
    return {
        "gross": gross,
        "payer_discount": payer_discount,
        "payee_discount": payee_discount,
        "fee": fee,
        "interchange": interchange,
        "switch_fee": switch_fee,
    }


def of(terms: dict[str, int], *names: str) -> dict[str, int]:
    return {name: terms[name] for name in ("gross", *names)}


@given(amounts())
def test_across_institutions_each_clearing_account_mirrors_its_position(terms: dict[str, int]) -> None:
    held = recipes.hold(
        BASE,
        7,
        payer=PAYER,
        clearing=CLEARING,
        budget=BUDGET,
        interchange_income=INTERCHANGE,
        ledger=156,
        code=1,
        **of(terms, "payer_discount", "payee_discount", "interchange"),
    )
    reserved = recipes.reserve(
        BASE,
        7,
        debtor_position=DEBTOR_POSITION,
        creditor_position=CREDITOR_POSITION,
        scheme_income=SCHEME_INCOME,
        ledger=156,
        code=1,
        **of(terms, "payee_discount", "interchange", "switch_fee"),
    )
    accepted = recipes.accept(
        BASE,
        7,
        clearing=CLEARING,
        payee=PAYEE,
        fee_income=FEE,
        acquiring_expense=EXPENSE,
        sponsor=SPONSOR,
        ledger=156,
        code=1,
        **of(terms, "payee_discount", "fee", "interchange", "switch_fee"),
    )
    debtor, switch, creditor = gains(held), gains(reserved), gains(accepted)
    assert -debtor.get(CLEARING, 0) == switch.get(DEBTOR_POSITION, 0)
    assert -creditor.get(CLEARING, 0) == switch.get(CREDITOR_POSITION, 0)
    assert switch.get(SCHEME_INCOME, 0) == terms["switch_fee"]
    assert -debtor.get(PAYER, 0) == terms["gross"] - terms["payer_discount"] - terms["payee_discount"]
    assert -debtor.get(BUDGET, 0) == terms["payer_discount"]
    assert -creditor.get(SPONSOR, 0) == terms["payee_discount"]
    assert creditor.get(PAYEE, 0) == terms["gross"] - terms["fee"]
    income = terms["fee"] - terms["interchange"] - terms["switch_fee"]
    assert creditor.get(FEE, 0) + creditor.get(EXPENSE, 0) == income
    assert debtor.get(INTERCHANGE, 0) == terms["interchange"]
    for chain in (held, reserved, accepted):
        assert is_one_chain(chain)
        assert chain[0].id == BASE + Leg.PRINCIPAL
        assert all(transfer.flags & TransferFlag.PENDING for transfer in chain)
        assert all(transfer.user_data_128 == 7 for transfer in chain)
        assert all(transfer.amount for transfer in chain[1:])


@given(amounts())
def test_a_refund_of_everything_is_the_mirror_of_the_payment(terms: dict[str, int]) -> None:
    debtor = {"payer": PAYER, "clearing": CLEARING, "budget": BUDGET, "interchange_income": INTERCHANGE}
    debtor |= of(terms, "payer_discount", "payee_discount", "interchange") | {"ledger": 156, "code": 1}
    switch = {
        "debtor_position": DEBTOR_POSITION,
        "creditor_position": CREDITOR_POSITION,
        "scheme_income": SCHEME_INCOME,
    }
    switch |= of(terms, "payee_discount", "interchange", "switch_fee") | {"ledger": 156, "code": 1}
    creditor = {"clearing": CLEARING, "payee": PAYEE, "fee_income": FEE, "acquiring_expense": EXPENSE}
    creditor |= {"sponsor": SPONSOR, "ledger": 156, "code": 1}
    creditor |= of(terms, "payee_discount", "fee", "interchange", "switch_fee")
    on_us = {"payer": PAYER, "payee": PAYEE, "fee_income": FEE, "budget": BUDGET, "sponsor": SPONSOR}
    on_us |= of(terms, "payer_discount", "payee_discount", "fee") | {"ledger": 156, "code": 1}
    for there, back in (
        (recipes.hold(BASE, 7, **debtor), recipes.accept_refund(BASE, 8, **debtor)),
        (recipes.reserve(BASE, 7, **switch), recipes.reserve_refund(BASE, 8, **switch)),
        (recipes.accept(BASE, 7, **creditor), recipes.hold_refund(BASE, 8, **creditor)),
        (recipes.pay_on_us(BASE, 7, **on_us), recipes.refund_on_us(BASE, 8, **on_us)),
    ):
        assert gains([*there, *back]) == {}
        assert is_one_chain(back)


@given(amounts())
def test_on_us_the_payee_gets_the_gross_less_the_fee(terms: dict[str, int]) -> None:
    chain = recipes.pay_on_us(
        BASE,
        7,
        payer=PAYER,
        payee=PAYEE,
        fee_income=FEE,
        budget=BUDGET,
        sponsor=SPONSOR,
        ledger=156,
        code=1,
        **of(terms, "payer_discount", "payee_discount", "fee"),
    )
    moved = gains(chain)
    assert moved.get(PAYEE, 0) == terms["gross"] - terms["fee"]
    assert moved.get(FEE, 0) == terms["fee"]
    assert sum(moved.values()) == 0
    assert not any(transfer.flags & TransferFlag.PENDING for transfer in chain)


def test_post_and_void_name_every_leg_and_cannot_be_mistaken_for_each_other() -> None:
    held = recipes.hold(
        BASE,
        7,
        payer=PAYER,
        clearing=CLEARING,
        budget=BUDGET,
        interchange_income=INTERCHANGE,
        gross=100,
        payer_discount=10,
        interchange=1,
        ledger=156,
        code=1,
    )
    posted, voided = recipes.post(held), recipes.void(held)
    assert [transfer.id - BASE for transfer in held] == [Leg.PRINCIPAL, Leg.PAYER_DISCOUNT, Leg.INTERCHANGE]
    assert [transfer.id for transfer in posted] == [transfer.id + POST for transfer in held]
    assert [transfer.id for transfer in voided] == [transfer.id + VOID for transfer in held]
    assert [transfer.pending_id for transfer in posted + voided] == [transfer.id for transfer in held] * 2
    assert {transfer.amount for transfer in posted} == {AMOUNT_MAX}
    assert is_one_chain(posted)
    assert is_one_chain(voided)


def test_an_amount_taken_twice_is_our_bug_and_stops_here() -> None:
    with pytest.raises(AssertionError):
        recipes.pay_on_us(
            BASE,
            7,
            payer=PAYER,
            payee=PAYEE,
            fee_income=FEE,
            budget=BUDGET,
            sponsor=SPONSOR,
            gross=10,
            payer_discount=6,
            payee_discount=5,
            ledger=156,
            code=1,
        )
