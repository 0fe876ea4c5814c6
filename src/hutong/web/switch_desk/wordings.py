"""How the switch's approvals are told."""

from collections.abc import Mapping, Sequence
from typing import Any

from hutong.switch.approval_service import ADMIT, CAP_CHANGE, DEFAULT, RESERVE_CHANGE, RESUME, SUSPEND
from hutong.switch.settlement.rules import Fund
from hutong.switch.settlement.views import ReserveChangeKind
from hutong.switch.views import CapChangeKind
from hutong.web.desk.approvals import Wording
from hutong.web.language import Words, phrase

_WAYS = {CapChangeKind.GRANT.value, ReserveChangeKind.TOP_UP.value}


def _amount(words: Words, facts: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    _ = words
    minor = facts["amount"] if facts["change"] in _WAYS else -facts["amount"]
    told = [(_("Amount"), words.money(minor, facts["currency"], signed=True))]
    if "fund" in facts:
        is_reserve = facts["fund"] == Fund.RESERVE.value
        told.append((_("Fund"), _("Reserve") if is_reserve else _("Guarantee fund")))
    return told


def _newcomer(words: Words, facts: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    _ = words
    return [(_("Name"), facts["name"]), (_("Address"), facts["url"] or "–")]


WORDINGS = {
    CAP_CHANGE: Wording(phrase("Change the cap of %(subject)s"), _amount),
    RESERVE_CHANGE: Wording(phrase("Change the reserve of %(subject)s"), _amount),
    ADMIT: Wording(phrase("Admit %(subject)s by hand"), _newcomer),
    SUSPEND: Wording(phrase("Suspend %(subject)s")),
    RESUME: Wording(phrase("Take %(subject)s back in")),
    DEFAULT: Wording(phrase("Declare a default for window %(subject)s")),
}
