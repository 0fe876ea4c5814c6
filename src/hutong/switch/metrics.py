"""What the switch tells Prometheus: how payments end, who is near its cap, what nobody has decided yet."""

from collections.abc import Iterable

from hutong.runtime.metrics import Declared, MetricKind, Sample, oldest_age_s
from hutong.switch.node import SwitchNode

CLEARED = Declared(
    "hutong_switch_cleared_total",
    MetricKind.COUNTER,
    "Payments and returns decided, by outcome (COMPLETED, REJECTED) and the reason of a rejection.",
    ("outcome", "reason"),
    "an addition per decision",
)
CLEARING_SECONDS = Declared(
    "hutong_switch_clearing_seconds",
    MetricKind.SECONDS,
    "From the reservation to the decision.",
    cost="two additions per decision",
)
UNDECIDED = Declared("hutong_switch_undecided", MetricKind.GAUGE, "Payments and returns reserved and not decided.")
UNDECIDED_AGE = Declared(
    "hutong_switch_undecided_oldest_seconds",
    MetricKind.GAUGE,
    "Age of the oldest undecided payment or return; 0 when there is none.",
)
ENQUIRIES_DROPPED = Declared(
    "hutong_switch_enquiries_dropped_total",
    MetricKind.COUNTER,
    "Enquiries over a participant's rate, which were not answered.",
    ("node",),
    "an addition per dropped enquiry",
)
_READ = "a look-up of accounts, and of each node's cap changes, when asked"
POSITION = Declared(
    "hutong_switch_position_minor",
    MetricKind.GAUGE,
    "What a node may still pay, cap included.",
    ("node", "currency"),
    _READ,
)
CAP = Declared("hutong_switch_cap_minor", MetricKind.GAUGE, "A node's net debit cap.", ("node", "currency"), _READ)
OUTGOING = Declared(
    "hutong_switch_outgoing_minor", MetricKind.GAUGE, "Of a node's position, reserved.", ("node", "currency"), _READ
)
BALANCED = Declared(
    "hutong_switch_books_balanced", MetricKind.GAUGE, "1 while debits are credits and positions are caps less income.",
    ("currency",), _READ,
)  # fmt: skip
PARTICIPANTS = Declared("hutong_switch_participants", MetricKind.GAUGE, "Nodes admitted, by status.", ("status",))
RECALLS_OVERDUE = Declared(
    "hutong_switch_recalls_overdue",
    MetricKind.GAUGE,
    "Recalls that no payee's node has decided in time.",
    cost="a look at every recall, when asked",
)

METRICS = (
    CLEARED, CLEARING_SECONDS, UNDECIDED, UNDECIDED_AGE, ENQUIRIES_DROPPED, POSITION, CAP, OUTGOING, BALANCED, PARTICIPANTS,
    RECALLS_OVERDUE,
)  # fmt: skip


async def switch_metrics(switch: SwitchNode) -> Iterable[Sample]:
    """Everything of this file, as it is now."""
    clearing = switch.clearing
    figures = clearing.figures
    now_ns = switch.node.clock.now_ns()
    samples: list[Sample] = [
        (CLEARED, ("COMPLETED", ""), figures.completed),
        *((CLEARED, ("REJECTED", reason), count) for reason, count in figures.rejected.items()),
        (CLEARING_SECONDS, (), figures.times),
        (UNDECIDED, (), len(clearing.undecided)),
        (UNDECIDED_AGE, (), oldest_age_s((each.reserved_ns for each in clearing.undecided.values()), now_ns)),
        *((ENQUIRIES_DROPPED, (node,), count) for node, count in clearing.enquiries.dropped.items()),
    ]
    recalls = switch.recalls.recalls.everything()
    samples.append((RECALLS_OVERDUE, (), sum(recall.is_overdue(now_ns) for recall in recalls)))
    statuses = [participant.status for participant in switch.admission.participants()]
    samples += [(PARTICIPANTS, (status,), statuses.count(status)) for status in sorted(set(statuses))]
    for currency in clearing.currencies:
        books = await switch.positions.books(currency)
        samples.append((BALANCED, (currency,), int(books.is_balanced)))
        for position in books.positions:
            labels = position.node_id, currency
            samples.append((POSITION, labels, position.headroom_minor))
            samples.append((CAP, labels, position.cap_minor))
            samples.append((OUTGOING, labels, position.outgoing_minor))
    return samples
