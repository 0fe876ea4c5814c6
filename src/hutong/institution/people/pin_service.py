"""PINs: set, checked, locked, reset. The only service that waits: hashing takes long on purpose, beside the loop."""

import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.one_time_code_service import OneTimeCodeService
from hutong.institution.people.pin import PIN_LENGTH, WRONG_MAX, Pin, check_spelling, check_strength
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PeopleRepository
from hutong.institution.people.tokens import TokenKeys
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided, warmed


class PinService:
    """
    One try per user at a time: a wrong try is counted, durably, before the next can begin or its answer is told.

    So neither many tries at once nor a restart gives one guess more than the lock allows.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: PeopleRepository,
        codes: OneTimeCodeService,
        keys: TokenKeys,
        notices: Notices,
        pool: WorkerPool,
        hasher: PasswordHasher,
        peppers: Sequence[bytes],
    ) -> None:
        assert all(len(pepper) >= 32 for pepper in peppers)
        self._node = node
        self._repository = repository
        self._codes = codes
        self._keys = keys
        self._notices = notices
        self._pool = pool
        self._hasher = hasher
        self._peppers = tuple(peppers)  # The first is today's.
        self._busy: set[int] = set()

    def is_set(self, user_id: int) -> bool:
        """Whether the user has a PIN; raises `Cold`."""
        return self._repository.pins.get(user_id) is not None

    async def set_pin(self, user_id: int, pin: str) -> None:
        """The first PIN. Refuses USER_CLOSED, PIN_MALFORMED, PIN_WEAK, PIN_ALREADY_SET, PIN_BUSY."""
        await warmed(self._node.journal, partial(self._check_new, user_id, pin))
        await warmed(self._node.journal, partial(self._check_unset, user_id))
        with self._alone(user_id):
            hashed = await self._pool.run(partial(self._hash, user_id, pin))
            await decided(self._node.journal, partial(self._first, user_id, hashed))

    async def change_pin(self, user_id: int, pin: str, new_pin: str) -> None:
        """Another PIN, for who knows the old one. Refuses what `check` and `set_pin` refuse."""
        await warmed(self._node.journal, partial(self._check_new, user_id, new_pin))
        await self.check(user_id, pin)
        with self._alone(user_id):
            hashed = await self._pool.run(partial(self._hash, user_id, new_pin))
            await decided(self._node.journal, partial(self._replace, user_id, hashed))

    async def reset_pin(self, user_id: int, device_id: int, code: str, new_pin: str) -> None:
        """
        Another PIN, for who shows again that the telephone is theirs, on a device that is not new; a lock ends with it.

        Refuses:  USER_CLOSED, PIN_MALFORMED, PIN_WEAK, PIN_BUSY, DEVICE_LOST, DEVICE_TOO_NEW, and a code that is wrong,
                  expired or used.
        """
        await warmed(self._node.journal, partial(self._check_new, user_id, new_pin))
        with self._alone(user_id):
            hashed = await self._pool.run(partial(self._hash, user_id, new_pin))
            await decided(self._node.journal, partial(self._reset, user_id, device_id, code, hashed))

    async def check(self, user_id: int, pin: str) -> None:
        """
        Return if the PIN is right.

        Refuses:  USER_CLOSED, PIN_MALFORMED, PIN_NOT_SET, PIN_BLOCKED, PIN_LOCKED with `retry_after_s`, PIN_BUSY,
                  PIN_WRONG with `tries_left`.
        """
        check_spelling(pin)
        tried = await warmed(self._node.journal, partial(self._may_try, user_id))
        with self._alone(user_id):
            pepper = await self._pool.run(partial(self._matching, tried.hash, user_id, pin))
            is_right = pepper is not None
            renewed = "" if pepper is None else await self._renewed(tried, pin, pepper)
            conclude = partial(self._conclude, tried, is_right=is_right, renewed=renewed)
            if is_right and not tried.wrong and not renewed:
                await warmed(self._node.journal, conclude)  # Nothing is written.
            else:
                await decided(self._node.journal, conclude)

    async def pin_token(self, user_id: int, pin: str, payment_id: int, amount: int, creditor: str) -> str:
        """A token that says so for two minutes, for this one payment. Refuses what `check` refuses, and USER_FROZEN."""
        user = await warmed(self._node.journal, partial(self._repository.user, user_id))
        user.may_pay()
        await self.check(user_id, pin)
        return self._keys.pin_token(user_id, payment_id, amount, creditor, self._node.clock.now_ns())

    @contextmanager
    def _alone(self, user_id: int) -> Iterator[None]:
        if user_id in self._busy or self._pool.is_full:
            raise Refusal(PeopleReason.PIN_BUSY)
        self._busy.add(user_id)
        try:
            yield
        finally:
            self._busy.discard(user_id)

    def _check_new(self, user_id: int, pin: str) -> None:
        user = self._repository.user(user_id)
        user.is_open()
        check_strength(pin, user.phone)

    def _check_unset(self, user_id: int) -> None:
        if self.is_set(user_id):
            raise Refusal(PeopleReason.PIN_ALREADY_SET)

    def _may_try(self, user_id: int) -> Pin:
        self._repository.user(user_id).is_open()
        pin = self._repository.pins.get(user_id)
        if pin is None:
            raise Refusal(PeopleReason.PIN_NOT_SET)
        pin.may_be_tried(self._node.clock.now_ns())
        return pin

    def _first(self, user_id: int, hashed: str) -> None:
        self._check_unset(user_id)
        self._replace(user_id, hashed)

    def _replace(self, user_id: int, hashed: str) -> None:
        self._repository.pins.put(Pin(user_id=user_id, hash=hashed, changed_ns=self._node.clock.now_ns()))
        self._notices.tell_user(user_id, "pin.changed", {})

    def _reset(self, user_id: int, device_id: int, code: str, hashed: str) -> None:
        user = self._repository.user(user_id)
        devices = self._repository.devices.find("user_id", user_id)
        device = next((device for device in devices if device.id == device_id), None)
        if device is None:
            raise Refusal(PeopleReason.DEVICE_UNKNOWN)
        device.check_settled(devices, self._node.clock.now_ns())
        used_for = f"pin/{user_id:032x}"
        sent = self._codes.check(Purpose.PIN_RESET, user.phone, code, "")
        self._codes.use(sent, used_for)
        self._replace(user_id, hashed)

    async def _renewed(self, tried: Pin, pin: str, pepper: int) -> str:
        """The PIN's hash by today's parameters and pepper, if it was made by older ones: a right PIN is the chance."""
        if (not pepper and not self._hasher.check_needs_rehash(tried.hash)) or self._pool.is_full:
            return ""
        return await self._pool.run(partial(self._hash, tried.user_id, pin))

    def _conclude(self, tried: Pin, *, is_right: bool, renewed: str) -> None:
        pin = self._repository.pins.get(tried.user_id)
        # Only one try runs at a time, and a change is a try: what was tried is what there is.
        assert pin == tried
        now_ns = self._node.clock.now_ns()
        if is_right:
            if pin.wrong or renewed:
                self._repository.pins.put(pin.tried_right(now_ns, renewed or pin.hash))
            return
        pin = pin.tried_wrong(now_ns)
        self._repository.pins.put(pin)
        if pin.locked_until_ns or pin.wrong >= WRONG_MAX:
            self._notices.tell_user(pin.user_id, "pin.locked", {"wrong": pin.wrong})
        raise pin.wrong_tries()

    def _hash(self, user_id: int, pin: str) -> str:
        return self._hasher.hash(_peppered(self._peppers[0], user_id, pin))

    def _matching(self, hashed: str, user_id: int, pin: str) -> int | None:
        """Which pepper makes this PIN match; 0 is today's. None: it is wrong."""
        for number, pepper in enumerate(self._peppers):
            with suppress(VerifyMismatchError):
                self._hasher.verify(hashed, _peppered(pepper, user_id, pin))
                return number
        return None


def _peppered(pepper: bytes, user_id: int, pin: str) -> bytes:
    # Whoever steals the rows alone cannot try out a million PINs, and no row's hash fits another user.
    assert len(pin) == PIN_LENGTH
    return hmac.digest(pepper, user_id.to_bytes(16) + pin.encode(), "sha256")
