"""What settlement's API takes and shows. Instants are milliseconds since 1970 UTC, amounts minor units."""

from enum import Enum
from typing import Annotated, Any

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.scheme.message import CurrencyCode, Milliseconds, PositiveMinorUnits
from hutong.switch.settlement.calendar import CalendarRules, CutOff, Day, SettlementCalendar, Weekday
from hutong.switch.settlement.invoice import Invoice, InvoiceLine
from hutong.switch.settlement.obligation import Obligation
from hutong.switch.settlement.proof import SwitchProof
from hutong.switch.settlement.rules import Fund, RulesVersion, SettlementRules
from hutong.switch.settlement.statement import Entry
from hutong.switch.settlement.window import WindowRow


class WindowFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a window, in a list and by itself."""

    window: str
    state: str
    settles_on: str
    closes_at_ms: int  # By the calendar.
    closed_at_ms: int  # 0: not yet.
    settled_at_ms: int
    payments: int
    returns: int
    reason: str


class WindowView(WindowFacts, frozen=True, kw_only=True):
    """A settlement window as it stands."""

    opened_at_ms: int


class NewCalendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A calendar that rules the settlement dates from `first_on` on."""

    first_on: Day
    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["Asia/Shanghai"])]
    cut_offs: Annotated[list[CutOff], msgspec.Meta(min_length=1, max_length=48)]
    closed_weekdays: Annotated[list[Weekday], msgspec.Meta(max_length=6)] = []
    closed_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []
    open_days: Annotated[list[Day], msgspec.Meta(max_length=366)] = []

    def rules(self) -> CalendarRules:
        """Without the day."""
        return CalendarRules(self.zone, self.cut_offs, self.closed_weekdays, self.closed_days, self.open_days)


class CalendarView(msgspec.Struct, frozen=True):
    """A version of the calendar."""

    version: str
    first_on: str
    rules: CalendarRules


def window_view(row: WindowRow) -> WindowView:
    return WindowView(**_facts(row), opened_at_ms=row.opened_ns // NS_PER_MS)


def _facts(row: WindowRow) -> dict[str, Any]:
    """The fields of `WindowFacts`."""
    return {
        "window": row.window,
        "state": row.state,
        "settles_on": row.settles_on,
        "closes_at_ms": row.closes_ns // NS_PER_MS,
        "closed_at_ms": row.closed_ns // NS_PER_MS,
        "settled_at_ms": row.settled_ns // NS_PER_MS,
        "payments": row.payments,
        "returns": row.returns,
        "reason": row.reason,
    }


def calendar_view(row: SettlementCalendar) -> CalendarView:
    return CalendarView(row.version, row.first_on, msgspec.json.decode(row.rules, type=CalendarRules))


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a settlement account; `moved` below zero was paid. `loss` was borne for others, `missing` by others."""

    node: str
    number: int
    kind: str
    window: str
    settles_on: str
    currency: str
    credit: int
    debit: int
    moved: int
    loss: int
    missing: int
    opening: int
    closing: int
    booked_at_ms: int


class ObligationView(msgspec.Struct, frozen=True):
    """What a node (the scheme under the switch's own name) was owed and owed for a window; `net` below zero it owes."""

    node: str
    currency: str
    credit: int
    debit: int
    net: int


class WindowDetail(WindowFacts, frozen=True, kw_only=True):
    """A window with what it came to."""

    default_declared: bool
    obligations: list[ObligationView]
    entries: list[EntryView]


ReserveChangeId = Annotated[
    str,
    msgspec.Meta(
        description="`rsv_` and 26 letters, minted by the caller", examples=["rsv_01JZ8Q5V7XN8E2M4T9B3K6C0D1"]
    ),
]


class ReserveChangeKind(Enum):
    """Which way the money goes."""

    TOP_UP = "TOP_UP"
    WITHDRAW = "WITHDRAW"


class ReserveChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money that came to the settlement bank for a node, or that it takes back."""

    change_id: ReserveChangeId
    change: ReserveChangeKind
    amount: PositiveMinorUnits
    currency: CurrencyCode = "CNY"
    fund: Fund = Fund.RESERVE


class ReserveView(msgspec.Struct, frozen=True, kw_only=True):
    """What a node prefunded, and how far that and its caps carry."""

    node: str
    currency: str
    reserve: int
    contribution: int
    cap: int
    headroom: int
    net: int  # Not yet settled; below zero it owes.


class NewRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settlement rules from an instant on."""

    starts_at_ms: Milliseconds
    rules: SettlementRules


class RulesView(msgspec.Struct, frozen=True):
    """A version of the settlement rules."""

    version: str
    starts_at_ms: int
    rules: SettlementRules


class InvoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice; `text` is the same for people."""

    number: str
    node: str
    month: str
    currency: str
    lines: list[InvoiceLine]
    total: int
    due: int
    state: str
    text: str


class SwitchProofView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the money behind reserves is there, and positions are the caps less the scheme's income."""

    day: str
    currency: str
    custody: int
    reserves: int
    contributions: int
    positions: int
    caps: int
    income: int
    holds: bool


def invoice_view(invoice: Invoice) -> InvoiceView:
    return InvoiceView(
        number=invoice.number,
        node=invoice.node_id,
        month=invoice.month,
        currency=invoice.currency,
        lines=invoice.read_lines(),
        total=invoice.total_minor,
        due=invoice.due_minor,
        state=invoice.state,
        text=invoice.text(),
    )


def proof_view(proof: SwitchProof) -> SwitchProofView:
    return SwitchProofView(
        day=proof.day,
        currency=proof.currency,
        custody=proof.custody_minor,
        reserves=proof.reserves_minor,
        contributions=proof.contributions_minor,
        positions=proof.positions_minor,
        caps=proof.caps_minor,
        income=proof.income_minor,
        holds=proof.holds,
    )


def entry_view(entry: Entry) -> EntryView:
    return EntryView(
        node=entry.node_id,
        number=entry.number,
        kind=entry.kind,
        window=entry.window,
        settles_on=entry.settles_on,
        currency=entry.currency,
        credit=entry.credit_minor,
        debit=entry.debit_minor,
        moved=entry.moved_minor,
        loss=entry.loss_minor,
        missing=entry.missing_minor,
        opening=entry.opening_minor,
        closing=entry.closing_minor,
        booked_at_ms=entry.booked_ns // NS_PER_MS,
    )


def window_detail(row: WindowRow, obligations: list[Obligation], entries: list[Entry]) -> WindowDetail:
    return WindowDetail(
        **_facts(row),
        default_declared=row.default_declared,
        obligations=[
            ObligationView(each.node_id, each.currency, each.credit_minor, each.debit_minor, each.net_minor)
            for each in obligations
        ],
        entries=[entry_view(entry) for entry in entries],
    )


def rules_view(row: RulesVersion) -> RulesView:
    rules = msgspec.json.decode(row.rules, type=SettlementRules)
    return RulesView(row.version, row.starts_ns // NS_PER_MS, rules)
