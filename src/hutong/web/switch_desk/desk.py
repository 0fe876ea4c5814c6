"""All pages of the switch's desk."""

from litestar.types import ControllerRouterHandler

from hutong.operators.service import Operators
from hutong.switch.node import SwitchNode
from hutong.web.desk.frame import COMMON_MENU, common_pages
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk, MenuEntry
from hutong.web.page import Pages
from hutong.web.switch_desk.overview import overview_pages
from hutong.web.switch_desk.wordings import WORDINGS

MENU = (
    MenuEntry("overview", HOME, phrase("Overview")),
    *COMMON_MENU,
)


def switch_desk_pages(switch: SwitchNode, operators: Operators, pages: Pages) -> list[ControllerRouterHandler]:
    """`/desk` and everything below it."""
    desk = Desk(switch.node, operators, pages, MENU, reads_noted=False)
    return [*common_pages(desk, WORDINGS), overview_pages(desk, switch)]
