"""What the scheme charged a participant in a month: fees by the version they were charged under, and its membership."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from hutong.kernel.money import currency_of, format_amount
from hutong.runtime.tables import BigInt, Text, Uuid
from hutong.switch.settlement.obligation import Flow

MEMBERSHIP = "membership"


class InvoiceLine(msgspec.Struct, frozen=True):
    """One line. Fees were taken with each payment; membership is taken from the reserve with the invoice."""

    what: str  # A version of the fees, `returns`, or `membership`.
    count: int
    volume_minor: int
    charged_minor: int  # Below zero: given back with returns.
    how: str  # `taken per payment` or `taken from the reserve`.


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice: the newest row of its number is how it stands. `lines` is JSON of `InvoiceLine`."""

    number: Text  # `2026-11/jing/CNY`: one for each month, node and currency.
    id: Uuid
    month: Text
    node_id: Text
    currency: Text
    lines: Text
    total_minor: BigInt
    due_minor: BigInt  # Of that, what the reserve is to pay with the invoice.
    state: Text  # DUE, PAID
    issued_ns: BigInt

    def read_lines(self) -> list[InvoiceLine]:
        return msgspec.json.decode(self.lines, type=list[InvoiceLine])

    def text(self) -> str:
        """As people read it."""
        currency = currency_of(self.currency)

        def amount(minor: int) -> str:
            return f"{'-' * (minor < 0)}{format_amount(abs(minor), currency)}"

        rows = [("what", "payments", "volume", "charged", "how")]
        rows += [
            (line.what, str(line.count), amount(line.volume_minor), amount(line.charged_minor), line.how)
            for line in self.read_lines()
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        body = [
            "  ".join(
                cell.rjust(width) if 0 < column < 4 else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        head = f"Invoice {self.number} to {self.node_id}, {self.month}, in {self.currency}"
        foot = f"Total {amount(self.total_minor)}; with this invoice {amount(self.due_minor)}: {self.state}"
        return "\n".join([head, "", *body, "", foot, ""])


def lines_of(flows: Iterable[Flow], node_id: str, membership_minor: int) -> list[InvoiceLine]:
    """A node's lines: it is the creditor agent that the switch's fee is taken from."""
    sums: dict[str, Counter[str]] = {}
    for flow in flows:
        if flow.creditor_agent == node_id:
            sign = -1 if flow.is_return else 1
            of = sums.setdefault("returns" if flow.is_return else flow.fee_version, Counter())
            of["count"] += flow.count
            of["volume"] += flow.amount_minor
            of["charged"] += sign * flow.switch_fee_minor
    lines = [
        InvoiceLine(what, of["count"], of["volume"], of["charged"], "taken per payment")
        for what, of in sorted(sums.items())
    ]
    if membership_minor:
        lines.append(InvoiceLine(MEMBERSHIP, 1, 0, membership_minor, "taken from the reserve"))
    return lines
