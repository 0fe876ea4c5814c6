"""What pages say, in the reader's language: gettext catalogues, English in the code, Chinese beside it."""

from datetime import UTC, date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.pofile import read_po

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.money import currency_of, format_amount

LANGUAGES = ("zh-CN", "en")
COOKIE = "language"
# Reasons are no sentences of the code's: both languages have catalogues of them, by name: `reasons-wallet.en.po`.
REASONS = "reasons-"
_HEADER_MAX = 200
_AMOUNTS = frozenset(
    {"left", "limit", "amount_min", "amount_max", "balance", "at_most"}
)  # Facts of refusals, in minor units.


def phrase(text: str) -> str:
    """Marks a phrase that is translated elsewhere, so that the catalogues can be held against what pages say."""
    return text


_NOT_DONE = phrase("This can't be done (%(name)s).")


class Words:
    """One language: phrases, amounts, times and refusals as its readers want them."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._locale = Locale.parse(language, sep="-")
        phrases, self._reasons = _catalogues(language, self._locale)
        self._phrases = {} if language == "en" else phrases

    def __call__(self, text: str, **values: Any) -> str:
        """
        The phrase in this language, `%(name)s` filled in; one without a translation stays English, and a test finds it.

        What English says otherwise of one is written `%(days)s %(days:day|days)s`: a sentence may count two things.
        """
        said = self._phrases.get(text, text)
        return said % _Values(values) if values else said

    def refusal(self, refusal: Refusal) -> str:
        """
        A no as a sentence for people; facts of the refusal may stand in it.

        Amounts among them are written as such, and `%(wait)s` says how long it is until another try.
        """
        said = self._reasons.get(refusal.reason.name)
        if said is None:
            return self(_NOT_DONE, name=refusal.reason.name)
        return said % _Facts(
            {name: self._fact(name, fact) for name, fact in refusal.facts.items()} | self._wait(refusal)
        )

    def reason(self, name: str) -> str:
        """As `refusal`, for a reason of which only the name was kept."""
        said = self._reasons.get(name)
        return self(_NOT_DONE, name=name) if said is None else said % _Facts({})

    def _fact(self, name: str, fact: Any) -> Any:
        return self.money(fact) if name in _AMOUNTS and type(fact) is int else fact

    def _wait(self, refusal: Refusal) -> dict[str, str]:
        wait_s = refusal.facts.get("retry_after_s")
        if not isinstance(wait_s, int):
            return {}
        unit_s = next((each for each in (3600, 60) if wait_s > each), 1)  # Upwards: who comes then finds it open.
        whole = -(-wait_s // unit_s) * unit_s
        return {"wait": format_timedelta(whole, threshold=1.5, locale=self._locale)}

    def money(self, minor: int, currency: str = "CNY", *, signed: bool = False) -> str:
        """`¥12.80`; `+¥12.80` where the direction matters. Thousands are grouped."""
        known = currency_of(currency)
        whole, dot, rest = format_amount(abs(minor), known).partition(".")
        sign = "−" if minor < 0 else "+" if signed and minor else ""
        return f"{sign}{'¥' if currency == 'CNY' else currency + ' '}{int(whole):,}{dot}{rest}"

    def time(self, at_ns: int, zone: tzinfo, form: str = "") -> str:
        """An instant as the date and time there, to the second."""
        if not at_ns:
            return "–"
        at = datetime.fromtimestamp(at_ns // NS_PER_S, UTC).astimezone(zone)
        return format_datetime(at, form or "yyyy-MM-dd HH:mm:ss", locale=self._locale)

    def day(self, day: date, form: str = "medium") -> str:
        """A date; `form` as Babel's."""
        return format_date(day, form, locale=self._locale)


class _Values(dict[str, Any]):
    """What is filled in; `days:day|days` is the form of the word that goes with the number `days`."""

    def __missing__(self, name: str) -> str:
        number, _, forms = name.partition(":")
        one, between, many = forms.partition("|")
        if not between:
            raise KeyError(name)
        return one if self[number] in (1, "1") else many


class _Facts(_Values):
    """The facts of a refusal, where a sentence may name one that this refusal does not have."""

    def __missing__(self, name: str) -> str:
        return super().__missing__(name) if ":" in name else "…"


def language_of(accept_language: str, chosen: str | None = None) -> str:
    """The language the reader chose, else the one of ours a browser prefers (RFC 9110, 12.5.4), else Chinese."""
    if chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []  # Quality and language.
    for part in accept_language[:_HEADER_MAX].split(","):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") or "1"
        if quality.replace(".", "", 1).isdigit() and float(quality) > 0:
            wanted.append((float(quality), tag.lower()))
    for _, tag in sorted(wanted, key=lambda pair: -pair[0]):
        for language in LANGUAGES:
            if tag.partition("-")[0] == language.partition("-")[0]:
                return language
    return LANGUAGES[0]


@cache
def words(language: str) -> Words:
    """What one of `LANGUAGES` says."""
    return Words(language)


def _catalogues(language: str, locale: Locale) -> tuple[dict[str, str], dict[str, str]]:
    """What all catalogues of a language say: phrases, and reasons. Each area of pages has its own files."""
    phrases: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for entry in sorted(files("hutong.web").joinpath("catalogues").iterdir(), key=lambda each: each.name):
        if entry.name.endswith(f".{language}.po"):
            catalogue = read_po(BytesIO(entry.read_bytes()), locale=locale)
            found = {str(each.id): str(each.string) for each in catalogue if each.id and each.string}
            (reasons if entry.name.startswith(REASONS) else phrases).update(found)
    return phrases, reasons
