"""Users' PINs: set, checked, changed, reset. It waits: hashing takes long on purpose, beside the loop."""

from functools import partial

from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.one_time_code_service import OneTimeCodeService
from hutong.institution.people.pin import check_strength
from hutong.institution.people.pin_keeping_service import PinKeeper
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PeopleRepository
from hutong.institution.people.tokens import TokenKeys
from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided, warmed


class PinService:
    """The PIN of each user: see `PinKeeper` for how it is tried."""

    def __init__(
        self,
        node: NodeRuntime,
        repository: PeopleRepository,
        codes: OneTimeCodeService,
        keys: TokenKeys,
        notices: Notices,
        keeper: PinKeeper,
    ) -> None:
        self._node = node
        self._repository = repository
        self._codes = codes
        self._keys = keys
        self._notices = notices
        self._keeper = keeper

    def is_set(self, user_id: int) -> bool:
        """Whether the user has a PIN; raises `Cold`."""
        return self._repository.pins.get(user_id) is not None

    async def set_pin(self, user_id: int, pin: str) -> None:
        """The first PIN. Refuses USER_CLOSED, PIN_MALFORMED, PIN_WEAK, PIN_ALREADY_SET, PIN_BUSY."""
        await warmed(self._node.journal, partial(self._check_new, user_id, pin))
        await warmed(self._node.journal, partial(self._check_unset, user_id))
        with self._keeper.alone(user_id):
            hashed = await self._keeper.hashed(user_id, pin)
            await decided(self._node.journal, partial(self._first, user_id, hashed))

    async def change_pin(self, user_id: int, pin: str, new_pin: str) -> None:
        """Another PIN, for who knows the old one. Refuses what `check` and `set_pin` refuse."""
        await warmed(self._node.journal, partial(self._check_new, user_id, new_pin))
        await self.check(user_id, pin)
        with self._keeper.alone(user_id):
            hashed = await self._keeper.hashed(user_id, new_pin)
            await decided(self._node.journal, partial(self._replace, user_id, hashed))

    async def reset_pin(self, user_id: int, device_id: int, code: str, new_pin: str) -> None:
        """
        Another PIN, for who shows again that the telephone is theirs, on a device that is not new; a lock ends with it.

        Refuses:  USER_CLOSED, PIN_MALFORMED, PIN_WEAK, PIN_BUSY, DEVICE_LOST, DEVICE_TOO_NEW, and a code that is wrong,
                  expired or used.
        """
        await warmed(self._node.journal, partial(self._check_new, user_id, new_pin))
        with self._keeper.alone(user_id):
            hashed = await self._keeper.hashed(user_id, new_pin)
            await decided(self._node.journal, partial(self._reset, user_id, device_id, code, hashed))

    async def check(self, user_id: int, pin: str) -> None:
        """
        Return if the PIN is right.

        Refuses:  USER_CLOSED, PIN_MALFORMED, PIN_NOT_SET, PIN_BLOCKED, PIN_LOCKED with `retry_after_s`, PIN_BUSY,
                  PIN_WRONG with `tries_left`.
        """
        await self._keeper.check(user_id, pin, partial(self._check_open, user_id))

    async def pin_token(self, user_id: int, pin: str, payment_id: int, amount: int, creditor: str) -> str:
        """A token that says so for two minutes, for this one payment. Refuses what `check` refuses, and USER_FROZEN."""
        user = await warmed(self._node.journal, partial(self._repository.user, user_id))
        user.may_pay()
        await self.check(user_id, pin)
        return self._keys.pin_token(user_id, payment_id, amount, creditor, self._node.clock.now_ns())

    def _check_new(self, user_id: int, pin: str) -> None:
        user = self._repository.user(user_id)
        user.is_open()
        check_strength(pin, user.phone)

    def _check_unset(self, user_id: int) -> None:
        if self.is_set(user_id):
            raise Refusal(PeopleReason.PIN_ALREADY_SET)

    def _check_open(self, user_id: int) -> None:
        self._repository.user(user_id).is_open()

    def _first(self, user_id: int, hashed: str) -> None:
        self._check_unset(user_id)
        self._replace(user_id, hashed)

    def _replace(self, user_id: int, hashed: str) -> None:
        self._keeper.put(user_id, hashed)
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
