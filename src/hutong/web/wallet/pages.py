"""All pages of the wallet, in the order of its parts."""

from collections.abc import Mapping

from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.web.page import Pages
from hutong.web.wallet.app import app_pages
from hutong.web.wallet.bills import bills_pages
from hutong.web.wallet.cards import cards_pages
from hutong.web.wallet.code import code_pages
from hutong.web.wallet.door import door_pages
from hutong.web.wallet.home import home_pages
from hutong.web.wallet.limits import limits_pages
from hutong.web.wallet.mandates import mandates_pages
from hutong.web.wallet.pay import Paying, pay_pages
from hutong.web.wallet.receive import receive_pages
from hutong.web.wallet.scan import scan_pages
from hutong.web.wallet.settings import settings_pages


def wallet_pages(institution: InstitutionNode, pages: Pages, names: Mapping[str, str]) -> list[ControllerRouterHandler]:
    """What `/wallet` and everything below it leads to. `names` are those of the network's institutions, by node."""
    paying = Paying(institution, pages, names)
    areas = (
        *(door_pages, home_pages, bills_pages, cards_pages, limits_pages, mandates_pages, settings_pages),
        *(scan_pages, receive_pages),
    )
    return [
        *(handler for area in areas for handler in area(institution, pages)),
        *pay_pages(institution, pages, paying),
        *code_pages(institution, pages, paying),
        *app_pages(pages),
    ]
