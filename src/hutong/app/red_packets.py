"""Red packets of an institution, wired: their services, their routes, and what else they take part in."""

from functools import partial

from litestar import Router

from hutong.app.secrets import NodeSecrets
from hutong.codes.code import CodeReason
from hutong.institution.node import HeldOf, InstitutionNode
from hutong.institution.people.service import PeopleService
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.marketing.red_packets.api import packet_routes
from hutong.marketing.red_packets.hot_api import METHOD_AND_PATH, ClaimEndpoint
from hutong.marketing.red_packets.service import RedPackets
from hutong.runtime.http import HotHandler


class _People:
    """The people service, as red packets need it."""

    def __init__(self, people: PeopleService) -> None:
        self.user = people.user
        self.check_pin_token = people.check_pin_token
        self._codes = people.codes

    def own_code(self, user_id: int) -> str:
        """A code by which this person is paid any amount; one is made for who has none."""
        codes = self._codes.personal_codes(user_id)
        for code in codes:
            if code.active and not code.amount:
                return self._codes.plate_text(code)
        # Named by how many there were, so that looking things up and deciding again makes the same one.
        code_id = derive(user_id, f"red packets/{len(codes)}")
        return self._codes.plate_text(self._codes.make_personal_code(user_id, code_id))


def red_packets_of(institution: InstitutionNode, secrets: NodeSecrets, plate_base: str) -> RedPackets:
    """Build them, before the institution starts; `RedPackets.start` is called behind it."""
    red_packets = RedPackets(
        institution.payments,
        institution.policies,
        _People(institution.people),
        institution.notices,
        link_key=secrets.merchant_pepper,  # A key that is never renewed: a link leads to its packet for good.
        plate_base=plate_base,
    )
    institution.held_of = partial(_held, institution.held_of, red_packets)
    institution.on_tick.append(red_packets.tick)
    return red_packets


def red_packet_routes(institution: InstitutionNode, red_packets: RedPackets) -> Router:
    """The API."""

    def recipient(code: str) -> int:
        resolved = institution.requests.resolve(code)
        if resolved is None or not resolved.payee.user_id:
            raise Refusal(CodeReason.CODE_UNKNOWN, field="to_code")
        return resolved.payee.user_id

    return packet_routes(red_packets, institution.people, recipient)


def hot_claims(institution: InstitutionNode, red_packets: RedPackets) -> dict[tuple[str, str], HotHandler]:
    """What is answered beside the application."""
    return {METHOD_AND_PATH: ClaimEndpoint(red_packets, institution.people.session)}


async def _held(before: HeldOf | None, red_packets: RedPackets, user_id: int) -> int:
    """What merchants hold of a person's money, and what is in the person's packets."""
    held = await before(user_id) if before is not None else 0
    return held + await red_packets.packets.held_of(user_id)
