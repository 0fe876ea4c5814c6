"""All pages of the switch's desk."""

from litestar.types import ControllerRouterHandler

from hutong.operators.service import Operators
from hutong.switch.node import SwitchNode
from hutong.web.desk.frame import COMMON_MENU, common_pages
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk, MenuEntry
from hutong.web.page import Pages
from hutong.web.switch_desk.directory import directory_pages
from hutong.web.switch_desk.overview import overview_pages
from hutong.web.switch_desk.participants import participant_pages
from hutong.web.switch_desk.payments import Elsewhere, payment_pages
from hutong.web.switch_desk.positions import position_pages
from hutong.web.switch_desk.recalls import recall_pages
from hutong.web.switch_desk.settlement import settlement_pages
from hutong.web.switch_desk.wordings import WORDINGS

MENU = (
    MenuEntry("overview", HOME, phrase("Overview")),
    MenuEntry("participants", f"{HOME}/participants", phrase("Participants")),
    MenuEntry("directory", f"{HOME}/directory", phrase("Try a code")),
    MenuEntry("positions", f"{HOME}/positions", phrase("Positions and caps")),
    MenuEntry("windows", f"{HOME}/windows", phrase("Settlement")),
    MenuEntry("payments", f"{HOME}/payments", phrase("Cleared payments")),
    MenuEntry("recalls", f"{HOME}/recalls", phrase("Recalls")),
    *COMMON_MENU,
)


def switch_desk_pages(
    switch: SwitchNode, operators: Operators, pages: Pages, elsewhere: Elsewhere
) -> list[ControllerRouterHandler]:
    """`/desk` and everything below it."""
    desk = Desk(switch.node, operators, pages, MENU, reads_noted=False)
    return [
        *common_pages(desk, WORDINGS),
        overview_pages(desk, switch),
        participant_pages(desk, switch),
        directory_pages(desk, switch),
        position_pages(desk, switch),
        settlement_pages(desk, switch),
        payment_pages(desk, switch, elsewhere),
        recall_pages(desk, switch),
    ]
