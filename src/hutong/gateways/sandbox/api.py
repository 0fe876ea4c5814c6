"""Faults over HTTP: in a network for trying out, and nowhere else."""

from typing import Annotated

import msgspec
from litestar import Controller, Router, get, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.gateways.notification_api import nobody
from hutong.gateways.notification_desk import NotificationDesk
from hutong.gateways.sandbox.faults import Faults, FaultService
from hutong.institution.door_api import caller, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime

Owner = NamedDependency[SkipValidation[StaffKey | None]]
Number = Annotated[str, msgspec.Meta(description="The account's mchid or app_id.")]


class FaultEdge(msgspec.Struct, frozen=True):
    """What the handlers need."""

    desk: NotificationDesk
    faults: FaultService


Edge = NamedDependency[SkipValidation[FaultEdge]]


class FaultController(Controller):
    """What is to go wrong for one account, on purpose: only a network for trying out has this."""

    path = "/sandbox/gateway-faults"

    @get("/{number:str}")
    async def left(self, edge: Edge, owner: Owner, number: FromPath[Number]) -> Faults:
        """What is still to go wrong."""
        account = await edge.desk.account(owner, number)
        return edge.faults.of(account.row.id)

    @put("/{number:str}")
    async def ask(self, edge: Edge, owner: Owner, number: FromPath[Number], data: JSONBody[Faults]) -> Faults:
        """Have this go wrong from now on, and nothing that was asked for before; an empty object: nothing."""
        account = await edge.desk.account(owner, number)
        return edge.faults.set(account.row.id, data)


def fault_routes(
    node: NodeRuntime, desk: NotificationDesk, faults: FaultService, merchants: MerchantService, operator_only: Guard
) -> list[Router]:
    """The handlers for `make_app`. `operator_only` lets in operators and nobody else."""
    edge = FaultEdge(desk, faults)
    given = {"edge": Provide(lambda: edge, sync_to_thread=False)}
    return [
        Router(
            "/v1",
            route_handlers=[FaultController],
            dependencies=given | {"owner": Provide(caller, sync_to_thread=False)},
            guards=[key_guard(node, merchants)],
            tags=["Sandbox"],
        ),
        Router(
            "/v1/operator",
            route_handlers=[FaultController],
            dependencies=given | {"owner": Provide(nobody, sync_to_thread=False)},
            guards=[operator_only],
            tags=["Sandbox"],
        ),
    ]
