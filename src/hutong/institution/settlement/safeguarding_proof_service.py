"""The institution proves every day that customers' money is there, and keeps what it found."""

import structlog

from hutong.institution.chart import Chart
from hutong.institution.settlement.proof import PROOFS, SafeguardingProof, safeguarding_proof
from hutong.kernel.clock import instant
from hutong.ledger.engine import LedgerEngine
from hutong.runtime.daily import Daily
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf

log = structlog.get_logger()


class SafeguardingProofService:
    """Taken with the first tick of a day, in UTC, and when somebody asks."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, chart: Chart) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = chart
        self._proofs = Shelf(PROOFS, node.journal, node.store, key="day")
        self._daily = Daily(node, self.take)

    async def start(self) -> None:
        """Whether today's was taken already is in the rows."""
        proofs = await self._proofs.load_all()
        self._daily.was_done(max((proof.taken_ns for proof in proofs), default=0))

    def tick(self) -> None:
        self._daily.tick()

    def proofs(self) -> list[SafeguardingProof]:
        """Each day's newest, by day."""
        return self._proofs.everything()

    async def take(self) -> SafeguardingProof:
        """Prove now."""
        now_ns = self._node.clock.now_ns()
        own = [account.id for account in self._chart.accounts()]
        found = {account.id: account for account in await self._ledger.lookup_accounts(own)}
        debits = {id_: found[id_].debits_posted - found[id_].credits_posted if id_ in found else 0 for id_ in own}
        proof = safeguarding_proof(self._chart, debits, instant(now_ns).date().isoformat(), now_ns)
        if not proof.holds:
            log.error("safeguarding_fails", customers=proof.customers_minor, covered=proof.covered_minor)
        self._proofs.put(proof)
        self._node.journal.seal()
        return proof
