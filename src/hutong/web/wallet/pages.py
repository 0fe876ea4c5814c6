"""All pages of the wallet."""

from collections.abc import Mapping

from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.web.page import Pages
from hutong.web.wallet.app import app_pages
from hutong.web.wallet.bills import bills_pages
from hutong.web.wallet.cards import cards_pages
from hutong.web.wallet.code import code_pages
from hutong.web.wallet.complaints import complaints_pages
from hutong.web.wallet.consents import Consents, consents_pages
from hutong.web.wallet.door import door_pages
from hutong.web.wallet.home import home_pages
from hutong.web.wallet.limits import limits_pages
from hutong.web.wallet.mandates import mandates_pages
from hutong.web.wallet.pay import Paying, pay_pages
from hutong.web.wallet.receive import receive_pages
from hutong.web.wallet.red_packets import Waiting, nothing_waits
from hutong.web.wallet.scan import scan_pages
from hutong.web.wallet.settings import settings_pages
from hutong.web.wallet.transfers import Sending, transfers_pages


def wallet_pages(
    institution: InstitutionNode,
    pages: Pages,
    names: Mapping[str, str],
    consents: Consents,
    sending: Sending,
    waiting: Waiting = nothing_waits,
) -> list[ControllerRouterHandler]:
    """What `/wallet` and everything below it leads to. `names` are those of the network's institutions, by node."""
    paying = Paying(institution, pages, names)
    return [
        *door_pages(institution, pages),
        *home_pages(institution, pages, waiting),
        *bills_pages(institution, pages),
        *complaints_pages(institution, pages),
        *scan_pages(institution, pages),
        *pay_pages(institution, pages, paying),
        *code_pages(institution, pages, paying, consents),
        *receive_pages(institution, pages),
        *cards_pages(institution, pages, names),
        *mandates_pages(institution, pages, names),
        *consents_pages(institution, pages, names, consents),
        *transfers_pages(institution, pages, sending),
        *limits_pages(institution, pages),
        *settings_pages(institution, pages),
        *app_pages(pages),
    ]
