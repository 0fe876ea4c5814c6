"""A merchant's staff: invited, placed and revoked by its owner; signing in at tills and consoles."""

from collections.abc import Collection
from contextlib import suppress
from functools import partial

from hutong.institution.key_token import SECRET_BYTES
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff import (
    CALLERS_ID_LENGTH_MAX,
    MEMBER_PREFIX,
    NAME_LENGTH_MAX,
    SessionEnd,
    SignedInStaff,
    StaffMember,
    StaffSession,
    StaffState,
    holder_of,
    member_id_of,
    session_id_of,
    token_of,
)
from hutong.institution.merchants.staff_key import Right, Role, StaffKey
from hutong.institution.notices.service import Notices
from hutong.institution.people.one_time_code import OneTimeCode, Purpose
from hutong.institution.people.one_time_code_service import OneTimeCodeService
from hutong.institution.people.phone import parse_phone
from hutong.institution.people.pin import Pin, check_strength
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import checked_id
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf, decided, warmed


class StaffService:
    """
    What takes a `StaffKey` answers to that key alone (invariant 8): an owner's, whether of a signed-in member or not.

    One telephone has one PIN, whichever merchants its holder works for; no merchant ever sets or learns it. Who would
    sign in on a device that the holder never used shows a one-time code first, so that nobody else learns whether a
    number is known, or locks its PIN.
    """

    def __init__(
        self,
        node: NodeRuntime,
        repository: MerchantRepository,
        merchants: MerchantService,
        people: PeopleService,
        notices: Notices,
        *,
        pepper: bytes,
    ) -> None:
        self._node = node
        self._all = repository
        self._merchants = merchants
        self._notices = notices
        self._pepper = pepper
        self._codes: OneTimeCodeService = people.one_time_codes
        self._pins = people.pin_keeper(repository.staff_pins, self._tell_locked)
        merchants.session_key = lambda token: self.use(token).key

    # The merchant's owner, and the operator for its first one.

    def appoint(self, merchant_id: int, callers_id: str, name: str, phone: str) -> StaffMember:
        """The operator invites an owner: see `invite`. Refuses MERCHANT_UNKNOWN, too."""
        self._merchants.merchant(merchant_id)
        return self._invite(merchant_id, callers_id, name, phone, Role.OWNER, 0, by=0)

    def invite(
        self, key: StaffKey, callers_id: str, name: str, phone: str, role: Role, shop_id: int = 0
    ) -> StaffMember:
        """
        Ask somebody to be of the staff; a one-time code goes to the telephone, for who holds it to set a PIN with.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; SHOP_UNKNOWN; the text refusals; PHONE_MALFORMED; STAFF_TAKEN, naming the
                  field; STAFF_PHONE_TAKEN.
        Repeats:  the member of this `callers_id` as invited; no second code.
        """
        _check_owner(key)
        self._merchants.shop_of(key.merchant_id, shop_id)
        return self._invite(key.merchant_id, callers_id, name, phone, role, shop_id, by=key.id)

    def place(self, key: StaffKey, member_id: int, role: Role, shop_id: int) -> StaffMember:
        """
        Give a member another role or shop, at once.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; SHOP_UNKNOWN; STAFF_UNKNOWN; STAFF_ONESELF; STAFF_REVOKED.
        Repeats:  the member as placed.
        """
        self._merchants.shop_of(key.merchant_id, shop_id)
        member = self._other(key, member_id)
        return self._put(member, member.placed(role, shop_id, key.id, self._now_ns))

    def reset_pin(self, key: StaffKey, member_id: int) -> StaffMember:
        """
        The member's PIN is good here no longer: sessions end, and they choose another with a code to their telephone.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; STAFF_UNKNOWN; STAFF_ONESELF; STAFF_REVOKED.
        Repeats:  the member, who is to choose a PIN; perhaps another code.
        """
        member = self._other(key, member_id)
        sessions = self._sessions([member])
        member.check_here()
        self._send(member.phone)
        self._end(sessions)
        return self._put(member, member.turned(StaffState.INVITED, key.id, self._now_ns))

    def revoke(self, key: StaffKey, member_id: int) -> StaffMember:
        """
        A member is one no longer, at once and for good; who comes back is invited anew.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; STAFF_UNKNOWN; STAFF_ONESELF.
        Repeats:  the member, revoked.
        """
        member = self._other(key, member_id)
        self._end(self._sessions([member]))
        return self._put(member, member.turned(StaffState.REVOKED, key.id, self._now_ns))

    def staff(self, key: StaffKey) -> list[StaffMember]:
        """Everybody, revoked ones too, oldest first. Refuses ROLE_MAY_NOT, SHOP_NOT_YOURS."""
        _check_owner(key)
        found = self._all.staff.find("merchant_id", key.merchant_id)
        return sorted(found, key=lambda member: (member.created_ns, member.id))

    # At the till.

    def named(self, key: StaffKey, member_ids: Collection[int]) -> dict[int, StaffMember]:
        """Those of the merchant's staff, past ones too, who have these ids."""
        found = self._all.staff.find("merchant_id", key.merchant_id)
        return {member.id: member for member in found if member.id in member_ids}

    def approvers(self, key: StaffKey, right: Right) -> list[StaffMember]:
        """Colleagues who may do what this key may not, and may be asked for their PIN."""
        found = self._all.staff.find("merchant_id", key.merchant_id)
        return [member for member in found if _may_approve(member, key, right)]

    async def approve(self, key: StaffKey, member_id: int, pin: str, right: Right) -> StaffMember:
        """
        A colleague with the right stands by and types their PIN.

        Refuses:  STAFF_MAY_NOT_APPROVE; what `PinKeeper.check` refuses.
        """
        member = await warmed(self._node.journal, lambda: self._all.staff.get(member_id))
        if member is None or not _may_approve(member, key, right):
            raise Refusal(MerchantReason.STAFF_MAY_NOT_APPROVE)
        await self._pins.check(holder_of(member.phone), pin, member.check_here)
        return member

    # Signing in.

    def request_code(self, phone: str, purpose: Purpose) -> OneTimeCode:
        """Send a one-time code. Refuses PHONE_MALFORMED, CODE_REQUESTS_EXHAUSTED. It never tells who is staff."""
        assert purpose in {Purpose.STAFF_SIGN_IN, Purpose.STAFF_PIN}
        return self._codes.request(purpose, parse_phone(phone))

    async def set_pin(self, phone: str, code: str, pin: str, device_id: int) -> tuple[SignedInStaff, str]:
        """
        Who shows that the telephone is theirs chooses its PIN, takes the invitations to it, and is signed in.

        Every other session of theirs ends, and so does a lock.
        Refuses:  PHONE_MALFORMED; PIN_MALFORMED, PIN_WEAK; ID_FROM_THE_FUTURE; a code that is wrong, expired or used;
                  STAFF_NOWHERE; PIN_BUSY.
        """
        phone = parse_phone(phone)
        check_strength(pin, phone)
        checked_id("device_id", device_id, self._now_ns)
        used_for = f"staff-pin/{device_id:032x}"
        await decided(self._node.journal, partial(self._codes.check, Purpose.STAFF_PIN, phone, code, used_for))
        holder_id = holder_of(phone)
        with self._pins.alone(holder_id):
            hashed = await self._pins.hashed(holder_id, pin)

            def choose() -> tuple[SignedInStaff, str]:
                members = self._members(phone)
                sessions = self._sessions(members)
                sent = self._codes.check(Purpose.STAFF_PIN, phone, code, used_for)
                if not members:
                    raise Refusal(MerchantReason.STAFF_NOWHERE)
                self._codes.use(sent, used_for)
                self._pins.put(holder_id, hashed)
                self._end(sessions)
                accepted = [self._put(member, member.accepted(self._now_ns)) for member in members]
                for member in accepted:
                    self._notices.tell_merchant(member.merchant_id, "staff.pin_changed", _told(member))
                return self._begin(accepted[0], device_id)

            return await decided(self._node.journal, choose)

    async def sign_in(
        self, phone: str, pin: str, device_id: int, *, code: str = "", member_id: int = 0
    ) -> tuple[SignedInStaff, str]:
        """
        A session for who knows the PIN, on a device they used before or with a one-time code; and its token.

        Staff of several merchants is signed in at the first, or as `member_id` says, and may `choose` another.
        Refuses:  PHONE_MALFORMED; PIN_MALFORMED; ID_FROM_THE_FUTURE; ONE_TIME_CODE_NEEDED, also where nobody has this
                  number; a code that is wrong, expired or used; STAFF_NOWHERE; what `PinKeeper.check` refuses.
        """
        phone = parse_phone(phone)
        checked_id("device_id", device_id, self._now_ns)
        await decided(self._node.journal, lambda: self._arrive(phone, code, device_id))
        await self._pins.check(holder_of(phone), pin, _open_to_all)

        def enter() -> tuple[SignedInStaff, str]:
            members, sent = self._arrive(phone, code, device_id)
            chosen = next((member for member in members if member.id == member_id), members[0])
            if sent is not None:
                self._codes.use(sent, _used_for(device_id))
            return self._begin(chosen, device_id)

        return await decided(self._node.journal, enter)

    def signed_in(self, token: str) -> SignedInStaff:
        """Whose session this is, as it stands. Refuses SESSION_UNKNOWN, SESSION_EXPIRED."""
        session = self._all.staff_sessions.get(session_id_of(self._pepper, token))
        if session is None:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        session.check(self._now_ns)
        member = self._all.staff.get(session.member_id)
        if member is None or not member.is_active:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        return SignedInStaff(member, session)

    def use(self, token: str) -> SignedInStaff:
        """As `signed_in`, by an act of whoever it is: the session stays good for another IDLE_NS."""
        found = self.signed_in(token)
        session = found.session.used(self._now_ns)
        if session is not found.session:
            self._all.staff_sessions.put(session)
        return SignedInStaff(found.member, session)

    def workplaces(self, who: SignedInStaff) -> list[StaffMember]:
        """What the holder of the telephone is, at which merchants."""
        return [member for member in self._members(who.member.phone) if member.is_active]

    def choose(self, who: SignedInStaff, member_id: int) -> SignedInStaff:
        """Go on at another merchant, in the same session. Refuses STAFF_UNKNOWN for what is not the holder's."""
        for member in self.workplaces(who):
            if member.id == member_id:
                moved = who.session.moved(member_id)
                if moved is not who.session:
                    self._all.staff_sessions.put(moved)
                return SignedInStaff(member, moved)
        raise Refusal(MerchantReason.STAFF_UNKNOWN)

    def sign_out(self, token: str) -> None:
        """End the session. Repeats: nothing."""
        session = self._all.staff_sessions.get(session_id_of(self._pepper, token))
        if session is not None:
            self._end([session], SessionEnd.SIGNED_OUT)

    def knows_device(self, phone: str, device_id: int) -> bool:
        """Whether the PIN alone signs the holder in here. Refuses PHONE_MALFORMED."""
        phone = parse_phone(phone)
        mine = {member.id for member in self._members(phone)}
        found = self._all.staff_sessions.find("device_id", device_id)
        return any(each.member_id in mine and each.ended != SessionEnd.REVOKED for each in found)

    @property
    def all(self) -> Shelf[StaffMember]:
        """Everybody of any merchant's staff: who follows whether that changed asks its `changes`."""
        return self._all.staff

    def works_for(self, phone: str) -> set[int]:
        """The merchants whose staff the holder of a number is, or was asked to be. Raises `Cold`."""
        return {member.merchant_id for member in self._members(phone)}

    def _arrive(self, phone: str, code: str, device_id: int) -> tuple[list[StaffMember], OneTimeCode | None]:
        """As what somebody comes, and the code they showed: None on a device they used before."""
        members = [member for member in self._members(phone) if member.is_active]
        if members and self.knows_device(phone, device_id):
            return members, None
        if not code:
            raise Refusal(PeopleReason.ONE_TIME_CODE_NEEDED)
        sent = self._codes.check(Purpose.STAFF_SIGN_IN, phone, code, _used_for(device_id))
        if not members:
            raise Refusal(MerchantReason.STAFF_NOWHERE)
        return members, sent

    def _begin(self, member: StaffMember, device_id: int) -> tuple[SignedInStaff, str]:
        token = token_of(self._node.randomness.randbytes(SECRET_BYTES))
        session = StaffSession(
            id=session_id_of(self._pepper, token),
            member_id=member.id,
            device_id=device_id,
            began_ns=self._now_ns,
            used_ns=self._now_ns,
        )
        self._all.staff_sessions.put(session)
        return SignedInStaff(member, session), token

    def _invite(
        self, merchant_id: int, callers_id: str, name: str, phone: str, role: Role, shop_id: int, *, by: int
    ) -> StaffMember:
        check_text("staff_id", callers_id, length_max=CALLERS_ID_LENGTH_MAX)
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        phone = parse_phone(phone)
        member_id = member_id_of(merchant_id, callers_id)
        known = self._all.staff.get(member_id)
        if known is not None:
            known.check_same(name, phone, role, shop_id)
            return known
        colleagues = self._all.staff.find("merchant_id", merchant_id)
        if any(each.phone == phone and each.state != StaffState.REVOKED for each in colleagues):
            raise Refusal(MerchantReason.STAFF_PHONE_TAKEN, field="phone")
        now_ns = self._now_ns
        member = StaffMember(
            id=member_id,
            merchant_id=merchant_id,
            shop_id=shop_id,
            role=role,
            name=name,
            phone=phone,
            state=StaffState.INVITED,
            created_ns=now_ns,
            changed_ns=now_ns,
            changed_by=by,
        )
        self._send(phone)
        self._all.staff.put(member)
        return member

    def _send(self, phone: str) -> None:
        """A code to choose a PIN with; who had one a moment ago asks for another when that is too old."""
        with suppress(Refusal):
            self._codes.request(Purpose.STAFF_PIN, phone)

    def _other(self, key: StaffKey, member_id: int) -> StaffMember:
        """A colleague, or anybody of the staff for a key that is nobody's. Refuses STAFF_UNKNOWN, STAFF_ONESELF."""
        _check_owner(key)
        member = self._all.staff.get(member_id)
        if member is None or member.merchant_id != key.merchant_id:
            raise Refusal(MerchantReason.STAFF_UNKNOWN)
        if member.id == key.id:
            raise Refusal(MerchantReason.STAFF_ONESELF)
        return member

    def _members(self, phone: str) -> list[StaffMember]:
        """All that the holder of a number is and was asked to be, oldest first."""
        found = self._all.staff.find("phone", phone)
        here = [member for member in found if member.state != StaffState.REVOKED]
        return sorted(here, key=lambda member: (member.created_ns, member.id))

    def _sessions(self, members: list[StaffMember]) -> list[StaffSession]:
        return [session for each in members for session in self._all.staff_sessions.find("member_id", each.id)]

    def _end(self, sessions: list[StaffSession], how: SessionEnd = SessionEnd.REVOKED) -> None:
        for session in sessions:
            ended = session.end(how)
            if ended is not session:
                self._all.staff_sessions.put(ended)

    def _put(self, known: StaffMember, member: StaffMember) -> StaffMember:
        if member is not known:
            self._all.staff.put(member)
        return member

    def _tell_locked(self, pin: Pin) -> None:
        for member in self._all.staff.everything():
            if member.is_active and holder_of(member.phone) == pin.user_id:
                self._notices.tell_merchant(
                    member.merchant_id, "staff.pin_locked", _told(member) | {"wrong": pin.wrong}
                )

    @property
    def _now_ns(self) -> int:
        return self._node.clock.now_ns()


def _check_owner(key: StaffKey) -> None:
    key.check_right(Right.MANAGE)
    key.check_whole_merchant()


def _may_approve(member: StaffMember, key: StaffKey, right: Right) -> bool:
    same_shop = member.shop_id in (0, key.shop_id)
    return member.is_active and member.merchant_id == key.merchant_id and same_shop and member.key.has_right(right)


def _told(member: StaffMember) -> dict[str, str]:
    return {"staff_id": id_text(MEMBER_PREFIX, member.id), "name": member.name, "role": str(member.role)}


def _used_for(device_id: int) -> str:
    return f"staff-sign-in/{device_id:032x}"


def _open_to_all() -> None:
    """Who has a PIN may try it: whose staff they are was looked at before."""
