"""What an institution tells Prometheus: how payments end on each side, what is undecided, and what waits to be told."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from hutong.institution.complaints.grievance import GrievanceState
from hutong.institution.complaints.picture import PictureState
from hutong.institution.complaints.service import ComplaintDesk
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.creditor_service import CreditorService
from hutong.institution.payments.debtor_service import DebtorService
from hutong.institution.payments.refund_service import RefundService
from hutong.institution.payments.return_service import ReturnService
from hutong.runtime.figures import Outcomes
from hutong.runtime.metrics import Declared, MetricKind, Sample, oldest_age_s
from hutong.scheme.complaint import ComplaintStatus

ENDED = Declared(
    "hutong_payments_total",
    MetricKind.COUNTER,
    "What ended, by kind (payment: our payer; receipt: our payee; refund: our merchant; return: to our payer), outcome"
    " (COMPLETED, REJECTED) and the reason of a rejection.",
    ("kind", "outcome", "reason"),
    "an addition per payment",
)
ENDED_SECONDS = Declared(
    "hutong_payment_seconds",
    MetricKind.SECONDS,
    "From the intent to the decision, by kind; the commit that makes it known comes on top.",
    ("kind",),
    "two additions per payment",
)
UNDECIDED = Declared("hutong_payments_undecided", MetricKind.GAUGE, "What is undecided here, by kind.", ("kind",))
UNDECIDED_AGE = Declared(
    "hutong_payments_undecided_oldest_seconds",
    MetricKind.GAUGE,
    "Age of the oldest that is undecided here, by kind; 0 when there is none.",
    ("kind",),
)
ENDPOINTS = Declared(
    "hutong_webhook_endpoints",
    MetricKind.GAUGE,
    "Endpoints of merchants: delivered (nothing waits), waiting (events are to be sent), failing (the last attempt"
    " failed), disabled.",
    ("state",),
)
WEBHOOK_AGE = Declared(
    "hutong_webhook_failing_attempts",
    MetricKind.GAUGE,
    "The most attempts in a row that failed at one endpoint.",
)
BACKLOG = Declared(
    "hutong_webhook_backlog_events",
    MetricKind.GAUGE,
    "Events behind the cursors of endpoints that wait or fail, at most 1,000 of each and of 100 endpoints.",
    cost="one page of events for each such endpoint, when asked",
)
RECALLS_OVERDUE = Declared(
    "hutong_recalls_overdue",
    MetricKind.GAUGE,
    "Recalls of our payers' payments that the other side has not answered in time.",
    cost="a look at every recall, when asked",
)

COMPLAINTS = Declared(
    "hutong_complaints",
    MetricKind.GAUGE,
    "Complaints by side (payee: of our merchants; payer: of our people) and state (PDNG to be answered, PRCG answered, PRCD over;"
    " of payers also SENDING, REFUSED, NOT_DELIVERED).",
    ("side", "state"),
    "a look at every complaint, when asked",
)
COMPLAINTS_OVERDUE = Declared(
    "hutong_complaints_overdue",
    MetricKind.GAUGE,
    "Complaints of our merchants that should have been answered, or be done, by now.",
)
COMPLAINTS_UNANSWERED = Declared(
    "hutong_complaints_unanswered_oldest_seconds",
    MetricKind.GAUGE,
    "Age of the oldest complaint of our merchants that nobody has answered; 0 when there is none.",
)
PICTURES = Declared(
    "hutong_complaint_pictures",
    MetricKind.GAUGE,
    "Pictures of complaints, by state: HELD, WANTED (the other side has not sent it yet).",
    ("state",),
    "an addition per picture",
)

Side = DebtorService | CreditorService | RefundService | ReturnService
METRICS = (
    ENDED,
    ENDED_SECONDS,
    UNDECIDED,
    UNDECIDED_AGE,
    ENDPOINTS,
    WEBHOOK_AGE,
    BACKLOG,
    RECALLS_OVERDUE,
    COMPLAINTS,
    COMPLAINTS_OVERDUE,
    COMPLAINTS_UNANSWERED,
    PICTURES,
)


def sides_of(institution: InstitutionNode) -> list[tuple[str, Side]]:
    """What counts how things end, by kind."""
    payments = institution.payments
    return [
        ("payment", payments.debtor),
        ("receipt", payments.creditor),
        ("refund", payments.refunds),
        ("return", payments.returns),
    ]


async def institution_metrics(institution: InstitutionNode) -> Iterable[Sample]:
    """Everything of this file, as it is now."""
    now_ns = institution.node.clock.now_ns()
    samples: list[Sample] = []
    for kind, side in sides_of(institution):
        samples += _side(kind, side.figures, side.undecided, now_ns)
    recalls = institution.recalls.recalls.recalls.everything()
    samples.append((RECALLS_OVERDUE, (), sum(recall.is_overdue(now_ns) for recall in recalls)))
    samples += _complaints(institution.complaints, now_ns)
    backlog = await institution.deliveries.backlog()
    samples += [(ENDPOINTS, (state,), count) for state, count in backlog.endpoints.items()]
    samples += [(WEBHOOK_AGE, (), backlog.failures_max), (BACKLOG, (), backlog.events)]
    return samples


def _complaints(desk: ComplaintDesk, now_ns: int) -> Iterator[Sample]:
    complaints = desk.complaints.complaints.everything()
    states = Counter(each.state for each in complaints)
    for status in ComplaintStatus:
        yield COMPLAINTS, ("payee", status.value), states[status.value]
    grievances = Counter(each.state for each in desk.grievances.grievances.everything())
    for state in GrievanceState:
        yield COMPLAINTS, ("payer", state.value), grievances[state.value]
    yield COMPLAINTS_OVERDUE, (), sum(each.is_overdue(now_ns) for each in complaints)
    yield COMPLAINTS_UNANSWERED, (), oldest_age_s(desk.complaints.unanswered_since_ns(), now_ns)
    for picture_state in (PictureState.HELD, PictureState.WANTED):
        yield PICTURES, (picture_state.value,), desk.pictures.counts[picture_state.value]


def _side(kind: str, figures: Outcomes, undecided: dict[int, Any], now_ns: int) -> Iterator[Sample]:
    yield ENDED, (kind, "COMPLETED", ""), figures.completed
    for reason, count in figures.rejected.items():
        yield ENDED, (kind, "REJECTED", reason), count
    yield ENDED_SECONDS, (kind,), figures.times
    yield UNDECIDED, (kind,), len(undecided)
    # In the order they began: the first is the oldest.
    yield UNDECIDED_AGE, (kind,), oldest_age_s((each.row.created_ns for each in undecided.values()), now_ns)
