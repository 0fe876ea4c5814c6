"""People: registering, signing in, freezing, closing; and the front of what devices, PINs and codes do."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import msgspec
from argon2 import PasswordHasher

from hutong.codes.payment_code import PaymentCodeIssuer
from hutong.codes.plate import PlateId
from hutong.institution.notices.service import Notices
from hutong.institution.people.code_service import CodeService
from hutong.institution.people.device import Session
from hutong.institution.people.device_service import DeviceFile, DeviceService
from hutong.institution.people.one_time_code import OneTimeCode, Purpose
from hutong.institution.people.one_time_code_service import CodeSender, OneTimeCodeService
from hutong.institution.people.payment_code import PaymentCodeHolder
from hutong.institution.people.personal_code import REMARK_LENGTH_MAX, PersonalCode
from hutong.institution.people.phone import parse_phone
from hutong.institution.people.pin import Pin
from hutong.institution.people.pin_keeping_service import PinKeeper
from hutong.institution.people.pin_service import PinService
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PeopleRepository
from hutong.institution.people.settings import DAY_STARTS_NS, PeopleSettings
from hutong.institution.people.signed_in import SignedIn
from hutong.institution.people.tokens import TokenKeys
from hutong.institution.people.user import NAME_LENGTH_MAX, Evidence, Tier, User, checked_id
from hutong.institution.sealing import SealingKeys
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.kernel.text import check_text
from hutong.operators.audit_log import AuditLog
from hutong.operators.service import Operators
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import UNFINISHED_WITHIN, Shelf, decided, warmed

_REGISTRATION_ID_LENGTH_MAX = 64
_NAMESAKES_MAX = 100


class Welcome(Protocol):
    """Who is told of people who register with somebody's invitation."""

    def look_up(self, invitation: str, /) -> None:
        """Before anything is written: whatever `registered` needs. May raise `Cold`, and refuses nothing."""
        ...

    def registered(self, user: User, invitation: str, address: str, /) -> None:
        """Somebody new, in the same decision."""
        ...


class NoWelcome:
    """Nobody invites."""

    def look_up(self, invitation: str, /) -> None: ...

    def registered(self, user: User, invitation: str, address: str, /) -> None: ...


class PeopleService:
    """
    What the rest of the institution asks about people, and the life of a user.

    `open_wallet` creates the user's ledger account in the decision that registers the user.
    """

    def __init__(
        self,
        node: NodeRuntime,
        settings: PeopleSettings,
        notices: Notices,
        *,
        sender: CodeSender,
        pool: WorkerPool,
        open_wallet: Callable[[User], None],
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._node = node
        self._notices = notices
        self._open_wallet = open_wallet
        self.welcome: Welcome = NoWelcome()
        self.operators = Operators(node, AuditLog(node), settings.operators, two_person=settings.two_person)
        self._repository = PeopleRepository(node.journal, node.store)
        self._keys = TokenKeys(settings.token_key)
        sealing = SealingKeys(settings.sealing_keys, node.randomness)
        issuer = PaymentCodeIssuer(settings.payment_code_prefix, settings.payment_code_key, day_starts_ns=DAY_STARTS_NS)
        self._pool = pool
        self._hasher = hasher or PasswordHasher()
        self._peppers = (settings.pin_pepper, *settings.older_pin_peppers)
        self.one_time_codes = OneTimeCodeService(node, self._repository, self._keys, sender)
        self.devices = DeviceService(node, self._repository, self._keys, sealing, notices)
        self.pins = PinService(
            node,
            self._repository,
            self.one_time_codes,
            self._keys,
            notices,
            self.pin_keeper(self._repository.pins, self._tell_locked),
        )
        self.codes = CodeService(node, self._repository, self.devices, issuer, settings.plate_base)

    async def start(self) -> None:
        """Before the first request, and after every restart."""
        await self._repository.start()
        await self.operators.start()
        await self.codes.start()
        # A crash may have kept a user and lost the wallet, where the ledger had to look first. The answer is `exists` else.
        for user in await self._repository.users.load_since(max(0, self._node.journal.position - UNFINISHED_WITHIN)):
            self._open_wallet(user)
        self._node.journal.seal()

    # What others ask.

    def session(self, token: str) -> Session:
        """Whose token this is. Refuses SESSION_UNKNOWN, SESSION_EXPIRED; raises `Cold`."""
        return self.devices.session(token)

    def pin_keeper(self, pins: Shelf[Pin], on_locked: Callable[[Pin], None]) -> PinKeeper:
        """A keeper of PINs, users' or others', that shares the workers; `pins` is shelved by `user_id`."""
        return PinKeeper(self._node, pins, self._pool, self._hasher, self._peppers, on_locked)

    def operator(self, token: str) -> str:
        """The name of the operator whose token this is; refuses OPERATOR_UNKNOWN; raises `Cold`."""
        return self.operators.operator(token).name

    def user(self, user_id: int) -> User:
        """Refuses USER_UNKNOWN; raises `Cold`."""
        return self._repository.user(user_id)

    def user_on(self, phone: str) -> User:
        """Who has this telephone number now; refuses PHONE_MALFORMED, USER_UNKNOWN."""
        user = self._repository.user_on(parse_phone(phone))
        if user is None:
            raise Refusal(PeopleReason.USER_UNKNOWN)
        return user

    def came_before(self, user: User) -> bool:
        """Whether this telephone number had a wallet here before; raises `Cold`."""
        return any(other.id < user.id for other in self._repository.users.find("phone", user.phone))

    def user_numbered(self, number: int) -> User:
        """Whom this number of ours stands for, as in a payment code; refuses USER_UNKNOWN."""
        for user in self._repository.users.find("number", number):
            return user
        raise Refusal(PeopleReason.USER_UNKNOWN)

    async def search(self, words: str) -> list[User]:
        """
        Who an operator means: by telephone number, by id, or by the whole name as it is written; nobody is leafed for.

        Refuses:  USER_UNKNOWN, for a number or an id that is nobody's.
        """
        await durable(self._node.journal)
        if words.startswith("usr_"):
            id_ = parse_id("usr", words)
            return [await warmed(self._node.journal, lambda: self.user(id_))]
        if words.lstrip("+").isdigit():
            return [await warmed(self._node.journal, lambda: self.user_on(words))]
        return await self._repository.named(words, limit=_NAMESAKES_MAX) if words else []

    async def users(self, user_ids: Iterable[int]) -> list[User]:
        """These users, in the order asked; who is none of ours is left out."""
        return await self._repository.loaded(user_ids)

    async def pin_token(self, user_id: int, pin: str, payment_id: int, amount: int, creditor: str) -> str:
        """See `PinService.pin_token`."""
        return await self.pins.pin_token(user_id, pin, payment_id, amount, creditor)

    def check_pin_token(
        self, token: str, user_id: int, payment_id: int, amount: int, creditor: str, now_ns: int
    ) -> None:
        """See `TokenKeys.check_pin_token`."""
        self._keys.check_pin_token(token, user_id, payment_id, amount, creditor, now_ns)

    def claim_payment_code(self, code: str, charge_id: int, acquirer: str) -> PaymentCodeHolder:
        """See `CodeService.claim_payment_code`."""
        return self.codes.claim_payment_code(code, charge_id, acquirer)

    def look_at_payment_code(self, code: str, reader: str) -> PaymentCodeHolder:
        """See `CodeService.look_at_payment_code`."""
        return self.codes.look_at_payment_code(code, reader)

    def personal_code(self, code_id: int) -> PersonalCode:
        """See `CodeService.personal_code`."""
        return self.codes.personal_code(code_id)

    def personal_code_on(self, plate: PlateId) -> PersonalCode:
        """See `CodeService.personal_code_on`."""
        return self.codes.personal_code_on(plate)

    # Coming and going.

    def request_code(self, phone: str, purpose: Purpose) -> OneTimeCode:
        """Send a one-time code. Refuses PHONE_MALFORMED, CODE_REQUESTS_EXHAUSTED. It never tells who is registered."""
        return self.one_time_codes.request(purpose, parse_phone(phone))

    def register(
        self,
        *,
        phone: str,
        name: str,
        code: str,
        registration_id: str,
        device_id: int,
        device_name: str,
        invitation: str = "",
        address: str = "",
    ) -> SignedIn:
        """
        A new user of tier I with a wallet, signed in on the device; perhaps by somebody's invitation, from some address.

        Refuses:  PHONE_MALFORMED, a text that is none (`check_text`), ID_FROM_THE_FUTURE; a one-time code that is wrong, expired or used;
                  PHONE_TAKEN, DEVICE_TAKEN, DEVICE_LOST.
        Repeats:  the same phone, registration id and content: the same user, in a new session that ends the
                  earlier. Other content: REGISTERED_OTHERWISE, naming the field.
        """
        now_ns = self._node.clock.now_ns()
        phone = parse_phone(phone)
        name = check_text("name", name, length_max=NAME_LENGTH_MAX)
        device_name = check_text("device_name", device_name, length_max=NAME_LENGTH_MAX)
        check_text("registration_id", registration_id, length_max=_REGISTRATION_ID_LENGTH_MAX)
        checked_id("device_id", device_id, now_ns)
        used_for = f"register/{registration_id}/{device_id:032x}"
        user = self._repository.user_on(phone)
        is_first = not self._repository.users.find("phone", phone)  # Who closed a wallet and comes back is not new.
        file = self.devices.look_up(device_id, user)
        sent = self.one_time_codes.check(Purpose.SIGN_IN, phone, code, used_for)
        if invitation and is_first:
            self.welcome.look_up(invitation)
        if user is not None and user.registration_id != registration_id:
            raise Refusal(PeopleReason.PHONE_TAKEN)
        if user is not None and user.name != name:
            raise Refusal(PeopleReason.REGISTERED_OTHERWISE, field="name")
        self.devices.check(file, user)
        if user is None:
            user = self._create(phone, name, registration_id, now_ns)
            if invitation and is_first:
                self.welcome.registered(user, invitation, address)
        self.one_time_codes.use(sent, used_for)
        return self.devices.let_in(file, user, device_id, device_name)

    def sign_in(self, *, phone: str, code: str, device_id: int, device_name: str) -> SignedIn:
        """
        A session on a device, for who holds the telephone number. A device not known yet is registered.

        Refuses:  PHONE_MALFORMED, a text that is none (`check_text`), ID_FROM_THE_FUTURE; a one-time code that is wrong, expired or used;
                  then USER_UNKNOWN, DEVICE_TAKEN, DEVICE_LOST, DEVICES_TOO_MANY.
        Repeats:  on the same device a new session, which ends the earlier.
        """
        phone = parse_phone(phone)
        device_name = check_text("device_name", device_name, length_max=NAME_LENGTH_MAX)
        checked_id("device_id", device_id, self._node.clock.now_ns())
        used_for = _sign_in_on(device_id)
        user = self._repository.user_on(phone)
        file = self.devices.look_up(device_id, user)
        sent = self.one_time_codes.check(Purpose.SIGN_IN, phone, code, used_for)
        if user is None:
            raise Refusal(PeopleReason.USER_UNKNOWN)
        self.devices.check(file, user)
        self.one_time_codes.use(sent, used_for)
        return self.devices.let_in(file, user, device_id, device_name)

    def knows_device(self, phone: str, device_id: int) -> bool:
        """Whether whoever has this telephone number uses this device: then the PIN opens it. Raises `Cold`."""
        user = self._repository.user_on(parse_phone(phone))
        return user is not None and self.devices.look_up(device_id, user).is_in_use_by(user)

    async def sign_in_with_pin(self, *, phone: str, pin: str, code: str, device_id: int, device_name: str) -> SignedIn:
        """
        A session for who knows the PIN, on a device that is the user's already; on any other the one-time code is needed, too.

        The code comes first: who has neither the device nor the telephone learns nothing of either, and locks nobody's
        PIN. Who has set no PIN yet comes in by the code.
        Refuses:  PHONE_MALFORMED, a text that is none (`check_text`), ID_FROM_THE_FUTURE; ONE_TIME_CODE_NEEDED, also where
                  nobody has this number; a one-time code that is wrong, expired or used; USER_UNKNOWN, DEVICE_TAKEN,
                  DEVICE_LOST, DEVICES_TOO_MANY; what `PinService.check` refuses.
        Repeats:  on the same device a new session, which ends the earlier.
        """
        phone = parse_phone(phone)
        device_name = check_text("device_name", device_name, length_max=NAME_LENGTH_MAX)
        checked_id("device_id", device_id, self._node.clock.now_ns())
        journal = self._node.journal
        user, has_pin = await decided(journal, lambda: self._arrive(phone, code, device_id)[:2])
        if has_pin:
            await self.pins.check(user.id, pin)

        def enter() -> SignedIn:
            user, _, file, sent = self._arrive(phone, code, device_id)
            if sent is not None:
                self.one_time_codes.use(sent, _sign_in_on(device_id))
            return self.devices.let_in(file, user, device_id, device_name)

        return await decided(journal, enter)

    def sign_in_forgetful(self, *, phone: str, code: str, device_id: int, device_name: str) -> SignedIn:
        """
        A session for who forgot the PIN, by the one-time code, on a device that is the user's already: there another can be set.

        Refuses:  as `sign_in`, and DEVICE_UNKNOWN for any other device, also where nobody has this number.
        Repeats:  as `sign_in`.
        """
        phone = parse_phone(phone)
        device_name = check_text("device_name", device_name, length_max=NAME_LENGTH_MAX)
        user = self._repository.user_on(phone)
        file = self.devices.look_up(device_id, user)
        sent = self.one_time_codes.check(Purpose.SIGN_IN, phone, code, _sign_in_on(device_id))
        if user is None or not file.is_in_use_by(user):
            raise Refusal(PeopleReason.DEVICE_UNKNOWN)
        self.one_time_codes.use(sent, _sign_in_on(device_id))
        return self.devices.let_in(file, user, device_id, device_name)

    def _arrive(self, phone: str, code: str, device_id: int) -> tuple[User, bool, DeviceFile, OneTimeCode | None]:
        """Who comes, whether they have a PIN, on what, and the code they showed: None on a device of theirs."""
        user = self._repository.user_on(phone)
        file = self.devices.look_up(device_id, user)
        has_pin = user is not None and self.pins.is_set(user.id)
        if user is not None and has_pin and file.is_in_use_by(user):
            return user, True, file, None
        if not code:
            raise Refusal(PeopleReason.ONE_TIME_CODE_NEEDED)
        sent = self.one_time_codes.check(Purpose.SIGN_IN, phone, code, _sign_in_on(device_id))
        if user is None:
            raise Refusal(PeopleReason.USER_UNKNOWN)
        self.devices.check(file, user)
        return user, has_pin, file, sent

    def raise_tier(self, user_id: int, tier: Tier, evidence: Evidence, name: str, operator: str) -> User:
        """Know a user better: see `User.raised_to`. Refuses USER_UNKNOWN, a text that is none (`check_text`), and what that refuses."""
        name = check_text("name", name, length_max=NAME_LENGTH_MAX)
        user = self._repository.user(user_id)
        raised = user.raised_to(tier, evidence, name)
        if raised == user:
            return user
        self._notices.tell_user(user_id, "user.tier_raised", {"tier": int(tier)})
        return self._put(raised, f"tier raised by {operator}")

    def freeze(self, user_id: int, why: str, *, operator: str = "") -> User:
        """
        Stop a user: by an operator from paying and being paid, by themselves (without `operator`) from paying.

        Refuses:  USER_UNKNOWN, USER_CLOSED, a text that is none (`check_text`).
        Repeats:  the same answer.
        """
        return self._turn(user_id, why, operator, frozen=True)

    def unfreeze(self, user_id: int, why: str, *, operator: str = "") -> User:
        """
        Lift the operator's freeze or, without `operator`, the user's own: the edge has asked for the PIN then.

        Refuses:  USER_UNKNOWN, USER_CLOSED, a text that is none (`check_text`); FROZEN_BY_OPERATOR, when the user lifts another's.
        Repeats:  the same answer.
        """
        return self._turn(user_id, why, operator, frozen=False)

    def close(self, user_id: int, balance: int) -> User:
        """
        End it: no session, device or code of the user is good any more, and nothing can be paid or received.

        `balance` is everything on the user's account, pending credits included, as the ledger just told.

        Refuses:  USER_UNKNOWN, BALANCE_NOT_ZERO, USER_FROZEN by an operator.
        Repeats:  the same answer.
        """
        user = self._repository.user(user_id)
        everything = self.devices.all_of(user_id)
        if user.closed:
            return user
        user.may_receive()
        if balance != 0:
            raise Refusal(PeopleReason.BALANCE_NOT_ZERO, balance=balance)
        self.devices.end_all(everything)
        self._notices.tell_user(user_id, "user.closed", {})
        return self._put(msgspec.structs.replace(user, closed=True), "closed by the user")

    def forget(self, user_id: int, codes: Collection[str]) -> None:
        """What was erased of a closed user and of the codes sent to the number: memory holds it no longer."""
        repository = self._repository
        repository.users.forget([user_id])
        repository.pins.forget([user_id])
        repository.one_time_codes.forget(codes)
        for shelf in (repository.devices, repository.personal_codes, repository.foreign_codes):
            shelf.forget([row.id for row in shelf.in_memory("user_id", user_id)])

    def _create(self, phone: str, name: str, registration_id: str, now_ns: int) -> User:
        user = User(
            id=self._node.mint.mint(),
            number=self.codes.next_number(),
            phone=phone,
            name=name,
            tier=int(Tier.I),
            evidence=Evidence.PHONE.value,
            registration_id=registration_id,
            changed_ns=now_ns,
        )
        self._repository.users.put(user)
        self._open_wallet(user)
        return user

    def _tell_locked(self, pin: Pin) -> None:
        self._notices.tell_user(pin.user_id, "pin.locked", {"wrong": pin.wrong})

    def _turn(self, user_id: int, why: str, operator: str, *, frozen: bool) -> User:
        why = check_text("why", why, length_max=REMARK_LENGTH_MAX)
        user = self._repository.user(user_id)
        user.is_open()
        if operator:
            turned = msgspec.structs.replace(user, frozen_by_operator=frozen)
        elif user.frozen_by_operator and not frozen:
            raise Refusal(PeopleReason.FROZEN_BY_OPERATOR)
        else:
            turned = msgspec.structs.replace(user, frozen_by_user=frozen)
        if turned == user:
            return user
        self._notices.tell_user(
            user_id, "user.frozen" if frozen else "user.unfrozen", {"by": "operator" if operator else "user"}
        )
        return self._put(turned, f"{why} ({operator or 'the user'})")

    def _put(self, user: User, why: str) -> User:
        user = msgspec.structs.replace(user, why=why, changed_ns=self._node.clock.now_ns())
        self._repository.users.put(user)
        return user


def _sign_in_on(device_id: int) -> str:
    """What a one-time code is used for that lets somebody in on this device."""
    return f"sign-in/{device_id:032x}"
