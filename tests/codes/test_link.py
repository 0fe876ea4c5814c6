"""Links: one spelling for one place, and no disguises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.link import read_link
from hutong.kernel.errors import Refusal


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("https://jing.example/q/M1", "https://jing.example/q/M1"),
        ("HTTPS://Jing.EXAMPLE/q/M1", "https://jing.example/q/M1"),
        ("https://jing.example:443/q/M1", "https://jing.example/q/M1"),
        ("http://jing.example:80", "http://jing.example/"),
        ("https://jing.example:8443/q/M1", "https://jing.example:8443/q/M1"),
        ("http://127.0.0.1:8101/q/M1", "http://127.0.0.1:8101/q/M1"),
        ("https://jing.example?x=1", "https://jing.example/?x=1"),
        ("https://jing.example#x", "https://jing.example/#x"),
        ("https://xn--fiqs8s.example/q", "https://xn--fiqs8s.example/q"),
        ("https://jing.example/%E4%BA%92?n=%2e%2e/..", "https://jing.example/%E4%BA%92?n=%2e%2e/.."),
        ("https://jing.example/a?to=me@bank", "https://jing.example/a?to=me@bank"),
        ("wxp://f2f0AbC_-9", "wxp://f2f0AbC_-9"),
        ("WXP://f2f0AbC", "wxp://f2f0AbC"),
        ("upi://pay?pa=a@b", "upi://pay?pa=a@b"),
    ],
)
def test_a_link_has_one_spelling(text: str, spelled: str) -> None:
    assert str(read_link(text)) == spelled
    assert read_link(spelled) == read_link(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "LINK_MALFORMED"),
        ("jing.example/q/M1", "LINK_MALFORMED"),
        ("//jing.example/q/M1", "LINK_MALFORMED"),
        ("https:jing.example/q", "LINK_MALFORMED"),
        ("https:/jing.example/q", "LINK_MALFORMED"),
        ("https:///q", "LINK_MALFORMED"),
        ("https://", "LINK_MALFORMED"),
        ("https://jing..example/q", "LINK_MALFORMED"),
        ("https://jing.example./q", "LINK_MALFORMED"),
        ("https://-jing.example/q", "LINK_MALFORMED"),
        ("https://jing_x.example/q", "LINK_MALFORMED"),
        ("https://jing%2eexample/q", "LINK_MALFORMED"),
        ("https://[::1]/q", "LINK_MALFORMED"),
        ("https://jing.example:/q", "LINK_MALFORMED"),
        ("https://jing.example:0/q", "LINK_MALFORMED"),
        ("https://jing.example:0443/q", "LINK_MALFORMED"),
        ("https://jing.example:65536/q", "LINK_MALFORMED"),
        ("https://jing.example:４43/q", "LINK_DISGUISED"),
        ("https://jing.example/q M1", "LINK_MALFORMED"),
        ("https://jing.example/q\tM1", "LINK_MALFORMED"),
        ("https://jing.example/q\u202eM1", "LINK_MALFORMED"),
        ("https://jing.example/%4", "LINK_MALFORMED"),
        ("https://jing.example/%zz", "LINK_MALFORMED"),
        ("https://jing.example@host.evil/q", "LINK_DISGUISED"),
        ("https://jing.example:x@host.evil/q", "LINK_DISGUISED"),
        ("https://jing.example\\@host.evil/q", "LINK_DISGUISED"),
        ("https://host.evil\\.jing.example/q", "LINK_DISGUISED"),
        ("https://jіng.example/q", "LINK_DISGUISED"),
        ("https://互通.example/q", "LINK_DISGUISED"),
        ("https://127.1/q", "LINK_DISGUISED"),
        ("https://2130706433/q", "LINK_DISGUISED"),
        ("https://0x7f000001/q", "LINK_DISGUISED"),
        ("https://0177.0.0.1/q", "LINK_DISGUISED"),
        ("https://256.0.0.1/q", "LINK_DISGUISED"),
        ("https://jing.example/q/../admin", "LINK_DISGUISED"),
        ("https://jing.example/./q", "LINK_DISGUISED"),
        ("https://jing.example/q/..", "LINK_DISGUISED"),
        ("https://jing.example/q/%2e%2E/admin", "LINK_DISGUISED"),
        ("https://jing.example/q%2fM1", "LINK_DISGUISED"),
        ("https://jing.example/%71/M1", "LINK_DISGUISED"),
        ("https://jing.example/q\\..\\admin", "LINK_DISGUISED"),
        ("https://jing.example/%00", "LINK_DISGUISED"),
        ("https://jing.example/" + "a" * 2048, "CODE_TOO_LONG"),
    ],
)
def test_what_is_malformed_or_disguised_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_link(text)
    assert refused.value.reason.name == reason
    assert 0 <= refused.value.facts["offset"] <= len(text)


@pytest.mark.parametrize(
    ("text", "secure"),
    [
        ("https://jing.example/", True),
        ("http://jing.example/", False),
        ("http://127.0.0.1:8101/", True),
        ("http://localhost:8101/", True),
        ("http://localhost.evil/", False),
        ("http://127.0.0.1.evil/", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_only_tls_or_this_machine_is_secure(text: str, *, secure: bool) -> None:
    assert read_link(text).is_secure is secure


@settings(max_examples=500, deadline=None)
@given(
    st.text().map("https://jing.example".__add__)
    | st.text().map("https://".__add__)
    | st.text()
    | st.from_regex(r"[a-z]+:.*")
)
def test_any_text_gets_a_refusal_or_a_link_in_its_one_spelling(text: str) -> None:
    try:
        link = read_link(text)
    except Refusal as refusal:
        assert 0 <= refusal.facts["offset"] <= max(len(text), 2048)  # noqa: PT017
        return
    assert read_link(str(link)) == link
