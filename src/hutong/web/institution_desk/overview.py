"""The first page of the institution's desk: the money it keeps, whether that is covered, and what waits for somebody."""

from dataclasses import dataclass

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from hutong.institution.books.account_name import balance_of
from hutong.institution.chart import AccountCode
from hutong.institution.recalls.recall import RecallState
from hutong.institution.settlement.proof import SafeguardingProof, safeguarding_proof
from hutong.kernel.clock import instant
from hutong.scheme.standing import OLDER_MS
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import ACCOUNTS
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest


@dataclass(frozen=True, slots=True)
class Waiting:
    """What somebody is to look at."""

    applications: int
    disputes: int
    recalls: int
    cases: int
    stuck: int

    @property
    def nothing(self) -> bool:
        return not (self.applications or self.disputes or self.recalls or self.cases or self.stuck)


def overview_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk`."""

    async def proof() -> SafeguardingProof:
        """As it would be taken now; nothing is written down."""
        chart, now_ns = parts.books.chart, desk.node.clock.now_ns()
        own = await parts.books.own_accounts()
        debits = {account.id: 0 for account in chart.accounts()}
        debits |= {account.id: account.debits_posted - account.credits_posted for account in own}
        return safeguarding_proof(chart, debits, instant(now_ns).date().isoformat(), now_ns)

    async def waiting() -> Waiting:
        institution = parts.institution
        recalls = institution.recalls
        undecided = await desk.answer(institution.payments.oversight.undecided)
        return Waiting(
            applications=len(await desk.answer(institution.applications.waiting)),
            disputes=sum(each.is_open for each in recalls.disputes.disputes.everything()),
            recalls=sum(each.state == RecallState.REPORTED for each in recalls.recalls.recalls.everything()),
            cases=sum((await parts.reconciliation.waiting()).values()),
            stuck=sum(each.age_ms >= OLDER_MS for each in undecided),
        )

    @get()
    async def show(request: AnyRequest) -> Response[str]:
        own = await parts.books.own_accounts()
        return desk.render(
            request,
            "institution_desk/overview.html",
            "overview",
            proof=await proof(),
            waiting=await waiting(),
            own=[(AccountCode(each.code), each, balance_of(each)) for each in own],
            accounts=ACCOUNTS,
            newest=parts.institution.settlement.newest(),
        )

    return desk.router(HOME, [show])
