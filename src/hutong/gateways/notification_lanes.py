"""
Whose turn it is: notifications by where they go, so that who does not answer delays nobody else.

A *lane* is one account's way to one address. What is due in a lane is tried in order, some at once: more while it goes
well, one at a time when it does not. Lanes that gave no answer last time are *silent*: all of them together never hold
more than their share of the places, so however many receivers hang, the others find room. An account's lanes share a
bound of their own: addresses that differ for each order gain it nothing.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto

import msgspec


class Ending(Enum):
    """How a try ended, as far as turns are concerned."""

    TAKEN = auto()
    ANSWERED = auto()  # But not taken: quickly, so it held nobody up.
    SILENT = auto()  # No answer, after a wait.


class Places(msgspec.Struct, frozen=True):
    """How many may be tried at once."""

    all: int = 512
    silent: int = 256  # Of these, in lanes that gave no answer last time.
    of_account: int = 64
    of_lane: int = 16
    first: int = 2  # In a lane nothing is known of.
    of_failing_account: int = 2


@dataclass(slots=True)
class _Account:
    window: int
    known: int = 0  # Notifications of it, waiting or under way.
    running: int = 0
    parked: "deque[_Lane]" = field(default_factory=deque)  # Lanes that wait for the account's bound.


@dataclass(slots=True)
class _Lane:
    key: tuple[int, str]
    account: _Account
    window: int
    known: int = 0
    running: int = 0
    is_silent: bool = False
    is_lined_up: bool = False
    due: deque[int] = field(default_factory=deque)


class Lanes:
    """Which notification is to be tried next. Ids are the callers'; nothing here waits or sends."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._accounts: dict[int, _Account] = {}
        self._lanes: dict[tuple[int, str], _Lane] = {}
        self._lane_of: dict[int, _Lane] = {}
        self._timers: list[tuple[int, int, int]] = []  # When, a number that breaks ties by order of coming, which.
        self._timed: dict[int, int] = {}  # The one timer of each that counts, by that number.
        self._numbers = 0
        self._ready: deque[_Lane] = deque()
        self._parked_silent: deque[_Lane] = deque()
        self._running: dict[int, bool] = {}  # Whether it took a silent place.
        self._silent_running = 0

    def __len__(self) -> int:
        """How many are known: waiting for their time or turn, or under way."""
        return len(self._lane_of)

    def add(self, id_: int, account_id: int, place: str, due_ns: int) -> None:
        """One more, to be tried from `due_ns` on. `place` is where it goes: an address, without its query."""
        assert id_ not in self._lane_of
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = _Account(self._places.of_account)
        key = (account_id, place)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(key, account, self._places.first)
        lane.known += 1
        account.known += 1
        self._lane_of[id_] = lane
        self._time(id_, due_ns)

    def knows(self, id_: int) -> bool:
        """Whether it waits or is under way."""
        return id_ in self._lane_of

    def is_running(self, id_: int) -> bool:
        """Whether it is under way."""
        return id_ in self._running

    def is_silent(self, id_: int) -> bool:
        """Whether its lane gave no answer last time."""
        return self._lane_of[id_].is_silent

    def take(self, now_ns: int) -> list[int]:
        """Those whose time and turn have come; each is under way until `ended`."""
        self._come_due(now_ns)
        taken = []
        while self._ready and len(self._running) < self._places.all:
            lane = self._ready.popleft()
            lane.is_lined_up = False
            if not lane.due:
                continue
            account = lane.account
            silent = lane.is_silent or account.window <= self._places.of_failing_account
            if account.running >= account.window:
                self._park(lane, account.parked)
            elif silent and self._silent_running >= self._places.silent:
                self._park(lane, self._parked_silent)
            else:
                id_ = lane.due.popleft()
                self._running[id_] = silent
                self._silent_running += silent
                lane.running += 1
                account.running += 1
                taken.append(id_)
                self._line_up(lane)
        return taken

    def ended(self, id_: int, ending: Ending, again_ns: int | None) -> None:
        """A try is over; it is tried again from `again_ns` on, or with None never."""
        lane, account = self._lane_of[id_], self._lane_of[id_].account
        self._silent_running -= self._running.pop(id_)
        lane.running -= 1
        account.running -= 1
        places = self._places
        match ending:
            case Ending.TAKEN:
                lane.window, lane.is_silent = min(2 * lane.window, places.of_lane), False
            case Ending.ANSWERED:
                lane.window, lane.is_silent = 1, False
            case Ending.SILENT:
                lane.window, lane.is_silent = 1, True
        account.window = (
            max(account.window // 2, places.of_failing_account)
            if ending is Ending.SILENT
            else min(2 * account.window, places.of_account)
        )
        if again_ns is None:
            self._forget(id_, lane)
        else:
            self._time(id_, again_ns)
        self._line_up(lane)
        self._unpark(account.parked, account.window - account.running)
        self._unpark(self._parked_silent, places.silent - self._silent_running)

    def drop(self, id_: int) -> None:
        """It need not be tried any more. Not for one that is under way."""
        assert id_ not in self._running
        lane = self._lane_of[id_]
        if self._timed.pop(id_, None) is None:
            lane.due.remove(id_)
        self._forget(id_, lane)

    def next_due_ns(self) -> int | None:
        """When the next one's time comes; what is due already waits for a turn, which `ended` brings."""
        while self._timers and self._timed.get(self._timers[0][2]) != self._timers[0][1]:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def standing(self) -> dict[str, int]:
        """How many there are, for who watches."""
        under_way = len(self._running)
        return {
            "under way": under_way,
            "for a later try": len(self._timed),
            "for a turn": len(self._lane_of) - len(self._timed) - under_way,
            "lanes": len(self._lanes),
            "silent lanes": sum(lane.is_silent for lane in self._lanes.values()),
        }

    def _time(self, id_: int, due_ns: int) -> None:
        self._numbers += 1
        self._timed[id_] = self._numbers
        heapq.heappush(self._timers, (due_ns, self._numbers, id_))

    def _come_due(self, now_ns: int) -> None:
        while self._timers and self._timers[0][0] <= now_ns:
            _, number, id_ = heapq.heappop(self._timers)
            if self._timed.get(id_) == number:
                del self._timed[id_]
                lane = self._lane_of[id_]
                lane.due.append(id_)
                self._line_up(lane)

    def _line_up(self, lane: _Lane) -> None:
        if lane.due and lane.running < lane.window and not lane.is_lined_up:
            lane.is_lined_up = True
            self._ready.append(lane)

    def _park(self, lane: _Lane, where: deque[_Lane]) -> None:
        lane.is_lined_up = True
        where.append(lane)

    def _unpark(self, where: deque[_Lane], room: int) -> None:
        for _ in range(min(room, len(where))):
            self._ready.append(where.popleft())

    def _forget(self, id_: int, lane: _Lane) -> None:
        del self._lane_of[id_]
        lane.known -= 1
        lane.account.known -= 1
        if not lane.known:
            del self._lanes[lane.key]
        if not lane.account.known:
            del self._accounts[lane.key[0]]
