"""Marketing as a part of an institution's node."""

from hutong.app.host import Machine
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing


async def marketing_of(institution: InstitutionNode, machine: Machine, zone: str) -> Marketing:
    """Marketing upon an institution that has not started yet, its budgets counted."""
    marketing = Marketing(institution, machine.pool, zone=zone)
    await marketing.start()
    return marketing
