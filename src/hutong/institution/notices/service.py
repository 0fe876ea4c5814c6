"""The outbox: events are written where they happen, and read from a cursor."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from hutong.institution.notices.event import FeedPage, make_event
from hutong.institution.notices.repository import EVENTS, NoticeRepository
from hutong.runtime.node import NodeRuntime

PAGE_MAX = 500
WAIT_MAX_S = 30
# Who would wait beyond these is answered at once, with nothing.
WAITING_PER_OWNER_MAX = 64  # A supermarket's tills.
_WAITING_MAX = 10_000


class Notices:
    """Tells owners what happened; costs a payment two appends and no wait."""

    def __init__(self, node: NodeRuntime, repository: NoticeRepository) -> None:
        self._node = node
        self._repository = repository
        self._listeners: list[Callable[[int], None]] = []
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}
        self._waiting_count = 0
        self._closed = False

    def tell_merchant(self, merchant_id: int, type_: str, data: dict[str, Any]) -> None:
        """
        Write down, in the decision being made, what happened to a merchant: `payment.completed`.

        `data` holds JSON values, ids as people see them, and no secret: it is sent to the merchant's endpoints.
        """
        self._tell(merchant_id, type_, data)

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any]) -> None:
        """As `tell_merchant`; users have no endpoints, they read their feed."""
        self._tell(user_id, type_, data)

    def listen(self, heard: Callable[[int], None]) -> None:
        """Call `heard` with the owner's id whenever an event has become durable."""
        self._listeners.append(heard)

    async def feed(self, owner_id: int, after: int, *, limit: int, wait_s: int = 0) -> FeedPage:
        """
        The owner's durable events behind a cursor, oldest first; if there are none, wait for one.

        Nothing is ever missed: positions become durable in their order, so no event appears behind a cursor that was
        already given out.
        """
        # Before looking, so that what becomes durable while the database answers is heard.
        news = self._wait_for(owner_id) if wait_s > 0 else None
        try:
            found = await self._repository.events(owner_id, after, limit)
            if not found and news is not None:
                await asyncio.wait([news], timeout=min(wait_s, WAIT_MAX_S))
                found = await self._repository.events(owner_id, after, limit)
        finally:
            if news is not None:
                self._wait_no_more(owner_id, news)
        return FeedPage(found, found[-1][0] if found else after, waited=news is not None)

    async def forget_names(self, owner_id: int) -> None:
        """Of a person who is to be forgotten: what happened stays told, with no names and no words of people in it."""
        for _, event in await self._node.store.find(EVENTS, "owner_id", [owner_id]):
            body = msgspec.json.encode(_nameless(msgspec.json.decode(event.body)))
            await self._node.store.blank(EVENTS.name, "id", event.id, {"body": body})

    def newest(self) -> int:
        """The cursor behind all that is durable now: whoever asks behind it hears only what comes."""
        return self._node.journal.durable_position

    @property
    def closed(self) -> bool:
        """Whether the node ends."""
        return self._closed

    def close(self) -> None:
        """The node ends: whoever waits is answered now, and nobody waits any more."""
        self._closed = True
        for waiting in self._waiting.values():
            _wake(waiting)

    def _tell(self, owner_id: int, type_: str, data: dict[str, Any]) -> None:
        event = make_event(self._node.mint.mint(), owner_id, type_, data, self._node.clock.now_ns())
        self._repository.keep(event)
        self._node.journal.effect(partial(self._durable, owner_id))

    def _durable(self, owner_id: int) -> None:
        _wake(self._waiting.get(owner_id, ()))
        for heard in self._listeners:
            heard(owner_id)

    def _wait_for(self, owner_id: int) -> "asyncio.Future[None] | None":
        waiting = self._waiting.setdefault(owner_id, [])
        if self._closed or len(waiting) >= WAITING_PER_OWNER_MAX or self._waiting_count >= _WAITING_MAX:
            if not waiting:
                del self._waiting[owner_id]
            return None
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(news)
        self._waiting_count += 1
        return news

    def _wait_no_more(self, owner_id: int, news: "asyncio.Future[None]") -> None:
        waiting = self._waiting[owner_id]
        waiting.remove(news)
        self._waiting_count -= 1
        if not waiting:
            del self._waiting[owner_id]


def _wake(waiting: "Iterable[asyncio.Future[None]]") -> None:
    for news in waiting:
        if not news.done():
            news.set_result(None)


def _nameless(told: Any) -> Any:
    if not isinstance(told, dict):
        return told
    return {name: "" if name == "remark" or name.endswith("name") else _nameless(fact) for name, fact in told.items()}
