"""Authorisations over HTTP: what a person is asked to let a merchant hold, agrees to, or declines."""

from typing import Any

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.gateways.preauth.preauth import PREAUTH_PREFIX, Preauth
from hutong.gateways.preauth.preauth_service import PreauthService
from hutong.institution.door_api import caller, session_guard
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Preauths = NamedDependency[SkipValidation[PreauthService]]
Node = NamedDependency[SkipValidation[NodeRuntime]]
Signed = NamedDependency[SkipValidation[Session]]


class PreauthView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a merchant asks to hold, or holds. Amounts are integers of minor units (fen).

    To agree, ask for a PIN token for `payment_id`, the `amount` and `creditor`.
    """

    preauth_id: str
    merchant_name: str
    title: str
    amount: int
    state: str
    reason: str = ""
    payment_id: str
    creditor: str
    expires_at_ms: int
    held_at_ms: int = 0
    ended_at_ms: int = 0


class AgreeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person's yes."""

    pin_token: str


class Asked(Controller):
    """What merchants ask a person to hold."""

    path = "/preauths"
    tags = ("Authorisations",)

    @get()
    async def list_preauths(self, node: Node, preauths: Preauths, session: Signed) -> list[PreauthView]:
        """What I am asked, and what I agreed to; oldest first."""

        def mine() -> list[PreauthView]:
            return [_view(node, preauths, each) for each in preauths.of_person(session.user_id)]

        return await decided(node.journal, mine)

    @get("/{preauth_id:str}")
    async def show(
        self,
        node: Node,
        preauths: Preauths,
        session: Signed,  # noqa: ARG002  # Whoever has the link may look, and is known.
        preauth_id: FromPath[str],
    ) -> PreauthView:
        """One of them; who has the link may look, too."""
        id_ = parse_id(PREAUTH_PREFIX, preauth_id)
        return await decided(node.journal, lambda: _view(node, preauths, preauths.offered(id_)))

    @post("/{preauth_id:str}/agree", status_code=200)
    async def agree(
        self, node: Node, preauths: Preauths, session: Signed, preauth_id: FromPath[str], data: JSONBody[AgreeBody]
    ) -> PreauthView:
        """Say yes, with the PIN: the money is held."""
        id_ = parse_id(PREAUTH_PREFIX, preauth_id)
        agreed = await decided(node.journal, lambda: preauths.agree(session.user_id, id_, data.pin_token))
        agreed = await preauths.newest(agreed)
        return await decided(node.journal, lambda: _view(node, preauths, agreed))

    @post("/{preauth_id:str}/decline", status_code=200)
    async def decline(self, node: Node, preauths: Preauths, session: Signed, preauth_id: FromPath[str]) -> PreauthView:
        """Say no to what I alone am asked."""
        id_ = parse_id(PREAUTH_PREFIX, preauth_id)
        declined = await decided(node.journal, lambda: preauths.decline(session.user_id, id_))
        return await decided(node.journal, lambda: _view(node, preauths, declined))


def preauth_api(node: NodeRuntime, people: PeopleService, preauths: PreauthService) -> Router:
    """The handlers for `make_app`."""
    given: dict[str, Any] = {
        "node": Provide(lambda: node, sync_to_thread=False),
        "preauths": Provide(lambda: preauths, sync_to_thread=False),
        "session": Provide(caller, sync_to_thread=False),
    }
    return Router("/v1", route_handlers=[Asked], dependencies=given, guards=[session_guard(node, people)])


def _view(node: NodeRuntime, preauths: PreauthService, preauth: Preauth) -> PreauthView:
    return PreauthView(
        preauth_id=preauth.creditor,
        merchant_name=preauths.merchant_name(preauth),
        title=preauth.title,
        amount=preauth.amount,
        state=preauth.state_at(node.clock.now_ns()).value,
        reason=preauth.reason,
        payment_id=id_text("pay", preauth.id),
        creditor=preauth.creditor,
        expires_at_ms=preauth.expires_ns // NS_PER_MS,
        held_at_ms=preauth.held_ns // NS_PER_MS,
        ended_at_ms=preauth.ended_ns // NS_PER_MS,
    )
