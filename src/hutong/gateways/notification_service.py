"""The queue of what merchants are to be told by callback: what is in it, and what became of each try."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from hutong.gateways.notification import (
    MARKS,
    NOTIFICATIONS,
    TRIES,
    GatewayMark,
    GatewayNotification,
    GatewayTry,
    News,
    NotificationState,
    Postman,
)
from hutong.kernel.ids import derive
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

_ROWS_MAX = 100_000
_ENDED_MAX = 10_000
_PAGE = 10_000  # Rows taken up at a time.
MARKED_EVERY = 1000
_MARK_IDS_MAX = 65_536
_ID_BYTES = 16


class Due(NamedTuple):
    """One that is to be tried."""

    id: int
    account_id: int
    place: str
    due_ns: int


class Standing(NamedTuple):
    """How far one has come that is to be tried."""

    tries: int
    next_at_ns: int


@dataclass(frozen=True, slots=True)
class Told:
    """A notification, and its tries, oldest first."""

    notification: GatewayNotification
    tries: list[GatewayTry]

    @property
    def state(self) -> NotificationState:
        return NotificationState(self.tries[-1].state) if self.tries else NotificationState.WAITING

    @property
    def next_at_ns(self) -> int:
        """When it is due; 0 when it is not to be tried any more."""
        return self.tries[-1].next_at_ns if self.tries else self.notification.at_ns

    @property
    def plain(self) -> bytes:
        """What is told; empty before the first try."""
        return next((each.plain for each in self.tries if each.plain), b"")


class NotificationService:
    """`add` is called in the decision that makes the news, so none is lost and none is told that did not happen."""

    def __init__(self, node: NodeRuntime, *, marked_every: int = MARKED_EVERY) -> None:
        self._node = node
        self._marked_every = marked_every
        self.all = Shelf(NOTIFICATIONS, node.journal, node.store, timed=True, rows_max=_ROWS_MAX)
        self.postmen: dict[str, Postman] = {}
        self._open: dict[int, Standing] = {}
        self._ended: OrderedDict[int, NotificationState] = OrderedDict()  # Of late.
        self._since_mark = 0
        self._unheard: list[Due] = []
        self._heard: Callable[[Due], None] = self._unheard.append

    async def start(self) -> None:
        """Find what is open."""
        await self.all.start()
        store = self._node.store
        mark = await store.greatest(MARKS, "mark") or 0
        marked = [id_ for _, part in await store.find(MARKS, "mark", [mark]) for id_ in _ids(part.ids)]
        for start in range(0, len(marked), _PAGE):
            await self._take_up(
                [row for _, row in await store.find(NOTIFICATIONS, "id", marked[start : start + _PAGE])]
            )
        later = [row for _, row in await store.scan(NOTIFICATIONS, after=mark)]
        for start in range(0, len(later), _PAGE):
            await self._take_up(later[start : start + _PAGE])
        self._since_mark = len(later)

    def add(self, account_id: int, dialect: str, kind: News, subject_id: int, url: str) -> None:
        """Tell the merchant of `subject_id`, at `url`."""
        self._add(self._node.mint.mint(), account_id, dialect, kind, subject_id, url)

    def add_once(self, account_id: int, dialect: str, kind: News, subject_id: int, url: str) -> None:
        """As `add`, unless this was told already. May raise `Cold`."""
        id_ = derive(subject_id, f"told/{kind.value}")
        if self.all.get(id_) is None:
            self._add(id_, account_id, dialect, kind, subject_id, url)

    def _add(self, id_: int, account_id: int, dialect: str, kind: News, subject_id: int, url: str) -> None:
        notification = GatewayNotification(
            id=id_,
            account_id=account_id,
            dialect=dialect,
            kind=kind.value,
            subject_id=subject_id,
            url=url,
            at_ns=self._node.clock.now_ns(),
        )
        self.all.put(notification)
        self._open[notification.id] = Standing(0, notification.at_ns)
        self._since_mark += 1
        self._node.journal.effect(partial(self._durable, notification))

    # For the worker.

    def listen(self, heard: Callable[[Due], None]) -> None:
        """Call `heard` with each that is open, now and whenever one is durable."""
        self._heard = heard
        for due in self._unheard:
            heard(due)
        self._unheard.clear()

    def notification(self, id_: int) -> GatewayNotification:
        """One that exists. May raise `Cold`."""
        found = self.all.get(id_)
        assert found is not None, "who asks was told of it"
        return found

    def standing(self, id_: int) -> Standing | None:
        """How far it has come; None if it is not to be tried any more."""
        return self._open.get(id_)

    def ended(self, id_: int) -> NotificationState | None:
        """How one ended that ended of late."""
        return self._ended.get(id_)

    async def plain(self, id_: int) -> bytes:
        """What it tells; empty before the first try."""
        return Told(self.notification(id_), await self._tries([id_])).plain

    def log(self, made: GatewayTry) -> None:
        """Write one try down."""
        self._node.journal.append(TRIES, made)
        if made.state == NotificationState.WAITING:
            self._open[made.notification_id] = Standing(made.tries, made.next_at_ns)
        else:
            self._open.pop(made.notification_id, None)
            self._ended[made.notification_id] = NotificationState(made.state)
            if len(self._ended) > _ENDED_MAX:
                self._ended.popitem(last=False)
        if self._since_mark >= max(self._marked_every, 2 * len(self._open)):
            self._mark()
        self._node.journal.seal()

    # For who looks.

    async def told(self, id_: int) -> Told | None:
        """One with its tries, if there is one."""
        await self.all.load([id_])
        row = self.all.get(id_)
        return None if row is None else Told(row, await self._tries([id_]))

    async def page(self, account_id: int, *, before: int | None, limit: int) -> list[tuple[int, Told]]:
        """What an account is told, newest first, each with its place in the journal."""
        rows = await self._node.store.page(
            NOTIFICATIONS, "account_id", account_id, before=before, limit=limit, newest_first=True
        )
        tries: dict[int, list[GatewayTry]] = {}
        for each in await self._tries([row.id for _, row in rows]):
            tries.setdefault(each.notification_id, []).append(each)
        return [(position, Told(row, tries.get(row.id, []))) for position, row in rows]

    async def _tries(self, ids: list[int]) -> list[GatewayTry]:
        return [each for _, each in await self._node.store.find(TRIES, "notification_id", ids)]

    async def _take_up(self, rows: list[GatewayNotification]) -> None:
        newest = {each.notification_id: each for each in await self._tries([row.id for row in rows])}
        for row in rows:
            last = newest.get(row.id)
            if last is None or last.state == NotificationState.WAITING:
                standing = Standing(last.tries, last.next_at_ns) if last else Standing(0, row.at_ns)
                self._open[row.id] = standing
                self._heard(Due(row.id, row.account_id, row.place, standing.next_at_ns))

    def _durable(self, notification: GatewayNotification) -> None:
        self._heard(Due(notification.id, notification.account_id, notification.place, notification.at_ns))

    def _mark(self) -> None:
        """What is open now, in rows of a size that a commit bears; an empty one says that nothing is."""
        self._since_mark = 0
        ids, mark = sorted(self._open), self._node.journal.position
        for start in range(0, max(len(ids), 1), _MARK_IDS_MAX):
            part = b"".join(id_.to_bytes(_ID_BYTES, "big") for id_ in ids[start : start + _MARK_IDS_MAX])
            self._node.journal.append(MARKS, GatewayMark(mark=mark, ids=part))


def _ids(part: bytes) -> list[int]:
    return [int.from_bytes(part[start : start + _ID_BYTES], "big") for start in range(0, len(part), _ID_BYTES)]
