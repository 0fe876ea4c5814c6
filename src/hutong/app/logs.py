"""
Logs: one line an event, on standard error; for people at a terminal, as JSON for everything else.

Every line names its node. Payments leave no line of their own, unless the level is `debug`: then each that ends does.
"""

import logging
import sys

import structlog

from hutong.kernel.clock import NS_PER_MS
from hutong.runtime.figures import Trace

_log = structlog.get_logger()


def configure_logs(*, level: str = "info", form: str = "auto") -> None:
    """Set up structlog, and route what libraries log through it. `form` is json, console, or auto: console at a terminal."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    render: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if form == "console" or (form == "auto" and sys.stderr.isatty())
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Whatever standard error is by then: a log that was redirected and closed must not fail who logs.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render]
        )
    )
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def logged_ends(kind: str) -> Trace:
    """A line for each thing of a kind that ended, at level `debug`."""

    def log_one(id_: int, began_ns: int, ended_ns: int, completed: bool, reason: str) -> None:  # noqa: FBT001
        took_ms = (ended_ns - began_ns) // NS_PER_MS
        _log.debug("ended", kind=kind, id=f"{id_:032x}", completed=completed, reason=reason, took_ms=took_ms)

    return log_one
