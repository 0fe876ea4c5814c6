"""
An authorisation: what a merchant of ours asks to hold, or holds, of a person elsewhere, as far as is known here.

    ASKED -> HELD -> ENDED        ASKED -> REFUSED | CLOSED
"""

from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hutong.kernel.errors import Reason
from hutong.runtime.tables import BigInt, Integer, Table, Text, Uuid
from hutong.scheme.hold import HoldReport


class AuthorisationState(StrEnum):
    ASKED = "ASKED"
    HELD = "HELD"
    ENDED = "ENDED"
    REFUSED = "REFUSED"
    CLOSED = "CLOSED"  # We have taken it back.


class Offer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a merchant asks to hold. Its id is the hold's, which travels."""

    id: int
    amount: int
    currency: str
    creditor_name: str
    title: str
    is_open: bool
    expires_ns: int


class Authorisation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version."""

    id: Uuid
    debtor_agent: Text  # Empty: whoever owns the code.
    code: Text  # As the till scanned it; empty: somebody opened the link.
    amount: BigInt
    currency: Text
    creditor_name: Text
    title: Text
    state: Text
    reason: Text
    iso_code: Text
    number: BigInt  # Of the newest state that is known here.
    taken: BigInt  # So far as that state says.
    released: BigInt
    token: Text  # What requests to pay out of it name.
    debtor_name: Text
    debtor_ref: Text
    due_day: Integer  # The day, since 1970, by which it should be over; 0: it is.
    created_ns: BigInt
    expires_ns: BigInt
    changed_ns: BigInt

    def told(self, report: HoldReport, now_ns: int) -> "Authorisation":
        """With what the debtor agent says of what it holds."""
        return replace(
            self,
            number=report.number,
            taken=report.taken,
            released=report.released,
            debtor_agent=report.debtor_agent or "",
            changed_ns=now_ns,
        )

    def ended(self, state: AuthorisationState, now_ns: int, reason: str = "", iso_code: str = "") -> "Authorisation":
        return replace(self, state=state, reason=reason, iso_code=iso_code, code="", due_day=0, changed_ns=now_ns)

    def refused(self, reason: Reason, now_ns: int) -> "Authorisation":
        return self.ended(AuthorisationState.REFUSED, now_ns, reason.name, reason.iso_code)


class ReleaseState(StrEnum):
    WANTED = "WANTED"
    DONE = "DONE"
    REFUSED = "REFUSED"


class Release(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of our letting some of it go. Its id is the act's, which travels."""

    id: Uuid
    authorisation_id: Uuid
    amount: BigInt  # 0: everything, and it has ended.
    state: Text
    reason: Text
    created_ns: BigInt


AUTHORISATIONS = Table("authorisations", Authorisation)
AUTHORISATION_RELEASES = Table("authorisation_releases", Release)


def new_authorisation(offer: Offer, code: str, now_ns: int, due_day: int) -> Authorisation:
    """What nobody has answered yet."""
    return Authorisation(
        id=offer.id,
        debtor_agent="",
        code=code,
        amount=offer.amount,
        currency=offer.currency,
        creditor_name=offer.creditor_name,
        title=offer.title,
        state=AuthorisationState.ASKED,
        reason="",
        iso_code="",
        number=0,
        taken=0,
        released=0,
        token="",
        debtor_name="",
        debtor_ref="",
        due_day=due_day,
        created_ns=now_ns,
        expires_ns=offer.expires_ns,
        changed_ns=now_ns,
    )
