"""Traces: off unless asked for; then a payment is one trace at every node, and a request goes on with its caller's."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import httpx
import pytest
from litestar import get
from litestar.params import FromPath

from hutong.app.traces import Tracing, tracing_of
from hutong.kernel.ids import id_text
from hutong.runtime.figures import Outcomes
from hutong.runtime.http_app import make_app
from hutong.runtime.settings import Settings

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="waits for the extra hutong[traces]")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
PAYMENT = (0x0199_0000_0000 << 80) | (0xABCDEF << 8)


class Kept:
    """A provider whose spans can be looked at."""

    def __init__(self) -> None:
        self.spans = memory.InMemorySpanExporter()
        self.provider = sdk.TracerProvider()
        self.provider.add_span_processor(export.SimpleSpanProcessor(self.spans))

    def tracing(self, node: str, ratio: Fraction = Fraction(1)) -> Tracing:
        return Tracing(self.provider, node, ratio)

    def finished(self) -> list[Any]:
        return list(self.spans.get_finished_spans())


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.provider.shutdown()


def ended(tracing: Tracing, kind: str, *, completed: bool = True, reason: str = "") -> None:
    figures = Outcomes()
    figures.told = (tracing.of(kind),)
    figures.ended(PAYMENT, 1_000, 5_000, completed=completed, reason=reason)


def test_a_payment_is_one_trace_at_every_node_and_the_trace_has_its_id(kept: Kept) -> None:
    for node, kind in (("jing", "payment"), ("switch", "clearing"), ("wei", "receipt")):
        ended(kept.tracing(node), kind)
    spans = kept.finished()
    assert [span.name for span in spans] == ["payment", "clearing", "receipt"]
    assert {span.context.trace_id for span in spans} == {PAYMENT}
    assert len({span.parent.span_id for span in spans}) == 1
    assert {(span.start_time, span.end_time) for span in spans} == {(1_000, 5_000)}
    assert spans[0].attributes["hutong.payment_id"] == id_text("pay", PAYMENT)
    assert [span.attributes["hutong.node"] for span in spans] == ["jing", "switch", "wei"]


def test_a_rejection_says_why(kept: Kept) -> None:
    ended(kept.tracing("jing"), "payment", completed=False, reason="BALANCE_INSUFFICIENT")
    (span,) = kept.finished()
    assert not span.status.is_ok
    assert span.attributes["hutong.reason"] == "BALANCE_INSUFFICIENT"


def test_all_nodes_trace_the_same_part_of_all_payments(kept: Kept) -> None:
    jing, wei = (kept.tracing(node, Fraction(1, 4)).of("payment") for node in ("jing", "wei"))
    for number in range(400):
        id_ = (0x0199_0000_0000 + number << 80) | (number * 7919 << 8)
        jing(id_, 1, 2, True, "")
        wei(id_, 1, 2, True, "")
    spans = kept.finished()
    of_jing = {span.context.trace_id for span in spans if span.attributes["hutong.node"] == "jing"}
    of_wei = {span.context.trace_id for span in spans if span.attributes["hutong.node"] == "wei"}
    assert of_jing == of_wei
    assert 60 < len(of_jing) < 140


async def test_a_request_goes_on_with_its_callers_trace_and_tells_no_path(kept: Kept) -> None:
    @get("/v1/users/{phone:str}", sync_to_thread=False)
    def user(phone: FromPath[str]) -> str:
        return phone

    app = kept.tracing("jing").requests(make_app([user], title="t", version="1"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://jing") as client:
        traceparent = f"00-{PAYMENT:032x}-00000000000000aa-01"
        await client.get("/v1/users/13800138000", headers={"traceparent": traceparent})
        await client.get("/nowhere")
    first, second = kept.finished()
    assert (first.context.trace_id, first.parent.span_id) == (PAYMENT, 0xAA)
    assert first.name == "GET /v1/users/{phone}"
    assert first.attributes["http.response.status_code"] == 200
    assert second.attributes["http.route"] == "unknown"
    assert "13800138000" not in str([span.to_json() for span in (first, second)])


def test_without_being_asked_for_there_is_no_trace() -> None:
    assert tracing_of(Settings.from_environ({"HOME": "/somewhere"}), "jing") is None
    assert Outcomes().told == ()
