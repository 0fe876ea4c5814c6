"""The switch proves its books every day, and keeps what it found."""

import structlog

from hutong.kernel.clock import instant
from hutong.runtime.daily import Daily
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.switch.policy import ClearingPolicy
from hutong.switch.position_service import PositionService
from hutong.switch.settlement.proof import SwitchProof, switch_proof
from hutong.switch.settlement.repository import PROOFS

log = structlog.get_logger()


class SwitchProofService:
    """Taken with the first tick of a day, in UTC, and when somebody asks."""

    def __init__(self, node: NodeRuntime, positions: PositionService, policy: ClearingPolicy) -> None:
        self._node = node
        self._positions = positions
        self._policy = policy
        self._proofs = Shelf(PROOFS, node.journal, node.store, key="key")
        self._daily = Daily(node, self.take)

    async def start(self) -> None:
        """Whether today's was taken already is in the rows."""
        proofs = await self._proofs.load_all()
        self._daily.was_done(max((proof.taken_ns for proof in proofs), default=0))

    def tick(self) -> None:
        self._daily.tick()

    def proofs(self) -> list[SwitchProof]:
        """Each day's newest, by day."""
        return self._proofs.everything()

    async def take(self) -> list[SwitchProof]:
        """Prove now."""
        now_ns = self._node.clock.now_ns()
        taken = []
        for currency in sorted(self._policy.currencies):
            proof = switch_proof(await self._positions.books(currency), instant(now_ns).date().isoformat(), now_ns)
            if not proof.holds:
                log.error("safeguarding_fails", currency=currency)
            self._proofs.put(proof)
            taken.append(proof)
        self._node.journal.seal()
        return taken
