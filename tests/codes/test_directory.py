"""The directory: one owner for every code, whoever registered first, and nobody by a trick."""

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.codes.additional_data import Template
from hutong.codes.code import Presented
from hutong.codes.code_form import CodeForm, DigitsForm, EmvcoForm, read_form
from hutong.codes.directory import Directory
from hutong.codes.merchant_presented import MerchantPresentedCode, PrimitiveAccount, build
from hutong.kernel.errors import Refusal
from hutong.kernel.money import Currency

Form = TypeVar("Form", bound=CodeForm)
VECTORS = Path(__file__).parents[1] / "vectors"
SAMPLES = {
    vector["name"]: vector["text"]
    for vector in json.loads((VECTORS / "merchant_presented.json").read_text())["vectors"]
}
CONSUMER = json.loads((VECTORS / "consumer_presented.json").read_text())["vectors"][0]["text"]


def directory_of(*rows: tuple[str, str], consented: bool = True) -> Directory:
    directory = Directory()
    for form, node in rows:
        directory.register(read_form(form), node, consented=consented)
    return directory


def owner(directory: Directory, text: str) -> str:
    """The node, or the name of the refusal."""
    try:
        return directory.resolve(text).node
    except Refusal as refusal:
        return refusal.reason.name


FORMS = [
    "url:https://jing.example/q/",
    "url:https://jing.example:8443/q/",
    "url:http://127.0.0.1:8101/q/",
    "url:wxp://f2f0",
    "url:upi://pay",
    "digits:28:18",
    "digits:25:16-24",
    "emvco:38:A000000727:01.00=970416",
    "emvco:29:*@DEVB",
    "emvco:*:SG.PAYNOW",
    "emvco:*:9F3C6B0E5D2A4C71B8E40D6A7C15F283:01=jing",
    "emvco:15::=37210116",
    "aid:A0000000555555",
]


@pytest.mark.parametrize("text", FORMS)
def test_a_form_has_one_text(text: str) -> None:
    assert str(read_form(text)) == text


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("url:HTTPS://Jing.Example:443/q/", "url:https://jing.example/q/"),
        ("url:https://jing.example", "url:https://jing.example/"),
        ("emvco:29:*@devb", "emvco:29:*@DEVB"),
        ("emvco:*:sg.paynow", "emvco:*:SG.PAYNOW"),
        ("digits:28:18-18", "digits:28:18"),
        ("aid:a0000000555555", "aid:A0000000555555"),
    ],
)
def test_two_spellings_of_a_form_are_one_form(text: str, spelled: str) -> None:
    assert str(read_form(text)) == spelled


@pytest.mark.parametrize(
    "text",
    [
        "",
        "q",
        "qr:https://jing.example/",
        "digits:",
        "digits:28",
        "digits::18",
        "digits:2x:18",
        "digits:28:2",
        "digits:28:33",
        "digits:28:18-16",
        "digits:28:18-",
        "digits:28:-18",
        "digits:٢٨:18",
        "emvco:",
        "emvco:15:",
        "emvco:15::",
        "emvco:15:GUID:=1",
        "emvco:15::01=1",
        "emvco:01::=1",
        "emvco:52:GUID",
        "emvco:26:",
        "emvco:26::01=1",
        "emvco:26:GUID:01",
        "emvco:26:GUID:01=",
        "emvco:26:GUID:=1",
        "emvco:26:GUID:1=1",
        "emvco:26:GUID:01.00.00.00=1",
        "emvco:26:*",
        "emvco:26:*GUID",
        "emvco:26:GU*ID",
        "emvco:26:*@",
        "emvco:26:*@a@b",
        "emvco:26:ＧＵＩＤ",
        "emvco:26:" + "G" * 33,
        "aid:",
        "aid:A00000",
        "aid:xx00000055",
        "aid:" + "A" * 33,
        "digits:28:18\n",
        "url:https://" + "a" * 600,
    ],
)
def test_a_malformed_form_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_form(text)
    assert refused.value.reason.name == "FORM_MALFORMED"


DIRECTORY = directory_of(
    ("url:https://jing.example/q/", "jing"),
    ("url:https://qr.wei.example/", "wei"),
    ("url:https://qr.wei.example/zhi/", "zhi"),
    ("url:wxp://f2f0", "wei"),
    ("url:upi://pay", "yun"),
    ("digits:28:18", "jing"),
    ("digits:25:16-24", "wei"),
    ("digits:259:18", "zhi"),
    ("digits:62:19", "yun"),
    ("emvco:38:A000000727:01.00=970416", "jing"),
    ("emvco:29:*@DEVB", "wei"),
    ("emvco:29:ISHINVIN@DEVB", "zhi"),
    ("emvco:*:SG.PAYNOW", "yun"),
    ("emvco:26:SG.PAYNOW:02=200002150H", "zhi"),
    ("emvco:15::=37210116", "yun"),
    ("aid:A0000000555555", "yun"),
)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("https://jing.example/q/M4T9ABCDEFGHJA", "jing"),
        ("HTTPS://JING.EXAMPLE:443/q/M4T9ABCDEFGHJA", "jing"),
        ("https://jing.example/Q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://jing.example/q", "CODE_UNKNOWN"),
        ("http://jing.example/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://jing.example:8443/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://jing.example.evil/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://evil.example/https://jing.example/q/", "CODE_UNKNOWN"),
        ("https://notjing.example/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://evil.jing.example/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://jing.example@evil.example/q/M4T9ABCDEFGHJA", "LINK_DISGUISED"),
        ("https://jing.example/q/../../evil", "LINK_DISGUISED"),
        ("https://jing.example/q/%2e%2e/evil", "LINK_DISGUISED"),
        ("https://jıng.example/q/M4T9ABCDEFGHJA", "LINK_DISGUISED"),
        ("https://xn--jng-iua.example/q/M4T9ABCDEFGHJA", "CODE_UNKNOWN"),
        ("https://qr.wei.example/zhi/1", "zhi"),
        ("https://qr.wei.example/zhi", "wei"),
        ("https://qr.wei.example/", "wei"),
        ("wxp://f2f0AbCdEf", "wei"),
        ("WXP://f2f0AbCdEf", "wei"),
        ("wxp://F2F0AbCdEf", "CODE_UNKNOWN"),
        ("wxp2://f2f0AbCdEf", "CODE_UNKNOWN"),
        ("upi://pay?pa=shop@bank", "yun"),
        ("UPI://PAY?pa=shop@bank&pn=Tea Shop", "yun"),
        ("upi://mandate?pa=shop@bank", "CODE_UNKNOWN"),
        ("281234567890123456", "jing"),
        ("2812345678901234567", "CODE_UNKNOWN"),
        ("2512345678901234", "wei"),
        ("259345678901234567", "zhi"),
        ("2593456789012345678", "wei"),
        ("251234567890123456789012", "wei"),
        ("6212345678901234567", "yun"),
        (SAMPLES["VietQR"], "jing"),
        (SAMPLES["KHQR"], "zhi"),
        (SAMPLES["PayNow"], "zhi"),
        (SAMPLES["UnionPay in KHQR"], "yun"),
        (SAMPLES["Pix"], "CODE_UNKNOWN"),
        (CONSUMER, "yun"),
        ("WIFI:S:x;;", "CODE_UNKNOWN"),
        ("hello", "CODE_KIND_UNKNOWN"),
    ],
)
def test_each_code_has_the_owner_it_should(text: str, node: str) -> None:
    assert owner(DIRECTORY, text) == node


def test_a_match_says_what_its_owner_needs() -> None:
    match = DIRECTORY.resolve(SAMPLES["VietQR"])
    assert (match.value, match.presented, str(match.form)) == (
        "970416",
        Presented.BY_MERCHANT,
        "emvco:38:A000000727:01.00=970416",
    )
    assert DIRECTORY.resolve("https://jing.example/q/M4T9ABCDEFGHJA").value == "M4T9ABCDEFGHJA"
    assert DIRECTORY.resolve(SAMPLES["UnionPay in KHQR"]).value == "37210116372101160123456789ABCDE"
    payment_code = DIRECTORY.resolve(" 281234567890123456 ")
    assert (payment_code.value, payment_code.presented) == ("281234567890123456", Presented.BY_CONSUMER)
    assert DIRECTORY.resolve(SAMPLES["KHQR"]).value == "ishinvin@devb"
    assert DIRECTORY.resolve(CONSUMER).presented is Presented.BY_CONSUMER


OVERLAPS = [
    # Two forms of two nodes, and what is said of the second, without the operator's consent and with it.
    ("url:https://a.example/", "url:https://a.example/", "FORM_TAKEN", "FORM_TAKEN"),
    ("url:https://a.example/", "url:https://a.example/q/", "FORM_OVERLAPS", ""),
    ("url:https://a.example/q/", "url:https://a.example/", "FORM_OVERLAPS", ""),
    ("url:https://a.example/q/", "url:https://a.example/r/", "", ""),
    ("url:https://a.example/", "url:https://b.example/", "", ""),
    ("url:https://a.example/", "url:http://a.example/", "", ""),
    ("url:https://a.example/", "url:https://a.example:8443/", "", ""),
    ("url:wxp://f2f0", "url:wxp://f2f", "FORM_OVERLAPS", ""),
    ("digits:28:18", "digits:28:18", "FORM_TAKEN", "FORM_TAKEN"),
    ("digits:28:16-24", "digits:28:18", "FORM_TAKEN", "FORM_TAKEN"),
    ("digits:28:18", "digits:28:19", "", ""),
    ("digits:28:18", "digits:281:18", "FORM_OVERLAPS", ""),
    ("digits:281:18", "digits:28:16-24", "FORM_OVERLAPS", ""),
    ("digits:281:18", "digits:28:19", "", ""),
    ("digits:28:18", "digits:29:18", "", ""),
    ("emvco:26:G", "emvco:26:g", "FORM_TAKEN", "FORM_TAKEN"),
    ("emvco:26:G", "emvco:27:G", "", ""),
    ("emvco:26:G", "emvco:*:G", "FORM_OVERLAPS", ""),
    ("emvco:26:G", "emvco:26:G:01=1", "FORM_OVERLAPS", ""),
    ("emvco:26:G:01=12", "emvco:26:G:01=1", "FORM_OVERLAPS", ""),
    ("emvco:26:G:01=1", "emvco:26:G:01=2", "", ""),
    ("emvco:26:G:01=1", "emvco:26:G:02=1", "FORM_OVERLAPS", ""),
    ("emvco:26:G:01=1", "emvco:27:G:02=1", "", ""),
    ("emvco:29:*@A", "emvco:29:X@A", "FORM_OVERLAPS", ""),
    ("emvco:29:*@A", "emvco:29:X@B", "", ""),
    ("emvco:29:*@A", "emvco:29:*@B", "", ""),
    ("emvco:15::=12", "emvco:15::=123", "FORM_OVERLAPS", ""),
    ("emvco:15::=12", "emvco:16::=123", "", ""),
    ("aid:A000000055", "aid:A0000000555555", "FORM_OVERLAPS", ""),
    ("aid:A000000055", "aid:A000000066", "", ""),
    ("digits:28:18", "url:https://a.example/", "", ""),
]


@pytest.mark.parametrize(("first", "second", "alone", "consented"), OVERLAPS)
def test_who_overlaps_whom_is_said_either_way_round(first: str, second: str, alone: str, consented: str) -> None:
    for one, other in ((first, second), (second, first)):
        for consent, expected in ((False, alone), (True, consented)):
            directory = directory_of((one, "jing"))
            try:
                directory.register(read_form(other), "wei", consented=consent)
            except Refusal as refusal:
                assert refusal.reason.name == expected  # noqa: PT017
                assert directory.forms("wei") == []
            else:
                assert expected == ""
                assert directory.forms("wei") == [read_form(other)]


def test_a_node_may_nest_its_own_forms_and_register_one_again() -> None:
    directory = directory_of(("digits:28:18", "jing"), ("digits:281:18", "jing"), consented=False)
    directory.register(read_form("digits:28:18"), "jing")
    assert [str(form) for form in directory.forms("jing")] == ["digits:281:18", "digits:28:18"]


def test_what_is_withdrawn_falls_back_to_what_it_was_inside() -> None:
    directory = directory_of(("digits:28:18", "jing"), ("digits:281:18", "wei"))
    assert owner(directory, "281234567890123456") == "wei"
    directory.withdraw(read_form("digits:281:18"), "wei")
    assert owner(directory, "281234567890123456") == "jing"
    with pytest.raises(Refusal) as refused:
        directory.withdraw(read_form("digits:28:18"), "wei")
    assert refused.value.reason.name == "FORM_UNKNOWN"
    directory.withdraw(read_form("digits:28:18"), "jing")
    assert owner(directory, "281234567890123456") == "CODE_UNKNOWN"


def test_of_several_accounts_the_longest_pattern_wins_and_of_equals_the_lowest_id() -> None:
    code = build(
        MerchantPresentedCode(
            accounts=(PrimitiveAccount("15", "1234"), Template("26", "GA", (("01", "x"),)), Template("27", "GB")),
            currency=Currency.CNY,
            country="CN",
            mcc="0000",
            name="N",
            city="C",
        )
    )
    rows = [("emvco:26:GA", "a"), ("emvco:27:GB", "b")]
    assert owner(directory_of(*rows), code) == "a"
    assert owner(directory_of(*rows, ("emvco:15::=1234", "c")), code) == "c"
    assert owner(directory_of(*rows, ("emvco:26:GA:01=x", "d")), code) == "d"
    assert owner(directory_of(*rows, ("emvco:15::=9", "c")), code) == "a"


def test_a_field_of_another_form_is_no_match_and_no_error() -> None:
    directory = directory_of(("emvco:*:SG.PAYNOW:02.00=1", "jing"), ("emvco:*:SG.PAYNOW:05=1", "wei"))
    assert owner(directory, SAMPLES["PayNow"]) == "CODE_UNKNOWN"


DIGIT_ROWS = st.lists(
    st.tuples(st.text("12", min_size=1, max_size=4), st.integers(8, 10), st.integers(0, 2)), max_size=8, unique=True
)


@settings(max_examples=300, deadline=None)
@given(DIGIT_ROWS, st.text("12", min_size=8, max_size=12))
def test_digits_resolve_as_a_naive_search_for_the_longest_match(rows: list[tuple[str, int, int]], text: str) -> None:
    kept = accepted(
        [(DigitsForm(prefix, low, low + more), str(number)) for number, (prefix, low, more) in enumerate(rows)]
    )
    fitting = [(form, node) for form, node in kept if text.startswith(form.prefix) and len(text) in form.lengths]
    expected = max(fitting, key=lambda row: len(row[0].prefix))[1] if fitting else "CODE_UNKNOWN"
    assert owner(filled(kept), text) == expected
    assert owner(filled(list(reversed(kept))), text) == expected


EMVCO_FORMS = st.builds(
    EmvcoForm, st.sampled_from(["26", "27", "*"]), st.sampled_from(["G", "X@B", "*@B"]), st.just(()), st.just("")
) | st.builds(
    EmvcoForm,
    st.sampled_from(["26", "27", "*"]),
    st.sampled_from(["G", "X@B", "*@B"]),
    st.sampled_from([("01",), ("02",)]),
    st.text("12", min_size=1, max_size=3),
)
ACCOUNTS = st.lists(
    st.builds(
        Template,
        st.sampled_from(["26", "27"]),
        st.sampled_from(["G", "x@b", "Y@B"]),
        st.tuples(st.tuples(st.just("01"), st.text("12", min_size=3, max_size=3)))
        | st.tuples(
            st.tuples(st.just("01"), st.text("12", min_size=3, max_size=3)),
            st.tuples(st.just("02"), st.text("12", min_size=3, max_size=3)),
        ),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda account: account.id,
).map(lambda found: tuple(sorted(found, key=lambda account: account.id)))


def fits(form: EmvcoForm, account: Template) -> bool:
    identifier = account.guid.upper()
    named = identifier.endswith(form.identifier[1:]) if form.identifier[0] == "*" else identifier == form.identifier
    if form.template_id not in ("*", account.id) or not named:
        return False
    return not form.path or (account.get(form.path[0]) or "").startswith(form.value_prefix)


@settings(max_examples=300, deadline=None)
@given(st.lists(EMVCO_FORMS, max_size=10, unique=True), ACCOUNTS)
def test_accounts_resolve_as_a_naive_search_for_the_longest_match(
    forms: list[EmvcoForm], accounts: tuple[Template, ...]
) -> None:
    code = MerchantPresentedCode(accounts, Currency.CNY, "CN", "0000", "N", "C")
    ranked = sorted(
        (-form.weight, number, str(form))
        for number, account in enumerate(accounts)
        for form in forms
        if fits(form, account)
    )
    expected = ranked[0][2] if ranked else "CODE_UNKNOWN"
    for rows in ([(form, str(form)) for form in forms], [(form, str(form)) for form in reversed(forms)]):
        assert owner(filled(rows), build(code)) == expected


def test_the_order_of_registration_changes_nothing() -> None:
    rows = [("digits:2:18", "a"), ("digits:28:18", "b"), ("digits:281:18", "c"), ("digits:28:19", "d")]
    texts = ["2" + "0" * 17, "28" + "0" * 16, "281" + "0" * 15, "28" + "0" * 17]
    answers = {tuple(owner(directory_of(*order), text) for text in texts) for order in permutations(rows)}
    assert answers == {("a", "b", "c", "d")}


def accepted(rows: Sequence[tuple[Form, str]]) -> list[tuple[Form, str]]:
    """The rows that a directory takes when they come in this order."""
    directory = Directory()
    kept = []
    for form, node in rows:
        try:
            directory.register(form, node, consented=True)
        except Refusal:
            continue
        kept.append((form, node))
    return kept


def filled(rows: Sequence[tuple[CodeForm, str]]) -> Directory:
    directory = Directory()
    for form, node in rows:
        directory.register(form, node, consented=True)
    return directory


@settings(max_examples=500, deadline=None)
@given(
    st.text()
    | st.text().map("emvco:".__add__)
    | st.text("0123456789-:").map("digits:".__add__)
    | st.text().map("url:".__add__)
)
def test_any_text_gets_a_refusal_or_a_form_with_that_meaning(text: str) -> None:
    try:
        form = read_form(text)
    except Refusal:
        return
    assert read_form(str(form)) == form


@settings(max_examples=300, deadline=None)
@given(st.text() | st.text("0123456789", min_size=8, max_size=24))
def test_any_text_gets_a_refusal_or_a_match(text: str) -> None:
    owner(DIRECTORY, text)
