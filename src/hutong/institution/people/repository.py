"""The rows people are kept in."""

from collections.abc import Iterable

import msgspec

from hutong.institution.people.device import Device, Session
from hutong.institution.people.foreign_code import ForeignCode
from hutong.institution.people.one_time_code import OneTimeCode
from hutong.institution.people.personal_code import PersonalCode
from hutong.institution.people.pin import Pin
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.user import User
from hutong.kernel.clock import NS_PER_HOUR, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import BigInt, Integer, Store, Table, Text, Uuid

_MINUTE_NS = 60 * NS_PER_S


class PaymentCodeClaim(msgspec.Struct, frozen=True):
    """A charge has a payment code."""

    code: Text
    charge_id: Uuid
    acquirer: Text
    user_id: Uuid
    device_id: Uuid
    claimed_ns: BigInt
    minute: Integer  # Since 1970: by it a restart finds the claims that still count.


class PaymentCodeMiss(msgspec.Struct, frozen=True):
    """An acquirer sent a wrong payment code."""

    acquirer: Text
    code: Text
    missed_ns: BigInt
    hour: Integer  # Since 1970: by it a restart finds the misses that still count.


USERS = Table("users", User)
PINS = Table("pins", Pin)
DEVICES = Table("devices", Device)
SESSIONS = Table("sessions", Session)
ONE_TIME_CODES = Table("one_time_codes", OneTimeCode)
PERSONAL_CODES = Table("personal_codes", PersonalCode)
FOREIGN_CODES = Table("foreign_codes", ForeignCode)
PAYMENT_CODE_CLAIMS = Table("payment_code_claims", PaymentCodeClaim)
PAYMENT_CODE_MISSES = Table("payment_code_misses", PaymentCodeMiss)
TABLES = (
    USERS,
    PINS,
    DEVICES,
    SESSIONS,
    ONE_TIME_CODES,
    PERSONAL_CODES,
    FOREIGN_CODES,
    PAYMENT_CODE_CLAIMS,
    PAYMENT_CODE_MISSES,
)


class PeopleRepository:
    """Newest versions in memory, everything else in the node's store."""

    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._store = store
        self.users: Shelf[User] = Shelf(USERS, journal, store, by=("phone", "number"), timed=True)
        self.pins: Shelf[Pin] = Shelf(PINS, journal, store, key="user_id")
        self.devices: Shelf[Device] = Shelf(DEVICES, journal, store, by=("user_id",), timed=True)
        self.sessions: Shelf[Session] = Shelf(SESSIONS, journal, store, by=("user_id", "device_id"))
        self.one_time_codes: Shelf[OneTimeCode] = Shelf(ONE_TIME_CODES, journal, store, rows_max=100_000)
        self.personal_codes: Shelf[PersonalCode] = Shelf(
            PERSONAL_CODES, journal, store, by=("user_id", "plate"), timed=True
        )
        self.foreign_codes: Shelf[ForeignCode] = Shelf(FOREIGN_CODES, journal, store, by=("user_id",), rows_max=100_000)

    async def start(self) -> None:
        """Learn from which ids on what we don't know is new."""
        await self.users.start()
        await self.devices.start()
        await self.personal_codes.start()

    def user(self, user_id: int) -> User:
        """Refuses USER_UNKNOWN; raises `Cold`."""
        user = self.users.get(user_id)
        if user is None:
            raise Refusal(PeopleReason.USER_UNKNOWN)
        return user

    def user_on(self, phone: str) -> User | None:
        """Who has this telephone number now; raises `Cold`."""
        return next((user for user in self.users.find("phone", phone) if not user.closed), None)

    async def named(self, name: str, *, limit: int) -> list[User]:
        """Who is called exactly so, the newest first."""
        found = await self._store.page(USERS, "name", name, limit=limit, newest_first=True)
        return [user for user in await self.loaded([row.id for _, row in found]) if user.name == name]

    async def loaded(self, user_ids: Iterable[int]) -> list[User]:
        """These users, each once, in the order asked; those that are none of ours are left out."""
        ids = list(dict.fromkeys(user_ids))
        await self.users.load(ids)
        return [user for id_ in ids if (user := self.users.get(id_)) is not None]

    async def number_max(self) -> int:
        """The greatest number a user has, 0 if there are none."""
        return await self._store.greatest(USERS, "number") or 0

    def claim(self, claim: PaymentCodeClaim) -> None:
        self._journal.append(PAYMENT_CODE_CLAIMS, claim)

    async def claims_since(self, since_ns: int, now_ns: int) -> list[PaymentCodeClaim]:
        """What was claimed from `since_ns` on, and perhaps a little before."""
        # A minute more, for a clock that was set back meanwhile.
        minutes = range(minute(since_ns), minute(now_ns) + 2)
        return [row for _, row in await self._store.find(PAYMENT_CODE_CLAIMS, "minute", minutes)]

    def miss(self, miss: PaymentCodeMiss) -> None:
        self._journal.append(PAYMENT_CODE_MISSES, miss)

    async def misses_since(self, since_ns: int, now_ns: int) -> list[PaymentCodeMiss]:
        """Wrong payment codes from `since_ns` on, and perhaps a little before."""
        hours = range(hour(since_ns), hour(now_ns) + 2)
        return [row for _, row in await self._store.find(PAYMENT_CODE_MISSES, "hour", hours)]


def minute(ns: int) -> int:
    """Minutes since 1970."""
    return ns // _MINUTE_NS


def hour(ns: int) -> int:
    """Hours since 1970."""
    return ns // NS_PER_HOUR
