"""Marketing as a part of an institution's node."""

from contextlib import AsyncExitStack

from hutong.app.host import Machine
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing


async def started_with_marketing(
    institution: InstitutionNode, machine: Machine, zone: str, stack: AsyncExitStack
) -> Marketing:
    """Start an institution, its campaigns' budgets counted before anything is decided; ends when `stack` closes."""
    marketing = Marketing(institution, machine.pool, zone=zone)
    await marketing.start()
    await institution.start(stack)
    marketing.resume()
    return marketing
