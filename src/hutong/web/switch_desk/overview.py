"""The first page of the switch's desk: how the network is, now."""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.switch.node import SwitchNode
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest


def overview_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk`."""

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        figures = switch.clearing.figures
        return desk.render(
            request,
            "switch_desk/overview.html",
            "overview",
            completed=figures.completed,
            undecided=len(switch.clearing.undecided),
        )

    return desk.router(HOME, [show])
