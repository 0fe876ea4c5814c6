"""Notifications over HTTP: for a merchant's owner, and for the institution's operators."""

from typing import Annotated, Any

from litestar import Controller, Request, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter, SkipValidation

from hutong.gateways.notification import ID_PREFIX
from hutong.gateways.notification_desk import PAGE_MAX, NotificationDesk
from hutong.gateways.notification_service import Told
from hutong.gateways.notification_views import NotificationPage, NotificationView, notification_view
from hutong.institution.door_api import caller, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.ids import parse_id
from hutong.operators.guard import Guard
from hutong.runtime.node import NodeRuntime

_CURSOR_MAX = 2**53  # What every JSON reader takes for an integer; a journal does not get there.
Number = Annotated[str, QueryParameter(description="The account's mchid or app_id.")]
Before = Annotated[int, QueryParameter(ge=1, le=_CURSOR_MAX, description="The `before` of the last answer.")]
Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
Desk = NamedDependency[SkipValidation[NotificationDesk]]
Owner = NamedDependency[SkipValidation[StaffKey | None]]


class Notifications(Controller):
    """What the merchant's software was told by callback: what was sent, what came back, and once more."""

    path = "/gateway-notifications"

    @get()
    async def listed(
        self, desk: Desk, owner: Owner, number: FromQuery[Number], before: Before = _CURSOR_MAX, limit: Limit = 50
    ) -> NotificationPage:
        """What one account was told, newest first."""
        found = await desk.page(owner, number, before=before, limit=limit)
        views = [await _shown(desk, told, whole=False) for _, told in found]
        return NotificationPage(views, found[-1][0] if len(found) == limit else 0)

    @get("/{notification_id:str}")
    async def one(self, desk: Desk, owner: Owner, notification_id: FromPath[str]) -> NotificationView:
        """One, with all that was sent."""
        return await _shown(desk, await desk.told(owner, parse_id(ID_PREFIX, notification_id)), whole=True)

    @post("/{notification_id:str}/resend", status_code=200)
    async def resend(self, desk: Desk, owner: Owner, notification_id: FromPath[str]) -> NotificationView:
        """Send it again, now and whatever became of it; its last try says what came back."""
        return await _shown(desk, await desk.resend(owner, parse_id(ID_PREFIX, notification_id)), whole=True)


def notification_routes(
    node: NodeRuntime, desk: NotificationDesk, merchants: MerchantService, operator_only: Guard
) -> list[Router]:
    """The handlers for `make_app`. `operator_only` lets in operators and nobody else."""
    given = {"desk": Provide(lambda: desk, sync_to_thread=False)}
    return [
        Router(
            "/v1",
            route_handlers=[Notifications],
            dependencies=given | {"owner": Provide(caller, sync_to_thread=False)},
            guards=[key_guard(node, merchants)],
            tags=["Gateway notifications"],
        ),
        Router(
            "/v1/operator",
            route_handlers=[Notifications],
            dependencies=given | {"owner": Provide(nobody, sync_to_thread=False)},
            guards=[operator_only],
            tags=["Operator: gateways"],
        ),
    ]


async def _shown(desk: NotificationDesk, told: Told, *, whole: bool) -> NotificationView:
    return notification_view(told, await desk.about(told.notification), whole=whole)


def nobody(request: Request[Any, Any, Any]) -> Any:  # noqa: ARG001  # As a dependency has it.
    """An operator is no merchant's owner."""
    return None
