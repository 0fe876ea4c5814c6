"""Telling merchants: each notification in its turn, signed anew at each try, until it is taken or the schedule ends."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import msgspec

from hutong.gateways.notification import (
    ANSWER_KEPT_MAX,
    Cause,
    GatewayNotification,
    GatewayTry,
    Letter,
    NotificationState,
    Postman,
    ends_ns,
    next_try_ns,
)
from hutong.gateways.notification_lanes import Ending, Lanes, Places
from hutong.gateways.notification_service import Due, NotificationService, Told
from hutong.kernel.clock import NS_PER_S, Clock
from hutong.runtime.figures import Buckets
from hutong.runtime.journal import JournalHalted, durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import Answer, NotAnswered, Poster
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import Cold, warmed

_LOG = logging.getLogger(__name__)
_MISHAP_WAIT_NS = 60 * NS_PER_S
_SIGNERS = 2  # Signing lets go of the interpreter: on threads it takes none of the loop's time.
NOT_WRITTEN = "it could not be written; the log says why"
SILENT_TOO_LONG = "the receiver did not answer, and the time in which it is told is over"


class Tampering(Protocol):
    """What a sandbox does to notifications on purpose."""

    def late_ns(self, account_id: int) -> int:
        """By how much later the first try of a new one is."""
        ...

    def copies(self, notification: GatewayNotification) -> int:
        """How often one that was sent is sent again, taken or not."""
        ...

    def probe(self, notification: GatewayNotification, letter: Letter) -> Letter | None:
        """A letter with a wrong signature, to be sent first."""
        ...


@dataclass(slots=True)
class TellingFigures:
    """What was told since the process began."""

    tries: Counter[str] = field(default_factory=Counter)  # By how they ended.
    given_up: int = 0
    times: Buckets = field(default_factory=Buckets.of_times)  # Of the receivers, to answer.
    delays: Buckets = field(default_factory=Buckets.of_times)  # From the news to its being taken.


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter, and what came back."""

    letter: Letter
    answer: Answer | None
    note: str
    at_ns: int
    took_ns: int


class NotificationWorker:
    """
    The worker behind the queue. `run` is its life; everything else may be called beside it.

    A receiver that hangs delays no other (see `Lanes`). What was sent when the node died is sent again, under the same
    vendor's id: receivers go by that.
    """

    def __init__(
        self,
        node: NodeRuntime,
        notifications: NotificationService,
        poster: Poster,
        *,
        places: Places | None = None,
        letters_kept: bool = False,
        tampering: Tampering | None = None,
        wall: Clock | None = None,
    ) -> None:
        self._node = node
        self._notifications = notifications
        self._poster = poster
        places = places or Places()
        self._lanes = Lanes(places)
        self._letters_kept = letters_kept
        self._tampering = tampering
        self._wall = wall or node.clock  # What letters are dated by.
        self._signers = WorkerPool(workers=_SIGNERS, waiting_max=2 * places.all)
        self._wake = asyncio.Event()
        self.figures = TellingFigures()

    async def run(self) -> None:
        """Tell until cancelled, or until the journal halts: the next life goes on from its rows."""
        self._notifications.listen(self._heard)
        try:
            async with asyncio.TaskGroup() as tries:
                while True:
                    self._wake.clear()
                    for id_ in self._lanes.take(self._node.clock.now_ns()):
                        tries.create_task(self._try(id_))
                    await self._sleep()
        except* JournalHalted:
            _LOG.info("the journal halted: notifications end with it")
        finally:
            self._signers.close()

    def poke(self) -> None:
        """Look at the clock again: for whoever moved it."""
        self._wake.set()

    def standing(self) -> dict[str, int]:
        """How many are to be told, by what they wait for, and how many ways there are."""
        return self._lanes.standing()

    async def resend(self, told: Told) -> GatewayTry:
        """
        Tell it again, now and whatever became of it, and say what came back.

        When it is taken, what was still to be tried is tried no more.
        """
        notification, plain = told.notification, told.plain
        postman = self._notifications.postmen[notification.dialect]
        told_before = bool(plain)
        plain = plain or await warmed(self._node.journal, partial(postman.plain, notification))
        sent = await self._send(notification, postman, plain)
        made = self._beside(notification, postman, Cause.HAND, sent, told.state, plain=b"" if told_before else plain)
        await durable(self._node.journal)
        return made

    def _heard(self, due: Due) -> None:
        late_ns = self._tampering.late_ns(due.account_id) if self._tampering else 0
        self._lanes.add(due.id, due.account_id, due.place, due.due_ns + late_ns)
        self._wake.set()

    async def _sleep(self) -> None:
        """Until something is due, or there is room again."""
        due_ns = self._lanes.next_due_ns()
        timeout_s = None if due_ns is None else max(due_ns - self._node.clock.now_ns(), 0) / NS_PER_S
        try:
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _try(self, id_: int) -> None:
        """One try, whatever befalls it: a key that does not open must not stop the others."""
        ending, again_ns = Ending.ANSWERED, self._node.clock.now_ns() + _MISHAP_WAIT_NS
        try:
            ending, again_ns = await self._tell(id_)
        except JournalHalted:
            raise
        except Exception:  # noqa: BLE001  # As promised.
            _LOG.exception("notification %032x waits", id_)
            if self._is_over(id_):
                again_ns = 0
        finally:
            self._lanes.ended(id_, ending, again_ns or None)
            self._wake.set()

    def _is_over(self, id_: int) -> bool:
        """Whether its time is over: it is then given up, also where it could not even be written."""
        try:
            notification = self._notifications.notification(id_)
            postman = self._notifications.postmen.get(notification.dialect)
        except Cold:
            return False
        standing = self._notifications.standing(id_)
        schedule_s = postman.schedule_s if postman else ()
        if standing is None or self._node.clock.now_ns() <= ends_ns(notification, schedule_s):
            return False
        self._give_up(notification, standing.tries, NOT_WRITTEN)
        return True

    async def _tell(self, id_: int) -> tuple[Ending, int]:
        """How the try ended, and when the next one is due; 0: no more."""
        standing = self._notifications.standing(id_)
        if standing is None:  # Somebody sent it by hand meanwhile, and it was taken.
            return Ending.ANSWERED, 0
        tries = standing.tries
        notification = await warmed(self._node.journal, partial(self._notifications.notification, id_))
        postman = self._notifications.postmen[notification.dialect]
        if self._lanes.is_silent(id_) and self._node.clock.now_ns() > ends_ns(notification, postman.schedule_s):
            self._give_up(notification, tries, SILENT_TOO_LONG)
            return Ending.SILENT, 0
        kept = await self._notifications.plain(id_) if tries else b""
        plain = kept or await warmed(self._node.journal, partial(postman.plain, notification))
        tampering = None if tries else self._tampering
        sent = await self._send(notification, postman, plain, tampering)
        if self._notifications.standing(id_) is None:  # As above.
            return Ending.ANSWERED, 0
        now_ns = self._node.clock.now_ns()
        state, next_at_ns = _standing_after(postman, plain, sent, tries + 1, now_ns)
        self._log(notification, Cause.SCHEDULE, sent, state, tries + 1, next_at_ns, b"" if kept else plain)
        if state is NotificationState.TAKEN:
            self.figures.delays.observe(now_ns - notification.at_ns)
        elif state is NotificationState.GIVEN_UP:
            self.figures.given_up += 1
        if sent.answer is None:
            return Ending.SILENT, next_at_ns
        for _ in range(tampering.copies(notification) if tampering else 0):
            copy = await self._send(notification, postman, plain)
            self._beside(notification, postman, Cause.DUPLICATE, copy, state)
        standing = self._notifications.standing(id_)  # A copy may have been taken.
        return Ending.TAKEN if standing is None else Ending.ANSWERED, standing.next_at_ns if standing else 0

    async def _send(
        self, notification: GatewayNotification, postman: Postman, plain: bytes, tampering: Tampering | None = None
    ) -> Sent:
        letter = await self._written(lambda: postman.letter(notification, plain, self._wall.now_ns()))
        probe = tampering.probe(notification, letter) if tampering else None
        if probe is not None:
            sent = await self._post(notification, postman, probe)
            self._beside(notification, postman, Cause.PROBE, sent, NotificationState.WAITING)
        return await self._post(notification, postman, letter)

    async def _written(self, write: Callable[[], Letter]) -> Letter:
        while True:
            try:
                return await self._signers.run(write)
            except Cold as cold:
                load = cold.load
            await load()

    async def _post(self, notification: GatewayNotification, postman: Postman, letter: Letter) -> Sent:
        began_ns = self._node.clock.now_ns()
        answer, note = None, ""
        try:
            async with asyncio.timeout(postman.timeout_s):
                answer = await self._poster.post(notification.url, letter.headers, letter.body)
        except TimeoutError:
            note = f"no answer within {postman.timeout_s:g} s"
        except NotAnswered as error:
            note = str(error)
        took_ns = self._node.clock.now_ns() - began_ns
        self.figures.times.observe(took_ns)
        return Sent(letter, answer, note, began_ns, took_ns)

    def _beside(
        self,
        notification: GatewayNotification,
        postman: Postman,
        cause: Cause,
        sent: Sent,
        was: NotificationState,
        *,
        plain: bytes = b"",
    ) -> GatewayTry:
        """A try beside the schedule: it changes how the notification stands only if it was taken, and meant to be."""
        standing = self._notifications.standing(notification.id)
        state = NotificationState.WAITING
        if standing is None:
            state = self._notifications.ended(notification.id) or was
            if state is NotificationState.WAITING:
                state = NotificationState.GIVEN_UP  # It ended while this was sent, so long ago that how is forgotten.
        if cause is not Cause.PROBE and _is_taken(postman, sent):
            state = NotificationState.TAKEN
        tries = standing.tries if standing else 0
        next_at_ns = standing.next_at_ns if standing and state is NotificationState.WAITING else 0
        made = self._log(notification, cause, sent, state, tries, next_at_ns, plain)
        id_ = notification.id
        if not next_at_ns and self._lanes.knows(id_) and not self._lanes.is_running(id_):
            self._lanes.drop(id_)
        return made

    def _give_up(self, notification: GatewayNotification, tries: int, why: str) -> None:
        """Without a try: in a lane that is silent, what is too late must not keep the others waiting."""
        sent = Sent(Letter({}, b""), None, why, self._node.clock.now_ns(), 0)
        self._log(notification, Cause.SCHEDULE, sent, NotificationState.GIVEN_UP, tries, 0, b"")
        self.figures.given_up += 1

    def _log(
        self,
        notification: GatewayNotification,
        cause: Cause,
        sent: Sent,
        state: NotificationState,
        tries: int,
        next_at_ns: int,
        plain: bytes,
    ) -> GatewayTry:
        answer = sent.answer
        made = GatewayTry(
            notification_id=notification.id,
            cause=cause.value,
            state=state.value,
            tries=tries,
            next_at_ns=next_at_ns,
            status=answer.status if answer else 0,
            note=sent.note.replace("\0", " "),
            answer=answer.body[:ANSWER_KEPT_MAX] if answer else b"",
            plain=plain,
            headers=msgspec.json.encode(dict(sent.letter.headers)) if self._letters_kept else b"",
            body=sent.letter.body if self._letters_kept else b"",
            took_ns=sent.took_ns,
            at_ns=sent.at_ns,
        )
        self._notifications.log(made)
        self.figures.tries[_ended(state, answer)] += 1
        return made


def _is_taken(postman: Postman, sent: Sent) -> bool:
    return sent.answer is not None and postman.taken(sent.answer.status, sent.answer.body)


def _standing_after(
    postman: Postman, plain: bytes, sent: Sent, tries: int, now_ns: int
) -> tuple[NotificationState, int]:
    """How it stands behind a try of the schedule, and when the next is due."""
    if _is_taken(postman, sent):
        return NotificationState.TAKEN, 0
    next_at_ns = next_try_ns(postman.waits_s(plain), tries, now_ns)
    return NotificationState.WAITING if next_at_ns else NotificationState.GIVEN_UP, next_at_ns


def _ended(state: NotificationState, answer: Answer | None) -> str:
    if answer is None:
        return "UNANSWERED"
    return "TAKEN" if state is NotificationState.TAKEN else "REFUSED"
