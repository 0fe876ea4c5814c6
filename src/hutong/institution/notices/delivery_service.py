"""Calling the endpoints: in order, again and again, from durable events only, beside everything else."""

import asyncio
import heapq
import logging
from collections import Counter
from dataclasses import dataclass, field

from hutong.institution.notices.delivery import Outcome, WebhookDelivery
from hutong.institution.notices.event import ID_PREFIX, Event
from hutong.institution.notices.reasons import NoticeReason
from hutong.institution.notices.repository import NoticeRepository
from hutong.institution.notices.service import Notices
from hutong.institution.notices.webhook import (
    ATTEMPTS_MAX,
    EndpointState,
    WebhookEndpoint,
    retry_wait_ns,
    signed_headers,
)
from hutong.institution.notices.webhook import ID_PREFIX as ENDPOINT_ID_PREFIX
from hutong.institution.notices.webhook_service import WebhookService
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.journal import JournalHalted, durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import Answer, NotAnswered, Poster
from hutong.runtime.shelf import warmed

_LOG = logging.getLogger(__name__)
_PAGE = 100
_AT_ONCE = 64
_GONE = 410
_STATUS_OK = range(200, 300)
_BEHIND_LANES_MAX, _BEHIND_EVENTS_MAX = 100, 1_000
_MISHAP_WAIT_NS = 60 * NS_PER_S


@dataclass(slots=True)
class Lane:
    """One endpoint's way: at most one delivery is under way in it."""

    endpoint: WebhookEndpoint
    cursor: int
    failures: int = 0
    next_at_ns: int = 0
    timed_ns: int = 0  # For when there is a timer.
    is_running: bool = False
    has_news: bool = True


@dataclass(slots=True)
class Backlog:
    """What waits to be delivered: endpoints by how they stand, and the events behind their cursors."""

    endpoints: Counter[str]
    failures_max: int = 0
    events: int = 0


@dataclass(slots=True)
class _Timers:
    """When failed lanes are due; an entry whose lane has moved on is ignored when it comes up."""

    heap: list[tuple[int, int]] = field(default_factory=list)

    def add(self, lane: Lane) -> None:
        if lane.timed_ns != lane.next_at_ns:  # News of a failing lane must not fill the heap.
            lane.timed_ns = lane.next_at_ns
            heapq.heappush(self.heap, (lane.next_at_ns, lane.endpoint.id))

    def due(self, now_ns: int) -> list[int]:
        ids = []
        while self.heap and self.heap[0][0] <= now_ns:
            ids.append(heapq.heappop(self.heap)[1])
        return ids


class DeliveryService:
    """
    The worker behind the webhooks. `run` is its life; everything else may be called beside it.

    One slow or failing endpoint delays no other. What was sent when the node died is sent again: receivers go by
    `webhook-id`.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: NoticeRepository,
        notices: Notices,
        webhooks: WebhookService,
        poster: Poster,
    ) -> None:
        self._node = node
        self._repository = repository
        self._notices = notices
        self._webhooks = webhooks
        self._poster = poster
        self._lanes: dict[int, Lane] = {}
        self._lanes_of: dict[int, list[Lane]] = {}
        self._ready: dict[int, None] = {}  # In the order they became so.
        self._timers = _Timers()
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(_AT_ONCE)
        notices.listen(self._heard)
        webhooks.listen(self._changed)

    async def start(self) -> None:
        """Find every endpoint and how far it has come."""
        for endpoint in await self._repository.start():
            if endpoint.state == EndpointState.REMOVED.value:
                continue
            last = await self._repository.deliveries(endpoint.id, before=None, limit=1)
            lane = Lane(endpoint, endpoint.starts_after)
            if last:
                row = last[0][1]
                lane.cursor, lane.failures, lane.next_at_ns = row.cursor, row.failures, row.next_at_ns
            self._add(lane)

    async def run(self) -> None:
        """Deliver until cancelled, or until the journal halts: the next life goes on from its rows."""
        try:
            async with asyncio.TaskGroup() as lanes:
                while True:
                    self._wake.clear()
                    for lane in self._take_ready():
                        lane.is_running = True
                        lanes.create_task(self._drain(lane))
                    await self._sleep()
        except* JournalHalted:
            _LOG.info("the journal halted: deliveries end with it")

    async def backlog(self) -> Backlog:
        """Counted for who watches; endpoints and events beyond a bound are not."""
        found = Backlog(Counter({"delivered": 0, "waiting": 0, "failing": 0, "disabled": 0}))
        behind: list[Lane] = []
        for lane in self._lanes.values():
            waits = lane.has_news or lane.is_running
            state = "failing" if lane.failures else "waiting" if waits else "delivered"
            found.endpoints[state if lane.endpoint.is_active else "disabled"] += 1
            found.failures_max = max(found.failures_max, lane.failures)
            if state != "delivered" and lane.endpoint.is_active:
                behind.append(lane)
        for lane in behind[:_BEHIND_LANES_MAX]:
            found.events += len(await self._repository.events(lane.endpoint.owner_id, lane.cursor, _BEHIND_EVENTS_MAX))
        return found

    def poke(self) -> None:
        """Look at the clock again: for whoever moved it."""
        self._wake.set()

    async def redeliver(self, owner_id: int, endpoint_id: int, event_id: int) -> WebhookDelivery:
        """
        Send one event again, now and whatever its turn, and tell what became of it.

        Refuses:  WEBHOOK_UNKNOWN, EVENT_UNKNOWN; both also when it is somebody else's.
        """
        endpoint = await warmed(self._node.journal, lambda: self._webhooks.endpoint(owner_id, endpoint_id))
        event = await self._repository.event(event_id)
        if event is None or event.owner_id != owner_id:
            raise Refusal(NoticeReason.EVENT_UNKNOWN)
        status, note, _ = await self._send(endpoint, event)
        outcome = Outcome.REDELIVERED if status in _STATUS_OK else Outcome.REDELIVERY_FAILED
        lane = self._lanes.get(endpoint_id)
        if lane is None:  # Removed meanwhile.
            raise Refusal(NoticeReason.WEBHOOK_UNKNOWN)
        row = self._log(lane, event.id, outcome, status, note)
        await durable(self._node.journal)
        return row

    def _add(self, lane: Lane) -> None:
        self._lanes[lane.endpoint.id] = lane
        self._lanes_of.setdefault(lane.endpoint.owner_id, []).append(lane)
        self._make_ready(lane)

    def _changed(self, endpoint: WebhookEndpoint) -> None:
        lane = self._lanes.get(endpoint.id)
        if lane is None:
            self._add(Lane(endpoint, endpoint.starts_after))
            return
        was_active, lane.endpoint = lane.endpoint.is_active, endpoint
        if endpoint.state == EndpointState.REMOVED.value:
            del self._lanes[endpoint.id]
            self._lanes_of[endpoint.owner_id].remove(lane)
        elif endpoint.is_active and not was_active:
            lane.failures, lane.next_at_ns = 0, 0
            self._log(lane, 0, Outcome.ENABLED, 0, "")
            self._make_ready(lane)

    def _heard(self, owner_id: int) -> None:
        for lane in self._lanes_of.get(owner_id, ()):
            self._make_ready(lane)

    def _make_ready(self, lane: Lane) -> None:
        lane.has_news = True
        if not lane.is_running:
            self._ready[lane.endpoint.id] = None
            self._wake.set()

    def _take_ready(self) -> list[Lane]:
        now_ns = self._node.clock.now_ns()
        ids = dict.fromkeys([*self._timers.due(now_ns), *self._ready])
        self._ready.clear()
        taken = []
        for id_ in ids:
            lane = self._lanes.get(id_)
            if lane is None or lane.is_running or not lane.endpoint.is_active:
                continue
            if lane.next_at_ns > now_ns:
                self._timers.add(lane)
            else:
                lane.has_news = True
                taken.append(lane)
        return taken

    async def _sleep(self) -> None:
        """Until something is ready or due."""
        wait_ns = self._timers.heap[0][0] - self._node.clock.now_ns() if self._timers.heap else None
        timeout_s = None if wait_ns is None else max(wait_ns, 0) / NS_PER_S
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _drain(self, lane: Lane) -> None:
        """Deliver until nothing is left or one fails."""
        try:
            while lane.has_news and lane.endpoint.is_active and self._lanes.get(lane.endpoint.id) is lane:
                lane.has_news = False
                if not await self._deliver_page(lane):
                    break
        except JournalHalted:
            raise
        except Exception:  # noqa: BLE001  # What befalls one lane (a secret that does not open) must not stop the others.
            _LOG.exception("deliveries to endpoint %032x wait", lane.endpoint.id)
            lane.next_at_ns = self._node.clock.now_ns() + _MISHAP_WAIT_NS
        finally:
            lane.is_running = False
        if lane.next_at_ns > self._node.clock.now_ns():
            self._timers.add(lane)
            self._wake.set()
        elif lane.has_news:
            self._make_ready(lane)

    async def _deliver_page(self, lane: Lane) -> bool:
        """Deliver what is durable, up to a page; whether all went well."""
        page = await self._repository.events(lane.endpoint.owner_id, lane.cursor, _PAGE)
        lane.has_news |= len(page) == _PAGE
        sent = False
        for cursor, event in page:
            endpoint = lane.endpoint
            if not endpoint.is_active:
                return False
            if not endpoint.wants(event.type):
                lane.cursor = cursor
                continue
            status, note, retry_after_s = await self._send(endpoint, event)
            sent = True
            if status in _STATUS_OK:
                lane.cursor, lane.failures, lane.next_at_ns = cursor, 0, 0
                self._log(lane, event.id, Outcome.DELIVERED, status, note)
                self._node.journal.seal()
            else:
                self._fail(lane, event, status, note, retry_after_s)
                return False
        if page and not sent:
            # So that a restart does not look through them again.
            self._log(lane, 0, Outcome.SKIPPED, 0, "")
            self._node.journal.seal()
        return True

    def _fail(self, lane: Lane, event: Event, status: int, note: str, retry_after_s: int) -> None:
        now_ns = self._node.clock.now_ns()
        lane.failures += 1
        lane.next_at_ns = now_ns + retry_wait_ns(lane.failures, retry_after_s, self._node.randomness)
        is_last = status == _GONE or lane.failures >= ATTEMPTS_MAX
        self._log(lane, event.id, Outcome.FAILED, status, note)
        if is_last and lane.endpoint.is_active:
            why = "the endpoint said it is gone" if status == _GONE else f"{lane.failures} attempts failed in a row"
            endpoint = lane.endpoint
            self._webhooks.turn(endpoint.owner_id, endpoint.id, EndpointState.DISABLED, why)
            self._notices.tell_merchant(
                endpoint.owner_id,
                "webhook.disabled",
                {
                    "webhook_id": id_text(ENDPOINT_ID_PREFIX, endpoint.id),
                    "url": endpoint.url,
                    "why": why,
                    "event_id": id_text(ID_PREFIX, event.id),
                    "cursor": lane.cursor,
                },
            )
        self._node.journal.seal()

    async def _send(self, endpoint: WebhookEndpoint, event: Event) -> tuple[int, str, int]:
        """Status (0 without an answer), what went wrong, and for how long the receiver asks us to wait."""
        message_id = id_text(ID_PREFIX, event.id)
        async with self._room:
            timestamp_s = self._node.clock.now_ns() // NS_PER_S
            secrets = self._webhooks.secrets(endpoint).all
            headers = signed_headers(secrets, message_id, timestamp_s, event.body)
            try:
                answer: Answer = await self._poster.post(endpoint.url, headers, event.body)
            except NotAnswered as error:
                return 0, str(error), 0
        return answer.status, "", answer.retry_after_s

    def _log(self, lane: Lane, event_id: int, outcome: Outcome, status: int, note: str) -> WebhookDelivery:
        row = WebhookDelivery(
            endpoint_id=lane.endpoint.id,
            event_id=event_id,
            outcome=outcome.value,
            status=status,
            note=note.replace("\0", " "),
            cursor=lane.cursor,
            failures=lane.failures,
            next_at_ns=lane.next_at_ns,
            at_ns=self._node.clock.now_ns(),
        )
        self._repository.log(row)
        return row
