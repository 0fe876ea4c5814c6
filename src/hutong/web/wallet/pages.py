"""All pages of the wallet."""

from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.web.page import Pages
from hutong.web.wallet.bills import bills_pages
from hutong.web.wallet.cards import cards_pages
from hutong.web.wallet.door import door_pages
from hutong.web.wallet.home import home_pages
from hutong.web.wallet.limits import limits_pages
from hutong.web.wallet.mandates import mandates_pages
from hutong.web.wallet.settings import settings_pages


def wallet_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """What `/wallet` and everything below it leads to."""
    areas = (door_pages, home_pages, bills_pages, cards_pages, limits_pages, mandates_pages, settings_pages)
    return [handler for area in areas for handler in area(institution, pages)]
