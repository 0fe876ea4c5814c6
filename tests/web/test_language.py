"""Both languages are complete: every phrase of every page is translated, and nothing is translated that no page says."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.web import language as web_language
from hutong.web.language import LANGUAGES, words

WEB = Path(web_language.__file__).parent
CATALOGUES = WEB / "catalogues"
_PLACE = re.compile(r"%\((\w+)\)s")
_ONE_OF_MANY = re.compile(r"\b1 (\w*[^\Ws]s)\b")  # Nothing ends in two: less, press.
# Behind what is filled in, and no plural: units, and what somebody or something does. (The digits are of several lengths.)
_NO_PLURALS = frozenset(
    [
        "s",
        "ms",
        "was",
        "is",
        "has",
        "as",
        "holds",
        "invites",
        "raises",
        "works",
        "begins",
        "asks",
        "waits",
        "looks",
        "less",
        "digits",
    ]
)


def said() -> set[str]:
    found = extract_from_dir(
        WEB,
        keywords={"_": None, "phrase": None},
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        options_map={"templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}},
    )
    return {str(message) for _, _, message, _, _ in found}


def catalogue(name: str) -> dict[str, str]:
    with (CATALOGUES / name).open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id}


def test_pages_say_something() -> None:
    assert "Every wallet scans every code." in said()


def test_every_phrase_is_in_chinese() -> None:
    chinese = {
        phrase
        for each in CATALOGUES.glob("*.zh-CN.po")
        if not each.name.startswith("reasons-")
        for phrase in catalogue(each.name)
    }
    assert said() - chinese == set()


def test_no_catalogue_says_what_no_page_says() -> None:
    pages = said()
    for each in CATALOGUES.glob("*.zh-CN.po"):
        if not each.name.startswith("reasons-"):
            assert set(catalogue(each.name)) - pages == set(), each.name


def test_no_two_catalogues_translate_a_phrase_differently() -> None:
    known: dict[str, tuple[str, str]] = {}
    for each in sorted(CATALOGUES.glob("*.zh-CN.po")):
        for phrase, chinese in catalogue(each.name).items():
            where, before = known.setdefault(phrase, (each.name, chinese))
            assert before == chinese, (phrase, where, each.name)


def test_a_translation_fills_in_the_same_places() -> None:
    for each in CATALOGUES.glob("*.zh-CN.po"):
        for phrase, chinese in catalogue(each.name).items():
            assert chinese, (each.name, phrase)
            if not each.name.startswith("reasons-"):
                assert set(_PLACE.findall(chinese)) == set(_PLACE.findall(phrase)), (each.name, phrase)


def test_every_phrase_can_be_filled_in() -> None:
    """A lone per cent sign between places to fill in breaks the page that says it."""
    chinese, english = words("zh-CN"), words("en")
    for phrase in said():
        values = dict.fromkeys(_PLACE.findall(phrase), "1")
        if values:
            assert chinese(phrase, **values), phrase
            assert english(phrase, **values), phrase


def test_english_says_one_day_and_two_days() -> None:
    english, phrase = (
        words("en"),
        "%(friends)s %(friends:friend|friends)s within %(minutes)s %(minutes:minute|minutes)s",
    )
    assert english(phrase, friends=1, minutes=2) == "1 friend within 2 minutes"
    assert english(phrase, friends="21", minutes="1") == "21 friends within 1 minute"
    assert words("zh-CN")(phrase, friends=1, minutes=2) == "2分钟内1位好友"
    refused = Refusal(PeopleReason.PIN_WRONG, tries_left=1)
    assert english.refusal(refused) == "The PIN is wrong: 1 try is left."
    assert words("en").reason("PIN_WRONG") == "The PIN is wrong: … tries are left."


def test_no_phrase_says_one_days() -> None:
    """In English, with one of everything: `%(count)s %(count:day|days)s`, or other words. A verb goes into `_NO_PLURALS`."""
    english = words("en")
    for phrase in said():
        values = dict.fromkeys(_PLACE.findall(phrase), 1)
        filled = english(re.sub(r"\{\w+\}", "1", phrase), **values)
        assert set(_ONE_OF_MANY.findall(filled)) <= _NO_PLURALS, phrase
    for each in CATALOGUES.glob("reasons-*.en.po"):
        for reason, sentence in catalogue(each.name).items():
            # What an operator sets is more than one: how many days, endpoints or words there may be at most.
            values = {name: 2 if name.endswith(("most", "_max")) else 1 for name in _PLACE.findall(sentence)}
            filled = english(sentence, **values)
            assert set(_ONE_OF_MANY.findall(filled)) <= _NO_PLURALS, (reason, filled)


def test_both_languages_give_the_same_reasons() -> None:
    names = {each.name.partition(".")[0] for each in CATALOGUES.glob("reasons-*.po")}
    assert names
    for name in names:
        english, chinese = (catalogue(f"{name}.{language}.po") for language in ("en", "zh-CN"))
        assert english.keys() == chinese.keys(), name


def test_a_reason_is_said_in_one_catalogue() -> None:
    known: dict[str, str] = {}
    for each in sorted(CATALOGUES.glob("reasons-*.en.po")):
        for reason in catalogue(each.name):
            assert known.setdefault(reason, each.name) == each.name, reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_money_is_written_to_the_fen(language: str) -> None:
    said = words(language)
    assert said.money(1) == "¥0.01"
    assert said.money(123_456_789) == "¥1,234,567.89"
    assert said.money(-1280) == "−¥12.80"
    assert said.money(1280, signed=True) == "+¥12.80"
    assert said.money(0, signed=True) == "¥0.00"


def test_catalogues_are_in_the_package() -> None:
    assert files("hutong.web").joinpath("catalogues", "kit.zh-CN.po").is_file()
