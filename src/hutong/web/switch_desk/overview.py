"""The first page of the switch's desk: how the network is, now. It renews itself; who has no script loads it again."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.operators.guard import UNATTENDED
from hutong.scheme.standing import OLDER_MS
from hutong.switch.node import SwitchNode
from hutong.switch.position import Position, SwitchBooks
from hutong.switch.settlement.window import WindowState
from hutong.web.chart import Chart, Series, lines
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest
from hutong.web.switch_desk.sankey import sankey

NAV = "overview"
AGAIN_S = 2  # However many look: the books are looked up so often.
_STEP_S = 10
_WARN_PERCENT, _BAD_PERCENT = 70, 90
_RATE = phrase("Decided in each ten seconds, over the last five minutes")
_SECONDS_AGO = phrase("%(minutes)s min ago")
_NOW = phrase("now")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A position against its cap: `percent` of the cap is used."""

    position: Position
    name: str
    percent: int
    tag: str


class LiveBooks:
    """The books of every currency, looked up now and then."""

    def __init__(self, switch: SwitchNode) -> None:
        self._switch = switch
        self._books: list[SwitchBooks] = []
        self._again_ns = 0

    async def books(self) -> list[SwitchBooks]:
        """As they were a moment ago at the earliest."""
        now_ns = self._switch.node.clock.now_ns()
        if now_ns >= self._again_ns:
            currencies = sorted(self._switch.clearing.currencies)
            self._books = [await self._switch.positions.books(currency) for currency in currencies]
            self._again_ns = now_ns + AGAIN_S * NS_PER_S
        return self._books


def gauge(position: Position, name: str) -> Gauge:
    """How far a node has gone towards its cap."""
    used = max(0, position.cap_minor - position.headroom_minor)
    percent = min(100, used * 100 // position.cap_minor) if position.cap_minor else 100 * bool(used)
    tag = "bad" if percent >= _BAD_PERCENT else "warn" if percent >= _WARN_PERCENT else "good"
    return Gauge(position, name, percent, tag)


def overview_pages(desk: Desk, switch: SwitchNode) -> ControllerRouterHandler:
    """`/desk`, and the part of it that renews itself."""
    live = LiveBooks(switch)

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        return desk.render(request, "switch_desk/overview.html", NAV, **await _now(desk, switch, live, request))

    @get("/live", opt={UNATTENDED: True})
    async def renew(request: AnyRequest) -> Response[str]:
        return desk.render(request, "switch_desk/live.html", NAV, **await _now(desk, switch, live, request))

    return desk.router(HOME, [show, renew])


async def _now(desk: Desk, switch: SwitchNode, live: LiveBooks, request: AnyRequest) -> dict[str, Any]:
    said = desk.pages.words(request)
    names = {each.node_id: each.name for each in switch.admission.participants()}
    settles_on, streams = await switch.flows.today()
    books = await live.books()
    rates = switch.pulse.steps(_STEP_S)
    labels = [_label(said, len(rates) - index) for index in range(len(rates))]
    standing = switch.oversight.undecided()
    windows = switch.windows.windows()
    recalls = await desk.answer(switch.recalls.recalls.everything)
    return {
        "pulse": switch.pulse.now(_STEP_S),
        "ms": NS_PER_MS,
        "rate_chart": lines(said, Chart(said(_RATE), labels, [Series(said(_RATE), rates)])) if rates else "",
        "currencies": [
            {
                "books": each,
                "gauges": [gauge(position, names[position.node_id]) for position in each.positions],
                "flow": _flow(said, [one for one in streams if one.currency == each.currency], names),
            }
            for each in books
        ],
        "settles_on": settles_on,
        "undecided": len(standing),
        "stuck": sum(each.age_ms >= OLDER_MS for each in standing),
        "oldest_s": max((each.age_ms for each in standing), default=0) // 1000,
        "open_recalls": sum(not each.is_final for each in recalls),
        "halted": [row for row in windows if row.state == WindowState.HALTED.value],
        "unpaid": [row for row in windows if row.state == WindowState.NETTED.value and row.reason],
        "suspended": [each for each in switch.admission.participants() if each.status == "SUSPENDED"],
        "at_ns": switch.node.clock.now_ns(),
    }


def _flow(said: Any, streams: Any, names: Any) -> dict[str, Any]:
    return {"streams": streams, "picture": sankey(said, streams, names) if streams else "", "names": names}


def _label(said: Any, steps_ago: int) -> str:
    seconds = steps_ago * _STEP_S - _STEP_S
    if not seconds:
        return str(said(_NOW))
    return str(said(_SECONDS_AGO, minutes=seconds // 60)) if not seconds % 60 else ""
