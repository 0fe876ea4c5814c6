"""What a node of a network for trying out knows of the others in its process: where they are, and what they wrote down."""

from contextlib import suppress
from functools import partial

from hutong.app.network import Network
from hutong.app.site import Site
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import warmed
from hutong.scheme.standing import Moment
from hutong.web.front import Neighbour
from hutong.web.landing import WalletLink

_SCAN = "/wallet/scan?code={code}"  # Where a wallet's own pages take up a code.


def neighbours(site: Site, network: Network) -> list[Neighbour]:
    """The institutions of the network that have pages, where those are, and who lives there."""
    running = {each.spec.node: each for each in site.neighbours()}
    found = []
    for spec in network.institutions:
        there = running.get(spec.node)
        url = there.shown_url if there is not None else spec.url
        if url:
            sandbox = None if there is None else there.sandbox
            found.append(Neighbour(spec.node, spec.name, url, spec.colour, sandbox))
    return found


async def written_elsewhere(site: Site, payment_id: int) -> list[Moment]:
    """What the institutions of this process wrote down of a payment; one that never heard of it says nothing."""
    found: list[Moment] = []
    for each in site.neighbours():
        institution = each.node
        if isinstance(institution, InstitutionNode):
            oversight = institution.payments.oversight
            with suppress(Refusal):
                found += await warmed(institution.node.journal, partial(oversight.story, payment_id))
    return found


def wallets(site: Site, network: Network) -> list[WalletLink]:
    """
    The wallets a payer may choose from: where the network is for trying out, their pages; else their apps.

    An institution without an app has its own pages all the same, where its plates lead.
    """
    here = [WalletLink(each.spec.name, f"{each.shown_url}{_SCAN}") for each in site.neighbours() if each.is_wallet]
    own = [] if site.spec.app_link else [WalletLink(site.spec.name, f"{site.spec.plate_base}{_SCAN}")]
    return here or own + [WalletLink(spec.name, spec.app_link) for spec in network.institutions if spec.app_link]
