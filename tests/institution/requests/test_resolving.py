"""Every code of the institution's leads to a payee or to a named refusal; nobody else's code does."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.codes.additional_data import Template
from hutong.codes.merchant_presented import MerchantPresentedCode, build
from hutong.codes.plate import PlateKind, mint_plate_id, request_plate_id
from hutong.institution import chart
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.requests.payee import Payee, PayeeKind
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import Currency
from hutong.scheme.messages import Channel
from tests.institution.merchants.shop_street import (
    SITE,
    ShopStreet,
    SomePerson,
    SomePersonalCode,
    corner,
    draft,
)

PAYMENT = 1_767_225_600_000 << 80 | 77 << 8


class TestReason(Reason):
    """Why a test says no."""

    __test__ = False
    PERSON_STOPPED = Kind.REFUSED, "AC06"


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


@pytest.fixture
def owner(street: ShopStreet) -> StaffKey:
    return street.owner()


def payee_of(street: ShopStreet, text: str) -> Payee:
    resolved = street.do(lambda: street.requests.resolve(text))
    assert resolved is not None
    assert resolved.request_id == resolved.payee.request_id
    return resolved.payee


def foreign(account: str, *, amount: int | None = None, currency: Currency = Currency.CNY) -> str:
    """An EMVCo payload as another system issues them: KHQR's template, whose identifier is the account."""
    return build(
        MerchantPresentedCode(
            accounts=(Template("29", account, (("01", "0123"),)),),
            currency=currency,
            country="KH",
            mcc="5812",
            name="ELSEWHERE",
            city="PHNOM PENH",
            amount_minor=amount,
        )
    )


def test_both_forms_of_a_plate_lead_to_its_merchant_and_shop(street: ShopStreet, owner: StaffKey) -> None:
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    plate = street.do(lambda: street.plates.hang(owner, "table 1", shop.id))
    url, payload = street.do(lambda: street.plates.texts(plate))
    typed = url.lower().replace("https://jing", " HTTPS://Jing") + "\r\n"
    for text in (url, payload, typed):
        assert payee_of(street, text) == Payee(
            request_id=plate.id,
            account=chart.merchant_account(owner.merchant_id),
            kind=PayeeKind.MERCHANT,
            merchant_id=owner.merchant_id,
            shop_id=shop.id,
            name="胡同面馆",
            shop_name="鼓楼店",
            mcc="5812",
            fee_bps=60,
            fee_version=1,
            currency="CNY",
            channel=Channel.STATIC_CODE,
            is_static=True,
        )
    assert street.do(lambda: street.requests.payee(plate.id, street.now_ns)).shop_name == "鼓楼店"


def test_both_forms_of_a_dynamic_code_lead_to_its_request(street: ShopStreet, owner: StaffKey) -> None:
    made = street.do(lambda: street.requests.create(owner, draft(remark="two bowls")))
    for text in street.do(lambda: street.requests.texts(made)):
        payee = payee_of(street, text)
        assert (payee.request_id, payee.amount, payee.channel) == (made.id, 1200, Channel.DYNAMIC_CODE)
        assert (payee.is_static, payee.remark, payee.expires_ns) == (False, "two bowls", made.expires_ns)


def test_the_fee_in_a_payee_is_the_one_in_force(street: ShopStreet, owner: StaffKey) -> None:
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    street.do(lambda: street.merchants.change_fee(owner.merchant_id, 2, 38, street.now_ns + 1_000_000_000))
    text = street.do(lambda: street.plates.texts(plate))[0]
    assert (payee_of(street, text).fee_bps, payee_of(street, text).fee_version) == (60, 1)
    street.clock.advance(seconds=1)
    assert (payee_of(street, text).fee_bps, payee_of(street, text).fee_version) == (38, 2)


def test_a_registered_foreign_code_leads_to_its_merchant_with_the_amount_it_asks_for(
    street: ShopStreet, owner: StaffKey
) -> None:
    link = "https://qr.old-wallet.example/bax0123456"
    emvco = street.do(lambda: street.plates.register_foreign(owner.merchant_id, "old 1", foreign("noodles@devb")))
    url = street.do(lambda: street.plates.register_foreign(owner.merchant_id, "old 2", link))
    for text, plate, amount in (
        (foreign("noodles@devb"), emvco, 0),
        (foreign("NOODLES@devb"), emvco, 0),
        (foreign("noodles@devb", amount=1250), emvco, 1250),
        (link, url, 0),
        ("HTTPS://QR.Old-Wallet.example:443/bax0123456", url, 0),
    ):
        payee = payee_of(street, text)
        assert (payee.request_id, payee.amount, payee.name) == (plate.id, amount, "胡同面馆")
        assert (payee.channel, payee.is_static) == (Channel.STATIC_CODE, True)
    other = foreign("noodles@devb", amount=1250, currency=Currency.KHR)
    assert street.no(street.requests.resolve, other).reason.name == "CURRENCY_DIFFERS"


def test_a_personal_code_leads_to_its_person(street: ShopStreet) -> None:
    plate = mint_plate_id(PlateKind.PERSON, street.randomness)
    code = SomePersonalCode(street.mint.mint(), plate, user_id=5 << 80, amount=880, remark="lunch")
    street.people.codes.append(code)
    street.people.people[5 << 80] = SomePerson(5 << 80)
    payee = payee_of(street, SITE.url(plate))
    assert payee == Payee(
        request_id=code.id,
        account=4711,
        kind=PayeeKind.PERSON,
        user_id=5 << 80,
        name="*小明",
        amount=880,
        currency="CNY",
        channel=Channel.PERSONAL_CODE,
        is_static=True,
        remark="lunch",
    )
    assert street.do(lambda: street.requests.payee(code.id, street.now_ns)) == payee


def test_a_person_who_may_not_receive_or_whose_code_is_off_is_not_paid(street: ShopStreet) -> None:
    for number, (active, no, reason) in enumerate(
        [(False, None, "CODE_INACTIVE"), (True, TestReason.PERSON_STOPPED, "PERSON_STOPPED")]
    ):
        plate = mint_plate_id(PlateKind.PERSON, street.randomness)
        street.people.codes.append(SomePersonalCode(street.mint.mint(), plate, user_id=number, active=active))
        street.people.people[number] = SomePerson(number, no=no)
        assert street.no(street.requests.resolve, SITE.url(plate)).reason.name == reason


def expired(street: ShopStreet, _owner: StaffKey, _made: int) -> None:
    street.clock.advance(seconds=7200)


def claimed(street: ShopStreet, _owner: StaffKey, made: int) -> None:
    street.do(lambda: street.requests.claim(made, PAYMENT, street.now_ns))


def paid(street: ShopStreet, owner: StaffKey, made: int) -> None:
    claimed(street, owner, made)
    street.do(lambda: street.requests.paid(made, PAYMENT))


def cancelled(street: ShopStreet, owner: StaffKey, made: int) -> None:
    street.do(lambda: street.requests.cancel(owner, made))


def suspended(street: ShopStreet, owner: StaffKey, _made: int) -> None:
    street.do(lambda: street.merchants.suspend(owner.merchant_id))


def closed(street: ShopStreet, owner: StaffKey, _made: int) -> None:
    street.do(lambda: street.merchants.close(owner.merchant_id))


def shop_closed(street: ShopStreet, owner: StaffKey, made: int) -> None:
    shop = street.do(lambda: street.requests.request(made)).shop_id
    street.do(lambda: street.merchants.close_shop(owner, shop))


@pytest.mark.parametrize(
    ("happens", "of_the_request", "of_the_plate"),
    [
        (expired, "REQUEST_EXPIRED", ""),
        (claimed, "REQUEST_CLAIMED", ""),
        (paid, "REQUEST_ALREADY_PAID", ""),
        (cancelled, "REQUEST_CANCELLED", ""),
        (suspended, "MERCHANT_SUSPENDED", "MERCHANT_SUSPENDED"),
        (closed, "MERCHANT_CLOSED", "MERCHANT_CLOSED"),
        (shop_closed, "SHOP_CLOSED", "SHOP_CLOSED"),
    ],
)
def test_what_cannot_be_paid_now_says_why(
    street: ShopStreet,
    owner: StaffKey,
    happens: Callable[[ShopStreet, StaffKey, int], None],
    of_the_request: str,
    of_the_plate: str,
) -> None:
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    plate = street.do(lambda: street.plates.hang(owner, "table 1", shop.id))
    made = street.do(lambda: street.requests.create(owner, draft(shop_id=shop.id)))
    plate_texts = street.do(lambda: street.plates.texts(plate))
    request_texts = street.do(lambda: street.requests.texts(made))
    happens(street, owner, made.id)
    street.restart()
    for text in request_texts:
        assert street.no(street.requests.resolve, text).reason.name == of_the_request
    assert street.no(street.requests.payee, made.id, street.now_ns).reason.name == of_the_request
    for text in plate_texts:
        if of_the_plate:
            assert street.no(street.requests.resolve, text).reason.name == of_the_plate
        else:
            assert payee_of(street, text).request_id == plate.id


def test_a_plate_that_is_down_or_replaced_leads_nowhere_and_its_successor_does(
    street: ShopStreet, owner: StaffKey
) -> None:
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    old = street.do(lambda: street.plates.register_foreign(owner.merchant_id, "old", "https://old.example/1"))
    new = street.do(lambda: street.plates.replace(owner, plate.id, "till, new"))
    street.do(lambda: street.plates.take_down(owner, old.id))
    assert street.no(street.requests.resolve, SITE.url(plate.plate_id)).reason.name == "CODE_INACTIVE"
    assert street.no(street.requests.payee, old.id, street.now_ns).reason.name == "CODE_INACTIVE"
    assert street.do(lambda: street.requests.resolve("https://old.example/1")) is None
    assert payee_of(street, SITE.url(new.plate_id)).request_id == new.id


def test_codes_of_others_are_not_ours(street: ShopStreet, owner: StaffKey) -> None:
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    for text in (
        f"https://wei.example/q/{plate.plate_id}",
        f"https://jing.example.evil.example/q/{plate.plate_id}",
        "https://jing.example/about",
        foreign("nobody@devb"),
        "281234567890123456",
        "wxp://f2f0AbCdEf",
    ):
        assert street.do(partial(street.requests.resolve, text)) is None, text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "CODE_KIND_UNKNOWN"),
        ("hello", "CODE_KIND_UNKNOWN"),
        ("https://jing.example/q/", "PLATE_MALFORMED"),
        ("https://jing.example/q/M0", "PLATE_MALFORMED"),
        ("https://user@jing.example/q/M0", "LINK_DISGUISED"),
        ("000201010211269X", "FIELD_LENGTH_MALFORMED"),
        ("\0", "CODE_KIND_UNKNOWN"),
    ],
)
def test_what_is_no_code_is_refused_by_name(street: ShopStreet, text: str, reason: str) -> None:
    assert street.no(street.requests.resolve, text).reason.name == reason


def test_codes_we_never_issued_are_unknown(street: ShopStreet) -> None:
    for kind in (PlateKind.MERCHANT, PlateKind.PERSON):
        text = SITE.url(mint_plate_id(kind, street.randomness))
        assert street.no(street.requests.resolve, text).reason.name == "CODE_UNKNOWN"
    text = SITE.url(request_plate_id(street.mint.mint()))
    assert street.no(street.requests.resolve, text).reason.name == "CODE_UNKNOWN"
    for id_ in (0, 77 << 8, street.mint.mint(), 2**128 - 256):
        assert street.no(street.requests.payee, id_, street.now_ns).reason.name == "CODE_UNKNOWN"


STREET = ShopStreet()


@given(st.text(max_size=120) | st.text("https://jing.example/q/MPR0123456789", max_size=60).map(SITE.base.__add__))
def test_no_text_gets_anything_but_an_answer_or_a_named_refusal(text: str) -> None:
    with suppress(Refusal):
        assert STREET.do(lambda: STREET.requests.resolve(text)) is None
    assert STREET.journal.position == 0
