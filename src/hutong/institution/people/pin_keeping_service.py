"""PINs of whoever has one: hashed beside the loop, tried one at a time, each wrong try counted before it is told."""

import hmac
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from hutong.institution.people.pin import PIN_LENGTH, WRONG_MAX, Pin, check_spelling
from hutong.institution.people.reasons import PeopleReason
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import Shelf, decided, warmed


class PinKeeper:
    """
    The PINs of one table. One try per holder at a time: a wrong try is counted, durably, before the next can begin or
    its answer is told.

    So neither many tries at once nor a restart gives one guess more than the lock allows.
    """

    def __init__(
        self,
        node: NodeRuntime,
        pins: Shelf[Pin],
        pool: WorkerPool,
        hasher: PasswordHasher,
        peppers: Sequence[bytes],
        on_locked: Callable[[Pin], None],
    ) -> None:
        assert all(len(pepper) >= 32 for pepper in peppers)
        self._node = node
        self._pins = pins
        self._pool = pool
        self._hasher = hasher
        self._peppers = tuple(peppers)  # The first is today's.
        self._on_locked = on_locked
        self._busy: set[int] = set()

    async def check(self, holder_id: int, pin: str, is_open: Callable[[], None]) -> None:
        """
        Return if the PIN is right.

        Refuses:  PIN_MALFORMED, what `is_open` refuses, PIN_NOT_SET, PIN_BLOCKED, PIN_LOCKED with `retry_after_s`,
                  PIN_BUSY, PIN_WRONG with `tries_left`.
        """
        check_spelling(pin)
        tried = await warmed(self._node.journal, partial(self._may_try, holder_id, is_open))
        with self.alone(holder_id):
            pepper = await self._pool.run(partial(self._matching, tried.hash, holder_id, pin))
            is_right = pepper is not None
            renewed = "" if pepper is None else await self._renewed(tried, pin, pepper)
            conclude = partial(self._conclude, tried, is_right=is_right, renewed=renewed)
            if is_right and not tried.wrong and not renewed:
                await warmed(self._node.journal, conclude)  # Nothing is written.
            else:
                await decided(self._node.journal, conclude)

    @contextmanager
    def alone(self, holder_id: int) -> Iterator[None]:
        """Nobody else tries or changes this PIN meanwhile. Refuses PIN_BUSY."""
        if holder_id in self._busy or self._pool.is_full:
            raise Refusal(PeopleReason.PIN_BUSY)
        self._busy.add(holder_id)
        try:
            yield
        finally:
            self._busy.discard(holder_id)

    async def hashed(self, holder_id: int, pin: str) -> str:
        """What is kept of a new PIN."""
        return await self._pool.run(partial(self._hash, holder_id, pin))

    def put(self, holder_id: int, hashed: str) -> None:
        """A new PIN; no try of it was wrong yet."""
        self._pins.put(Pin(user_id=holder_id, hash=hashed, changed_ns=self._node.clock.now_ns()))

    def _may_try(self, holder_id: int, is_open: Callable[[], None]) -> Pin:
        is_open()
        pin = self._pins.get(holder_id)
        if pin is None:
            raise Refusal(PeopleReason.PIN_NOT_SET)
        pin.may_be_tried(self._node.clock.now_ns())
        return pin

    async def _renewed(self, tried: Pin, pin: str, pepper: int) -> str:
        """The PIN's hash by today's parameters and pepper, if it was made by older ones: a right PIN is the chance."""
        if (not pepper and not self._hasher.check_needs_rehash(tried.hash)) or self._pool.is_full:
            return ""
        return await self._pool.run(partial(self._hash, tried.user_id, pin))

    def _conclude(self, tried: Pin, *, is_right: bool, renewed: str) -> None:
        pin = self._pins.get(tried.user_id)
        # Only one try runs at a time, and a change is a try: what was tried is what there is.
        assert pin == tried
        now_ns = self._node.clock.now_ns()
        if is_right:
            if pin.wrong or renewed:
                self._pins.put(pin.tried_right(now_ns, renewed or pin.hash))
            return
        pin = pin.tried_wrong(now_ns)
        self._pins.put(pin)
        if pin.locked_until_ns or pin.wrong >= WRONG_MAX:
            self._on_locked(pin)
        raise pin.wrong_tries()

    def _hash(self, holder_id: int, pin: str) -> str:
        return self._hasher.hash(_peppered(self._peppers[0], holder_id, pin))

    def _matching(self, hashed: str, holder_id: int, pin: str) -> int | None:
        """Which pepper makes this PIN match; 0 is today's. None: it is wrong."""
        for number, pepper in enumerate(self._peppers):
            with suppress(VerifyMismatchError):
                self._hasher.verify(hashed, _peppered(pepper, holder_id, pin))
                return number
        return None


def _peppered(pepper: bytes, holder_id: int, pin: str) -> bytes:
    # Whoever steals the rows alone cannot try out a million PINs, and no row's hash fits another holder.
    assert len(pin) == PIN_LENGTH
    return hmac.digest(pepper, holder_id.to_bytes(16) + pin.encode(), "sha256")
