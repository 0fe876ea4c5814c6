"""What a person typed into a page, read strictly: each field is found, or refused by its name."""

from collections.abc import Mapping

from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.money import currency_of, parse_amount
from hutong.kernel.text import has_nul
from hutong.runtime.http import HttpReason

LENGTH_MAX = 2000


class FormReason(Reason):
    """Why a form was not taken."""

    FORM_EXPIRED = Kind.NOT_ALLOWED, "NARR"  # Not of a page this browser was shown: open the page again.
    FIELD_EMPTY = Kind.INVALID, "NARR"
    AMOUNT_OUT_OF_BOUNDS = Kind.INVALID, "AM12"  # Not from `amount_min` to `amount_max`.
    NUMBER_OUT_OF_RANGE = Kind.INVALID, "NARR"  # Not a whole number from `least` to `most`.


class Form:
    """The fields of one form."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    def text(self, name: str, *, length_max: int = LENGTH_MAX) -> str:
        """A field as typed, without the space around it; empty where there is none. Refuses FIELD_INVALID."""
        found = self._fields.get(name, "")
        if len(found) > length_max or has_nul(found):
            raise Refusal(HttpReason.FIELD_INVALID, field=name, problem="too long, or U+0000 in it")
        return found.strip()

    def needed(self, name: str, *, length_max: int = LENGTH_MAX) -> str:
        """A field that may not be empty. Refuses FIELD_EMPTY, too."""
        found = self.text(name, length_max=length_max)
        if not found:
            raise Refusal(FormReason.FIELD_EMPTY, field=name)
        return found

    def amount(self, name: str, currency: str = "CNY") -> int:
        """Minor units from what was typed in major units; 0 where nothing was. Refuses as `parse_amount`, naming the field."""
        found = self.text(name, length_max=24).replace(",", "").removeprefix("¥")
        try:
            return parse_amount(found, currency_of(currency)) if found else 0
        except Refusal as refusal:
            raise Refusal(refusal.reason, **(refusal.facts | {"field": name})) from None

    def number(self, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
        """A whole number. Refuses FIELD_INVALID, NUMBER_OUT_OF_RANGE."""
        found = self.text(name, length_max=20)
        if not (found.isascii() and found.isdigit() and least <= int(found) <= most):
            raise Refusal(FormReason.NUMBER_OUT_OF_RANGE, field=name, least=least, most=f"{most:,}")
        return int(found)

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return bool(self._fields.get(name))
