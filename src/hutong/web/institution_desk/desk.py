"""All pages of the institution's desk."""

from litestar.types import ControllerRouterHandler

from hutong.marketing.marketing import Marketing
from hutong.web.desk.frame import COMMON_MENU, common_pages
from hutong.web.institution_desk.applications import application_pages
from hutong.web.institution_desk.apply import apply_pages
from hutong.web.institution_desk.campaign_traits import trait_pages
from hutong.web.institution_desk.campaigns import campaign_pages
from hutong.web.institution_desk.cases import case_pages
from hutong.web.institution_desk.complaints import complaint_pages
from hutong.web.institution_desk.ledger import ledger_pages
from hutong.web.institution_desk.merchants import merchant_pages
from hutong.web.institution_desk.overview import overview_pages
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.payments import payment_pages
from hutong.web.institution_desk.policies import policy_pages
from hutong.web.institution_desk.recalls import recall_pages
from hutong.web.institution_desk.settlement import settlement_pages
from hutong.web.institution_desk.users import user_pages
from hutong.web.institution_desk.wordings import WORDINGS
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk, MenuEntry
from hutong.web.page import Pages

MENU = (
    MenuEntry("overview", HOME, phrase("Overview")),
    MenuEntry("users", f"{HOME}/users", phrase("Users")),
    MenuEntry("merchants", f"{HOME}/merchants", phrase("Merchants")),
    MenuEntry("applications", f"{HOME}/applications", phrase("Applications")),
    MenuEntry("payments", f"{HOME}/payments", phrase("Undecided payments")),
    MenuEntry("recalls", f"{HOME}/recalls", phrase("Recalls")),
    MenuEntry("complaints", f"{HOME}/complaints", phrase("Complaints")),
    MenuEntry("invitations", f"{HOME}/invitations", phrase("Invitations")),
    MenuEntry("ledger", f"{HOME}/ledger", phrase("Ledger")),
    MenuEntry("trial", f"{HOME}/ledger/trial-balance", phrase("Trial balance")),
    MenuEntry("reconciliation", f"{HOME}/reconciliation", phrase("Reconciliation")),
    MenuEntry("settlement", f"{HOME}/settlement", phrase("Settlement")),
    MenuEntry("campaigns", f"{HOME}/campaigns", phrase("Campaigns")),
    MenuEntry("policies", f"{HOME}/policies", phrase("Limits and policies")),
    *COMMON_MENU,
)


def institution_desk_pages(
    parts: DeskParts, pages: Pages, marketing: Marketing | None = None
) -> list[ControllerRouterHandler]:
    """`/desk` and everything below it; and the page on which a merchant applies. Looks are in the audit log, too."""
    institution = parts.institution
    menu = [each for each in MENU if each.nav != "campaigns" or marketing is not None]
    desk = Desk(institution.node, institution.people.operators, pages, menu, reads_noted=True)
    return [
        *common_pages(desk, WORDINGS),
        overview_pages(desk, parts),
        user_pages(desk, parts),
        merchant_pages(desk, parts),
        application_pages(desk, parts),
        payment_pages(desk, parts),
        recall_pages(desk, parts),
        complaint_pages(desk, parts),
        ledger_pages(desk, parts),
        case_pages(desk, parts),
        settlement_pages(desk, parts),
        policy_pages(desk, parts),
        *([] if marketing is None else [campaign_pages(desk, marketing), trait_pages(desk, marketing)]),
        apply_pages(institution.node, institution.applications, pages),
    ]
