"""All pages of the till."""

from litestar.types import ControllerRouterHandler

from hutong.institution.bills.service import BillService
from hutong.institution.node import InstitutionNode
from hutong.web.page import Pages
from hutong.web.staff import STAFF, staff_guard
from hutong.web.till.asking import asking_pages, hearing
from hutong.web.till.counter import Counter
from hutong.web.till.takings import takings_pages


def till_pages(institution: InstitutionNode, pages: Pages, bills: BillService) -> list[ControllerRouterHandler]:
    """What `/till` and everything below it leads to."""
    counter = Counter(institution, pages, bills)
    handlers = [*asking_pages(counter), *takings_pages(counter)]
    return [
        pages.router("/", handlers, STAFF, [staff_guard(institution, pages)]),
        pages.router("/", [hearing(counter)], STAFF, [staff_guard(institution, pages, is_act=False)]),
    ]
