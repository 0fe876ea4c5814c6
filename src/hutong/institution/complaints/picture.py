"""A picture: what somebody shows in a complaint, kept in parts, and where it is."""

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

import msgspec

from hutong.kernel.clock import NS_PER_DAY
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Bytes, Integer, Table, Text, Uuid
from hutong.scheme.complaint import ComplaintParty
from hutong.scheme.complaint_messages import PIECE_BYTES_MAX

IN_CASE_MAX = 40  # Pictures of one complaint, of both sides.
PERSON_GIVEN_MAX = 40  # What one may give before it is said somewhere, of all that has not gone yet.
MERCHANT_GIVEN_MAX = 500
# Of the same, in bytes: some forty photographs as a telephone's are made small, or sixteen of the biggest.
PERSON_BYTES_MAX = 32 * 1024 * 1024
MERCHANT_BYTES_MAX = 128 * 1024 * 1024
GIVEN_KEPT_NS = NS_PER_DAY  # What nobody said anywhere by then goes.
_DIGEST = re.compile("[0-9a-f]{64}")


class PictureState(StrEnum):
    HELD = "HELD"
    WANTED = "WANTED"  # The other side has it.
    GONE = "GONE"  # Its time is over, or it never came.


class Picture(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version. In a complaint it has a row of its own, whoever gave it, and however often the same was given elsewhere."""

    id: Uuid  # Derived from the place and the digest.
    # The complaint or grievance it was said in; before that who gave it: a person, or a merchant. 0: it was kept, and has gone.
    place: Uuid
    user_id: Uuid  # The payer, if ours.
    digest: Text  # SHA-256, as it was named.
    kind: Text
    size: Integer
    state: Text
    created_ns: BigInt


class PicturePart(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Some of a picture's bytes."""

    picture_id: Uuid
    user_id: Uuid
    number: Integer
    content: Bytes


class Case(NamedTuple):
    """Whose complaint it is, as messages name it, and which side of it is ours."""

    complaint_id: int
    payment_id: int
    debtor_agent: str
    creditor_agent: str
    side: ComplaintParty  # PAYER or PAYEE.
    user_id: int  # The payer, if ours.
    kept_until_ns: int | None  # None: it is not over.

    @property
    def other_agent(self) -> str:
        return self.creditor_agent if self.side is ComplaintParty.PAYER else self.debtor_agent


PICTURES = Table("complaint_pictures", Picture)
PICTURE_PARTS = Table("complaint_picture_parts", PicturePart)


def picture_id(place: int, digest: str) -> int:
    return derive(place, f"picture/{digest}")


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    """Whether it can name a picture: what somebody else's institution sends is anything at all."""
    return _DIGEST.fullmatch(text) is not None


def digests_in(texts: Iterable[str]) -> list[str]:
    """What names a picture among these, each once."""
    return list(dict.fromkeys(filter(is_digest, texts)))


def parts_of(picture: Picture, content: bytes) -> list[PicturePart]:
    return [
        PicturePart(
            picture_id=picture.id,
            user_id=picture.user_id,
            number=number,
            content=content[begin : begin + PIECE_BYTES_MAX],
        )
        for number, begin in enumerate(range(0, len(content), PIECE_BYTES_MAX))
    ]
