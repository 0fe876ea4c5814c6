"""All pages of invitations: in the wallet, behind a link, and at the institution's desk."""

from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.marketing.invitations.desk_service import InvitationDesk
from hutong.web.institution_desk.invitations import invitation_desk_pages
from hutong.web.page import Pages
from hutong.web.wallet.invite import invite_pages


def invitation_pages(
    institution: InstitutionNode, pages: Pages, inviting: InvitationDesk
) -> list[ControllerRouterHandler]:
    """`/wallet/invite`, `/i/<code>` and `/desk/invitations`."""
    return [*invite_pages(institution, pages, inviting), invitation_desk_pages(institution, pages, inviting)]
