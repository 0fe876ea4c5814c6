"""
Metrics as Prometheus reads them: declared here and in the domains, collected when somebody asks and not before.

A metric is declared once, with what it means and what keeping it costs; `docs/operate.md` has the table of all of them, and a
test keeps it current.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from hutong.runtime.figures import Buckets

NS = 1_000_000_000


class MetricKind(Enum):
    """What Prometheus may do with it."""

    COUNTER = "counter"  # Since the process began.
    GAUGE = "gauge"
    SECONDS = "histogram, seconds"
    COUNTS = "histogram, rows"


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric: its name, what it says, and what keeping it costs a node."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    cost: str = "read when asked"


# A metric, the values of its labels, and what it is now.
Sample = tuple[Declared, tuple[str, ...], float | Buckets]
Source = Callable[[], Awaitable[Iterable[Sample]]]


async def exposition(sources: Sequence[Source], accept: str) -> tuple[bytes, str]:
    """Everything there is to tell, in the format that is asked for, and its content type."""
    families: dict[str, Metric] = {}
    for source in sources:
        for declared, labels, value in await source():
            _add(families, declared, labels, value)
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    # What the process uses, under the names everybody knows.
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return encode(registry), content_type


class _Families(Collector):
    def __init__(self, families: dict[str, Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families.values()


def _add(families: dict[str, Metric], declared: Declared, labels: tuple[str, ...], value: float | Buckets) -> None:
    family = families.get(declared.name)
    match declared.kind:
        case MetricKind.COUNTER:
            assert not isinstance(value, Buckets)
            if family is None:
                family = CounterMetricFamily(declared.name, declared.help, labels=declared.labels)
            assert isinstance(family, CounterMetricFamily)
            family.add_metric(labels, value)
        case MetricKind.GAUGE:
            assert not isinstance(value, Buckets)
            if family is None:
                family = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
            assert isinstance(family, GaugeMetricFamily)
            family.add_metric(labels, value)
        case MetricKind.SECONDS | MetricKind.COUNTS:
            assert isinstance(value, Buckets)
            unit = NS if declared.kind is MetricKind.SECONDS else 1
            if family is None:
                family = HistogramMetricFamily(declared.name, declared.help, labels=declared.labels)
            assert isinstance(family, HistogramMetricFamily)
            family.add_metric(labels, value.cumulative(unit), value.total / unit)
    families[declared.name] = family


def oldest_age_s(since_ns: Iterable[int], now_ns: int) -> float:
    """How long the first of these has been waiting; 0 when there is none. Who asks keeps them in their order."""
    first = next(iter(since_ns), None)
    return 0 if first is None else max(now_ns - first, 0) / NS
