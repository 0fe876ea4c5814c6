"""Devices and sessions: who may speak for a user, from which phone, until when."""

from dataclasses import dataclass

import msgspec

from hutong.codes.payment_code import mint_seed
from hutong.institution.notices.service import Notices
from hutong.institution.people.device import DEVICES_MAX, SESSION_LIFE_NS, Device, Session
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.repository import PeopleRepository
from hutong.institution.people.signed_in import SignedIn
from hutong.institution.people.tokens import TokenKeys
from hutong.institution.people.user import User
from hutong.institution.sealing import SealingKeys
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.node import NodeRuntime


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """All that is looked up before a device is let in."""

    device: Device | None
    sessions: list[Session]
    others: list[Device]  # Of the same user, lost ones too.

    @property
    def others_in_use(self) -> int:
        return sum(other.is_active for other in self.others)

    def is_in_use_by(self, user: User) -> bool:
        """Whether the device is this user's, and not lost."""
        return self.device is not None and self.device.user_id == user.id and self.device.is_active


class DeviceService:
    """A device has one session at a time; what is lost loses it at once."""

    def __init__(
        self,
        node: NodeRuntime,
        repository: PeopleRepository,
        keys: TokenKeys,
        sealing: SealingKeys,
        notices: Notices,
    ) -> None:
        self._node = node
        self._repository = repository
        self._keys = keys
        self._sealing = sealing
        self._notices = notices

    def session(self, token: str) -> Session:
        """Whose token this is. Refuses SESSION_UNKNOWN, made up or revoked, and SESSION_EXPIRED; raises `Cold`."""
        session = self._repository.sessions.get(self._keys.session_id(token))
        if session is None:
            raise Refusal(PeopleReason.SESSION_UNKNOWN)
        session.check(self._node.clock.now_ns())
        return session

    def look_up(self, device_id: int, user: User | None) -> DeviceFile:
        """Everything `let_in` needs; raises `Cold`. `user` is None while there is none yet."""
        device = self._repository.devices.get(device_id)
        sessions = [] if device is None else self._repository.sessions.find("device_id", device_id)
        others = [] if user is None else self._repository.devices.find("user_id", user.id)
        return DeviceFile(device, sessions, [other for other in others if other.id != device_id])

    def check(self, file: DeviceFile, user: User | None) -> None:
        """Refuses DEVICE_TAKEN by another user, DEVICE_LOST, DEVICES_TOO_MANY."""
        if file.device is not None and (user is None or file.device.user_id != user.id):
            raise Refusal(PeopleReason.DEVICE_TAKEN)
        if file.device is not None and not file.device.is_active:
            raise Refusal(PeopleReason.DEVICE_LOST)
        if file.device is None and file.others_in_use >= DEVICES_MAX:
            raise Refusal(PeopleReason.DEVICES_TOO_MANY, devices_max=DEVICES_MAX)

    def let_in(self, file: DeviceFile, user: User, device_id: int, name: str) -> SignedIn:
        """
        Begin a session, on a new device or a known one, whose earlier session ends. `check` has passed.

        A known device's id is no proof of that phone: every phone of the user is shown it. So where there ever was
        another, the device is as new as one never seen, and what its seed made before is wrong from now on.
        """
        now_ns = self._node.clock.now_ns()
        for session in file.sessions:
            if not session.revoked:
                self._repository.sessions.put(session.revoked_at(now_ns))
        if file.device is None or file.others:
            device = file.device or Device(id=device_id, user_id=user.id, name=name, seed_sealed=b"", changed_ns=0)
            sealed = self._sealing.seal(mint_seed(self._node.randomness), device.seed_label)
            self._repository.devices.put(msgspec.structs.replace(device, seed_sealed=sealed, changed_ns=now_ns))
            if file.others:
                news = "device.added" if file.device is None else "device.signed_in"
                self._notices.tell_user(user.id, news, {"device_id": id_text("dev", device_id), "name": device.name})
        token = self._keys.mint_session(self._node.randomness)
        session = Session(
            id=self._keys.session_id(token),
            user_id=user.id,
            device_id=device_id,
            expires_ns=now_ns + SESSION_LIFE_NS,
            changed_ns=now_ns,
        )
        self._repository.sessions.put(session)
        return SignedIn(user, device_id, token, session.expires_ns)

    def sign_out(self, session: Session) -> None:
        """End this session. Repeats: nothing."""
        now = self._repository.sessions.get(session.id)
        if now is not None and not now.revoked:
            self._repository.sessions.put(now.revoked_at(self._node.clock.now_ns()))

    def sign_out_device(self, user_id: int, device_id: int) -> Device:
        """
        End whatever session a device of the user's has; it stays the user's.

        Refuses:  DEVICE_UNKNOWN.
        Repeats:  the same answer.
        """
        device = self.device(user_id, device_id)
        self._end(self._repository.sessions.find("device_id", device_id), [], self._node.clock.now_ns())
        return device

    def signed_in(self, user_id: int) -> dict[int, int]:
        """When the live session of each device of the user's began, by the device; raises `Cold`."""
        now_ns = self._node.clock.now_ns()
        sessions = self._repository.sessions.find("user_id", user_id)
        return {each.device_id: each.changed_ns for each in sessions if not each.revoked and each.expires_ns > now_ns}

    def devices(self, user_id: int) -> list[Device]:
        """The user's devices, oldest first, lost ones too; raises `Cold`."""
        return self._repository.devices.find("user_id", user_id)

    def device(self, user_id: int, device_id: int) -> Device:
        """Refuses DEVICE_UNKNOWN, also when it is somebody else's."""
        device = self._repository.devices.get(device_id)
        if device is None or device.user_id != user_id:
            raise Refusal(PeopleReason.DEVICE_UNKNOWN)
        return device

    def seed(self, device: Device) -> bytes:
        """The seed of an active device; refuses DEVICE_LOST."""
        if not device.is_active:
            raise Refusal(PeopleReason.DEVICE_LOST)
        return self._sealing.unseal(device.seed_sealed, device.seed_label)

    def report_lost(self, user_id: int, device_id: int) -> Device:
        """
        From now on the device is nobody: its sessions end and its payment codes are wrong.

        Refuses:  DEVICE_UNKNOWN.
        Repeats:  the same answer.
        """
        device = self.device(user_id, device_id)
        sessions = self._repository.sessions.find("device_id", device_id)
        if not device.is_active:
            return device
        now_ns = self._node.clock.now_ns()
        self._end(sessions, [device], now_ns)
        self._notices.tell_user(user_id, "device.lost", {"device_id": id_text("dev", device_id), "name": device.name})
        return device.lost(now_ns)

    def all_of(self, user_id: int) -> tuple[list[Session], list[Device]]:
        """What `end_all` needs; raises `Cold`."""
        return self._repository.sessions.find("user_id", user_id), self.devices(user_id)

    def end_all(self, everything: tuple[list[Session], list[Device]]) -> None:
        """The user is gone: so are all sessions and devices."""
        self._end(*everything, self._node.clock.now_ns())

    def _end(self, sessions: list[Session], devices: list[Device], now_ns: int) -> None:
        for session in sessions:
            if not session.revoked:
                self._repository.sessions.put(session.revoked_at(now_ns))
        for device in devices:
            if device.is_active:
                self._repository.devices.put(device.lost(now_ns))
