import asyncio
from functools import partial

import pytest

from hutong.institution import chart
from hutong.institution.merchants.mcc import mcc_group
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.kernel.clock import NS_PER_DAY
from tests.institution.merchants.shop_street import ShopStreet, corner, noodles, refusal_of


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


def test_a_merchant_gets_an_account_that_cannot_be_overdrawn(street: ShopStreet) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), 60))
    (account,) = asyncio.run(street.ledger.lookup_accounts([chart.merchant_account(merchant.id)]))
    assert account.flags == chart.OWED


def test_the_same_onboarding_is_the_same_merchant_even_after_a_restart(street: ShopStreet) -> None:
    first = street.do(lambda: street.merchants.onboard(noodles(), 60))
    assert street.do(lambda: street.merchants.onboard(noodles(), 60)) == first
    street.restart()
    assert street.do(lambda: street.merchants.onboard(noodles(), 60)) == first


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", "别的公司"),
        ("name", "别的面馆"),
        ("latin_name", "OTHER NOODLES"),
        ("city", "天津"),
        ("latin_city", "TIANJIN"),
        ("mcc", "5411"),
        ("currency", "HKD"),
    ],
)
def test_another_onboarding_under_the_same_reference_names_the_field(
    street: ShopStreet, field: str, value: str
) -> None:
    street.do(lambda: street.merchants.onboard(noodles(), 60))
    refusal = street.no(street.merchants.onboard, noodles(**{field: value}), 60)
    assert (refusal.reason.name, refusal.facts["field"]) == ("REFERENCE_REUSED", field)


def test_another_fee_under_the_same_reference_names_the_field(street: ShopStreet) -> None:
    street.do(lambda: street.merchants.onboard(noodles(), 60))
    refusal = street.no(street.merchants.onboard, noodles(), 61)
    assert (refusal.reason.name, refusal.facts["field"]) == ("REFERENCE_REUSED", "fee_bps")


ODD_TEXTS = [
    ("a\0b", "TEXT_HAS_ODD_CHARACTERS"),
    ("a\nb", "TEXT_HAS_ODD_CHARACTERS"),
    ("\ud800", "TEXT_HAS_ODD_CHARACTERS"),
    ("abc\u202edef", "TEXT_HAS_ODD_CHARACTERS"),
    ("\ufeffabc", "TEXT_HAS_ODD_CHARACTERS"),
    ("\U000e0041", "TEXT_HAS_ODD_CHARACTERS"),
    ("\uffff", "TEXT_HAS_ODD_CHARACTERS"),
    ("", "TEXT_EMPTY"),
    (" abc", "TEXT_HAS_OUTER_SPACES"),
    ("abc\u3000", "TEXT_HAS_OUTER_SPACES"),
    ("x" * 1000, "TEXT_TOO_LONG"),
]


@pytest.mark.parametrize(("text", "reason"), ODD_TEXTS)
@pytest.mark.parametrize("field", ["reference", "legal_name", "name", "city"])
def test_odd_texts_of_merchants_are_refused_by_name_and_nothing_is_written(
    street: ShopStreet, field: str, text: str, reason: str
) -> None:
    refusal = street.no(street.merchants.onboard, noodles(**{field: text}), 60)
    assert (refusal.reason.name, refusal.facts["field"]) == (reason, field)


@pytest.mark.parametrize(("text", "reason"), ODD_TEXTS)
def test_odd_texts_of_shops_keys_and_plates_are_refused_by_name_and_nothing_is_written(
    street: ShopStreet, text: str, reason: str
) -> None:
    owner = street.owner()
    merchants, plates = street.merchants, street.plates
    for decide in (
        partial(merchants.open_shop, owner, corner(reference=text)),
        partial(merchants.open_shop, owner, corner(name=text)),
        partial(merchants.open_shop, owner, corner(city=text)),
        partial(merchants.issue_owner_key, owner.merchant_id, text),
        partial(plates.hang, owner, text),
        partial(plates.register_foreign, owner.merchant_id, text, "https://other.example/1"),
        partial(plates.register_foreign, owner.merchant_id, "old", text),
    ):
        assert street.no(decide).reason.name == reason


@pytest.mark.parametrize(
    "name", ["Café Größe", "សៀវ\u200bភៅ", "क्\u200dष", "老北京👨\u200d🍳", "O'Neill & Söhne", "a  b"]
)
def test_good_names_of_any_script_are_taken_as_they_are(street: ShopStreet, name: str) -> None:
    assert street.do(lambda: street.merchants.onboard(noodles(name=name), 60)).name == name


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"latin_name": ""}, "latin_name"),  # And the name is Chinese.
        ({"latin_name": "Größe"}, "latin_name"),
        ({"latin_name": "X" * 26}, "latin_name"),
        ({"latin_city": ""}, "latin_city"),
        ({"latin_city": "X" * 16}, "latin_city"),
    ],
)
def test_a_name_that_no_emvco_payload_can_say_needs_a_latin_one(
    street: ShopStreet, changed: dict[str, str], field: str
) -> None:
    refusal = street.no(street.merchants.onboard, noodles(**changed), 60)
    assert (refusal.reason.name, refusal.facts["field"]) == ("LATIN_NAME_MISSING", field)


def test_a_latin_name_is_its_own_latin_name(street: ShopStreet) -> None:
    profile = noodles(name="Drum Tower Tea", latin_name="", city="Beijing", latin_city="")
    merchant = street.do(lambda: street.merchants.onboard(profile, 0))
    assert (merchant.latin_name, merchant.latin_city) == ("Drum Tower Tea", "Beijing")


@pytest.mark.parametrize(
    ("mcc", "answer"),
    [
        ("5812", "miscellaneous stores and services"),
        ("0700", "agricultural services"),
        ("9999", "government services"),
        ("4121", "transportation"),
        ("0699", "MCC_UNKNOWN"),
        ("0000", "MCC_UNKNOWN"),
        ("581", "MCC_MALFORMED"),
        ("58123", "MCC_MALFORMED"),
        ("58a2", "MCC_MALFORMED"),
        ("５８１２", "MCC_MALFORMED"),
        ("", "MCC_MALFORMED"),
        ("-812", "MCC_MALFORMED"),
    ],
)
def test_an_mcc_is_of_a_group_or_refused(mcc: str, answer: str) -> None:
    if answer.startswith("MCC"):
        assert refusal_of(lambda: mcc_group(mcc)).reason.name == answer
    else:
        assert mcc_group(mcc) == answer


def test_an_unknown_currency_is_refused(street: ShopStreet) -> None:
    refusal = street.no(street.merchants.onboard, noodles(currency="XXX"), 60)
    assert refusal.reason.name == "CURRENCY_UNKNOWN"


@pytest.mark.parametrize("fee_bps", [-1, 1001])
def test_a_fee_beyond_its_bounds_is_refused(street: ShopStreet, fee_bps: int) -> None:
    refusal = street.no(street.merchants.onboard, noodles(), fee_bps)
    assert refusal.reason.name == "FEE_OUT_OF_RANGE"


@pytest.mark.parametrize("fee_bps", [0, 1000])
def test_a_fee_at_its_bounds_is_taken(street: ShopStreet, fee_bps: int) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), fee_bps))
    assert street.do(lambda: street.merchants.fee(merchant.id, street.now_ns)).fee_bps == fee_bps


def test_a_fee_applies_from_its_instant_and_the_past_keeps_its_version(street: ShopStreet) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), 60))
    start = street.now_ns
    street.do(lambda: street.merchants.change_fee(merchant.id, 2, 38, start + 10 * NS_PER_DAY))
    street.do(lambda: street.merchants.change_fee(merchant.id, 3, 50, start + 5 * NS_PER_DAY))

    def in_force(at_ns: int) -> tuple[int, int]:
        fee = street.do(lambda: street.merchants.fee(merchant.id, at_ns))
        return fee.version, fee.fee_bps

    assert in_force(start) == (1, 60)
    assert in_force(start + 5 * NS_PER_DAY - 1) == (1, 60)
    assert in_force(start + 5 * NS_PER_DAY) == (3, 50)
    # Version 3 was decided later and begins earlier: version 2 never comes.
    assert in_force(start + 10 * NS_PER_DAY) == (3, 50)
    street.clock.advance(seconds=6 * 86_400)
    street.do(lambda: street.merchants.change_fee(merchant.id, 4, 20, None))
    assert in_force(street.now_ns) == (4, 20)
    assert in_force(start + 5 * NS_PER_DAY) == (3, 50)


@pytest.mark.parametrize(
    ("version", "fee_bps", "after_ns", "reason"),
    [
        (2, 1001, 0, "FEE_OUT_OF_RANGE"),
        (2, 50, -1, "FEE_CHANGE_IN_THE_PAST"),
        (3, 50, 0, "FEE_VERSION_TAKEN"),
        (0, 50, 0, "FEE_VERSION_TAKEN"),
        (1, 50, 0, "FEE_VERSION_TAKEN"),
    ],
)
def test_a_fee_change_that_cannot_be_is_refused(
    street: ShopStreet, version: int, fee_bps: int, after_ns: int, reason: str
) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), 60))
    at_ns = street.now_ns + after_ns
    assert street.no(street.merchants.change_fee, merchant.id, version, fee_bps, at_ns).reason.name == reason


def test_the_same_fee_change_is_decided_once(street: ShopStreet) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), 60))
    at_ns = street.now_ns + NS_PER_DAY
    first = street.do(lambda: street.merchants.change_fee(merchant.id, 2, 38, at_ns))
    street.clock.advance(seconds=2 * 86_400)
    assert street.do(lambda: street.merchants.change_fee(merchant.id, 2, 38, at_ns)) == first
    for fee_bps, other_ns, field in ((39, at_ns, "fee_bps"), (38, at_ns + 1, "applies_from")):
        assert street.no(street.merchants.change_fee, merchant.id, 2, fee_bps, other_ns).facts["field"] == field


def test_a_merchant_is_suspended_resumed_and_closed_for_good(street: ShopStreet) -> None:
    merchant = street.do(lambda: street.merchants.onboard(noodles(), 60))
    service = street.merchants
    for verb, status in (
        (service.suspend, MerchantStatus.SUSPENDED),
        (service.suspend, MerchantStatus.SUSPENDED),
        (service.resume, MerchantStatus.ACTIVE),
        (service.resume, MerchantStatus.ACTIVE),
        (service.close, MerchantStatus.CLOSED),
        (service.close, MerchantStatus.CLOSED),
    ):
        assert street.do(partial(verb, merchant.id)).status == status
    for verb in (service.suspend, service.resume):
        assert street.no(verb, merchant.id).reason.name == "MERCHANT_CLOSED"


def test_what_is_known_of_merchants_survives_a_restart(street: ShopStreet) -> None:
    owner = street.owner()
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    street.do(lambda: street.merchants.suspend(owner.merchant_id))
    street.do(lambda: street.merchants.change_fee(owner.merchant_id, 2, 38, None))
    street.restart()
    assert street.do(lambda: street.merchants.merchant(owner.merchant_id)).status == MerchantStatus.SUSPENDED
    assert street.do(lambda: street.merchants.merchant_by_reference("M-1")).id == owner.merchant_id
    assert street.do(lambda: street.merchants.fee(owner.merchant_id, street.now_ns)).version == 2
    assert street.do(lambda: street.merchants.shops(owner)) == [shop]


def test_a_shop_is_opened_once_and_another_under_its_reference_names_the_field(street: ShopStreet) -> None:
    owner = street.owner()
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    assert street.do(lambda: street.merchants.open_shop(owner, corner())) == shop
    for field in ("name", "city", "latin_city"):
        assert street.no(street.merchants.open_shop, owner, corner(**{field: "Other"})).facts["field"] == field
    closed = street.do(lambda: street.merchants.close_shop(owner, shop.id))
    assert not closed.is_open
    assert street.do(lambda: street.merchants.close_shop(owner, shop.id)) == closed


def test_a_closed_merchant_opens_no_shop_and_hangs_no_plate(street: ShopStreet) -> None:
    owner = street.owner()
    street.do(lambda: street.merchants.close(owner.merchant_id))
    assert street.no(street.merchants.open_shop, owner, corner()).reason.name == "MERCHANT_CLOSED"
    assert street.no(street.plates.hang, owner, "till").reason.name == "MERCHANT_CLOSED"
