"""All pages of the wallet."""

from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.web.page import Pages
from hutong.web.wallet.bills import bills_pages
from hutong.web.wallet.door import door_pages
from hutong.web.wallet.home import home_pages


def wallet_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """What `/wallet` and everything below it leads to."""
    return [*door_pages(institution, pages), *home_pages(institution, pages), *bills_pages(institution, pages)]
