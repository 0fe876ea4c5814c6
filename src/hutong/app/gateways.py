"""The gateways as a part of an institution's node."""

from typing import Any, Protocol

from hutong.app.network import NodeSpec
from hutong.app.secrets import NodeSecrets
from hutong.gateways.gateways import Gateways
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import SystemClock
from hutong.marketing.marketing import Marketing


class Place(Protocol):
    """Where the node is. `sandbox` is None in production."""

    @property
    def spec(self) -> NodeSpec: ...
    @property
    def secrets(self) -> NodeSecrets: ...
    @property
    def sandbox(self) -> Any: ...
    @property
    def shown_url(self) -> str: ...


async def gateways_of(place: Place, institution: InstitutionNode, marketing: Marketing) -> Gateways:
    """The gateways upon an institution that has not started yet, having loaded what they know."""
    gateways = Gateways(
        institution,
        marketing,
        name=place.spec.name,
        payer_key=place.secrets.merchant_pepper,  # A key that is never renewed: merchants keep these ids for years.
        sandbox=place.sandbox is not None,
        wall=SystemClock(),  # Merchants' software has the machine's clock, also where the network's was put forward.
    )
    if place.sandbox is not None:
        gateways.orders.pages_at = lambda: place.shown_url  # Plates of a demo lead to a name that nobody has.
    await gateways.start()
    return gateways
