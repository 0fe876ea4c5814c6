"""Agreements over HTTP: what a person is asked to sign, signs, and ends."""

from typing import Annotated

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler
from msgspec import Meta

from hutong.gateways.agreements.agreement import AGREEMENT_PREFIX, Agreement
from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.crossing_service import CrossingService, OfferElsewhere
from hutong.institution.door_api import Door, given, session_guard
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Agreements = NamedDependency[SkipValidation[AgreementService]]
Crossing = NamedDependency[SkipValidation[CrossingService]]
Node = NamedDependency[SkipValidation[NodeRuntime]]
Signed = NamedDependency[SkipValidation[Session]]


class AgreementView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What a merchant may take without asking each time. Amounts are integers of minor units (fen).

    To sign it, ask for a PIN token for `payment_id`, the amount `day_max` and `creditor`.
    """

    agreement_id: str
    merchant_name: str
    account_shown: str = ""
    day_max: int
    state: str
    payment_id: str
    creditor: str
    expires_at_ms: int
    signed_at_ms: int = 0
    ended_at_ms: int = 0
    ended_by: str = ""


class SignBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person's yes."""

    pin_token: str


class MandateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The yes of a person whose wallet is elsewhere: what they granted there to this institution."""

    mandate: Annotated[str, Meta(max_length=140)]


class LinkBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The link of an agreement that another institution's merchant offers, as scanned."""

    link: Annotated[str, Meta(max_length=300, examples=["https://wei.example/agreements/agr_01J…"])]


class SignElsewhereBody(LinkBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person's yes to it."""

    pin_token: str


class ElsewhereView(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a merchant of another institution asks for. Amounts are integers of minor units (fen).

    To sign it, ask for a PIN token for `payment_id`, the amount `day_max` and `creditor`. Signed, it is a mandate of this
    wallet's, granted to `institution`: it is listed and revoked as those are.
    """

    institution: str
    merchant_name: str
    account_shown: str
    day_max: int
    payment_id: str
    creditor: str
    expires_at_ms: int


class Offered(Controller):
    """What whoever has the link may see, and sign with a mandate of their own wallet's."""

    path = "/offers"
    tags = ("Agreements",)

    @get("/{agreement_id:str}")
    async def show(self, node: Node, agreements: Agreements, agreement_id: FromPath[str]) -> AgreementView:
        """What is offered."""
        id_ = parse_id(AGREEMENT_PREFIX, agreement_id)
        return await decided(
            node.journal, lambda: agreement_view(agreements, agreements.offered(id_), node.clock.now_ns())
        )

    @post("/{agreement_id:str}/mandate", status_code=200)
    async def sign_under(
        self, node: Node, agreements: Agreements, agreement_id: FromPath[str], data: JSONBody[MandateBody]
    ) -> AgreementView:
        """Sign under a mandate that another institution's wallet granted to this one."""
        id_ = parse_id(AGREEMENT_PREFIX, agreement_id)
        signed = await decided(node.journal, lambda: agreements.sign_under(id_, data.mandate))
        return await decided(node.journal, lambda: agreement_view(agreements, signed, node.clock.now_ns()))


class Own(Controller):
    """A person's own agreements."""

    tags = ("Agreements",)

    @get()
    async def list_agreements(self, node: Node, agreements: Agreements, session: Signed) -> list[AgreementView]:
        """What I signed, oldest first."""
        now_ns = node.clock.now_ns()

        def mine() -> list[AgreementView]:
            return [agreement_view(agreements, each, now_ns) for each in agreements.signed_by(session.user_id)]

        return await decided(node.journal, mine)

    @post("/{agreement_id:str}/sign", status_code=200)
    async def sign(
        self,
        node: Node,
        agreements: Agreements,
        session: Signed,
        agreement_id: FromPath[str],
        data: JSONBody[SignBody],
    ) -> AgreementView:
        """Say yes, with the PIN."""
        id_ = parse_id(AGREEMENT_PREFIX, agreement_id)
        signed = await decided(node.journal, lambda: agreements.sign(session.user_id, id_, data.pin_token))
        return await decided(node.journal, lambda: agreement_view(agreements, signed, node.clock.now_ns()))

    @post("/{agreement_id:str}/end", status_code=200)
    async def end(
        self, node: Node, agreements: Agreements, session: Signed, agreement_id: FromPath[str]
    ) -> AgreementView:
        """Nothing more is taken."""
        id_ = parse_id(AGREEMENT_PREFIX, agreement_id)
        ended = await decided(node.journal, lambda: agreements.leave(session.user_id, id_))
        return await decided(node.journal, lambda: agreement_view(agreements, ended, node.clock.now_ns()))


class Elsewhere(Controller):
    """What a person here scanned, and another institution offers."""

    path = "/elsewhere"
    tags = ("Agreements",)

    @post("/look", status_code=200)
    async def look(self, crossing: Crossing, session: Signed, data: JSONBody[LinkBody]) -> ElsewhereView:
        """What its link asks for."""
        del session
        return _elsewhere_view(await crossing.look(data.link))

    @post("/sign", status_code=200)
    async def sign(self, crossing: Crossing, session: Signed, data: JSONBody[SignElsewhereBody]) -> ElsewhereView:
        """Say yes, with the PIN: the merchant's institution is granted a mandate, and signs under it."""
        return _elsewhere_view(await crossing.sign(session.user_id, data.link, data.pin_token))


def agreements_api(
    node: NodeRuntime, people: PeopleService, agreements: AgreementService, crossing: CrossingService
) -> list[ControllerRouterHandler]:
    """The handlers for `make_app`."""
    door = Door("session", session_guard(node, people))
    return [
        Router("/v1/agreements", route_handlers=[Offered], dependencies=given(node=node, agreements=agreements)),
        door.router("/v1/agreements", [Own, Elsewhere], node=node, agreements=agreements, crossing=crossing),
    ]


def agreement_view(agreements: AgreementService, agreement: Agreement, now_ns: int) -> AgreementView:
    """An agreement as people see it. May raise `Cold`."""
    return AgreementView(
        agreement_id=agreement.creditor,
        merchant_name=agreements.merchant_name(agreement),
        account_shown=agreement.about,
        day_max=agreement.day_max,
        state=agreement.state_at(now_ns).value,
        payment_id=id_text("pay", agreement.id),
        creditor=agreement.creditor,
        expires_at_ms=agreement.expires_ns // NS_PER_MS,
        signed_at_ms=agreement.signed_ns // NS_PER_MS,
        ended_at_ms=agreement.ended_ns // NS_PER_MS,
        ended_by=agreement.ended_by,
    )


def _elsewhere_view(offer: OfferElsewhere) -> ElsewhereView:
    return ElsewhereView(
        institution=offer.institution,
        merchant_name=offer.merchant_name,
        account_shown=offer.about,
        day_max=offer.day_max,
        payment_id=id_text("pay", offer.agreement_id),
        creditor=offer.creditor,
        expires_at_ms=offer.expires_at_ms,
    )
