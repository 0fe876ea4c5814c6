"""
Traces through OpenTelemetry: off unless asked for, and then one span for each payment and side, made when it ends.

A payment's id has 128 bits, as a trace's has: it is the trace's id. So the payer's institution, the switch and the payee's
institution tell one trace without a header that travels with the messages, and whoever knows a payment finds its trace.
"""

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer

from hutong import __version__
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.figures import Trace
from hutong.runtime.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

_SAMPLES = 1 << 32
_PREFIXES = {"payment": "pay", "receipt": "pay", "clearing": "pay"}  # Refunds have ids of our own making.


class TracesReason(Reason):
    """Why there are no traces."""

    TRACES_NEED_SDK = Kind.REFUSED, "NARR"


def exporting_provider(node_id: str) -> "TracerProvider":
    """
    The provider that sends spans where OpenTelemetry's own `OTEL_*` variables say.

    Refuses:  TRACES_NEED_SDK.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider as SdkProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Refusal(TracesReason.TRACES_NEED_SDK, do="pip install 'hutong[traces]'", said=str(error)) from error
    resource = Resource.create({"service.name": "hutong", "service.instance.id": node_id})
    provider = SdkProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def tracing_of(settings: Settings, node_id: str) -> "Tracing | None":
    """What the settings ask for. Refuses TRACES_NEED_SDK."""
    if not settings.trace_ratio:
        return None
    return Tracing(exporting_provider(node_id), node_id, settings.trace_ratio)


class Tracing:
    """One node's tracer. `ratio` of all payments is traced, the same ones at each node: chosen by their ids."""

    def __init__(self, provider: "TracerProvider", node_id: str, ratio: Fraction) -> None:
        self._tracer: Tracer = provider.get_tracer("hutong", __version__)
        self._node_id = node_id
        self._below = int(ratio * _SAMPLES)

    def of(self, kind: str) -> Trace:
        """What is told of each end of a kind (payment, receipt, refund, return, clearing)."""

        def trace_one(id_: int, began_ns: int, ended_ns: int, completed: bool, reason: str) -> None:  # noqa: FBT001
            digest = hashlib.blake2b(id_.to_bytes(16, "big"), digest_size=12).digest()
            if int.from_bytes(digest[:4], "big") >= self._below:
                return
            attributes: dict[str, str] = {"hutong.node": self._node_id, "hutong.id": f"{id_:032x}"}
            if kind in _PREFIXES:
                attributes["hutong.payment_id"] = id_text(_PREFIXES[kind], id_)
            if not completed:
                attributes["hutong.reason"] = reason
            span = self._tracer.start_span(
                kind, _parent(id_, digest[4:]), SpanKind.INTERNAL, attributes, start_time=began_ns
            )
            span.set_status(Status(StatusCode.OK) if completed else Status(StatusCode.ERROR, reason))
            span.end(ended_ns)

        return trace_one

    def requests(self, app: Any) -> Any:
        """The application, with a span for each request that is not hot; a caller's `traceparent` goes on."""

        async def traced(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            with self._tracer.start_as_current_span(
                scope["method"], extract(headers), SpanKind.SERVER, record_exception=False
            ) as span:

                async def sent(message: Any) -> None:
                    if message["type"] == "http.response.start":
                        route = scope.get("path_template") or "unknown"
                        span.update_name(f"{scope['method']} {route}")
                        span.set_attributes(_http(self._node_id, scope["method"], route, message["status"]))
                    await send(message)

                await app(scope, receive, sent)

        return traced


def _http(node_id: str, method: str, route: str, status: int) -> Mapping[str, str | int]:
    # Routes, never paths: those hold telephones and ids.
    return {
        "hutong.node": node_id,
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }


def _parent(id_: int, span_id: bytes) -> Any:
    """A payment as the root that nobody records: the same at every node."""
    flags = TraceFlags(TraceFlags.SAMPLED)
    context = SpanContext(id_, int.from_bytes(span_id, "big") or 1, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(context))
