"""Limits: what is used of each today and this year, and what raises them. All of it from the policy in force."""

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.institution.node import InstitutionNode
from hutong.institution.payments.allowance import YEAR, Allowances
from hutong.institution.people.user import Evidence, Tier
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard

_COUNTED = {
    YEAR: phrase("Out of the balance, this year"),
    "static": phrase("By plates and personal codes, today"),
    "unverified": phrase("Otherwise without the PIN, today"),
    "verified": phrase("Otherwise with the PIN, today"),
}
_WAYS = {
    Channel.STATIC_CODE.value: phrase("Scanning a plate"),
    Channel.DYNAMIC_CODE.value: phrase("Scanning a code of the till"),
    Channel.PAYMENT_CODE.value: phrase("Showing a payment code"),
    Channel.PERSONAL_CODE.value: phrase("Scanning a person's code"),
    Channel.WITHDRAWAL.value: phrase("Withdrawing to the bank"),
    Channel.REQUEST.value: phrase("Paying a request"),
}
_EVIDENCE = {
    Evidence.PHONE: phrase("The phone number alone"),
    Evidence.SOURCES_3: phrase("Three independent sources confirm who you are"),
    Evidence.SOURCES_5: phrase("Five independent sources confirm who you are"),
    Evidence.FACE_TO_FACE: phrase("Show your identity document at a counter"),
}


def limits_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/limits`."""
    usages, journal = institution.payments.debtor.usages, institution.node.journal

    @get("/wallet/limits")
    async def limits(request: AnyRequest) -> Response[str]:
        user = await signed_in_user(institution, request)
        told = await warmed(journal, lambda: usages.allowances(user, map(int, Tier)))
        return pages.render(
            request,
            "wallet/limits.html",
            nav="limits",
            told=told,
            counted=_COUNTED,
            ways=_WAYS,
            tier=Tier(user.tier),
            evidence=_EVIDENCE[Evidence[user.evidence]],
            higher=_higher(told),
        )

    return [pages.router("/", [limits], WALLET, [wallet_guard(institution, pages)])]


def _higher(told: Allowances) -> list[tuple[Tier, int | None, list[str]]]:
    """Each tier above, what it allows in a year, and what proves enough for it."""
    return [
        (
            Tier(each.tier),
            each.annual,
            [_EVIDENCE[evidence] for evidence in Evidence if evidence.proves >= each.tier],
        )
        for each in told.tiers
        if each.tier > told.tier
    ]
