"""Settlement's part of the switch's API: the operator's, behind the token; and a node's own files, behind its signature."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Controller, Request, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation
from litestar.response import Stream

from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided
from hutong.scheme.clearing_file import window_of_path
from hutong.scheme.envelope import SchemeReason
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.views import CalendarView, NewCalendar, WindowView, calendar_view, window_view

CSV = "text/csv; charset=utf-8"
Switch = NamedDependency[SkipValidation[SwitchNode]]
# Who signed a request: (headers, method, path, body) to the node's id, or a refusal.
Verify = Callable[[Mapping[bytes, bytes], str, str, bytes], str]


class Windows(Controller):
    """Settlement windows: whose payments are settled together. In a path `2026-11-23/2` is written `2026-11-23.2`."""

    path = "/windows"
    tags = ("Settlement",)

    @get()
    async def list_windows(self, switch: Switch, limit: FromQuery[int] = 50) -> list[WindowView]:
        """The newest windows first."""
        rows = await decided(switch.node.journal, switch.windows.windows)
        return [window_view(row) for row in reversed(rows[-max(1, limit) :])]

    @get("/{window:str}")
    async def get_window(self, switch: Switch, window: FromPath[str]) -> WindowView:
        """One window. Refuses WINDOW_UNKNOWN."""
        id_ = window_of_path(window)
        return window_view(await decided(switch.node.journal, lambda: switch.windows.window(id_)))

    @post("/{window:str}/close", status_code=200)
    async def close(self, switch: Switch, window: FromPath[str]) -> WindowView:
        """Close the open window before its time; payments go on in the next. Refuses WINDOW_UNKNOWN, WINDOW_NOT_OPEN_YET."""
        id_ = window_of_path(window)
        return window_view(await decided(switch.node.journal, lambda: switch.windows.close(id_)))

    @get("/{window:str}/clearing.csv", media_type=CSV)
    async def clearing_file(self, switch: Switch, window: FromPath[str], node: FromQuery[str]) -> Stream:
        """A node's clearing file of a closed window. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED, PARTICIPANT_UNKNOWN."""
        return await clearing_stream(switch, window_of_path(window), node)


class Calendars(Controller):
    """Settlement days and cut-offs, from a day on."""

    path = "/settlement/calendars"
    tags = ("Settlement",)

    @get()
    async def list_calendars(self, switch: Switch) -> list[CalendarView]:
        """Every calendar; the first came with the switch."""
        return [calendar_view(each) for each in await decided(switch.node.journal, switch.windows.calendars)]

    @put("/{version:str}")
    async def publish(self, switch: Switch, version: FromPath[str], data: JSONBody[NewCalendar]) -> CalendarView:
        """Announce a calendar. Refuses CALENDAR_INVALID, CALENDAR_CONFLICTS, CALENDAR_STARTS_TOO_EARLY."""

        def decide() -> CalendarView:
            return calendar_view(switch.windows.publish_calendar(version, data.first_on, data.rules()))

        return await decided(switch.node.journal, decide)


async def clearing_stream(switch: SwitchNode, window_id: str, node: str) -> Stream:
    """The file as an answer."""

    def decide() -> Any:
        switch.admission.participant(node)
        return switch.windows.closed_window(window_id)

    window = await decided(switch.node.journal, decide)
    return Stream(switch.cleared.clearing_file(window, node), media_type=CSV)


def own_files(verify: Verify | None) -> Router:
    """What a node fetches for itself, signed like an envelope with an empty body."""

    @get("/windows/{window:str}/clearing.csv", media_type=CSV, tags=["Scheme"])
    async def own_clearing_file(request: Request[Any, Any, Any], switch: Switch, window: FromPath[str]) -> Stream:
        """The asking node's clearing file of a closed window. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        node = _signer(request, verify)
        return await clearing_stream(switch, window_of_path(window), node)

    return Router("/scheme/v1", route_handlers=[own_clearing_file], security=[{"signature": []}])


def _signer(request: Request[Any, Any, Any], verify: Verify | None) -> str:
    """Who asks. A switch that shares its process with all its participants has nobody who could sign."""
    if verify is None:
        raise Refusal(SchemeReason.SENDER_UNKNOWN, sender="")
    return verify(dict(request.scope["headers"]), request.method, request.scope["path"], b"")
