"""All of red packets, wired: what `app` builds, and a node's timer and API talk to."""

from hutong.institution.payments.ports import Notices
from hutong.institution.payments.service import PaymentService
from hutong.institution.policy.policy import Policies
from hutong.marketing.red_packets.claim_service import ClaimService
from hutong.marketing.red_packets.ports import People
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

    async def start(self) -> None:
        """Take up what has not ended; payments have started."""
        await self.packets.start()
        await self.claims.start()

    def tick(self) -> None:
        """What time alone brings about."""
        self.packets.tick()
