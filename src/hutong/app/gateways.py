"""The gateways as a part of an institution's node."""

from collections.abc import Callable

from hutong.gateways.gateways import Gateways
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import SystemClock
from hutong.marketing.marketing import Marketing


async def gateways_of(
    institution: InstitutionNode,
    marketing: Marketing,
    *,
    name: str,
    payer_key: bytes,
    pages_at: Callable[[], str] | None,
) -> Gateways:
    """
    The gateways upon an institution that has not started yet, having loaded what they know.

    `payer_key` is never renewed: merchants keep these ids for years. `pages_at` is of a network for trying out, where plates
    lead to a name that nobody has.
    """
    gateways = Gateways(
        institution,
        marketing,
        name=name,
        payer_key=payer_key,
        sandbox=pages_at is not None,
        wall=SystemClock(),  # Merchants' software has the machine's clock, also where the network's was put forward.
    )
    gateways.orders.pages_at = pages_at
    await gateways.start()
    return gateways
