"""Rewards for inviting: what is on hold and what is seen around it; appeals, to be answered."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.invitations.desk_service import GRANT, InvitationDesk
from hutong.marketing.invitations.referral import REFERRAL_PREFIX, WORDS_MAX
from hutong.marketing.invitations.views import SignalView
from hutong.web.desk.approvals import propose
from hutong.web.institution_desk.desk import MENU
from hutong.web.institution_desk.invite_form import SIGNALS
from hutong.web.language import Words
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.invite import STATES

NAV = "invitations"

_PEOPLE = ("with", "by", "way")  # Facts that name people.


@dataclass(frozen=True, slots=True)
class Seen:
    """What a signal saw: in words, and whom, by their ids."""

    name: str
    weight: int
    text: str
    people: list[str]


def seen(_: Words, signal: SignalView) -> Seen:
    """A signal as the operator reads it."""
    facts = signal.facts
    friends = facts.get("friends", 0)
    people = next((list(facts[each]) for each in _PEOPLE if each in facts), [])
    text = ""
    if isinstance(friends, list | tuple):
        people = list(friends)
    elif "within_s" in facts:
        text = _(
            "%(friends)s %(friends:friend|friends)s within %(minutes)s %(minutes:minute|minutes)s",
            friends=friends,
            minutes=facts["within_s"] // 60,
        )
    elif "pairs" in facts:
        text = _(
            "%(pairs)s %(pairs:pair|pairs)s of %(friends)s %(friends:friend|friends)s",
            pairs=facts["pairs"],
            friends=friends,
        )
    elif "of" in facts:
        text = _("%(friends)s of %(count)s %(count:friend|friends)s", friends=friends, count=facts["of"])
    elif friends:
        text = _("%(friends)s %(friends:friend|friends)s in all", friends=friends)
    elif "amount" in facts:
        text = _.money(facts["amount"])
    return Seen(_(SIGNALS[signal.name]), signal.weight, text, people)


def invitation_desk_pages(
    institution: InstitutionNode, pages: Pages, inviting: InvitationDesk
) -> ControllerRouterHandler:
    """`/desk/invitations` and each referral below it. Looks are in the audit log, too."""
    desk = Desk(institution.node, institution.people.operators, pages, MENU, reads_noted=True)

    async def one(request: AnyRequest, referral_id: int, refusal: Refusal | None = None) -> Response[str]:
        referral, words = await inviting.shown(referral_id), pages.words(request)
        values: dict[str, Any] = {
            "referral": referral,
            "states": STATES,
            "signals": [seen(words, each) for each in referral.signals],
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
