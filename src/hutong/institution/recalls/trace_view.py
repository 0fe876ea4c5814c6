"""How a trace is shown: to the operator of an institution, who may know its own people and no others."""

import msgspec
from msgspec.structs import replace

from hutong.institution.payments.payment import Payment
from hutong.institution.payments.receipt import Receipt
from hutong.institution.payments.views import payment_id_text
from hutong.institution.recalls.trace import Trace
from hutong.kernel.ids import id_text
from hutong.scheme.messages import TraceAnswer, TraceHop, hex_id


class HopView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step: `amount` of the traced money went from `source` to `target`. Names are pseudonyms, `node:digits`."""

    source: str
    target: str = ""
    kind: str
    amount: int
    payment_id: str = ""
    agent: str = ""
    at_ms: int = 0


class TraceView(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where the money of a payment went, first in first out. `whole` is false where a bound was reached or a node was silent.

    `people` says who the pseudonyms of this institution's own people and merchants are.
    """

    payment_id: str
    amount: int
    currency: str
    holder: str
    whole: bool
    hops: list[HopView]
    people: dict[str, str]

    def joined(self, hop: int, answer: TraceAnswer) -> "TraceView":
        """With what became of one step's money on other nodes."""
        hops = [*self.hops, *map(hop_view, answer.hops)]
        hops[hop] = replace(hops[hop], target=answer.holder or hops[hop].target)
        return replace(self, hops=hops, whole=self.whole and answer.is_whole and not answer.reason_name)


def hop_view(hop: TraceHop) -> HopView:
    return HopView(
        source=hop.source,
        target=hop.target,
        kind=hop.kind.value,
        amount=hop.amount,
        payment_id=payment_id_text(hex_id(hop.payment_id)) if hop.payment_id else "",
        agent=hop.agent or "",
        at_ms=hop.at_ms,
    )


def trace_view(trace: Trace, paid: Payment | Receipt) -> TraceView:
    """Our own part."""
    return TraceView(
        payment_id=payment_id_text(trace.payment_id),
        amount=trace.amount,
        currency=paid.currency,
        holder=trace.holder,
        whole=trace.is_whole,
        hops=[hop_view(hop) for hop in trace.hops],
        people={ref: id_text(kind, id_) for ref, (kind, id_) in trace.people.items()},
    )


def joined_view(paid: Payment, answer: TraceAnswer) -> TraceView:
    """A payment to another node: all of it is what the switch joined."""
    return TraceView(
        payment_id=payment_id_text(paid.id),
        amount=paid.gross,
        currency=paid.currency,
        holder=answer.holder,
        whole=answer.is_whole and not answer.reason_name,
        hops=[hop_view(hop) for hop in answer.hops],
        people={},
    )
