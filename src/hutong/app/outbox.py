"""The way to a telephone where there is no gateway for text messages: a laptop's network shows its codes instead."""

from collections import deque
from dataclasses import dataclass, field

import structlog

from hutong.institution.people.one_time_code import Purpose

log = structlog.get_logger()
_KEPT_MAX = 1000


@dataclass(frozen=True, slots=True)
class ShownCode:
    """One message that would have been sent."""

    phone: str
    purpose: str
    code: str


@dataclass(slots=True)
class ShownCodes:
    """A `CodeSender` that logs each code and keeps the last ones for whoever runs the network."""

    sent: deque[ShownCode] = field(default_factory=lambda: deque(maxlen=_KEPT_MAX))

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        self.sent.append(ShownCode(phone, purpose.value, code))
        log.info("one_time_code", phone=phone, purpose=purpose.value, code=code)

    def last(self, phone: str) -> str:
        """The newest code sent to a telephone."""
        return next(shown.code for shown in reversed(self.sent) if shown.phone == phone)
