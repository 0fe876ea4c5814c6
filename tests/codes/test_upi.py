"""UPI links: read as wallets in the field write them, written in one way."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.upi import UpiLink, build_upi, read_upi
from hutong.kernel.errors import Refusal


def reason_of(text: str) -> str | None:
    try:
        read_upi(text)
    except Refusal as refusal:
        return refusal.reason.name
    return None


def test_a_link_says_who_is_paid_what_for() -> None:
    text = "upi://pay?pa=shop@bank&pn=Tea%20Shop&mc=5812&tr=R1&tn=two+teas&am=20.5&cu=INR&sign=abc%3D"
    link = UpiLink("shop@bank", "Tea Shop", "5812", None, "R1", "two teas", 2050, others=(("sign", "abc="),))
    assert read_upi(text) == link
    assert (
        build_upi(link)
        == "upi://pay?pa=shop@bank&pn=Tea%20Shop&mc=5812&tr=R1&tn=two%20teas&am=20.50&cu=INR&sign=abc%3D"
    )


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("pa=a@b", None),
        ("pa=a@b&pn=&am=&cu=", None),
        ("pn=x", "FIELD_MISSING"),
        ("", "FIELD_MISSING"),
        ("pa=ab", "FIELD_MALFORMED"),
        ("pa=a@b@c", "FIELD_MALFORMED"),
        ("pa=a@b&mc=58", "FIELD_MALFORMED"),
        ("pa=a@b&cu=CNY", "FIELD_MALFORMED"),
        ("pa=a@b&pa=c@d", "FIELD_REPEATED"),
        ("pa=a@b&am=0", "AMOUNT_ZERO"),
        ("pa=a@b&am=0.01", None),
        ("pa=a@b&am=-1", "AMOUNT_MALFORMED"),
        ("pa=a@b&am=1.001", "AMOUNT_HAS_TOO_MANY_DECIMALS"),
        ("pa=a@b&am=99999999999999999999", "AMOUNT_OUT_OF_RANGE"),
        ("pa=a@b&pn=%ff", "LINK_MALFORMED"),
        ("pa=a@b&pn=%0a", "CODE_HAS_CONTROL_CHARACTERS"),
        ("pa=a@b&pn=\ud800", "CODE_HAS_CONTROL_CHARACTERS"),
        ("pa=a@b&pn=" + "x" * 2048, "CODE_TOO_LONG"),
    ],
)
def test_each_way_to_be_wrong_has_its_name(tail: str, reason: str | None) -> None:
    assert reason_of("upi://pay?" + tail) == reason


TEXT = st.text(st.characters(categories=["L", "N", "P", "S"]) | st.just(" "), min_size=1, max_size=20)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        UpiLink,
        payee_address=st.from_regex(r"[A-Za-z0-9._-]{1,20}@[A-Za-z][A-Za-z0-9.-]{0,9}", fullmatch=True),
        payee_name=st.none() | TEXT,
        mcc=st.none() | st.from_regex(r"[0-9]{4}", fullmatch=True),
        reference=st.none() | TEXT,
        note=st.none() | TEXT,
        amount_minor=st.none() | st.integers(1, 10**12),
        others=st.none().map(lambda _: ()) | TEXT.map(lambda text: (("sign", text),)),
    )
)
def test_what_is_built_is_read_back(link: UpiLink) -> None:
    assert read_upi(build_upi(link)) == link


@pytest.mark.parametrize(
    "link",
    [
        UpiLink("nobody"),
        UpiLink("a@b", ""),
        UpiLink("a@b", "\ud800"),
        UpiLink("a@b", others=(("am", "1"),)),
        UpiLink("a@b", amount_minor=0),
    ],
)
def test_nothing_is_built_that_would_not_be_read_back(link: UpiLink) -> None:
    with pytest.raises(Refusal):
        build_upi(link)


@settings(max_examples=500, deadline=None)
@given(st.text() | st.text().map("upi://pay?".__add__) | st.text().map("upi://pay?pa=a@b&".__add__))
def test_any_text_gets_a_refusal_or_a_link(text: str) -> None:
    reason_of(text)
