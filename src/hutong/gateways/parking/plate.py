"""A number plate, as it is written on the car."""

import hashlib
import re
import unicodedata
from enum import StrEnum

import msgspec

from hutong.gateways.parking.reasons import ParkingReason
from hutong.kernel.errors import Refusal

# A province, a city's letter, and five or six more; some end with a word for what the car is.
_NUMBER = re.compile("[\u4e00-\u9fff][A-Z][0-9A-Z]{4,5}[0-9A-Z挂学警港澳使领试超]")


class PlateColor(StrEnum):
    BLUE = "BLUE"
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    BLACK = "BLACK"
    WHITE = "WHITE"
    LIMEGREEN = "LIMEGREEN"


class Plate(msgspec.Struct, frozen=True):
    """Two cars may have one number under two colours."""

    number: str
    color: PlateColor

    @property
    def shown(self) -> str:
        return f"{self.number} {self.color.value}"

    @property
    def key(self) -> int:
        """By what it is found: of the plate itself nothing is kept but where a person's data is."""
        digest = hashlib.blake2b(f"{self.color.value}/{self.number}".encode(), digest_size=16, person=b"hutong plate")
        return int.from_bytes(digest.digest())


def read_plate(number: str, color: str) -> Plate:
    """A plate as merchants and people write it. Refuses PLATE_MALFORMED, naming the field."""
    written = "".join(unicodedata.normalize("NFKC", number).upper().replace("·", "").split())
    if not _NUMBER.fullmatch(written):
        raise Refusal(ParkingReason.PLATE_MALFORMED, field="plate_number")
    try:
        return Plate(written, PlateColor(color.upper()))
    except ValueError:
        raise Refusal(ParkingReason.PLATE_MALFORMED, field="plate_color") from None
