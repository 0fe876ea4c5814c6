"""What an operator says of people and merchants, for rules to ask: segments of the ones, tags of the others."""

from enum import StrEnum

import msgspec

from hutong.kernel.text import check_text
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid

WORD_LENGTH_MAX = 40
WORDS_MAX = 50


class TraitOf(StrEnum):
    PERSON = "PERSON"
    MERCHANT = "MERCHANT"


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One version of somebody's."""

    id: Uuid  # The person's or merchant's.
    of: Text
    words: Bytes  # JSON.
    home_city: Text = ""  # Of a person: a merchant's is its own to say.
    changed_ns: BigInt

    @property
    def told(self) -> frozenset[str]:
        """The words, read."""
        return frozenset(msgspec.json.decode(self.words, type=list[str]))


TRAITS = Table("marketing_traits", Traits)


def checked_words(words: list[str]) -> bytes:
    """How they are kept: in order, each once. Refuses the text refusals."""
    found = sorted({check_text("words", word, length_max=WORD_LENGTH_MAX) for word in words[:WORDS_MAX]})
    return msgspec.json.encode(found)
