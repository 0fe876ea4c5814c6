"""A node's metrics, and the route that tells them to whoever may look."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from hutong import __version__
from hutong.app.health import Health
from hutong.app.host import Machine
from hutong.gateways.metrics import METRICS as GATEWAY_METRICS
from hutong.institution.metrics import METRICS as INSTITUTION_METRICS
from hutong.operators.guard import Guard
from hutong.runtime.figures import HttpFigures
from hutong.runtime.http_app import OK
from hutong.runtime.metrics import Declared, MetricKind, Sample, Source, exposition
from hutong.scheme.http_transport import Link
from hutong.switch.metrics import METRICS as SWITCH_METRICS

PATH = "/v1/metrics"
_G, _C = MetricKind.GAUGE, MetricKind.COUNTER

NODE = Declared("hutong_node", _G, "Which node and software this is; always 1.", ("node", "version"))
READY = Declared(
    "hutong_ready", _G, "1 for each check of /health/ready that is well.", ("check",), "a query a second at most"
)
RESTARTS = Declared("hutong_node_restarts_total", _C, "How often the node started again from its rows.")
LAG = Declared(
    "hutong_loop_lag_seconds", _G, "How late the node's timer last was: the event loop's delay.", (), "5 a second"
)
COMMITS = Declared("hutong_journal_commits_total", _C, "Commits.", cost="an addition per commit")
ROWS = Declared("hutong_journal_rows_total", _C, "Rows committed.", cost="an addition per commit")
COMMIT_SECONDS = Declared(
    "hutong_journal_commit_seconds",
    MetricKind.SECONDS,
    "From sending a commit to its answer.",
    cost="two looks at the clock and two additions per commit",
)
COMMIT_ROWS = Declared(
    "hutong_journal_commit_rows", MetricKind.COUNTS, "Rows per commit: the batch size.", (), "two additions per commit"
)
COMMIT_AGE = Declared("hutong_journal_commit_age_seconds", _G, "For how long the commit under way has been.")
QUEUE = Declared("hutong_journal_queue_rows", _G, "Rows decided and not durable yet.")
EPOCH = Declared("hutong_journal_epoch", _G, "How often the node was taken over or started.")
HTTP_HOT = Declared(
    "hutong_http_hot_requests_total",
    _C,
    "Answers of hot endpoints (payments, envelopes of peers), by status.",
    ("status",),
    "an addition per request",
)
HTTP_HOT_SECONDS = Declared(
    "hutong_http_hot_seconds",
    MetricKind.SECONDS,
    "From a whole request at a hot endpoint to its answer; one request in 16.",
    cost="an addition per request, two looks at the clock in 16",
)
HTTP = Declared(
    "hutong_http_requests_total",
    _C,
    "Answers of all other endpoints, by group of routes and status.",
    ("group", "status"),
    "2 microseconds per request that is not hot",
)
HTTP_SECONDS = Declared(
    "hutong_http_seconds",
    MetricKind.SECONDS,
    "From the beginning of such a request to its answer, by group of routes; some wait for news.",
    ("group",),
    "as above",
)
POOL = Declared("hutong_database_connections", _G, "Connections for reading, by state (idle, busy).", ("state",))
LINK_WAITING = Declared("hutong_link_waiting", _G, "Messages a peer has not received yet.", ("peer",))
LINK_MESSAGES = Declared(
    "hutong_link_messages_total",
    _C,
    "Messages by what became of them: received by the peer, refused by it, dropped after the last try.",
    ("peer", "outcome"),
    "an addition per envelope",
)
LINK_FAILURES = Declared(
    "hutong_link_failures_total", _C, "Envelopes without an answer.", ("peer",), "an addition per failure"
)
PEERS_WITHOUT_KEY = Declared("hutong_peers_without_key", _G, "Peers of whom no key is valid now.")

NODE_METRICS = (
    NODE, READY, RESTARTS, LAG, COMMITS, ROWS, COMMIT_SECONDS, COMMIT_ROWS, COMMIT_AGE, QUEUE, EPOCH, HTTP_HOT,
    HTTP_HOT_SECONDS, HTTP, HTTP_SECONDS, POOL, LINK_WAITING, LINK_MESSAGES, LINK_FAILURES, PEERS_WITHOUT_KEY,
)  # fmt: skip
ALL_METRICS = (*NODE_METRICS, *SWITCH_METRICS, *INSTITUTION_METRICS, *GATEWAY_METRICS)


@dataclass(frozen=True, slots=True)
class NodeMetrics:
    """What is read of the machine a node runs on."""

    node_id: str
    machine: Machine
    health: Health
    http: HttpFigures
    links: Mapping[str, Link]
    keyless: Callable[[], Sequence[str]]

    async def samples(self) -> Iterable[Sample]:
        """Everything that is not a domain's, as it is now."""
        journal, state, pool = self.machine.journal, self.machine.state, self.machine.pool
        figures = journal.figures
        samples: list[Sample] = [
            (NODE, (self.node_id, __version__), 1),
            (RESTARTS, (), state.restarts),
            (LAG, (), state.lag_s),
            (COMMITS, (), journal.commits),
            (ROWS, (), figures.rows),
            (COMMIT_SECONDS, (), figures.times),
            (COMMIT_ROWS, (), figures.rows_per_commit),
            (COMMIT_AGE, (), journal.commit_age_s),
            (QUEUE, (), journal.position - journal.durable_position),
            (EPOCH, (), journal.epoch),
            (HTTP_HOT_SECONDS, (), self.http.hot_times),
            (POOL, ("idle",), pool.get_idle_size()),
            (POOL, ("busy",), pool.get_size() - pool.get_idle_size()),
            (PEERS_WITHOUT_KEY, (), len(self.keyless())),
        ]
        samples += [(READY, (check,), int(said == OK)) for check, said in (await self.health.checks()).items()]
        samples += [(HTTP_HOT, (str(status),), count) for status, count in self.http.hot.items()]
        samples += [(HTTP, (group, str(status)), count) for (group, status), count in self.http.answers.items()]
        samples += [(HTTP_SECONDS, (group,), times) for group, times in self.http.times.items()]
        for peer, link in self.links.items():
            samples += [
                (LINK_WAITING, (peer,), link.waiting),
                (LINK_MESSAGES, (peer, "received"), link.figures.messages),
                (LINK_MESSAGES, (peer, "refused"), link.figures.refused),
                (LINK_MESSAGES, (peer, "dropped"), link.figures.dropped),
                (LINK_FAILURES, (peer,), link.figures.failures),
            ]
        return samples


def metrics_api(sources: Sequence[Source], guard: Guard) -> HTTPRouteHandler:
    """The route: for an operator who may look, as Prometheus can be given the token of one."""

    @get(PATH, tags=["Node"], guards=[guard], media_type="text/plain")
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        """
        What the node counts of itself, for Prometheus.

        Takes an operator's token; one with the role VIEWER is enough.
        """
        body, content_type = await exposition(sources, request.headers.get("accept", ""))
        return Response(body, media_type=content_type)

    return metrics


def metrics_table() -> str:
    """All metrics as `docs/operate.md` lists them."""
    lines = ["| metric | kind | labels | what it says | what it costs |", "| --- | --- | --- | --- | --- |"]
    for each in ALL_METRICS:
        labels = ", ".join(each.labels)
        lines.append(f"| `{each.name}` | {each.kind.value} | {labels} | {each.help} | {each.cost} |")
    return "\n".join(lines) + "\n"
