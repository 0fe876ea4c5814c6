"""What merchants have sent a person, over HTTP, for who is logged in: taken, or declined."""

from dataclasses import dataclass

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from hutong.gateways.transfers.transfer import ID_PREFIX, PersonTransfer
from hutong.gateways.transfers.transfer_service import TransferService
from hutong.institution.door_api import Door, session_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.people.device import Session
from hutong.institution.people.service import PeopleService
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed


class SentView(msgspec.Struct, frozen=True, kw_only=True):
    """Money a merchant sends. WAITING: it is held until it is taken, declined or lapses."""

    transfer_id: str
    merchant: str
    amount: int
    currency: str
    state: str
    reason: str
    remark: str
    created_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class SentEdge:
    """What the handlers need."""

    node: NodeRuntime
    merchants: MerchantService
    transfers: TransferService

    async def view(self, transfer: PersonTransfer) -> SentView:
        merchant = await warmed(self.node.journal, lambda: self.merchants.merchant(transfer.merchant_id))
        return SentView(
            transfer_id=id_text(ID_PREFIX, transfer.id),
            merchant=merchant.name,
            amount=transfer.amount,
            currency=merchant.currency,
            state=transfer.state,
            reason=transfer.reason,
            remark=transfer.remark,
            created_at_ms=transfer.created_ns // NS_PER_MS,
            expires_at_ms=transfer.expires_ns // NS_PER_MS,
        )


Edge = NamedDependency[SkipValidation[SentEdge]]
Who = NamedDependency[SkipValidation[Session]]


class SentToMe(Controller):
    """What merchants send to me."""

    path = "/transfers"
    tags = ("Person: money from merchants",)

    @get("/")
    async def waiting(self, edge: Edge, session: Who) -> list[SentView]:
        """What waits to be taken, oldest first."""
        return [await edge.view(each) for each in await edge.transfers.waiting(session.user_id)]

    @get("/{transfer_id:str}")
    async def show(self, edge: Edge, session: Who, transfer_id: FromPath[str]) -> SentView:
        """One that was sent to me, and its state now."""
        id_ = parse_id(ID_PREFIX, transfer_id)
        return await edge.view(await edge.transfers.of_person(session.user_id, id_))

    @post("/{transfer_id:str}/take", status_code=200)
    async def take(self, edge: Edge, session: Who, transfer_id: FromPath[str]) -> SentView:
        """Take it: the money is mine. Again: the same."""
        return await edge.view(await edge.transfers.take(session.user_id, parse_id(ID_PREFIX, transfer_id)))

    @post("/{transfer_id:str}/decline", status_code=200)
    async def decline(self, edge: Edge, session: Who, transfer_id: FromPath[str]) -> SentView:
        """Decline it: the money goes back. Again: the same."""
        return await edge.view(await edge.transfers.decline(session.user_id, parse_id(ID_PREFIX, transfer_id)))


def transfer_routes(
    node: NodeRuntime, people: PeopleService, merchants: MerchantService, transfers: TransferService
) -> Router:
    """The handlers for `make_app`."""
    edge = SentEdge(node, merchants, transfers)
    return Door("session", session_guard(node, people)).router("/v1", [SentToMe], edge=edge)
