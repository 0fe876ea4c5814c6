"""Red packets of an institution, wired: their services, their routes, and what else they take part in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar.types import ControllerRouterHandler

from hutong.app.secrets import NodeSecrets
from hutong.codes.code import CodeReason
from hutong.institution.node import HeldOf, InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.api import packet_routes
from hutong.marketing.red_packets.hot_api import METHOD_AND_PATH, ClaimEndpoint
from hutong.marketing.red_packets.own_people_service import OwnPeople
from hutong.marketing.red_packets.red_packet import RedPacket
from hutong.marketing.red_packets.service import RedPackets
from hutong.runtime.http import HotHandler
from hutong.runtime.shelf import warmed
from hutong.web.page import Pages
from hutong.web.wallet.red_packets import red_packet_pages


def red_packets_of(institution: InstitutionNode, secrets: NodeSecrets, plate_base: str) -> RedPackets:
    """Build them, before the institution starts; `RedPackets.start` is called behind it."""
    red_packets = RedPackets(
        institution.payments,
        institution.policies,
        OwnPeople(institution.people),
        institution.notices,
        link_key=secrets.merchant_pepper,  # A key that is never renewed: a link leads to its packet for good.
        plate_base=plate_base,
    )
    institution.held_of = partial(_held, institution.held_of, red_packets)
    institution.on_tick.append(red_packets.tick)
    return red_packets


@dataclass(frozen=True, slots=True)
class Gift:
    """What the page behind a packet's link says."""

    name: str
    remark: str
    currency: str
    shop_name: str = ""
    amount: int = 0
    is_gift: bool = True


async def gift_of(red_packets: RedPackets, otherwise: Callable[[str], Awaitable[Any]], code: str) -> Any:
    """What stands on a red packet of ours; of every other code whatever `otherwise` says. Refuses what can't be opened."""
    try:
        return await otherwise(code)
    except Refusal as refusal:
        if refusal.reason is not CodeReason.CODE_IS_RED_PACKET:
            raise

    def found() -> RedPacket:
        packet = red_packets.packets.found(red_packets.own_plate(code))
        red_packets.packets.check_open(packet)
        return packet

    packet = await warmed(red_packets.node.journal, found)
    return Gift(packet.sender_name, packet.greeting, packet.currency)


def red_packet_routes(
    institution: InstitutionNode, red_packets: RedPackets, pages: Pages, names: Mapping[str, str]
) -> list[ControllerRouterHandler]:
    """The API, and the wallet's pages."""

    def recipient(code: str) -> int:
        resolved = institution.requests.resolve(code)
        if resolved is None or not resolved.payee.user_id:
            raise Refusal(CodeReason.CODE_UNKNOWN, field="to_code")
        return resolved.payee.user_id

    return [
        packet_routes(red_packets, institution.people, recipient),
        *red_packet_pages(institution, pages, red_packets, names),
    ]


def hot_claims(institution: InstitutionNode, red_packets: RedPackets) -> dict[tuple[str, str], HotHandler]:
    """What is answered beside the application."""
    return {METHOD_AND_PATH: ClaimEndpoint(red_packets, institution.people.session)}


async def _held(before: HeldOf | None, red_packets: RedPackets, user_id: int) -> int:
    """What merchants hold of a person's money, and what is in the person's packets."""
    held = await before(user_id) if before is not None else 0
    return held + await red_packets.packets.held_of(user_id)
