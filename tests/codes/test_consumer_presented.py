"""EMVCo consumer-presented codes: the published vector, broken in every byte, and no surprise from any bytes."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.consumer_presented import Application, CommonData, ConsumerPresentedCode, Objects, build, read
from hutong.kernel.errors import Refusal

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "consumer_presented.json").read_text())["vectors"][0]
TEXT = VECTOR["text"]
DATA = base64.b64decode(TEXT)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def reason_of(data: bytes) -> str | None:
    try:
        read(encoded(data))
    except Refusal as refusal:
        return refusal.reason.name
    return None


def test_the_published_code_says_what_it_says_and_is_built_as_the_same_text() -> None:
    code = read(TEXT)
    says = VECTOR["says"]
    assert code.common is not None
    assert [application.aid.hex().upper() for application in code.applications] == says["aids"]
    assert [application.label for application in code.applications] == says["labels"]
    assert code.common.pan == says["pan"]
    assert code.common.cardholder_name == says["cardholder_name"]
    assert {f"{tag:04X}": value.hex().upper() for tag, value in code.common.transparent} == says["transparent"]
    assert build(code) == TEXT


def test_no_change_of_one_byte_is_read_as_the_same_code() -> None:
    code = read(TEXT)
    for at in range(len(DATA)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            changed = DATA[:at] + bytes([DATA[at] ^ flip]) + DATA[at + 1 :]
            try:
                assert read(encoded(changed)) != code
            except Refusal:
                continue


def test_a_truncated_code_is_never_read_as_the_whole() -> None:
    code = read(TEXT)
    for end in range(len(DATA)):
        try:
            assert read(encoded(DATA[:end])) != code
        except Refusal:
            continue


HEAD = bytes.fromhex("85054350563031")
APPLICATION = bytes.fromhex("61094F07A0000000555555")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (HEAD + APPLICATION, None),
        (b"", "FORMAT_VERSION_UNKNOWN"),
        (HEAD, "FIELD_MISSING"),
        (APPLICATION, "FORMAT_VERSION_UNKNOWN"),
        (bytes.fromhex("85054350563032") + APPLICATION, "FORMAT_VERSION_UNKNOWN"),
        (HEAD + HEAD + APPLICATION, "FIELD_MALFORMED"),
        (HEAD + bytes.fromhex("6100"), "FIELD_MISSING"),
        (HEAD + bytes.fromhex("61065004") + b"Card", "FIELD_MISSING"),
        (HEAD + bytes.fromhex("61064F04A0000000"), "FIELD_MALFORMED"),
        (HEAD + bytes.fromhex("61124F07A00000005555554F07A0000000555555"), "FIELD_REPEATED"),
        (HEAD + APPLICATION + bytes.fromhex("6200") * 2, "FIELD_REPEATED"),
        (HEAD + APPLICATION + bytes.fromhex("62035A0112"), None),
        (HEAD + APPLICATION + bytes.fromhex("62035A01AB"), "FIELD_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("62026400"), "FIELD_EMPTY"),
        (HEAD + APPLICATION + bytes.fromhex("62056403020300"), "BER_TRUNCATED"),
        (HEAD + APPLICATION + bytes.fromhex("7000"), "FIELD_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("9F2501AA"), None),
        (HEAD + APPLICATION + bytes.fromhex("0000"), "BER_TAG_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("9F8101AA"), "BER_TAG_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("9F"), "BER_TRUNCATED"),
        (HEAD + APPLICATION + bytes.fromhex("50"), "BER_TRUNCATED"),
        (HEAD + APPLICATION + bytes.fromhex("5080"), "BER_LENGTH_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("50810100"), "BER_LENGTH_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("5082000100"), "BER_LENGTH_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("508300000100"), "BER_LENGTH_MALFORMED"),
        (HEAD + APPLICATION + bytes.fromhex("5081"), "BER_TRUNCATED"),
        (HEAD + APPLICATION + bytes.fromhex("5002AA"), "BER_TRUNCATED"),
        (HEAD + bytes.fromhex("610A4F07A0000000555555"), "BER_TRUNCATED"),
    ],
)
def test_each_way_to_be_wrong_has_its_name(data: bytes, reason: str | None) -> None:
    assert reason_of(data) == reason


@pytest.mark.parametrize("text", ["hQVD", TEXT + "=", TEXT[:-1], TEXT[:-3] + "x==", TEXT + "\n", "é", "\ud800"])
def test_only_the_one_base64_of_the_bytes_is_read(text: str) -> None:
    with pytest.raises(Refusal):
        read(text)


def test_an_overlong_code_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(Refusal) as refused:
        read("hQVDUFYw" * 300)
    assert refused.value.reason.name == "CODE_TOO_LONG"


def objects(tags: list[int]) -> st.SearchStrategy[Objects]:
    held = st.dictionaries(st.sampled_from(tags), st.binary(min_size=1, max_size=130), max_size=2)
    return held.map(lambda found: tuple(found.items()))


AIDS = st.binary(min_size=5, max_size=16).map(lambda aid: ((0x4F, aid),))
TRANSPARENT = objects([0x9F10, 0x9F26, 0x9F36, 0x9F37])
CODES = st.builds(
    ConsumerPresentedCode,
    applications=st.lists(
        st.builds(Application, st.builds(lambda aid, more: aid + more, AIDS, objects([0x9F24, 0x5F50])), TRANSPARENT),
        min_size=1,
        max_size=2,
    ).map(tuple),
    common=st.none() | st.builds(CommonData, objects([0x9F24, 0x5F50]), TRANSPARENT),
    others=objects([0x9F01, 0x42]),
)


@settings(max_examples=200, deadline=None)
@given(CODES)
def test_what_is_built_is_read_back(code: ConsumerPresentedCode) -> None:
    text = build(code)
    assert read(text) == code
    assert build(read(text)) == text


@settings(max_examples=500, deadline=None)
@given(st.text() | st.binary().map(encoded) | st.binary().map(lambda tail: encoded(HEAD + APPLICATION + tail)))
def test_any_text_gets_a_refusal_or_a_code(text: str) -> None:
    try:
        code = read(text)
    except Refusal:
        return
    assert read(build(code)) == code
