import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from hutong.codes.merchant_presented import Initiation, read
from hutong.codes.plate import emvco_plate, read_plate, request_plate_id
from hutong.codes.profile import CANONICAL
from hutong.institution.merchants.staff_key import Role, StaffKey
from hutong.institution.requests.request import RequestLimits, RequestState
from hutong.kernel.clock import NS_PER_S
from hutong.scheme.messages import Channel
from tests.institution.merchants.shop_street import ShopStreet, corner, draft

PAYMENT = 1_767_225_600_000 << 80 | 77 << 8


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


@pytest.fixture
def owner(street: ShopStreet) -> StaffKey:
    return street.owner()


def test_the_same_reference_and_content_is_the_same_request_whatever_became_of_it(
    street: ShopStreet, owner: StaffKey
) -> None:
    made = street.do(lambda: street.requests.create(owner, draft()))
    assert street.do(lambda: street.requests.create(owner, draft())) == made
    street.restart()
    assert street.do(lambda: street.requests.create(owner, draft())) == made
    street.clock.advance(seconds=10_000)
    street.do(lambda: street.merchants.suspend(owner.merchant_id))
    again = street.do(lambda: street.requests.create(owner, draft()))
    assert again == made
    assert again.state_at(street.now_ns) is RequestState.EXPIRED


@pytest.mark.parametrize(
    "changed",
    [
        {"amount": 1201},
        {"currency": "HKD"},
        {"channel": Channel.REQUEST},
        {"shop_id": 99 << 80},
        {"remark": "two bowls"},
        {"lifetime_s": 60},
        {"channel": Channel.PAYMENT_CODE, "payer_code": "281234567890123456"},
    ],
)
def test_the_same_reference_with_other_content_names_the_field(
    street: ShopStreet, owner: StaffKey, changed: dict[str, object]
) -> None:
    street.do(lambda: street.requests.create(owner, draft()))
    for _ in range(2):
        refusal = street.no(street.requests.create, owner, draft(**changed))
        assert (refusal.reason.name, refusal.facts["field"]) == ("REFERENCE_REUSED", next(iter(changed)))
        street.restart()


def test_another_payer_s_code_under_the_same_reference_is_a_conflict(street: ShopStreet, owner: StaffKey) -> None:
    charge = partial(draft, channel=Channel.PAYMENT_CODE)
    street.do(lambda: street.requests.create(owner, charge(payer_code="281234567890123456")))
    refusal = street.no(street.requests.create, owner, charge(payer_code="281234567890123457"))
    assert (refusal.reason.name, refusal.facts["field"]) == ("REFERENCE_REUSED", "payer_code")


def test_two_merchants_may_use_one_reference(street: ShopStreet, owner: StaffKey) -> None:
    stranger = street.owner("M-2")
    ours = street.do(lambda: street.requests.create(owner, draft()))
    theirs = street.do(lambda: street.requests.create(stranger, draft(amount=5)))
    assert ours.id != theirs.id
    assert street.do(lambda: street.requests.get_by_reference(owner, "order-1")) == ours
    assert street.do(lambda: street.requests.get_by_reference(stranger, "order-1")) == theirs


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": 0}, "AMOUNT_OUT_OF_LIMITS"),
        ({"amount": -1}, "AMOUNT_OUT_OF_LIMITS"),
        ({"amount": 1_000_001}, "AMOUNT_OUT_OF_LIMITS"),
        ({"amount": 2**63}, "AMOUNT_OUT_OF_LIMITS"),
        ({"currency": "HKD"}, "CURRENCY_DIFFERS"),
        ({"currency": "ZZZ"}, "CURRENCY_UNKNOWN"),
        ({"lifetime_s": 29}, "LIFETIME_OUT_OF_LIMITS"),
        ({"lifetime_s": 7 * 86_400 + 1}, "LIFETIME_OUT_OF_LIMITS"),
        ({"channel": Channel.STATIC_CODE}, "CHANNEL_NOT_REQUESTABLE"),
        ({"channel": Channel.TOP_UP}, "CHANNEL_NOT_REQUESTABLE"),
        ({"channel": Channel.PERSONAL_CODE}, "CHANNEL_NOT_REQUESTABLE"),
        ({"channel": Channel.PAYMENT_CODE}, "PAYER_CODE_MISPLACED"),
        ({"payer_code": "281234567890123456"}, "PAYER_CODE_MISPLACED"),
        ({"shop_id": 99 << 80}, "SHOP_UNKNOWN"),
        ({"reference": ""}, "TEXT_EMPTY"),
        ({"reference": "a\0b"}, "TEXT_HAS_ODD_CHARACTERS"),
        ({"reference": "x" * 65}, "TEXT_TOO_LONG"),
        ({"remark": "a\0b"}, "TEXT_HAS_ODD_CHARACTERS"),
        ({"remark": "\ud83d"}, "TEXT_HAS_ODD_CHARACTERS"),
        ({"remark": "x" * 129}, "TEXT_TOO_LONG"),
        ({"remark": " x"}, "TEXT_HAS_OUTER_SPACES"),
        ({"channel": Channel.PAYMENT_CODE, "payer_code": "28\u202e"}, "TEXT_HAS_ODD_CHARACTERS"),
        ({"channel": Channel.PAYMENT_CODE, "payer_code": "2" * 513}, "TEXT_TOO_LONG"),
    ],
)
def test_a_request_that_cannot_be_is_refused_by_name_and_nothing_is_written(
    changed: dict[str, object], reason: str
) -> None:
    street = ShopStreet(limits=RequestLimits(amount_max=1_000_000))
    assert street.no(street.requests.create, street.owner(), draft(**changed)).reason.name == reason


def test_the_largest_amount_and_the_longest_life_can_be_asked_for(street: ShopStreet, owner: StaffKey) -> None:
    largest = draft(amount=RequestLimits().amount_max, lifetime_s=7 * 86_400)
    made = street.do(lambda: street.requests.create(owner, largest))
    assert (made.amount, made.lifetime_s) == (500_000_000, 604_800)


@pytest.mark.parametrize(
    ("changed", "lifetime_s"),
    [
        ({}, 7200),
        ({"channel": Channel.REQUEST}, 7200),
        ({"channel": Channel.PAYMENT_CODE, "payer_code": "281234567890123456"}, 60),
        ({"lifetime_s": 300}, 300),
    ],
)
def test_a_request_lives_as_long_as_its_channel_says(
    street: ShopStreet, owner: StaffKey, changed: dict[str, object], lifetime_s: int
) -> None:
    made = street.do(lambda: street.requests.create(owner, draft(**changed)))
    assert made.expires_ns == street.now_ns + lifetime_s * NS_PER_S


@pytest.mark.parametrize(("verb", "reason"), [("suspend", "MERCHANT_SUSPENDED"), ("close", "MERCHANT_CLOSED")])
def test_a_merchant_that_is_not_active_asks_for_nothing(
    street: ShopStreet, owner: StaffKey, verb: str, reason: str
) -> None:
    street.do(lambda: getattr(street.merchants, verb)(owner.merchant_id))
    assert street.no(street.requests.create, owner, draft()).reason.name == reason


def test_a_dynamic_code_reads_back_as_its_request_with_the_amount(street: ShopStreet, owner: StaffKey) -> None:
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    made = street.do(lambda: street.requests.create(owner, draft(shop_id=shop.id)))
    url, payload = street.do(lambda: street.requests.texts(made))
    assert read_plate(url).id == request_plate_id(made.id)
    code = read(payload, CANONICAL)
    assert emvco_plate(code) == ("jing", request_plate_id(made.id))
    assert (code.amount_minor, code.initiation, code.city) == (1200, Initiation.DYNAMIC, "BEIJING")


def test_what_shows_no_code_has_no_code(street: ShopStreet, owner: StaffKey) -> None:
    made = street.do(lambda: street.requests.create(owner, draft(channel=Channel.REQUEST)))
    assert street.do(lambda: street.requests.texts(made)) == ("", "")


def test_requests_are_listed_once_each_newest_first_in_pages(street: ShopStreet, owner: StaffKey) -> None:
    stranger = street.owner("M-2")
    made = []
    for number in range(7):
        made.append(street.do(partial(street.requests.create, owner, draft(reference=f"order-{number}"))))
        street.do(partial(street.requests.create, stranger, draft(reference=f"order-{number}")))
    cancelled = street.do(lambda: street.requests.cancel(owner, made[2].id))
    street.do(lambda: street.requests.claim(made[4].id, PAYMENT, street.now_ns))
    paid = street.do(lambda: street.requests.paid(made[4].id, PAYMENT))
    street.restart()
    for limit in (1, 2, 3, 7, 100):
        listed, before = [], None
        while True:
            page, before = asyncio.run(street.requests.page(owner, before=before, limit=limit))
            listed += page
            if before is None:
                break
        assert listed == [made[6], made[5], paid, made[3], cancelled, made[1], made[0]]


# Invariant 8, systematically: every verb of a merchant's, with the ids of another merchant and of another shop.


def test_no_key_reaches_what_is_another_merchant_s_or_another_shop_s(street: ShopStreet, owner: StaffKey) -> None:
    stranger = street.owner("M-2")
    merchants, plates, requests = street.merchants, street.plates, street.requests
    here = street.do(lambda: merchants.open_shop(owner, corner()))
    there = street.do(lambda: merchants.open_shop(owner, corner(reference="S-2", name="后海店")))
    scoped, _ = street.do(lambda: merchants.issue_key(owner, Role.OWNER, "manager", there.id))
    plate = street.do(lambda: plates.hang(owner, "table 1", here.id))
    request = street.do(lambda: requests.create(owner, draft(shop_id=here.id)))
    whole = street.do(lambda: requests.create(owner, draft(reference="order-2")))
    for outsider in (stranger, scoped):
        table: list[tuple[Callable[[], object], str]] = [
            (partial(merchants.shop, outsider, here.id), "SHOP_UNKNOWN"),
            (partial(plates.plate, outsider, plate.id), "PLATE_UNKNOWN"),
            (partial(plates.take_down, outsider, plate.id), "PLATE_UNKNOWN"),
            (partial(plates.replace, outsider, plate.id, "x"), "PLATE_UNKNOWN"),
            (partial(requests.get, outsider, request.id), "REQUEST_UNKNOWN"),
            (partial(requests.get, outsider, whole.id), "REQUEST_UNKNOWN"),
            (partial(requests.cancel, outsider, request.id), "REQUEST_UNKNOWN"),
            (partial(requests.get_by_reference, outsider, "order-1"), "REQUEST_UNKNOWN"),
            (partial(requests.get_by_reference, outsider, "order-2"), "REQUEST_UNKNOWN"),
        ]
        for verb, reason in table:
            assert street.no(verb).reason.name == reason
        assert asyncio.run(requests.page(outsider, before=None, limit=10)) == ([], None)
        assert asyncio.run(plates.plates(outsider, before=None, limit=10)) == ([], None)
        assert here not in street.do(partial(merchants.shops, outsider))
    for verb in (
        partial(merchants.close_shop, stranger, here.id),
        partial(merchants.issue_key, stranger, Role.READER, "spy", here.id),
        partial(plates.hang, stranger, "x", here.id),
        partial(plates.register_foreign, stranger.merchant_id, "x", "https://old.example/1", here.id),
        partial(requests.create, stranger, draft(reference="x", shop_id=here.id)),
    ):
        assert street.no(verb).reason.name == "SHOP_UNKNOWN"
    for verb in (partial(merchants.rotate_key, stranger, owner.id), partial(merchants.revoke_key, stranger, owner.id)):
        assert street.no(verb).reason.name == "STAFF_KEY_UNKNOWN"
    assert owner.id not in [key.id for key in street.do(lambda: merchants.keys(stranger))]


def test_a_key_of_one_shop_does_nothing_outside_it_nor_for_the_whole_merchant(
    street: ShopStreet, owner: StaffKey
) -> None:
    merchants, plates, requests = street.merchants, street.plates, street.requests
    here = street.do(lambda: merchants.open_shop(owner, corner()))
    there = street.do(lambda: merchants.open_shop(owner, corner(reference="S-2", name="后海店")))
    scoped, _ = street.do(lambda: merchants.issue_key(owner, Role.OWNER, "manager", here.id))
    for verb in (
        partial(merchants.open_shop, scoped, corner(reference="S-3")),
        partial(merchants.close_shop, scoped, here.id),
        partial(merchants.issue_key, scoped, Role.READER, "x", here.id),
        partial(merchants.rotate_key, scoped, owner.id),
        partial(merchants.revoke_key, scoped, owner.id),
        partial(merchants.keys, scoped),
        partial(plates.hang, scoped, "x", there.id),
        partial(requests.create, scoped, draft(shop_id=there.id)),
    ):
        assert street.no(verb).reason.name == "SHOP_NOT_YOURS"
    # What names no shop is of the key's own.
    request = street.do(lambda: requests.create(scoped, draft()))
    plate = street.do(lambda: plates.hang(scoped, "till"))
    assert (request.shop_id, plate.shop_id) == (here.id, here.id)
    assert asyncio.run(requests.page(scoped, before=None, limit=10))[0] == [request]
    street.do(lambda: plates.hang(owner, "till there", there.id))
    assert asyncio.run(plates.plates(scoped, before=None, limit=10)) == ([plate], None)
    assert street.do(lambda: merchants.shops(scoped)) == [here]
    # Another shop's order under the same reference is a conflict, and shows nothing of it.
    street.do(lambda: requests.create(owner, draft(reference="order-9", shop_id=there.id)))
    refusal = street.no(requests.create, scoped, draft(reference="order-9"))
    assert (refusal.reason.name, refusal.facts) == ("REFERENCE_REUSED", {"field": "shop_id", "reference": "order-9"})
