import asyncio
from functools import partial

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.codes.merchant_presented import Initiation, read
from hutong.codes.plate import PlateKind, emvco_plate, read_plate, request_plate_id
from hutong.codes.profile import CANONICAL
from hutong.institution.merchants.foreign_code import read_identity
from hutong.institution.merchants.plate import code_id, static_id
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import minted_ms
from tests.institution.merchants.shop_street import ShopStreet, corner, noodles

KHQR = (
    "00020101021229420013ishinvin@devb01090123456780208Dev Bank5204599953031165405100005802KH5909Ishin Vin6010Phnom Penh"
    "62680114INV-2022-12-250211855123456780310Ishin Shop07060123450807Payment64180002ZH0102文山0202金边"
    "9917001316935559673876304AE27"
)
VIETQR = "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA5303704540410005802VN62150811Chuyen tien6304BBB8"
PAYNOW = (
    "00020101021126400009SG.PAYNOW010120213200002150HWCF030115204000053037025802SG5923NATIONAL HEALTHCARE GRO"
    "6009Singapore6304DF3F"
)
UNIONPAY = (
    "00020101021252044131153137210116372101160123456789ABCDE6010Phnom Penh5913Merchant Shop5802KH540510.005303840622501"
    "081234567802090124444446304A0BA"
)


@pytest.fixture
def street() -> ShopStreet:
    return ShopStreet()


def test_a_plate_reads_back_as_itself_in_both_its_forms(street: ShopStreet) -> None:
    owner = street.owner()
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    plate = street.do(lambda: street.plates.hang(owner, "3号桌", shop.id))
    url, payload = street.do(lambda: street.plates.texts(plate))
    assert read_plate(url).id == plate.plate_id
    assert url.startswith("https://jing.example/q/M")
    assert code_id(plate.plate_id) == plate.id
    code = read(payload, CANONICAL)
    assert emvco_plate(code) == ("jing", plate.plate_id)
    assert (code.name, code.city, code.mcc, code.initiation) == ("HUTONG NOODLES", "BEIJING", "5812", Initiation.STATIC)
    assert code.local_names is not None
    assert (code.local_names.name, code.local_names.city) == ("胡同面馆", "北京")


def test_a_latin_merchant_needs_no_local_names(street: ShopStreet) -> None:
    profile = noodles(name="Drum Tower Tea", latin_name="", city="Beijing", latin_city="")
    merchant = street.do(lambda: street.merchants.onboard(profile, 0))
    owner, _ = street.do(lambda: street.merchants.issue_owner_key(merchant.id, "boss"))
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    assert read(street.do(lambda: street.plates.texts(plate))[1], CANONICAL).local_names is None


def test_the_longest_names_fit_a_payload(street: ShopStreet) -> None:
    profile = noodles(name="面" * 25, latin_name="N" * 25, city="京" * 15, latin_city="B" * 15)
    merchant = street.do(lambda: street.merchants.onboard(profile, 0))
    owner, _ = street.do(lambda: street.merchants.issue_owner_key(merchant.id, "boss"))
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    assert street.do(lambda: street.plates.texts(plate))[1]


@given(st.integers(0, 2**128 - 1), st.text(max_size=20), st.integers(0, 3))
def test_a_static_id_is_a_short_number_that_a_plate_can_say(merchant_id: int, reference: str, attempt: int) -> None:
    reference = reference.encode("utf-8", "ignore").decode()
    id_ = static_id(merchant_id, reference, attempt)
    assert minted_ms(id_) == 0
    assert id_ & 255 == 0
    assert id_ == static_id(merchant_id, reference, attempt)


@given(st.integers(0, 2**120 - 1))
def test_a_request_s_plate_says_its_id(number: int) -> None:
    plate_id = request_plate_id(number << 8)
    assert code_id(plate_id) == plate_id.request_id == number << 8
    assert plate_id.kind is PlateKind.REQUEST


def test_a_plate_hangs_once_under_its_name_and_other_content_names_the_field(street: ShopStreet) -> None:
    owner = street.owner()
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    street.restart()
    assert street.do(lambda: street.plates.hang(owner, "till")) == plate
    assert street.no(street.plates.hang, owner, "till", shop.id).facts["field"] == "shop_id"
    refusal = street.no(street.plates.register_foreign, owner.merchant_id, "till", "https://old.example/1")
    assert (refusal.reason.name, refusal.facts["field"]) == ("REFERENCE_REUSED", "text")


def test_when_sixty_bits_come_twice_the_second_plate_gets_others(street: ShopStreet) -> None:
    owner = street.owner()
    first = street.do(lambda: street.plates.hang(owner, "till"))
    stranger = street.owner("M-2")
    # As if another merchant's plate of another name had fallen on the same number.
    street.kept.plates.put(msgspec.structs.replace(first, merchant_id=stranger.merchant_id, reference="theirs"))
    second = street.do(lambda: street.plates.hang(owner, "till"))
    assert second.id != first.id
    assert street.do(lambda: street.plates.hang(owner, "till")) == second


def test_a_plate_taken_down_stays_down(street: ShopStreet) -> None:
    owner = street.owner()
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    down = street.do(lambda: street.plates.take_down(owner, plate.id))
    assert not down.is_active
    assert street.do(lambda: street.plates.take_down(owner, plate.id)) == down
    assert street.do(lambda: street.plates.hang(owner, "till")) == down


def test_a_plate_is_replaced_in_one_step_and_once(street: ShopStreet) -> None:
    owner = street.owner()
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    new = street.do(lambda: street.plates.replace(owner, plate.id, "till, new"))
    assert street.do(lambda: street.plates.replace(owner, plate.id, "till, new")) == new
    old = street.do(lambda: street.plates.plate(owner, plate.id))
    assert (old.is_active, old.replaced_by, new.is_active) == (False, new.id, True)
    assert street.no(street.plates.replace, owner, plate.id, "another").reason.name == "CODE_INACTIVE"
    assert street.no(street.plates.replace, owner, new.id, "till").reason.name == "REFERENCE_REUSED"


def test_a_closed_shop_hangs_no_plate(street: ShopStreet) -> None:
    owner = street.owner()
    shop = street.do(lambda: street.merchants.open_shop(owner, corner()))
    street.do(lambda: street.merchants.close_shop(owner, shop.id))
    assert street.no(street.plates.hang, owner, "till", shop.id).reason.name == "SHOP_CLOSED"
    assert street.no(street.plates.hang, owner, "till", 12345 << 80).reason.name == "SHOP_UNKNOWN"


def test_plates_are_listed_once_each_newest_first_in_pages(street: ShopStreet) -> None:
    owner, stranger = street.owner(), street.owner("M-2")
    hung = [street.do(partial(street.plates.hang, owner, f"table {number}")) for number in range(5)]
    street.do(lambda: street.plates.hang(stranger, "theirs"))
    down = street.do(lambda: street.plates.take_down(owner, hung[1].id))
    street.restart()
    listed, before = [], None
    while True:
        page, before = asyncio.run(street.plates.plates(owner, before=before, limit=2))
        listed += page
        if before is None:
            break
    assert listed == [hung[4], hung[3], hung[2], down, hung[0]]


IDENTITIES = [
    (KHQR, "KHQR/ishinvin@devb"),
    (VIETQR, "VietQR/970416/257678859"),
    (PAYNOW, "PayNow/2/200002150HWCF"),
    (UNIONPAY, "UnionPay/37210116372101160123456789ABCDE"),
    ("upi://pay?pa=Noodles@okbank&pn=Noodles&am=12.50&cu=INR", "UPI/noodles@okbank"),
    ("https://QR.Old-Wallet.example:443/bax0123456", "https://qr.old-wallet.example/bax0123456"),
    ("wxp://f2f0AbCdEf", "wxp://f2f0AbCdEf"),
    ("KHQR/name@bank", "KHQR/name@bank"),
    ("VietQR/970416/109257678859", "VietQR/970416/109257678859"),
]


@pytest.mark.parametrize(("text", "identity"), IDENTITIES)
def test_a_foreign_code_s_identity_is_its_payee(text: str, identity: str) -> None:
    assert read_identity(text) == identity


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("281234567890123456", "FOREIGN_CODE_UNREADABLE"),  # A payer's code.
        ("hello", "CODE_KIND_UNKNOWN"),
        ("https://user@old.example/1", "LINK_DISGUISED"),
        (KHQR[:-4] + "0000", "CRC_WRONG"),
        ("KHQR/", "CODE_KIND_UNKNOWN"),
        ("https://jing.example/q/M0000", "FOREIGN_CODE_IS_OURS"),
        ("HTTPS://JING.EXAMPLE/whatever", "FOREIGN_CODE_IS_OURS"),
        ("x" * 513, "TEXT_TOO_LONG"),
    ],
)
def test_what_cannot_be_registered_is_refused_by_name(street: ShopStreet, text: str, reason: str) -> None:
    owner = street.owner()
    assert street.no(street.plates.register_foreign, owner.merchant_id, "old", text).reason.name == reason


def test_a_plate_of_the_network_is_nobody_s_foreign_code(street: ShopStreet) -> None:
    owner = street.owner()
    plate = street.do(lambda: street.plates.hang(owner, "till"))
    payload = street.do(lambda: street.plates.texts(plate))[1]
    refusal = street.no(street.plates.register_foreign, owner.merchant_id, "mine", payload)
    assert refusal.reason.name == "FOREIGN_CODE_UNREADABLE"


def test_a_foreign_code_leads_to_one_plate_at_a_time(street: ShopStreet) -> None:
    owner, stranger = street.owner(), street.owner("M-2")
    plate = street.do(lambda: street.plates.register_foreign(owner.merchant_id, "old", KHQR))
    assert street.do(lambda: street.plates.register_foreign(owner.merchant_id, "old", KHQR)) == plate
    assert street.do(lambda: street.plates.texts(plate)) == (KHQR, "")
    for merchant_id, reference, text in (
        (stranger.merchant_id, "stolen", KHQR),
        (stranger.merchant_id, "stolen", "KHQR/ishinvin@devb"),
        (owner.merchant_id, "old, again", KHQR),
    ):
        refusal = street.no(street.plates.register_foreign, merchant_id, reference, text)
        assert refusal.reason.name == "FOREIGN_CODE_TAKEN"
    street.do(lambda: street.plates.take_down(owner, plate.id))
    moved = street.do(lambda: street.plates.register_foreign(stranger.merchant_id, "bought", KHQR))
    street.restart()
    assert street.do(lambda: street.plates.find_foreign("KHQR/ishinvin@devb")) == moved


@given(st.text(max_size=200))
def test_no_text_does_more_than_name_a_payee_or_be_refused(text: str) -> None:
    try:
        identity = read_identity(text)
    except Refusal:
        return
    assert identity
    assert read_identity(identity) == identity
