"""`POST /v1/me/red-packets/claims`, from bytes to bytes: thousands open one packet in the same second."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.red_packet import RedPacket, RedPacketClaim
from hutong.marketing.red_packets.service import RedPackets
from hutong.marketing.red_packets.views import ClaimView, PacketLink, claim_view
from hutong.runtime.http import HotRequest, HttpReason, decode_refusal
from hutong.runtime.journal import JournalHalted
from hutong.runtime.rate_limit import HotCount

METHOD_AND_PATH = ("POST", "/v1/me/red-packets/claims")


class Session(Protocol):
    """Who is logged in."""

    @property
    def user_id(self) -> int: ...


_decode = msgspec.json.Decoder(PacketLink).decode
_encode = msgspec.json.Encoder().encode


class ClaimEndpoint:
    """The hot handler. 200: the share is the claimant's. Any other answer is a refusal before anything was written."""

    def __init__(self, red_packets: RedPackets, session_of: Callable[[str], Session]) -> None:
        self._red_packets = red_packets
        self._node = red_packets.node
        self._session_of = session_of
        self._count = HotCount(self._node.clock)

    def __call__(self, request: HotRequest) -> None:
        try:
            self._node.decide(partial(self._claim, request), partial(_failed, request))
        except JournalHalted as halted:
            request.refuse(halted)

    def _claim(self, request: HotRequest) -> None:
        try:
            session = self._session_of(request.bearer_token())
            self._count.check(session.user_id)
            link = _decode(request.body).link
            if not self._red_packets.is_ours(link):
                self._node.spawn(self._elsewhere(request, session.user_id, link))
                return
            plate = self._red_packets.own_plate(link)
            self._red_packets.claims.claim(session.user_id, plate, partial(_answer, request))
        except msgspec.DecodeError as error:
            request.refuse(decode_refusal(error))
        except UnicodeDecodeError:
            request.refuse(Refusal(HttpReason.BODY_MALFORMED, problem="not UTF-8"))
        except Refusal as refusal:
            # What it is based on may not be durable yet, such as the last share.
            self._node.journal.effect(partial(request.refuse, refusal))

    async def _elsewhere(self, request: HotRequest, user_id: int, link: str) -> None:
        """Another institution's packet: it is asked, and whoever waits for that is not in the way of the others."""
        try:
            request.respond(200, _encode(await self._red_packets.claim(user_id, link)))
        except Exception as error:  # noqa: BLE001  # Whoever asked hears of it, whatever it is.
            _failed(request, error)


def _failed(request: HotRequest, error: Exception) -> None:
    if not request.answered:
        request.refuse(error)


def _answer(request: HotRequest, packet: RedPacket, claim: RedPacketClaim) -> None:
    view: ClaimView = claim_view(packet, claim)
    request.respond(200, _encode(view))
