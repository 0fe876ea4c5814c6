"""Our settlement account and the proof that customers' money is there, for the institution's operators."""

from typing import Any

import msgspec
from litestar import Router, get, post
from litestar.params import FromQuery

from hutong.institution.settlement.entry import SettlementEntry
from hutong.institution.settlement.proof import SafeguardingProof
from hutong.institution.settlement.safeguarding_proof_service import SafeguardingProofService
from hutong.institution.settlement.service import SettlementService
from hutong.operators.guard import Guard
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime


class ProofView(msgspec.Struct, frozen=True):
    """Whether what customers are owed is covered: by the reserve, the network's debt and the settlement account."""

    day: str
    currency: str
    customers: int
    covered: int
    reserve: int
    clearing: int
    settlement: int
    own_funds: int
    holds: bool


def settlement_routes(
    node: NodeRuntime, settlement: SettlementService, proofs: SafeguardingProofService, operator: Guard
) -> Router:
    """The handlers, behind the operator's guard."""

    @get("/settlement", tags=["Settlement"])
    async def entries(limit: FromQuery[int] = 100) -> list[dict[str, Any]]:
        """Our settlement account at the switch as we booked it, newest entry first."""
        found = await settlement.entries(limit=min(max(1, limit), 1000))
        return [_entry(entry) for entry in found]

    @get("/safeguarding", tags=["Settlement"])
    async def list_proofs() -> list[ProofView]:
        """The proof of each day."""
        return [_proof(proof) for proof in proofs.proofs()]

    @post("/safeguarding", tags=["Settlement"], status_code=200)
    async def prove() -> ProofView:
        """Prove now; it takes the place of today's."""
        proof = await proofs.take()
        await durable(node.journal)
        return _proof(proof)

    return Router("/v1/operator", route_handlers=[entries, list_proofs, prove], guards=[operator])


def _entry(entry: SettlementEntry) -> dict[str, Any]:
    view: dict[str, Any] = msgspec.to_builtins(entry)
    return view | {"id": f"{entry.id:032x}"}


def _proof(proof: SafeguardingProof) -> ProofView:
    return ProofView(
        proof.day,
        proof.currency,
        proof.customers_minor,
        proof.covered_minor,
        proof.reserve_minor,
        proof.clearing_minor,
        proof.settlement_minor,
        proof.own_funds_minor,
        proof.holds,
    )
