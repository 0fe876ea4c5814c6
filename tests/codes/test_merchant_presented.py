"""EMVCo merchant-presented codes: the published vectors, every rule from both sides, and no surprise from any text."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes import tlv
from hutong.codes.additional_data import ASK_PAYER, AdditionalData, LocalNames, Template
from hutong.codes.merchant_presented import (
    Initiation,
    MerchantPresentedCode,
    PrimitiveAccount,
    Tip,
    TipKind,
    build,
    read,
)
from hutong.codes.national import national_accounts
from hutong.codes.profile import CANONICAL, LENIENT, STRICT, Profile
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency

T = TypeVar("T")
VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "merchant_presented.json").read_text())["vectors"]
PROFILES = (CANONICAL, STRICT, LENIENT)


def named(vectors: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def answer(ask: Callable[[], T]) -> T | Refusal:
    """What is answered, a refusal too; anything else that is raised fails the test."""
    try:
        return ask()
    except Refusal as refusal:
        return refusal


def sealed(text: str) -> str:
    """The text with a right CRC."""
    return text + "6304" + tlv.crc(text + "6304")


@named(VECTORS)
def test_a_published_code_says_what_its_scheme_says(vector: dict[str, Any]) -> None:
    code = read(vector["text"])
    says = vector["says"]
    assert code.currency.alpha == says["currency"]
    assert {name: getattr(code, name) for name in says.keys() - {"currency", "schemes"}} == {
        name: value for name, value in says.items() if name not in {"currency", "schemes"}
    }
    assert [found.scheme for found in national_accounts(code)] == says["schemes"]


@named(VECTORS)
def test_a_published_code_is_read_by_the_profiles_it_satisfies(vector: dict[str, Any]) -> None:
    strictest = [profile.name for profile in PROFILES].index(vector["strictest_profile"])
    for number, profile in enumerate(PROFILES):
        if number >= strictest:
            read(vector["text"], profile)
        else:
            with pytest.raises(Refusal):
                read(vector["text"], profile)


@named([vector for vector in VECTORS if vector["strictest_profile"] == "canonical"])
def test_a_canonical_code_is_built_as_the_same_text(vector: dict[str, Any]) -> None:
    assert build(read(vector["text"], CANONICAL)) == vector["text"]


@named([vector for vector in VECTORS if vector["strictest_profile"] != "lenient"])
def test_a_code_from_elsewhere_is_built_as_canonical_text_that_says_the_same(vector: dict[str, Any]) -> None:
    code = read(vector["text"])
    assert read(build(code), CANONICAL) == code


@named(VECTORS)
def test_a_code_with_any_one_letter_changed_is_refused(vector: dict[str, Any]) -> None:
    text = vector["text"]
    for at, letter in enumerate(text):
        for other in ("0" if letter != "0" else "1", "Z" if letter != "Z" else "Y", "州", "\x00"):
            for profile in PROFILES:
                with pytest.raises(Refusal):
                    read(text[:at] + other + text[at + 1 :], profile)


@named(VECTORS)
def test_a_truncated_or_lengthened_code_is_refused(vector: dict[str, Any]) -> None:
    text = vector["text"]
    for end in range(len(text)):
        with pytest.raises(Refusal):
            read(text[:end])
    for tail in ("0", "00", "9900", text):
        with pytest.raises(Refusal):
            read(text + tail)


def test_the_emvco_sample_says_everything_in_it() -> None:
    assert read(VECTORS[0]["text"]) == MerchantPresentedCode(
        accounts=(
            Template("29", "D15600000000", (("05", "A93FO3230Q"),)),
            Template("31", "D15600000001", (("03", "12345678"),)),
        ),
        currency=Currency.CNY,
        country="CN",
        mcc="4111",
        name="BEST TRANSPORT",
        city="BEIJING",
        initiation=Initiation.DYNAMIC,
        amount_minor=2372,
        tip=Tip(TipKind.ASK_PAYER),
        additional=AdditionalData(
            store_label="1234", customer_label=ASK_PAYER, terminal_label="A6008667", consumer_data_request="ME"
        ),
        local_names=LocalNames("ZH", "最佳运输", "北京"),
        unreserved=(Template("91", "A011223344998877", (("07", "12345678"),)),),
    )


def test_the_crc_is_the_one_of_the_check_string() -> None:
    assert tlv.crc("123456789") == "29B1"


# What a code is made of, canonical as it stands; the rules below change one part each.
PARTS = {
    "00": "01",
    "01": "11",
    "26": "0009TEST.HERE0104abcd",
    "52": "5812",
    "53": "156",
    "54": "12.34",
    "58": "CN",
    "59": "LAO ZHANG NOODLES",
    "60": "BEIJING",
    "61": "100000",
    "62": "0504ref1",
}


def text_of(changes: Mapping[str, str | None] | None = None, *, order: list[str] | None = None) -> str:
    parts = {id_: value for id_, value in (PARTS | dict(changes or {})).items() if value is not None}
    return sealed("".join(tlv.field(id_, parts[id_]) for id_ in order or sorted(parts)))


RULES: list[tuple[dict[str, str | None], str, str | None, str]] = [
    # What is changed, which profiles read it (c, s, l), and the refusal of the others with the id it names.
    ({}, "csl", None, ""),
    ({"01": "12"}, "csl", None, ""),
    ({"01": None}, "csl", None, ""),
    ({"01": "13"}, "", "FIELD_MALFORMED", "01"),
    ({"00": "02"}, "l", "FORMAT_VERSION_UNKNOWN", "00"),
    ({"00": "03"}, "", "FORMAT_VERSION_UNKNOWN", "00"),
    ({"26": None}, "", "FIELD_MISSING", "02-51"),
    ({"26": None, "15": "3721011637210116", "16": "1"}, "csl", None, ""),
    ({"26": "0104abcd"}, "", "FIELD_MISSING", "26.00"),
    ({"26": "0009TEST.HERE0105abcd"}, "", "FIELD_TRUNCATED", "26.01"),
    ({"26": "0009TEST.HERE01"}, "", "FIELD_TRUNCATED", "26.01"),
    ({"26": "0009TEST.HEREx104abcd"}, "", "FIELD_ID_MALFORMED", "26"),
    ({"26": "0009TEST.HERE0104abcd0101x"}, "", "FIELD_REPEATED", "26.01"),
    ({"26": "0104abcd0009TEST.HERE"}, "sl", "FIELDS_OUT_OF_ORDER", "26"),
    ({"26": "0033" + "G" * 33}, "", "FIELD_TOO_LONG", "26.00"),
    ({"26": "0009TEST.HERE0100"}, "", "FIELD_EMPTY", "26.01"),
    ({"52": None}, "l", "FIELD_MISSING", "52"),
    ({"52": "581"}, "", "FIELD_MALFORMED", "52"),
    ({"52": "58a2"}, "", "FIELD_MALFORMED", "52"),
    ({"53": None}, "", "FIELD_MISSING", "53"),
    ({"53": "CNY"}, "", "FIELD_MALFORMED", "53"),
    ({"53": "999"}, "", "CURRENCY_UNKNOWN", "53"),
    ({"54": None}, "csl", None, ""),
    ({"54": "12"}, "sl", "AMOUNT_NOT_CANONICAL", "54"),
    ({"54": "12."}, "sl", "AMOUNT_NOT_CANONICAL", "54"),
    ({"54": "012.34"}, "sl", "AMOUNT_NOT_CANONICAL", "54"),
    ({"54": "0.01"}, "csl", None, ""),
    ({"54": "9999999999.99"}, "csl", None, ""),
    ({"54": "10000000000.00"}, "", "FIELD_TOO_LONG", "54"),
    ({"54": "0"}, "", "AMOUNT_ZERO", "54"),
    ({"54": "0.00"}, "", "AMOUNT_ZERO", "54"),
    ({"54": "12.345"}, "", "AMOUNT_HAS_TOO_MANY_DECIMALS", "54"),
    ({"54": "-1.00"}, "", "AMOUNT_MALFORMED", "54"),
    ({"54": "1e3"}, "", "AMOUNT_MALFORMED", "54"),
    ({"54": ".50"}, "", "AMOUNT_MALFORMED", "54"),
    ({"54": "1.2.3"}, "", "AMOUNT_MALFORMED", "54"),
    ({"54": ""}, "", "FIELD_EMPTY", "54"),
    ({"53": "392", "54": "999.123"}, "", "AMOUNT_HAS_TOO_MANY_DECIMALS", "54"),
    ({"53": "392", "54": "999"}, "csl", None, ""),
    ({"55": "01"}, "csl", None, ""),
    ({"55": "04"}, "", "FIELD_MALFORMED", "55"),
    ({"55": "02"}, "", "TIP_INCOMPLETE", "56"),
    ({"55": "02", "56": "1.50"}, "csl", None, ""),
    ({"55": "02", "56": "1.5"}, "sl", "AMOUNT_NOT_CANONICAL", "56"),
    ({"55": "02", "56": "0.00"}, "", "AMOUNT_ZERO", "56"),
    ({"55": "01", "56": "1.50"}, "", "TIP_INCOMPLETE", "56"),
    ({"56": "1.50"}, "", "TIP_INCOMPLETE", "56"),
    ({"55": "03"}, "", "TIP_INCOMPLETE", "57"),
    ({"55": "03", "57": "0.01"}, "csl", None, ""),
    ({"55": "03", "57": "99.99"}, "csl", None, ""),
    ({"55": "03", "57": "3"}, "sl", "AMOUNT_NOT_CANONICAL", "57"),
    ({"55": "03", "57": "00.01"}, "sl", "AMOUNT_NOT_CANONICAL", "57"),
    ({"55": "03", "57": "0.00"}, "", "FIELD_MALFORMED", "57"),
    ({"55": "03", "57": "100"}, "", "FIELD_MALFORMED", "57"),
    ({"55": "03", "57": "1.001"}, "", "AMOUNT_HAS_TOO_MANY_DECIMALS", "57"),
    ({"55": "03", "57": "099.99"}, "", "FIELD_TOO_LONG", "57"),
    ({"58": None}, "", "FIELD_MISSING", "58"),
    ({"58": "NA"}, "csl", None, ""),
    ({"58": "cn"}, "", "FIELD_MALFORMED", "58"),
    ({"58": "CHN"}, "", "FIELD_MALFORMED", "58"),
    ({"59": None}, "l", "FIELD_MISSING", "59"),
    ({"59": "N" * 25}, "csl", None, ""),
    ({"59": "N" * 26}, "", "FIELD_TOO_LONG", "59"),
    ({"59": "老张拉面"}, "l", "FIELD_NOT_ASCII", "59"),
    ({"59": "老张\u3000拉面"}, "l", "FIELD_NOT_ASCII", "59"),
    ({"59": "LAO\nZHANG"}, "", "CODE_HAS_CONTROL_CHARACTERS", ""),
    ({"59": "\u202egnahZ"}, "", "CODE_HAS_CONTROL_CHARACTERS", ""),
    ({"60": None}, "l", "FIELD_MISSING", "60"),
    ({"60": "C" * 15}, "csl", None, ""),
    ({"60": "C" * 16}, "", "FIELD_TOO_LONG", "60"),
    ({"61": "1" * 10}, "csl", None, ""),
    ({"61": "1" * 11}, "", "FIELD_TOO_LONG", "61"),
    ({"62": None}, "csl", None, ""),
    ({"62": ""}, "l", "FIELD_EMPTY", "62"),
    ({"62": "0503***"}, "csl", None, ""),
    ({"62": "0525" + "r" * 25}, "csl", None, ""),
    ({"62": "0526" + "r" * 26}, "", "FIELD_TOO_LONG", "62.05"),
    ({"62": "0903AME"}, "csl", None, ""),
    ({"62": "0902AA"}, "", "FIELD_MALFORMED", "62.09"),
    ({"62": "0901X"}, "", "FIELD_MALFORMED", "62.09"),
    ({"62": "0001x"}, "", "FIELD_ID_MALFORMED", "62.00"),
    ({"62": "1201x5012" + "0004GUID0100"[:8] + "0101"}, "", "FIELD_TRUNCATED", "62.50.01"),
    ({"62": "1201x50130004GUID0101x"}, "csl", None, ""),
    ({"62": "50050101x"}, "", "FIELD_MISSING", "62.50.00"),
    ({"62": "0601x0501y"}, "sl", "FIELDS_OUT_OF_ORDER", "62"),
    ({"64": "0002ZH0104老张拉面0202北京"}, "csl", None, ""),
    ({"64": "0002ZH0104老张拉面"}, "csl", None, ""),
    ({"64": "0002ZH"}, "", "FIELD_MISSING", "64.01"),
    ({"64": "0104老张拉面"}, "", "FIELD_MISSING", "64.00"),
    ({"64": "0002中文0104老张拉面"}, "", "FIELD_MALFORMED", "64.00"),
    ({"64": "0002ZH0126" + "老" * 26}, "", "FIELD_TOO_LONG", "64.01"),
    ({"65": "whatever", "79": "0099"}, "csl", None, ""),
    ({"80": "0004GUID0101x"}, "csl", None, ""),
    ({"80": "whatever"}, "l", "FIELD_ID_MALFORMED", "80"),
]


@pytest.mark.parametrize(("changes", "readers", "reason", "id_"), RULES, ids=[str(rule[0]) for rule in RULES])
def test_the_profiles_agree_on_what_each_asks(
    changes: dict[str, str | None], readers: str, reason: str | None, id_: str
) -> None:
    text = text_of(changes)
    for profile in PROFILES:
        if profile.name[0] in readers:
            read(text, profile)
            continue
        with pytest.raises(Refusal) as refused:
            read(text, profile)
        assert refused.value.reason.name == reason
        assert refused.value.facts.get("id", "") == id_
        assert 0 <= refused.value.facts["offset"] <= len(text)


def test_digits_of_other_scripts_are_no_digits() -> None:
    for changes, reason in (
        ({"26": "0009TEST.HERE01٠٤abcd"}, "FIELD_LENGTH_MALFORMED"),
        ({"26": "0009TEST.HERE٠104abcd"}, "FIELD_ID_MALFORMED"),
        ({"52": "٣٤٥٦"}, "FIELD_MALFORMED"),
        ({"53": "١٥٦"}, "FIELD_MALFORMED"),
        ({"54": "١٢"}, "AMOUNT_MALFORMED"),
    ):
        assert reason_of(text_of(changes), LENIENT) == reason


def test_a_refusal_points_at_the_value_that_is_wrong() -> None:
    for changes, id_, within in (
        ({"52": "58a2"}, "52", 0),
        ({"54": "1.2.3"}, "54", 0),
        ({"62": "0401x0901X"}, "62", 9),
        ({"64": "0002ZH0126" + "老" * 26}, "64", 10),
    ):
        text = text_of(changes)
        with pytest.raises(Refusal) as refused:
            read(text)
        assert refused.value.facts["offset"] == tlv.offset_of(text, id_) + within


def test_the_order_of_fields_is_free_but_for_the_first_the_last_and_canonical() -> None:
    order = sorted(PARTS)
    shuffled = ["00", *reversed(order[1:])]
    assert read(text_of(order=shuffled), STRICT) == read(text_of(), STRICT)
    assert reason_of(text_of(order=shuffled), CANONICAL) == "FIELDS_OUT_OF_ORDER"
    assert reason_of(text_of(order=[*order[1:], "00"]), LENIENT) == "FIELDS_OUT_OF_ORDER"
    crc_inside = text_of(order=order[:3]) + "".join(tlv.field(id_, PARTS[id_]) for id_ in order[3:])
    assert reason_of(crc_inside, LENIENT) == "CRC_MISSING"


def test_only_a_lenient_reader_takes_a_crc_in_small_letters() -> None:
    text = next(
        text for number in range(99) if (text := text_of({"61": str(number)}))[-4:].upper() != text[-4:].lower()
    )
    lowered = text[:-4] + text[-4:].lower()
    assert read(lowered, LENIENT) == read(text)
    assert {reason_of(lowered, profile) for profile in (CANONICAL, STRICT)} == {"CRC_WRONG"}


def test_a_code_as_long_as_allowed_is_read_and_a_longer_one_is_not() -> None:
    filled = {f"{id_}": "x" * 99 for id_ in range(65, 68)}
    rest = 512 - len(text_of(filled))
    for extra, reason in ((rest - 4, None), (rest - 3, "CODE_TOO_LONG")):
        text = text_of(filled | {"70": "x" * extra})
        assert reason_of(text, STRICT) == reason
        assert reason_of(text, LENIENT) is None


def reason_of(text: str, profile: Profile) -> str | None:
    code = answer(lambda: read(text, profile))
    return code.reason.name if isinstance(code, Refusal) else None


ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20)
LOCAL = st.text("北京州兰张老拉面 abcé\u200b", min_size=1, max_size=15)


def ids(first: int, last: int) -> st.SearchStrategy[str]:
    return st.integers(first, last).map(lambda number: f"{number:02d}")


def fields(first: int, last: int) -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    return st.dictionaries(ids(first, last), ASCII, max_size=2).map(lambda held: tuple(sorted(held.items())))


def templates(first: int, last: int) -> st.SearchStrategy[dict[str, Template]]:
    made = st.builds(Template, ids(first, last), ASCII, fields(1, 99))
    return st.lists(made, max_size=1).map(lambda found: {template.id: template for template in found})


def ordered(held: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(held[id_] for id_ in sorted(held))


ACCOUNTS = st.lists(
    st.builds(PrimitiveAccount, ids(2, 25), ASCII) | st.builds(Template, ids(26, 51), ASCII, fields(1, 99)),
    min_size=1,
    max_size=2,
).map(lambda found: ordered({account.id: account for account in found}))
ADDITIONAL = st.builds(
    AdditionalData,
    bill_number=st.none() | ASCII,
    reference_label=st.none() | st.just(ASK_PAYER) | ASCII,
    consumer_data_request=st.none() | st.sampled_from(["A", "ME", "EMA"]),
    purpose=st.none() | ASCII,
    reserved=fields(12, 49),
    templates=templates(50, 99).map(ordered),
).filter(lambda data: data != AdditionalData())
CODES = st.builds(
    MerchantPresentedCode,
    accounts=ACCOUNTS,
    currency=st.sampled_from(Currency),
    country=st.sampled_from(["CN", "HK", "NA"]),
    mcc=st.from_regex(r"[0-9]{4}", fullmatch=True),
    name=ASCII,
    city=ASCII.map(lambda city: city[:15]),
    initiation=st.none() | st.sampled_from(Initiation),
    amount_minor=st.none() | st.integers(1, 10**12 - 1),
    tip=st.none()
    | st.just(Tip(TipKind.ASK_PAYER))
    | st.builds(Tip, st.just(TipKind.FIXED), st.integers(1, 10**9))
    | st.builds(Tip, st.just(TipKind.PERCENT), st.integers(1, 9999)),
    postcode=st.none() | ASCII.map(lambda postcode: postcode[:10]),
    additional=st.none() | ADDITIONAL,
    local_names=st.none() | st.builds(LocalNames, st.just("ZH"), LOCAL, st.none() | LOCAL, fields(3, 99)),
    unreserved=templates(80, 99).map(ordered),
    opaque=fields(65, 79),
)


@settings(max_examples=300, deadline=None)
@given(CODES)
def test_what_is_built_is_read_back_by_every_profile(code: MerchantPresentedCode) -> None:
    text = answer(lambda: build(code))
    if isinstance(text, Refusal):  # Parts that are each short enough can be too much together.
        assert text.reason.name in {"FIELD_TOO_LONG", "CODE_TOO_LONG"}
        return
    assert [read(text, profile) for profile in PROFILES] == [code] * 3
    assert build(read(text, CANONICAL)) == text


GOOD = read(VECTORS[1]["text"])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (replace(GOOD, amount_minor=0), "AMOUNT_ZERO"),
        (replace(GOOD, amount_minor=-1), "AMOUNT_MALFORMED"),
        (replace(GOOD, amount_minor=10**13), "FIELD_TOO_LONG"),
        (replace(GOOD, name=None), "FIELD_MISSING"),
        (replace(GOOD, name=""), "FIELD_EMPTY"),
        (replace(GOOD, name="老张"), "FIELD_NOT_ASCII"),
        (replace(GOOD, name="\ud800"), "CODE_HAS_CONTROL_CHARACTERS"),
        (replace(GOOD, name="N" * 200), "FIELD_TOO_LONG"),
        (replace(GOOD, accounts=()), "FIELD_MISSING"),
        (replace(GOOD, accounts=(PrimitiveAccount("26", "x"),)), "FIELD_TRUNCATED"),
        (replace(GOOD, accounts=(PrimitiveAccount("63", "x"),)), "FIELD_REPEATED"),
        (replace(GOOD, accounts=(PrimitiveAccount("04", "x"), PrimitiveAccount("02", "x"))), "FIELDS_OUT_OF_ORDER"),
        (replace(GOOD, accounts=(PrimitiveAccount("02", "x"), PrimitiveAccount("02", "y"))), "FIELD_REPEATED"),
        (replace(GOOD, accounts=(PrimitiveAccount("2", "x"),)), "FIELD_LENGTH_MALFORMED"),
        (replace(GOOD, tip=Tip(TipKind.ASK_PAYER, 5)), "NOT_CANONICAL"),
        (replace(GOOD, tip=Tip(TipKind.PERCENT, 10_000)), "FIELD_TOO_LONG"),
        (replace(GOOD, additional=AdditionalData()), "FIELD_EMPTY"),
        (replace(GOOD, opaque=(("66", "x"), ("65", "x"))), "FIELDS_OUT_OF_ORDER"),
    ],
)
def test_nothing_is_built_that_would_not_be_read_back(code: MerchantPresentedCode, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        build(code)
    assert refused.value.reason.name == reason


@settings(max_examples=500, deadline=None)
@given(st.text() | st.text("0123456789").map(lambda text: "000201" + text), st.sampled_from(PROFILES))
def test_any_text_gets_a_refusal_or_a_code(text: str, profile: Profile) -> None:
    for given_text in (text, sealed(text) if text.isprintable() else text):
        code = answer(partial(read, given_text, profile))
        if isinstance(code, Refusal):
            assert 0 <= code.facts["offset"] <= len(given_text)


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_a_mutated_vector_with_a_right_crc_gets_a_refusal_or_a_code_that_holds(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([vector["text"] for vector in VECTORS]))[:-8]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        end = at + data.draw(st.integers(0, 3))
        text = text[:at] + data.draw(st.text("0123456789AZ.é", max_size=3)) + text[end:]
    code = answer(lambda: read(sealed(text)))
    if isinstance(code, Refusal):
        assert 0 <= code.facts["offset"] <= len(text) + 8
        return
    ours = answer(lambda: build(code))
    # What is read from the field need not be what we would issue; if it is, it says the same.
    assert isinstance(ours, Refusal) or read(ours, CANONICAL) == code
