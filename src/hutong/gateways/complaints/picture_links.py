"""
Pictures for software that only follows links, as Alipay's answers have them: each opens one picture for an hour, for whoever has it.

The link is sealed: nobody makes one up, and it names nothing that a reader could use elsewhere.
"""

import base64
import binascii

import msgspec

from hutong.gateways.wire import Dialect, WireAnswer, WireRequest
from hutong.institution.complaints.picture_service import PictureService
from hutong.institution.sealing import SealBroken, SealingKeys
from hutong.kernel.clock import NS_PER_HOUR, Clock
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed

PATH = "/complaint-pictures/"
LIFE_NS = NS_PER_HOUR
_LABEL = "complaint picture link"
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
)


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    place: int
    digest: str
    until_ns: int


class PictureLinks:
    """`/complaint-pictures/...`."""

    def __init__(self, journal: Journal, clock: Clock, pictures: PictureService, sealing: SealingKeys) -> None:
        self._journal = journal
        self._clock = clock
        self._pictures = pictures
        self._sealing = sealing

    def address(self, origin: str, place: int, digest: str) -> str:
        """Where it can be looked at for an hour."""
        ticket = msgspec.json.encode(_Ticket(place, digest, self._clock.now_ns() + LIFE_NS))
        sealed = base64.urlsafe_b64encode(self._sealing.seal(ticket, _LABEL)).decode().rstrip("=")
        return f"{origin}{PATH}{sealed}"

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is for one."""
        return self.answer if request.path.startswith(PATH) and request.method == "GET" else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The picture; 404 for any other link, and for one whose hour is over."""
        ticket = self._opened(request.path.removeprefix(PATH))
        if ticket is None or ticket.until_ns < self._clock.now_ns():
            return WireAnswer(status=404, headers=_HEADERS)
        try:
            file = await warmed(self._journal, lambda: self._pictures.look(ticket.place, ticket.digest))
        except Refusal:
            return WireAnswer(status=404, headers=_HEADERS)
        return WireAnswer(body=file.content, content_type=file.kind.content_type, headers=_HEADERS)

    def _opened(self, token: str) -> _Ticket | None:
        try:
            sealed = base64.urlsafe_b64decode(token.encode("latin-1") + b"=" * (-len(token) % 4))
            return msgspec.json.decode(self._sealing.unseal(sealed, _LABEL), type=_Ticket)
        except (binascii.Error, ValueError, SealBroken):
            return None
