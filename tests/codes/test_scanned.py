"""What a scanned text is; and that nothing but a refusal ever leaves the reader."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.code import Presented
from hutong.codes.scanned import read
from hutong.kernel.errors import Refusal

VECTORS = Path(__file__).parents[1] / "vectors"
MERCHANT = [vector["text"] for vector in json.loads((VECTORS / "merchant_presented.json").read_text())["vectors"]]
CONSUMER = [vector["text"] for vector in json.loads((VECTORS / "consumer_presented.json").read_text())["vectors"]]
PLATES = [vector["url"] for vector in json.loads((VECTORS / "plate.json").read_text())["vectors"]]


@pytest.mark.parametrize(
    ("text", "content", "presented"),
    [
        *[(text, "MerchantPresentedCode", Presented.BY_MERCHANT) for text in MERCHANT],
        *[(text, "ConsumerPresentedCode", Presented.BY_CONSUMER) for text in CONSUMER],
        *[(text, "Link", Presented.BY_MERCHANT) for text in PLATES],
        ("upi://pay?pa=shop@bank", "UpiLink", Presented.BY_MERCHANT),
        ("UPI://PAY?pa=shop@bank", "UpiLink", Presented.BY_MERCHANT),
        ("wxp://f2f0AbCdEf", "Link", Presented.BY_MERCHANT),
        ("281234567890123456", "Digits", Presented.BY_CONSUMER),
        (" 281234567890123456\r\n", "Digits", Presented.BY_CONSUMER),
        ("6212345678901234567", "Digits", Presented.BY_CONSUMER),
    ],
)
def test_each_kind_of_code_is_told_from_the_others(text: str, content: str, presented: Presented) -> None:
    scanned = read(text)
    assert type(scanned.content).__name__ == content
    assert scanned.presented is presented
    assert scanned.text == text.strip()


@pytest.mark.parametrize(
    "text", ["", " ", "hello", "1234567", "1" * 33, "٢" * 18, "000202", "WIFI:S:x;;", "\ud800", "\x00"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    try:
        scanned = read(text)
    except Refusal:
        return
    assert text == "WIFI:S:x;;"  # A link of a scheme that nobody will own.
    assert scanned.presented is Presented.BY_MERCHANT


@settings(max_examples=1000, deadline=None)
@given(st.data())
def test_any_text_and_any_mutation_of_a_code_gets_a_refusal_or_a_code(data: st.DataObject) -> None:
    text = data.draw(st.text() | st.sampled_from([*MERCHANT, *CONSUMER, *PLATES, "upi://pay?pa=shop@bank&am=1"]))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    try:
        read(text)
    except Refusal:
        return
