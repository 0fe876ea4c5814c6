"""What pages say, in the reader's language: gettext catalogues, English in the code, Chinese beside it."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.messages.pofile import read_po

LANGUAGES = ("zh-CN", "en")
_HEADER_MAX = 200


def language_of(accept_language: str) -> str:
    """The language of ours a browser prefers (RFC 9110, 12.5.4); Chinese where it says nothing we know."""
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
def words(language: str) -> Callable[[str], str]:
    """The translation of each phrase; a phrase without one stays English, and a test finds it."""
    if language == "en":
        return str
    text = files("hutong.web").joinpath(f"{language}.po").read_bytes()
    catalog = read_po(BytesIO(text), locale=Locale.parse(language, sep="-"))

    def translated(phrase: str) -> str:
        message = catalog.get(phrase)
        return str(message.string) if message is not None and message.string else phrase

    return translated
