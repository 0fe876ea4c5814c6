"""All pages of a node, by its kind: what the composition root plugs into its server."""

from collections.abc import Callable, Mapping, Sequence

from litestar.types import ControllerRouterHandler

from hutong.institution.bills.service import BillService
from hutong.institution.node import InstitutionNode
from hutong.marketing.marketing import Marketing
from hutong.operators.service import Operators
from hutong.runtime.pool import WorkerPool
from hutong.switch.node import SwitchNode
from hutong.web.console.callbacks import Callbacks
from hutong.web.console.gateways import GatewayAccounts
from hutong.web.console.pages import console_pages
from hutong.web.front import INSTITUTION_DOORS, SPONSORS_DOOR, SWITCH_DOORS, Neighbour, front_pages
from hutong.web.institution_desk.desk import institution_desk_pages
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.page import Pages
from hutong.web.sponsor.pages import sponsor_pages
from hutong.web.staff import staff_pages
from hutong.web.switch_desk.desk import switch_desk_pages
from hutong.web.switch_desk.payments import Elsewhere, nobody_else
from hutong.web.till.pages import till_pages
from hutong.web.wallet.consents import Consents
from hutong.web.wallet.pages import wallet_pages
from hutong.web.wallet.red_packets import Waiting, nothing_waits
from hutong.web.wallet.transfers import Sending


def institution_pages(
    institution: InstitutionNode,
    pages: Pages,
    bills: BillService,
    pool: WorkerPool,
    names: Mapping[str, str],
    desk: DeskParts,
    consents: Consents,
    sending: Sending,
    gateways: GatewayAccounts,
    callbacks: Callbacks | None = None,
    marketing: Marketing | None = None,
    waiting: Waiting = nothing_waits,
) -> list[ControllerRouterHandler]:
    """What an institution's users, merchants and operators open. `names` are those of all institutions, by node."""
    doors = INSTITUTION_DOORS if marketing is None else (*INSTITUTION_DOORS[:-1], SPONSORS_DOOR, INSTITUTION_DOORS[-1])
    return [
        *front_pages(pages, doors),
        *wallet_pages(institution, pages, names, consents, sending, waiting),
        *institution_desk_pages(desk, pages, marketing),
        *staff_pages(institution, pages),
        *till_pages(institution, pages, bills),
        *console_pages(institution, pages, bills, pool, gateways, callbacks, marketing),
        *([] if marketing is None else sponsor_pages(marketing, pages)),
    ]


def switch_pages(
    switch: SwitchNode,
    operators: Operators,
    pages: Pages,
    neighbours: Callable[[], Sequence[Neighbour]],
    elsewhere: Elsewhere = nobody_else,
) -> list[ControllerRouterHandler]:
    """What the scheme's operators open, and the network's first page."""
    return [*front_pages(pages, SWITCH_DOORS, neighbours), *switch_desk_pages(switch, operators, pages, elsewhere)]
