"""A moment as a browser's field says it: local time without a zone, which is the node's."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hutong.kernel.clock import NS_PER_S, instant, instant_ns
from hutong.kernel.errors import Refusal
from hutong.runtime.http import HttpReason
from hutong.web.form import Form


def moment_ns(form: Form, name: str, zone: ZoneInfo) -> int | None:
    """Nanoseconds since 1970 at the end of that second; None where nothing was typed. Refuses FIELD_INVALID."""
    text = form.text(name, length_max=30)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _malformed(name) from None
    if at.tzinfo is not None or not 1970 < at.year < 2200:
        raise _malformed(name)
    return instant_ns(at.replace(tzinfo=zone)) + NS_PER_S - 1


def moment_text(ns: int | None, zone: ZoneInfo) -> str:
    """How the field is filled in again."""
    if ns is None:
        return ""
    return instant(ns).astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _malformed(name: str) -> Refusal:
    return Refusal(HttpReason.FIELD_INVALID, field=name, problem="a local date and time: 2026-11-23T18:00:00")
