"""Settlement's part of the switch's API: the operator's, behind the token; and a node's own files, behind its signature."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from litestar import Controller, Request, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation
from litestar.response import Response, Stream

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.kernel.money import currency_of
from hutong.operators.service import Operators
from hutong.runtime.journal import durable
from hutong.runtime.shelf import decided
from hutong.scheme.clearing_file import window_of_path
from hutong.scheme.envelope import SchemeReason
from hutong.switch.approval_service import DEFAULT, RESERVE_CHANGE
from hutong.switch.node import SwitchNode
from hutong.switch.settlement.obligation import Flow
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.report import invoices_csv, notification_xml, statement_csv, statement_xml
from hutong.switch.settlement.statement import Entry
from hutong.switch.settlement.views import (
    CalendarView,
    EntryView,
    InvoiceView,
    NewCalendar,
    NewRules,
    ReserveChange,
    ReserveChangeKind,
    ReserveView,
    RulesView,
    SwitchProofView,
    WindowDetail,
    WindowView,
    calendar_view,
    entry_view,
    invoice_view,
    proof_view,
    rules_view,
    window_detail,
    window_view,
)

CSV = "text/csv"
XML = "application/xml"
_ENTRIES_MAX = 10_000
_FORMS = {"camt.053": statement_xml, "camt.054": notification_xml}
Switch = NamedDependency[SkipValidation[SwitchNode]]
Staff = NamedDependency[SkipValidation[Operators]]
# Who signed a request: (headers, method, path, body) to the node's id, or a refusal.
Verify = Callable[[Mapping[bytes, bytes], str, str, bytes], str]


class Windows(Controller):
    """Settlement windows: whose payments are settled together. In a path `2026-11-23/2` is written `2026-11-23.2`."""

    path = "/windows"
    tags = ("Settlement",)

    @get()
    async def list_windows(self, switch: Switch, limit: FromQuery[int] = 50) -> list[WindowView]:
        """The newest windows first."""
        rows = await decided(switch.node.journal, switch.windows.windows)
        return [window_view(row) for row in reversed(rows[-max(1, limit) :])]

    @get("/{window:str}")
    async def get_window(self, switch: Switch, window: FromPath[str]) -> WindowDetail:
        """One window, with what everybody owes and what was paid. Refuses WINDOW_UNKNOWN."""
        return await _detail(switch, window_of_path(window))

    @post("/{window:str}/close", status_code=200)
    async def close(self, switch: Switch, window: FromPath[str]) -> WindowView:
        """Close the open window before its time; payments go on in the next. Refuses WINDOW_UNKNOWN, WINDOW_NOT_OPEN_YET."""
        id_ = window_of_path(window)
        return window_view(await decided(switch.node.journal, lambda: switch.windows.close(id_)))

    @post("/{window:str}/default", status_code=200)
    async def declare_default(self, switch: Switch, staff: Staff, window: FromPath[str]) -> WindowDetail:
        """
        Whoever does not cover what it owes for this window is in default: the rules say who bears it.

        Refuses WINDOW_UNKNOWN, WINDOW_NOT_SETTLEABLE; TWO_PEOPLE_NEEDED, where two operators must decide: propose
        `settlement.default`.
        """
        staff.approvals.check_alone(DEFAULT)
        id_ = window_of_path(window)
        await decided(switch.node.journal, lambda: switch.settlement.declare_default(id_))
        return await _detail(switch, id_)

    @post("/{window:str}/look-again", status_code=200)
    async def look_again(self, switch: Switch, window: FromPath[str]) -> WindowDetail:
        """Compare a halted window with the ledger once more. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        id_ = window_of_path(window)
        await decided(switch.node.journal, lambda: switch.settlement.look_again(id_))
        return await _detail(switch, id_)

    @get("/{window:str}/camt.053", media_type=XML)
    async def statement(self, switch: Switch, window: FromPath[str], node: FromQuery[str]) -> Response[bytes]:
        """A node's statement of a settled window, camt.053.001.08. Refuses WINDOW_UNKNOWN, WINDOW_NOT_SETTLED."""
        return await statement_answer(switch, window_of_path(window), node, statement_xml)

    @get("/{window:str}/camt.054", media_type=XML)
    async def notification(self, switch: Switch, window: FromPath[str], node: FromQuery[str]) -> Response[bytes]:
        """What stands behind that statement, camt.054.001.08. Refuses WINDOW_UNKNOWN, WINDOW_NOT_SETTLED."""
        return await statement_answer(switch, window_of_path(window), node, notification_xml)

    @get("/{window:str}/clearing.csv", media_type=CSV)
    async def clearing_file(self, switch: Switch, window: FromPath[str], node: FromQuery[str]) -> Stream:
        """A node's clearing file of a closed window. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED, PARTICIPANT_UNKNOWN."""
        return await clearing_stream(switch, window_of_path(window), node)


class Calendars(Controller):
    """Settlement days and cut-offs, from a day on."""

    path = "/settlement/calendars"
    tags = ("Settlement",)

    @get()
    async def list_calendars(self, switch: Switch) -> list[CalendarView]:
        """Every calendar; the first came with the switch."""
        return [calendar_view(each) for each in await decided(switch.node.journal, switch.windows.calendars)]

    @put("/{version:str}")
    async def publish(self, switch: Switch, version: FromPath[str], data: JSONBody[NewCalendar]) -> CalendarView:
        """Announce a calendar. Refuses CALENDAR_INVALID, CALENDAR_CONFLICTS, CALENDAR_STARTS_TOO_EARLY."""

        def decide() -> CalendarView:
            return calendar_view(switch.windows.publish_calendar(version, data.first_on, data.rules()))

        return await decided(switch.node.journal, decide)


class Reserves(Controller):
    """What participants prefunded: their settlement accounts, and contributions to the guarantee fund."""

    path = "/participants/{node:str}/reserve"
    tags = ("Settlement",)

    @get()
    async def reserve(self, switch: Switch, node: FromPath[str], currency: FromQuery[str] = "CNY") -> ReserveView:
        """How it stands. Refuses PARTICIPANT_UNKNOWN."""
        return await _reserve(switch, node, currency)

    @post(status_code=200)
    async def change(
        self, switch: Switch, staff: Staff, node: FromPath[str], data: JSONBody[ReserveChange]
    ) -> ReserveView:
        """
        Note money that came, or let money go. The same id and content again changes nothing.

        Refuses PARTICIPANT_UNKNOWN, RESERVE_INSUFFICIENT, POSITION_UNCOVERED, RESERVE_CHANGE_CONFLICTS,
        RESERVE_CHANGE_REFUSED_EARLIER; TWO_PEOPLE_NEEDED, where two operators must decide: propose `reserve.change`.
        """
        staff.approvals.check_alone(RESERVE_CHANGE)
        change_id, currency = parse_id("rsv", data.change_id), currency_of(data.currency)
        is_top_up = data.change is ReserveChangeKind.TOP_UP
        change = switch.reserves.top_up if is_top_up else switch.reserves.withdraw
        answered = switch.node.journal.promise()
        await change(change_id, node, currency, data.amount, data.fund, answered.set_result)
        reason = await answered
        if reason is not None:
            raise Refusal(reason, node=node, amount=data.amount)
        await durable(switch.node.journal)
        switch.settlement.wake()  # Somebody may have waited for it.
        return await _reserve(switch, node, data.currency)

    @get("/entries")
    async def entries(
        self, switch: Switch, node: FromPath[str], currency: FromQuery[str] = "CNY", limit: FromQuery[int] = 100
    ) -> list[EntryView]:
        """The settlement account, newest entry first."""
        return [entry_view(entry) for entry in await _entries(switch, node, currency, limit)]

    @get("/entries.csv", media_type=CSV)
    async def entries_csv(
        self, switch: Switch, node: FromPath[str], currency: FromQuery[str] = "CNY", limit: FromQuery[int] = 1000
    ) -> Response[str]:
        """The settlement account's newest entries as CSV, oldest first."""
        found = await _entries(switch, node, currency, limit)
        return Response(statement_csv(reversed(found)), media_type=CSV)


class Rules(Controller):
    """How far reserves carry, and who bears a loss."""

    path = "/settlement/rules"
    tags = ("Settlement",)

    @get()
    async def list_rules(self, switch: Switch) -> list[RulesView]:
        """Every version; the first came with the switch."""
        return [rules_view(row) for row in await decided(switch.node.journal, switch.settlement_rules.versions)]

    @put("/{version:str}")
    async def publish(self, switch: Switch, version: FromPath[str], data: JSONBody[NewRules]) -> RulesView:
        """Announce rules. Refuses RULES_CONFLICT, RULES_START_IN_THE_PAST."""
        starts_ns = data.starts_at_ms * NS_PER_MS

        def decide() -> RulesView:
            return rules_view(switch.settlement_rules.publish(version, starts_ns, data.rules))

        return await decided(switch.node.journal, decide)


class Invoices(Controller):
    """What the scheme charged, by month, node and currency."""

    path = "/settlement"
    tags = ("Settlement",)

    @get("/invoices")
    async def list_invoices(self, switch: Switch) -> list[InvoiceView]:
        """Every invoice."""
        return [invoice_view(each) for each in await decided(switch.node.journal, switch.invoices.invoices)]

    @get("/invoices.csv", media_type=CSV)
    async def invoices_csv(self, switch: Switch) -> Response[str]:
        """Every invoice as CSV, a row for each of its lines."""
        found = await decided(switch.node.journal, switch.invoices.invoices)
        return Response(invoices_csv(found), media_type=CSV)

    @post("/invoices/{month:str}", status_code=200)
    async def issue(self, switch: Switch, month: FromPath[str]) -> list[InvoiceView]:
        """Issue a month's invoices (`2026-11`); again: what was due is tried again. Refuses MONTH_NOT_SETTLED."""
        issued = await switch.invoices.issue(month)
        await durable(switch.node.journal)
        return [invoice_view(each) for each in issued]


class Proofs(Controller):
    """The daily proof of the switch's books."""

    path = "/settlement/proofs"
    tags = ("Settlement",)

    @get()
    async def list_proofs(self, switch: Switch) -> list[SwitchProofView]:
        """The proof of each day."""
        return [proof_view(each) for each in await decided(switch.node.journal, switch.proofs.proofs)]

    @post(status_code=200)
    async def prove(self, switch: Switch) -> list[SwitchProofView]:
        """Prove now; it takes the place of today's."""
        taken = await switch.proofs.take()
        await durable(switch.node.journal)
        return [proof_view(each) for each in taken]


async def _detail(switch: SwitchNode, window_id: str) -> WindowDetail:
    row = await decided(switch.node.journal, lambda: switch.windows.window(window_id))
    owed = await switch.settlement.obligations(window_id)
    return window_detail(row, owed, await switch.accounts.entries_of_window(window_id))


async def _reserve(switch: SwitchNode, node: str, currency: str) -> ReserveView:
    position = await switch.positions.position(node, currency_of(currency))
    means = await switch.reserves.means(currency_of(currency))
    await durable(switch.node.journal)
    return ReserveView(
        node=node,
        currency=currency,
        reserve=means.reserves[node],
        contribution=means.contributions[node],
        cap=position.cap_minor,
        headroom=position.headroom_minor,
        net=position.net_minor,
    )


async def _entries(switch: SwitchNode, node: str, currency: str, limit: int) -> list[Entry]:
    await decided(switch.node.journal, lambda: switch.admission.participant(node))
    return await switch.accounts.entries(node, currency, limit=min(max(1, limit), _ENTRIES_MAX))


async def statement_answer(
    switch: SwitchNode, window_id: str, node: str, write: Callable[[Entry, Sequence[Flow], str], bytes]
) -> Response[bytes]:
    """A node's entry of a settled window, in somebody's format."""
    await decided(switch.node.journal, lambda: switch.windows.closed_window(window_id))
    found = [entry for entry in await switch.accounts.entries_of_window(window_id) if entry.node_id == node]
    if not found:
        raise Refusal(SettlementReason.WINDOW_NOT_SETTLED, window=window_id, node=node)
    entry = found[0]
    flows = [
        flow
        for flow in await switch.settlement.flows([window_id])
        if node in (flow.debtor_agent, flow.creditor_agent) and flow.currency == entry.currency
    ]
    return Response(write(entry, flows, switch.node.node_id), media_type=XML)


async def clearing_stream(switch: SwitchNode, window_id: str, node: str) -> Stream:
    """The file as an answer."""

    def decide() -> Any:
        switch.admission.participant(node)
        return switch.windows.closed_window(window_id)

    window = await decided(switch.node.journal, decide)
    return Stream(switch.cleared.clearing_file(window, node), media_type=CSV)


def own_files(verify: Verify | None) -> Router:
    """What a node fetches for itself, signed like an envelope with an empty body."""

    @get("/windows/{window:str}/clearing.csv", media_type=CSV, tags=["Scheme"])
    async def own_clearing_file(request: Request[Any, Any, Any], switch: Switch, window: FromPath[str]) -> Stream:
        """The asking node's clearing file of a closed window. Refuses WINDOW_UNKNOWN, WINDOW_NOT_CLOSED."""
        node = _signer(request, verify)
        return await clearing_stream(switch, window_of_path(window), node)

    @get("/windows/{window:str}/{form:str}", media_type=XML, tags=["Scheme"])
    async def own_statement(
        request: Request[Any, Any, Any], switch: Switch, window: FromPath[str], form: FromPath[str]
    ) -> Response[bytes]:
        """The asking node's statement of a settled window: `camt.053`, `camt.054`. Refuses WINDOW_NOT_SETTLED."""
        node = _signer(request, verify)
        if form not in _FORMS:
            raise Refusal(SettlementReason.STATEMENT_UNKNOWN, known=", ".join(_FORMS))
        return await statement_answer(switch, window_of_path(window), node, _FORMS[form])

    return Router("/scheme/v1", route_handlers=[own_clearing_file, own_statement], security=[{"signature": []}])


def _signer(request: Request[Any, Any, Any], verify: Verify | None) -> str:
    """Who asks. A switch that shares its process with all its participants has nobody who could sign."""
    if verify is None:
        raise Refusal(SchemeReason.SENDER_UNKNOWN, sender="")
    return verify(dict(request.scope["headers"]), request.method, request.scope["path"], b"")
