"""Red packets (红包) in the wallet: filled, handed on by a link or picture, opened, and who got what."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.codes.code import CodeReason
from hutong.codes.picture import QUIET_ZONE, qr_symbol
from hutong.codes.plate import PlateKind, read_plate
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.red_packets.api import whom
from hutong.marketing.red_packets.red_packet import (
    GREETING_LENGTH_MAX,
    PACKET_PREFIX,
    ClaimState,
    PacketDraft,
    PacketState,
    RedPacket,
    RedPacketClaim,
    person_key,
)
from hutong.marketing.red_packets.service import RedPackets
from hutong.marketing.red_packets.split import SplitKind
from hutong.marketing.red_packets.views import LookView
from hutong.runtime.shelf import decided, warmed
from hutong.web.form import Form
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, wallet_guard

HOME = "/wallet/red-packets"
_SHOWN_MAX = 200
_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,18}")
STATES = {
    PacketState.OPENING: (phrase("Under way"), "warn"),
    PacketState.OPEN: (phrase("Can be opened"), "good"),
    PacketState.EMPTY: (phrase("All claimed"), ""),
    PacketState.EXPIRED: (phrase("Over"), ""),
    PacketState.FAILED: (phrase("Not done"), "bad"),
}
_ON_ITS_WAY = phrase("On its way")


Waiting = Callable[[int], Awaitable[Sequence[RedPacket]]]


def waiting_of(red_packets: RedPackets) -> Waiting:
    """The packets that are for a person alone, and still to be opened."""

    async def waiting(user_id: int) -> Sequence[RedPacket]:
        return await decided(red_packets.node.journal, partial(red_packets.packets.waiting, user_id))

    return waiting


async def nothing_waits(_user_id: int) -> Sequence[RedPacket]:
    """Where nobody gives red packets."""
    return ()


def open_path(text: str) -> str:
    """Where a scanned red packet is opened; empty for every other code."""
    try:
        is_packet = read_plate(text).id.kind is PlateKind.RED_PACKET
    except Refusal:
        return ""
    return f"{HOME}/open?{urlencode({'link': text})}" if is_packet else ""


class _Giving:
    """What the handlers share."""

    def __init__(
        self, institution: InstitutionNode, pages: Pages, red_packets: RedPackets, names: Mapping[str, str]
    ) -> None:
        self.institution = institution
        self.pages = pages
        self.red_packets = red_packets
        self.names = names
        self.packets = red_packets.packets
        self.journal = institution.node.journal

    def new(self, request: AnyRequest, refusal: Refusal | None = None, **typed: Any) -> Response[str]:
        """The form of a new packet. Its id is minted here: sending the form again fills nothing twice."""
        values = {
            "id": id_text(PACKET_PREFIX, self.institution.node.mint.mint()),
            "amount": "",
            "count": "5",
            "greeting": "",
            "to": "",
            "kind": SplitKind.LUCKY.value,
        } | typed
        needs_pin = bool(typed.get("pin_asked")) or (refusal is not None and refusal.reason is PaymentReason.PIN_NEEDED)
        count_max, greeting_max = self.packets.limits.count_max, GREETING_LENGTH_MAX
        return self.pages.shown(
            request,
            "wallet/red_packet_new.html",
            None if needs_pin and refusal is not None and refusal.reason is PaymentReason.PIN_NEEDED else refusal,
            nav="packets",
            typed=values,
            needs_pin=needs_pin,
            count_max=count_max,
            greeting_max=greeting_max,
        )

    async def filled(self, user_id: int, form: Form) -> RedPacket:
        """The packet of a form. Refuses as `RedPacketService.create`, and BALANCE_INSUFFICIENT."""
        packet_id = parse_id(PACKET_PREFIX, form.needed("id", length_max=40))
        to = form.text("to", length_max=CODE_LENGTH_MAX)
        count = 1 if to else form.number("count", least=1, most=self.packets.limits.count_max)
        is_equal = form.text("kind") == SplitKind.EQUAL.value
        typed = form.amount("amount")
        amount = typed * count if is_equal else typed
        pin = form.text("pin", length_max=12)
        token = ""
        if pin:
            creditor = id_text(PACKET_PREFIX, packet_id)
            token = await self.institution.people.pin_token(user_id, pin, packet_id, amount, creditor)

        here, there = await whom(self.red_packets, self.recipient, to, "to")

        def draft() -> PacketDraft:
            return PacketDraft(
                packet_id=packet_id,
                kind=SplitKind.EQUAL if is_equal else SplitKind.LUCKY,
                amount=amount,
                count=count,
                greeting=form.text("greeting"),
                to_user_id=here,
                to_elsewhere=there,
                pin_token=token,
            )

        packet = await self.red_packets.create(user_id, draft)
        if packet.state == PacketState.FAILED:
            raise Refusal(PaymentReason.BALANCE_INSUFFICIENT, field="amount")
        return packet

    def recipient(self, text: str) -> int:
        """
        Whose telephone number or personal code of ours this is; a code of another institution is asked for there.

        Refuses:  PHONE_MALFORMED and what finding somebody by it refuses; CODE_UNKNOWN, for every other code.
        """
        if _PHONE.fullmatch(text):
            return self.institution.people.user_on(text).id
        resolved = self.institution.requests.resolve(text)
        if resolved is None or not resolved.payee.user_id:
            raise Refusal(CodeReason.CODE_UNKNOWN, field="to")
        return resolved.payee.user_id

    async def name_of(self, user_id: int) -> str:
        """A person's name as others see it."""
        return (await warmed(self.journal, lambda: self.institution.people.user(user_id))).masked_name

    async def _may_open(self, user_id: int, look: LookView) -> bool:
        """Whether a sender may open this packet, too: one for several, in time."""
        seen = partial(self.packets.seen, user_id, parse_id(PACKET_PREFIX, look.packet_id))
        packet, _ = await decided(self.journal, seen)
        return look.state is PacketState.OPEN and packet.count > 1 and self.packets.limits.sender_may_claim

    async def opening(self, request: AnyRequest, link: str, refusal: Refusal | None = None) -> Response[Any]:
        """A packet before it is opened, and behind. Of one's own that is not to be opened, what became of it."""
        user_id = request.auth.user_id
        look = await self.red_packets.look(user_id, link)
        claimed = look.claimed
        if claimed is not None and claimed.packet_id:
            return self.pages.go(f"{HOME}/{claimed.packet_id}")
        if look.is_mine and not await self._may_open(user_id, look):
            return self.pages.go(f"{HOME}/{look.packet_id}")
        _ = self.pages.words(request)
        state = _ON_ITS_WAY if claimed is not None and claimed.state is ClaimState.SENDING else ""
        return self.pages.shown(
            request, "wallet/red_packet_open.html", refusal, nav="packets", look=look, link=link, way=state and _(state)
        )


def red_packet_pages(
    institution: InstitutionNode, pages: Pages, red_packets: RedPackets, names: Mapping[str, str]
) -> list[ControllerRouterHandler]:
    """`/wallet/red-packets` and everything below it. `names` are those of all institutions, by node."""
    giving = _Giving(institution, pages, red_packets, names)
    handlers = [*_listed(giving), *_handed_on(giving)]
    return [pages.router("/", handlers, WALLET, [wallet_guard(institution, pages)])]


def _listed(giving: _Giving) -> list[ControllerRouterHandler]:
    """All packets of a person, and one of them."""
    pages, packets, journal = giving.pages, giving.packets, giving.journal

    @get(HOME)
    async def home(request: AnyRequest) -> Response[str]:
        user_id = request.auth.user_id
        sent = await decided(journal, partial(packets.sent, user_id))
        waiting = await decided(journal, partial(packets.waiting, user_id))
        received = await giving.red_packets.received(user_id)
        _ = pages.words(request)
        return pages.render(
            request,
            "wallet/red_packets.html",
            nav="packets",
            sent=[(each, _(STATES[packets.state_now(each)][0]), STATES[packets.state_now(each)][1]) for each in sent],
            waiting=[(each, packets.link(each)) for each in waiting],
            received=received,
        )

    @get(f"{HOME}/{{packet_id:str}}")
    async def show(request: AnyRequest, packet_id: FromPath[str]) -> Response[str]:
        user_id, id_ = request.auth.user_id, parse_id(PACKET_PREFIX, packet_id)
        packet, claims = await decided(journal, partial(packets.seen, user_id, id_))
        key = person_key(packet.id, user_id)
        is_mine = packet.sender_id == user_id
        named = await giving.name_of(packet.to_user_id) if is_mine and packet.to_user_id is not None else ""
        link = packets.link(packet) if is_mine and packet.to_user_id is None else ""
        state = packets.state_now(packet)
        return pages.render(
            request,
            "wallet/red_packet.html",
            nav="packets",
            packet=packet,
            claims=claims[:_SHOWN_MAX],
            mine=key,
            whom=named or (packet.to_name if is_mine else ""),
            there=giving.names.get(packet.to_agent, packet.to_agent) if is_mine else "",
            names=giving.names,
            claimed=len(claims),
            claimed_amount=sum(each.amount for each in claims),
            luckiest=_luckiest(packet, claims),
            got=next((each for each in claims if each.claimant_key == key), None),
            is_mine=is_mine,
            is_open=state is PacketState.OPEN,
            state=pages.words(request)(STATES[state][0]),
            tone=STATES[state][1],
            link=link,
            picture=_picture(link) if link and state is PacketState.OPEN else "",
        )

    return [home, show]


def _handed_on(giving: _Giving) -> list[ControllerRouterHandler]:
    """Filling a packet, and opening one."""
    pages = giving.pages

    @get(f"{HOME}/new")
    async def new(request: AnyRequest) -> Response[str]:
        return giving.new(request)

    @post(HOME, status_code=200)
    async def fill(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        try:
            packet = await giving.filled(request.auth.user_id, form)
        except Refusal as refusal:
            names = ("id", "amount", "count", "greeting", "to", "kind")
            typed = {name: form.text(name) for name in names} | {"pin_asked": form.text("pin")}
            if refusal.reason is PaymentReason.BALANCE_INSUFFICIENT:
                del typed["id"]  # That one has failed for good: what is sent next is another.
            return giving.new(request, refusal, **typed)
        return pages.go(f"{HOME}/{packet.creditor}")

    @get(f"{HOME}/open")
    async def cover(request: AnyRequest) -> Response[Any]:
        return await giving.opening(request, request.query_params.get("link", "")[: CODE_LENGTH_MAX + 1])

    @post(f"{HOME}/open", status_code=200)
    async def take(request: AnyRequest) -> Response[Any]:
        form = await pages.form(request)
        link = form.needed("link", length_max=CODE_LENGTH_MAX)
        try:
            claimed = await giving.red_packets.claim(request.auth.user_id, link)
        except Refusal as refusal:
            return await giving.opening(request, link, refusal)
        if claimed.packet_id:
            return pages.go(f"{HOME}/{claimed.packet_id}")
        return pages.go(f"{HOME}/open?{urlencode({'link': link})}")

    return [new, fill, cover, take]


def _luckiest(packet: RedPacket, claims: Sequence[RedPacketClaim]) -> int:
    """The greatest share of a packet by luck that is over; 0 where nobody is luckier than others."""
    is_told = packet.kind == SplitKind.LUCKY and packet.is_over and packet.count > 1
    return max((each.amount for each in claims), default=0) if is_told else 0


def _picture(text: str) -> Markup:
    """The picture as an element of the page, as large as the page wants it."""
    return Markup(qr_symbol(text).svg_inline(border=QUIET_ZONE, light="white", omitsize=True))  # noqa: S704  # Our own.
