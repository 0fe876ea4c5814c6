"""What the gateways tell Prometheus: how callbacks end, and what waits to be told."""

from collections.abc import Iterable, Iterator
from typing import Any

from hutong.gateways.notification_worker import NotificationWorker
from hutong.runtime.metrics import Declared, MetricKind, Sample

TRIES = Declared(
    "hutong_gateway_callbacks_total",
    MetricKind.COUNTER,
    "Tries to tell merchants' software, by outcome: TAKEN, REFUSED (another answer), UNANSWERED.",
    ("outcome",),
    "an addition per try",
)
GIVEN_UP = Declared(
    "hutong_gateway_callbacks_given_up_total",
    MetricKind.COUNTER,
    "Callbacks whose schedule ended before they were taken.",
)
ANSWERED = Declared(
    "hutong_gateway_callback_answer_seconds",
    MetricKind.SECONDS,
    "How long merchants' software took to answer, or was waited for.",
    (),
    "two additions per try",
)
DELAY = Declared(
    "hutong_gateway_callback_delay_seconds",
    MetricKind.SECONDS,
    "From the news to its being taken.",
    (),
    "two additions per callback",
)
WAITING = Declared(
    "hutong_gateway_callbacks_waiting",
    MetricKind.GAUGE,
    "What is to be told, by what it waits for (turn, later try, answer); and the ways to receivers (lanes, silent lanes).",
    ("what",),
)
METRICS = (TRIES, GIVEN_UP, ANSWERED, DELAY, WAITING)
_WHAT = {
    "for a turn": "turn",
    "for a later try": "later try",
    "under way": "answer",
    "lanes": "lanes",
    "silent lanes": "silent lanes",
}


def gateway_metrics(worker: NotificationWorker) -> Iterable[Sample]:
    """Everything of this file, as it is now."""
    return list(_samples(worker))


def _samples(worker: NotificationWorker) -> Iterator[Any]:
    figures = worker.figures
    for outcome in ("TAKEN", "REFUSED", "UNANSWERED"):
        yield TRIES, (outcome,), figures.tries[outcome]
    yield GIVEN_UP, (), figures.given_up
    yield ANSWERED, (), figures.times
    yield DELAY, (), figures.delays
    standing = worker.standing()
    for name, what in _WHAT.items():
        yield WAITING, (what,), standing[name]
