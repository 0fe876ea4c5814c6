"""Rewards for inviting: what is on hold and what is seen around it; appeals, to be answered."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.invitations.desk_service import GRANT, InvitationDesk
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, WORDS_MAX
from hutong.web.desk.approvals import propose
from hutong.web.institution_desk.desk import MENU
from hutong.web.language import phrase
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.invite import STATES

NAV = "invitations"
SIGNALS = {
    "SHARED_DEVICE": phrase("Same phone or browser"),
    "SHARED_FUNDING": phrase("Same account at a bank"),
    "FUNDED_BY_CIRCLE": phrase("Paid with the inviter's money"),
    "RING": phrase("A ring back to the inviter"),
    "DENSE_CIRCLE": phrase("Friends all pay each other"),
    "REFUND_AFTER_REWARD": phrase("Refunds behind rewards"),
    "VELOCITY": phrase("Many friends at once"),
    "SAME_ADDRESS": phrase("Same address"),
    "SAME_SHOP": phrase("All at one merchant"),
}


def invitation_desk_pages(
    institution: InstitutionNode, pages: Pages, inviting: InvitationDesk
) -> ControllerRouterHandler:
    """`/desk/invitations` and each referral below it. Looks are in the audit log, too."""
    desk = Desk(institution.node, institution.people.operators, pages, MENU, reads_noted=True)

    async def one(request: AnyRequest, referral_id: int, refusal: Refusal | None = None) -> Response[str]:
        values: dict[str, Any] = {
            "referral": await inviting.shown(referral_id),
            "states": STATES,
            "signals": SIGNALS,
            "why": pages.words(request).reason,
            "words_max": WORDS_MAX,
        }
        return desk.shown(request, "institution_desk/invitation.html", NAV, refusal, **values)

    @get()
    async def listed(request: AnyRequest) -> Response[str]:
        values: dict[str, Any] = {
            "appeals": await inviting.appeals(),
            "held": await inviting.held(),
            "figures": [await inviting.figures(each.id) for each in inviting.inviting.campaigns.inviting()],
            "states": STATES,
            "why": pages.words(request).reason,
            "signals": SIGNALS,
        }
        return desk.shown(request, "institution_desk/invitations.html", NAV, None, **values)

    @get("/{referral_id:str}")
    async def show(request: AnyRequest, referral_id: FromPath[str]) -> Response[str]:
        return await one(request, parse_id(REFERRAL_PREFIX, referral_id))

    @post("/{referral_id:str}")
    async def decide(request: AnyRequest, referral_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(REFERRAL_PREFIX, referral_id)
        try:
            if form.text("act") == "grant":
                return await propose(desk, request, form, GRANT, referral_id, {})
            await inviting.uphold(id_, request.auth.name, form.needed("reason", length_max=WORDS_MAX))
        except Refusal as refusal:
            return await one(request, id_, refusal)
        return desk.pages.go(f"{HOME}/invitations")

    return desk.router(f"{HOME}/invitations", [listed, show, decide])
