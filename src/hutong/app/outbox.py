"""The way to a telephone where there is no gateway for text messages: a laptop's network shows its codes instead."""

from collections import deque
from dataclasses import dataclass, field

import structlog
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.phone import masked_phone, parse_phone
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.operators.guard import SUBJECT_PRIVATE, TAKES, Guard
from hutong.operators.operator import Role

log = structlog.get_logger()
_KEPT_MAX = 1000


class OutboxReason(Reason):
    """Why there is nothing to show."""

    NO_CODE_WAS_SENT = Kind.NOT_FOUND, "NARR"


@dataclass(frozen=True, slots=True)
class ShownCode:
    """One message that would have been sent."""

    phone: str
    purpose: str
    code: str


@dataclass(slots=True)
class ShownCodes:
    """A `CodeSender` that keeps the last messages for the operator, who is at once everybody's telephone."""

    sent: deque[ShownCode] = field(default_factory=lambda: deque(maxlen=_KEPT_MAX))

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        self.sent.append(ShownCode(phone, purpose.value, code))
        log.info("one_time_code_shown", phone=masked_phone(phone), purpose=purpose.value)

    def last(self, phone: FromPath[str]) -> ShownCode:
        """The newest message to a telephone. Refuses NO_CODE_WAS_SENT."""
        for shown in reversed(self.sent):
            if shown.phone == phone:
                return shown
        raise Refusal(OutboxReason.NO_CODE_WAS_SENT)


def shown_codes_api(codes: ShownCodes, operator_only: Guard) -> HTTPRouteHandler:
    """`GET /v1/operator/one-time-codes/{phone}`: what would have been texted, for an operator's token."""

    @get(
        "/v1/operator/one-time-codes/{phone:str}",
        tags=["Laptop"],
        guards=[operator_only],
        opt={TAKES: Role.OPERATOR, SUBJECT_PRIVATE: True},  # Who reads it can sign in as anybody.
    )
    async def shown_code(phone: FromPath[str]) -> ShownCode:
        """The newest one-time code for a telephone. Only where no gateway for text messages is configured."""
        return codes.last(parse_phone(phone))

    return shown_code
