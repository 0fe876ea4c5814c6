"""Holds over HTTP: what merchants of other institutions ask a person to let them hold, and hold."""

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door
from hutong.institution.holds.hold import PREFIX, Hold
from hutong.institution.holds.service import HoldDesk
from hutong.institution.people.device import Session
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.shelf import decided

Desk = NamedDependency[SkipValidation[HoldDesk]]
Signed = NamedDependency[SkipValidation[Session]]


class HoldView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a merchant elsewhere asks to hold, or holds. Amounts are integers of minor units (fen).

    To agree, ask for a PIN token for `payment_id`, the `amount` and `creditor`.
    """

    hold_id: str
    institution: str  # The merchant's.
    merchant_name: str
    title: str
    amount: int
    taken: int = 0  # What was paid of it,
    released: int = 0  # and what went back.
    left: int = 0
    state: str
    reason: str = ""
    payment_id: str
    creditor: str
    expires_at_ms: int
    held_at_ms: int = 0


class LookBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was scanned: a merchant's link, `https://.../q/H...`."""

    link: str


class HoldAgreeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person's yes."""

    pin_token: str


class Holds(Controller):
    """What merchants of other institutions hold."""

    path = "/holds"
    tags = ("Holds",)

    @post(status_code=200)
    async def look(self, desk: Desk, session: Signed, data: JSONBody[LookBody]) -> HoldView:
        """What a link asks to hold: from now on I am asked. Asking again changes nothing."""
        hold = await desk.look(session.user_id, data.link)
        return _view(desk, hold)

    @get()
    async def list_holds(self, desk: Desk, session: Signed) -> list[HoldView]:
        """What I am asked, and what I agreed to; oldest first."""
        found = await decided(desk.node.journal, lambda: desk.holds.of_person(session.user_id))
        return [_view(desk, each) for each in found]

    @get("/{hold_id:str}")
    async def show(self, desk: Desk, session: Signed, hold_id: FromPath[str]) -> HoldView:
        """One of mine."""
        id_ = parse_id(PREFIX, hold_id)
        return _view(desk, await decided(desk.node.journal, lambda: desk.holds.hold(id_, session.user_id)))

    @post("/{hold_id:str}/agree", status_code=200)
    async def agree(
        self, desk: Desk, session: Signed, hold_id: FromPath[str], data: JSONBody[HoldAgreeBody]
    ) -> HoldView:
        """Say yes, with the PIN: the money is held here."""
        id_ = parse_id(PREFIX, hold_id)
        agreed = await decided(desk.node.journal, lambda: desk.holds.agree(session.user_id, id_, data.pin_token))
        return _view(desk, await desk.holds.settled(agreed))

    @post("/{hold_id:str}/decline", status_code=200)
    async def decline(self, desk: Desk, session: Signed, hold_id: FromPath[str]) -> HoldView:
        """Say no to what I am asked."""
        id_ = parse_id(PREFIX, hold_id)
        return _view(desk, await decided(desk.node.journal, lambda: desk.holds.decline(session.user_id, id_)))


def hold_api(desk: HoldDesk, people: Door) -> Router:
    """The handlers for `make_app`, behind the door of people."""
    return people.router("/v1", [Holds], desk=desk)


def _view(desk: HoldDesk, hold: Hold) -> HoldView:
    return HoldView(
        hold_id=hold.text,
        institution=hold.creditor_agent,
        merchant_name=hold.creditor_name,
        title=hold.title,
        amount=hold.amount,
        taken=hold.taken,
        released=hold.released,
        left=hold.left,
        state=hold.state_at(desk.node.clock.now_ns()).value,
        reason=hold.reason,
        payment_id=id_text("pay", hold.id),
        creditor=hold.text,
        expires_at_ms=hold.expires_ns // NS_PER_MS,
        held_at_ms=hold.held_ns // NS_PER_MS,
    )
