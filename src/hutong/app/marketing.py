"""Marketing as a part of an institution's node."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from litestar.types import ControllerRouterHandler

from hutong.app.host import Machine
from hutong.app.network import NodeSpec
from hutong.institution.node import InstitutionNode, InstitutionSettings
from hutong.marketing.invitations.api import invitation_routes
from hutong.marketing.invitations.desk_service import InvitationDesk
from hutong.marketing.marketing import Marketing
from hutong.operators.guard import Guard
from hutong.web.invitations import invitation_pages
from hutong.web.page import Pages
from hutong.web.sandbox import Sandbox
from hutong.web.wallet.coupons import coupon_pages
from hutong.web.wallet.draws import award_label, draw_pages


async def marketing_of(institution: InstitutionNode, machine: Machine, settings: InstitutionSettings) -> Marketing:
    """Marketing upon an institution that has not started yet, its budgets counted."""
    marketing = Marketing(institution, machine.pool, key=settings.merchant_pepper, zone=settings.zone)
    await marketing.start()
    return marketing


class Place(Protocol):
    """Where the institution is."""

    @property
    def spec(self) -> NodeSpec: ...
    @property
    def sandbox(self) -> Sandbox | None: ...
    @property
    def shown_url(self) -> str: ...


def marketing_handlers(
    marketing: Marketing, pages: Pages, operator_only: Guard, place: Place, names: Mapping[str, str]
) -> list[ControllerRouterHandler]:
    """What people, merchants and operators ask of it, over HTTP and on pages. `names` are those of all institutions, by node."""
    institution = marketing.institution
    links, met_by = partial(_links, place), marketing.campaigns.met_by
    inviting = InvitationDesk(marketing.invitations, institution.people, links)
    label_of = award_label(marketing.coupons.redemptions.name, lambda id_: marketing.campaigns.campaign(id_).name)
    return [
        *marketing.routes(operator_only),
        *invitation_routes(marketing.node, inviting, operator_only),
        *invitation_pages(institution, pages, inviting),
        *coupon_pages(institution, pages, marketing.coupon_edge, marketing.campaigns, names),
        *draw_pages(institution, pages, marketing.records, met_by, label_of, links),
    ]


def _links(place: Place) -> str:
    """Where the institution's links lead: in a network for trying out its name is one that nobody has."""
    return place.spec.plate_base if place.sandbox is None else place.shown_url
