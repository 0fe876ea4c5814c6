"""Plates: a URL and an EMVCo payload that are the same code, and an id that shows when it is mistyped."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes import merchant_presented, tlv
from hutong.codes.additional_data import LocalNames
from hutong.codes.merchant_presented import Initiation
from hutong.codes.plate import (
    Plate,
    PlateId,
    PlateKind,
    emvco_code,
    emvco_plate,
    mint_plate_id,
    read_plate,
    read_plate_id,
    request_plate_id,
)
from hutong.codes.profile import CANONICAL
from hutong.kernel.clock import ManualClock
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import IdMint, seeded_randomness
from hutong.kernel.money import Currency

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "plate.json").read_text())["vectors"]
STATIC_IDS = st.builds(
    PlateId, st.sampled_from([PlateKind.MERCHANT, PlateKind.PERSON]), st.text(CROCKFORD, min_size=12, max_size=24)
)
REQUEST_IDS = st.integers(0, 2**120 - 1).map(lambda number: request_plate_id(number << 8))
IDS = STATIC_IDS | REQUEST_IDS


def sealed(text: str) -> str:
    """The text with its CRC made right."""
    return text[:-4] + tlv.crc(text[:-4])


def reason_of(text: str) -> str | None:
    try:
        read_plate(text)
    except Refusal as refusal:
        return refusal.reason.name
    return None


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["url"] for vector in VECTORS])
def test_printed_plates_are_read_for_ever(vector: dict[str, str]) -> None:
    plate = read_plate(vector["url"])
    assert (plate.base, plate.id.kind.name, plate.id.body) == (vector["base"], vector["kind"], vector["body"])
    assert str(plate) == vector["url"]
    assert emvco_plate(merchant_presented.read(vector["emvco"], CANONICAL)) == (vector["node"], plate.id)


@given(IDS)
def test_a_plate_is_read_back_from_its_url(plate_id: PlateId) -> None:
    plate = Plate("https://jing.example", plate_id)
    assert read_plate(str(plate)) == plate
    assert read_plate_id(str(plate_id).lower()) == plate_id


@settings(deadline=None)
@given(IDS)
def test_every_wrong_letter_and_every_two_swapped_are_noticed(plate_id: PlateId) -> None:
    letters = str(plate_id)
    for at, letter in enumerate(letters):
        for other in set(CROCKFORD) - {letter}:
            with pytest.raises(Refusal):
                read_plate_id(letters[:at] + other + letters[at + 1 :])
        swapped = letters[:at] + letters[at : at + 2][::-1] + letters[at + 2 :]
        if swapped != letters:
            with pytest.raises(Refusal):
                read_plate_id(swapped)


def test_a_request_is_found_again_from_its_plate() -> None:
    request_id = IdMint(ManualClock(), seeded_randomness(1)).mint()
    plate_id = request_plate_id(request_id)
    assert plate_id.kind is PlateKind.REQUEST
    assert read_plate_id(str(plate_id)).request_id == request_id


def test_minted_plates_differ_and_cannot_be_listed_by_counting() -> None:
    randomness = seeded_randomness(1)
    minted = [mint_plate_id(PlateKind.MERCHANT, randomness) for _ in range(1000)]
    assert len({plate_id.body[:6] for plate_id in minted}) == 1000
    assert {len(str(plate_id)) for plate_id in minted} == {14}


GOOD = str(PlateId(PlateKind.MERCHANT, "0123456789AB"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"https://jing.example/q/{GOOD}", None),
        (f"https://JING.example:443/q/{GOOD.lower()}", None),
        (f"http://127.0.0.1:8101/q/{GOOD}", None),
        (f"http://jing.example/q/{GOOD}", "LINK_NOT_SECURE"),
        (f"ftp://jing.example/q/{GOOD}", "LINK_NOT_SECURE"),
        (f"https://jing.example/Q/{GOOD}", "PLATE_MALFORMED"),
        (f"https://jing.example/p/{GOOD}", "PLATE_MALFORMED"),
        (f"https://jing.example/q/{GOOD}/", "PLATE_MALFORMED"),
        (f"https://jing.example/q/{GOOD}?x=1", "PLATE_MALFORMED"),
        (f"https://jing.example/q//{GOOD}", "PLATE_MALFORMED"),
        ("https://jing.example/q/", "PLATE_MALFORMED"),
        (f"https://jing.example/q/{GOOD[:-1]}", "PLATE_MALFORMED"),
        (f"https://jing.example/q/{GOOD[:-1]}U", "PLATE_MALFORMED"),
        (f"https://jing.example/q/{GOOD[:-2]}{GOOD[-1]}0", "PLATE_MISTYPED"),
        (f"https://jing.example/q/{'0' * 14}", "PLATE_MALFORMED"),
        (f"https://jing.example@evil.example/q/{GOOD}", "LINK_DISGUISED"),
        (f"https://jing.example/q/ｍ{GOOD[1:]}", "PLATE_MALFORMED"),
    ],
)
def test_only_the_whole_url_of_a_plate_is_one(text: str, reason: str | None) -> None:
    assert reason_of(text) == reason


@settings(max_examples=300, deadline=None)
@given(
    st.text()
    | st.text().map("https://jing.example/q/".__add__)
    | st.text(CROCKFORD).map("https://j.example/q/".__add__)
)
def test_any_text_gets_a_refusal_or_a_plate(text: str) -> None:
    try:
        plate = read_plate(text)
    except Refusal:
        return
    assert read_plate(str(plate)) == plate


@settings(deadline=None)
@given(IDS, st.none() | st.integers(1, 10**9))
def test_the_emvco_form_names_the_same_plate(plate_id: PlateId, amount_minor: int | None) -> None:
    code = emvco_code(
        "jing",
        plate_id,
        mcc="5812",
        currency=Currency.CNY,
        country="CN",
        name="LAO ZHANG NOODLES",
        city="BEIJING",
        amount_minor=amount_minor,
        local_names=LocalNames("ZH", "老张拉面", "北京"),
    )
    found = merchant_presented.read(merchant_presented.build(code), CANONICAL)
    assert emvco_plate(found) == ("jing", plate_id)
    assert found.amount_minor == amount_minor
    is_request = plate_id.kind is PlateKind.REQUEST
    assert found.initiation is (Initiation.DYNAMIC if is_request else Initiation.STATIC)
    assert (found.additional is not None) is is_request


def test_somebody_elses_emvco_code_is_no_plate_of_ours_and_half_a_plate_is_refused() -> None:
    code = emvco_code(
        "here", PlateId(PlateKind.PERSON, "0" * 12), mcc="0000", currency=Currency.CNY, country="CN", name="N", city="C"
    )
    text = merchant_presented.build(code)
    foreign = text.replace("9f3c6b0e", "00000000")
    assert emvco_plate(merchant_presented.read(sealed(foreign))) is None
    for wrong in (text.replace("0104here", "0304here"), text.replace("0214P", "0314P"), text.replace("P0000", "P0010")):
        assert wrong != text
        with pytest.raises(Refusal):
            emvco_plate(merchant_presented.read(sealed(wrong)))
