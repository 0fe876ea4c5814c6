"""Bills: what came and went, found and filtered; a month in sums; one payment's whole life."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from markupsafe import Markup

from hutong.institution.complaints.grievance import GRIEVANCE_PREFIX
from hutong.institution.complaints.grievance_service import NO_MERCHANT
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.history import (
    QUERY_LENGTH_MAX,
    Entry,
    EntryKind,
    Life,
    Month,
    MonthSummary,
    Search,
    Step,
    StepKind,
)
from hutong.institution.payments.payment import Payment, PaymentState
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.statement import Direction
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.kernel.text import has_nul
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import Channel
from hutong.web.chart import Series, bars, money_chart
from hutong.web.language import Words, phrase
from hutong.web.page import AnyRequest, Pages
from hutong.web.wallet.door import WALLET, signed_in_user, wallet_guard

PAGE = 20
_MONTHS_LISTED = 24

KINDS = {
    EntryKind.PAID: phrase("Paid"),
    EntryKind.RECEIVED: phrase("Received"),
    EntryKind.REFUND: phrase("Refund"),
    EntryKind.TOP_UP: phrase("Top-up"),
    EntryKind.WITHDRAWAL: phrase("Withdrawal"),
    EntryKind.RED_PACKET: phrase("Red packet"),
    EntryKind.REWARD: phrase("Reward"),
    EntryKind.OTHER: phrase("Other"),
}
STATES = {
    PaymentState.PENDING: (phrase("Under way"), "warn"),
    PaymentState.COMPLETED: (phrase("Completed"), "good"),
    PaymentState.REJECTED: (phrase("Not done"), "bad"),
}
_CHANNELS = {
    Channel.STATIC_CODE.value: phrase("Scanned a plate"),
    Channel.DYNAMIC_CODE.value: phrase("Scanned a code of the till"),
    Channel.PAYMENT_CODE.value: phrase("Showed a payment code"),
    Channel.PERSONAL_CODE.value: phrase("Scanned a person's code"),
    Channel.TOP_UP.value: phrase("Top-up"),
    Channel.WITHDRAWAL.value: phrase("Withdrawal"),
    Channel.REQUEST.value: phrase("Request for payment"),
}
_STEPS = {
    StepKind.ASKED: (phrase("The till asked for it"), ""),
    StepKind.CONFIRMED: (phrase("Confirmed by the payer"), ""),
    StepKind.HELD: (phrase("Money held, order sent to the network"), ""),
    StepKind.OFFERED: (phrase("Announced by the payer's institution, and accepted"), ""),
    StepKind.COMPLETED: (phrase("Completed"), "good"),
    StepKind.REJECTED: (phrase("Not done: nothing was taken"), "bad"),
    StepKind.REFUND_BEGUN: (phrase("A refund of %(amount)s is on its way"), "warn"),
    StepKind.REFUNDED: (phrase("Refunded: %(amount)s"), "good"),
    StepKind.REFUND_REJECTED: (phrase("The refund of %(amount)s was not done"), "bad"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as a list shows it."""

    href: str  # Empty: there is no more to say.
    title: str
    about: str
    at_ns: int
    amount: str
    direction: Direction
    moved: bool
    tag: str
    tone: str


@dataclass(frozen=True, slots=True)
class Told:
    """A step of a life, as the page says it. The last of an undecided one has no time yet."""

    text: str
    tone: str
    at_ns: int
    why: str


def entry_lines(entries: Sequence[Entry], _: Words) -> list[Line]:
    """Entries as lists show them."""
    return [_line(entry, _) for entry in entries]


def bills_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/bills`, a month and one bill."""
    history, clock = institution.payments.history, institution.node.clock

    @get("/wallet/bills")
    async def bills(request: AnyRequest) -> Response[str]:
        user = await signed_in_user(institution, request)
        asked = _Asked.read(request)
        search = asked.search(pages)
        page = await history.page(user.wallet_account, search, before=asked.before, limit=PAGE)
        _ = pages.words(request)
        return pages.render(
            request,
            "wallet/bills.html",
            nav="bills",
            asked=asked,
            lines=entry_lines(page.entries, _),
            kinds=KINDS,
            months=_months(Month.of(clock.now_ns(), pages.zone)),
            later=asked.query(before=page.next_cursor) if page.next_cursor is not None else "",
            looked_back_to=page.next_cursor if page.next_cursor is not None and len(page.entries) < PAGE else 0,
        )

    @get("/wallet/bills/months/{month:str}")
    async def summary(request: AnyRequest, month: FromPath[str]) -> Response[str]:
        user = await signed_in_user(institution, request)
        this = Month.of(clock.now_ns(), pages.zone)
        shown = Month.read(month)
        if shown is None or shown > this:
            shown = this
        told = await history.month(user.wallet_account, shown, pages.zone)
        return pages.render(
            request,
            "wallet/month.html",
            nav="bills",
            told=told,
            earlier=shown.earlier,
            later=shown.later if shown < this else None,
            charts=_charts(told, pages.words(request)),
        )

    @get("/wallet/bills/{payment_id:str}")
    async def bill(request: AnyRequest, payment_id: FromPath[str]) -> Response[str]:
        user = await signed_in_user(institution, request)
        life = await history.life(_payment_id(payment_id), user.wallet_account)
        _ = pages.words(request)
        return pages.render(
            request,
            "wallet/bill.html",
            nav="bills",
            life=life,
            payment_id=payment_id,
            channel=_CHANNELS[life.payment.channel],
            state=STATES[life.state],
            steps=_told(life, _),
            title=_other(life),
            paid=_paid(life),
            complaints=await _complaints(institution, user.id, life),
            may_complain=_may_complain(life),
        )

    guard = wallet_guard(institution, pages)
    return [pages.router("/", [bills, summary, bill], WALLET, [guard])]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What of the bills is asked for, as the address says it. What makes no sense there is left out."""

    words: str
    kind: EntryKind | None
    month: Month | None
    before: int | None

    @classmethod
    def read(cls, request: AnyRequest) -> "_Asked":
        asked = request.query_params
        words = asked.get("q", "").strip()[:QUERY_LENGTH_MAX]
        kind, before = asked.get("kind", ""), asked.get("before", "")
        return cls(
            words="" if has_nul(words) else words,
            kind=EntryKind(kind) if kind in set(EntryKind) else None,
            month=Month.read(asked.get("month", "")),
            before=int(before) if before.isascii() and before.isdigit() and 0 < len(before) < 19 else None,
        )

    def search(self, pages: Pages) -> Search:
        since_ns, until_ns = self.month.span_ns(pages.zone) if self.month is not None else (0, 0)
        return Search(words=self.words, kind=self.kind, since_ns=since_ns, until_ns=until_ns)

    def query(self, before: int | None = None) -> str:
        """The same question, from another place on."""
        asked = {
            "q": self.words,
            "kind": self.kind.value if self.kind is not None else "",
            "month": str(self.month) if self.month is not None else "",
            "before": str(before) if before is not None else "",
        }
        return urlencode({name: value for name, value in asked.items() if value})


def _line(entry: Entry, _: Words) -> Line:
    tag, tone = "", ""
    if entry.state is not PaymentState.COMPLETED:
        text, tone = STATES[entry.state]
        tag = _(text)
    elif entry.refunding:
        tag, tone = _("Refund under way"), "warn"
    elif entry.refunded:
        whole = entry.refunded >= entry.amount
        tag = _("Refunded") if whole else _("Refunded %(amount)s", amount=_.money(entry.refunded))
        tone = "good"
    is_in = entry.direction is Direction.IN
    return Line(
        href=f"/wallet/bills/{id_text('pay', entry.payment_id)}" if entry.payment_id else "",
        title=_title(entry, _),
        about=entry.remark,
        at_ns=entry.cursor,
        amount=_.money(entry.amount if is_in else -entry.amount, signed=True),
        direction=entry.direction,
        moved=entry.state is PaymentState.COMPLETED,
        tag=tag,
        tone=tone,
    )


def _title(entry: Entry, _: Words) -> str:
    kind = _(KINDS[entry.kind])
    if entry.kind in (EntryKind.PAID, EntryKind.RECEIVED):
        return entry.counterparty or kind
    if entry.kind is EntryKind.RED_PACKET and entry.direction is Direction.OUT:
        return _("Put into a red packet")
    if entry.kind is EntryKind.REFUND and entry.counterparty:
        return f"{kind} · {entry.counterparty}"
    return kind


def _months(this: Month) -> list[Month]:
    months = [this]
    while len(months) < _MONTHS_LISTED:
        months.append(months[-1].earlier)
    return months


def _charts(told: MonthSummary, _: Words) -> list[Markup]:
    """Two, since a top-up would make what is spent in a day too small to be seen."""
    labels = [str(each.day.day) for each in told.days]
    went = Series(_("Went out"), [each.went for each in told.days])
    came = Series(_("Came in"), [each.came for each in told.days])
    captions = (_("Went out, day by day"), _("Came in, day by day"))
    return [
        bars(_, money_chart(_, caption, labels, [series]))
        for caption, series in zip(captions, (went, came), strict=True)
    ]


def _payment_id(text: str) -> int:
    try:
        return parse_id("pay", text)
    except Refusal:
        raise Refusal(PaymentReason.PAYMENT_UNKNOWN) from None


def _told(life: Life, _: Words) -> list[Told]:
    steps = [_step(step, _) for step in life.steps]
    if life.state is PaymentState.PENDING:
        steps.append(Told(_("Waiting for the network's decision"), "warn", 0, ""))
    return steps


def _step(step: Step, _: Words) -> Told:
    text, tone = _STEPS[step.kind]
    why = _.reason(step.reason) if step.reason else step.remark
    text = _(text, amount=_.money(step.amount)) if step.amount else _(text)
    return Told(text, tone, step.at_ns, why)


def _other(life: Life) -> str:
    """Who is on the other side."""
    payment = life.payment
    return (
        payment.payee_name if isinstance(payment, Payment) and life.direction is Direction.OUT else payment.debtor_name
    )


def _may_complain(life: Life) -> bool:
    """Of a completed payment of one's own to a merchant."""
    is_own = life.direction is Direction.OUT and life.state is PaymentState.COMPLETED
    return is_own and life.payment.channel not in NO_MERCHANT


async def _complaints(institution: InstitutionNode, user_id: int, life: Life) -> list[str]:
    """The complaints of a payment, by their ids, oldest first."""
    shelf = institution.complaints.grievances.grievances
    found = await warmed(institution.node.journal, lambda: shelf.find("payment_id", life.payment.id))
    return [id_text(GRIEVANCE_PREFIX, each.id) for each in found if each.user_id == user_id]


def _paid(life: Life) -> dict[str, Any]:
    """The sums of the bill: what it was, what made it less, what moved."""
    shares = life.payment.shares
    discount = shares.payer_discount + shares.payee_discount
    is_own = life.direction is Direction.OUT
    return {
        "gross": shares.gross,
        "discount": discount if is_own else 0,
        "moved": shares.paid if is_own else shares.gross,
    }
