"""What an operator says of people and merchants, for rules to ask: segments of the ones, tags of the others."""

from enum import StrEnum

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid

WORD_LENGTH_MAX = 40
WORDS_MAX = 50
WORDS_MAX_SHARED = 16  # As many as a message of the scheme takes.


class TraitOf(StrEnum):
    PERSON = "PERSON"
    MERCHANT = "MERCHANT"


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """One version of somebody's."""

    id: Uuid  # The person's or merchant's.
    of: Text
    words: Bytes  # JSON.
    home_city: Text = ""  # Of a person: a merchant's is its own to say.
    shared: Bytes = b"[]"  # JSON. Of a merchant: those of its words that other institutions are told, beside `small`.
    changed_ns: BigInt

    @property
    def told(self) -> frozenset[str]:
        """The words, read."""
        return frozenset(msgspec.json.decode(self.words, type=list[str]))

    @property
    def told_elsewhere(self) -> tuple[str, ...]:
        """The words that other institutions are told, in order."""
        return tuple(msgspec.json.decode(self.shared, type=list[str]))


class Statement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    One version of what we say to other institutions of a merchant and shop: written down before it was first said, and what we say
    until there is another one. So whatever another institution's award was given on can be held against ours.
    """

    id: Uuid
    merchant_id: Uuid
    shop_id: Uuid
    said: Bytes  # `MerchantFacts`, as it travels.
    since_ns: BigInt


STATEMENTS = Table("merchant_statements", Statement)
TRAITS = Table("marketing_traits", Traits)


def checked_shared(words: bytes, shared: list[str]) -> bytes:
    """The same of what other institutions are told: each is one of the words. Refuses WORDS_NOT_SHARED."""
    known = set(msgspec.json.decode(words, type=list[str]))
    found = sorted(set(shared))
    others = [each for each in found if each not in known]
    if others or len(found) > WORDS_MAX_SHARED:
        raise Refusal(CampaignReason.WORDS_NOT_SHARED, field="shared", words=", ".join(others), most=WORDS_MAX_SHARED)
    return msgspec.json.encode(found)


def checked_words(words: list[str]) -> bytes:
    """How they are kept: in order, each once. Refuses the text refusals."""
    found = sorted({check_text("words", word, length_max=WORD_LENGTH_MAX) for word in words[:WORDS_MAX]})
    return msgspec.json.encode(found)
