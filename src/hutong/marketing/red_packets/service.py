"""All of red packets, wired: what `app` builds, and a node's timer and API talk to."""

from functools import lru_cache

from hutong.codes.plate import PATH, PlateId, read_plate_id
from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_service import ClaimService
from hutong.marketing.red_packets.ports import People
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import RedPacketLimits
from hutong.marketing.red_packets.red_packet_service import RedPacketService


class RedPackets:
    """Packets of people here, and whatever people here claim."""

    def __init__(
        self,
        payments: PaymentService,
        policies: Policies,
        people: People,
        notices: Notices,
        *,
        link_key: bytes,
        plate_base: str,
        limits: RedPacketLimits | None = None,
    ) -> None:
        node, ledger, currency = payments.node, payments.ledger, payments.chart.currency
        self.node = node
        self._own_links = f"{plate_base}{PATH}"
        self.packets = RedPacketService(
            node,
            ledger,
            currency,
            policies,
            people,
            payments.debtor.usages,
            notices,
            link_key=link_key,
            plate_base=plate_base,
            limits=limits,
        )
        self.claims = ClaimService(node, ledger, currency, people, notices, self.packets)

    def own_plate(self, link: str) -> PlateId:
        """What a link of ours names. Refuses RED_PACKET_ELSEWHERE, and a plate that can't be read."""
        return _plate(link.strip(), self._own_links)

    async def start(self) -> None:
        """Take up what has not ended; payments have started."""
        await self.packets.start()
        await self.claims.start()

    def tick(self) -> None:
        """What time alone brings about."""
        self.packets.tick()


@lru_cache(10_000)
def _plate(link: str, own_links: str) -> PlateId:
    if not link.startswith(own_links):
        raise Refusal(RedPacketReason.RED_PACKET_ELSEWHERE)
    return read_plate_id(link.removeprefix(own_links))
