"""
One-time codes to the gateway for text messages: the operator's own service, called over HTTP.

A POST of `{"id", "node", "phone", "purpose", "code", "expires_in_s"}` as JSON, signed as Standard Webhooks has it (symmetric,
v1) with the secret both know; any 2xx means it was taken over. Tried thrice within half a minute under the same id, so a
gateway that remembers ids sends one text. What can't be handed over is dropped and logged, without code or number: whoever waits
asks for another.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
import structlog

from hutong.institution.notices.webhook import SECRET_PREFIX, signed_headers
from hutong.institution.people.one_time_code import LIFE_NS, Purpose
from hutong.institution.people.phone import masked_phone
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Kind, Reason, Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.node import NodeRuntime
from hutong.runtime.outbound import NotAnswered, Poster

TRIES_MAX = 3
WAITING_MAX = 1000
_PAUSE_S = 2
_SECRET_BYTES_MIN = 24
_MESSAGE_PREFIX = "otc"

log = structlog.get_logger()
Pause = Callable[[float], Awaitable[None]]


class GatewayReason(Reason):
    """Why one-time codes have no way to a telephone."""

    CODE_GATEWAY_MISSING = Kind.INVALID, "NARR"
    CODE_GATEWAY_SECRET_MALFORMED = Kind.INVALID, "NARR"


class CodeMessage(msgspec.Struct, frozen=True):
    """What the gateway is told."""

    id: str
    node: str
    phone: str
    purpose: str
    code: str
    expires_in_s: int

    def __repr__(self) -> str:
        return f"CodeMessage({self.id} to {masked_phone(self.phone)})"


@dataclass(frozen=True, slots=True, repr=False)
class GatewaySettings:
    """Where it is, and the secret both know."""

    url: str
    secret: bytes


def read_gateway(url: str, secret: str) -> GatewaySettings:
    """Refuses CODE_GATEWAY_SECRET_MALFORMED, unless it is `whsec_` and base64 of 24 bytes or more."""
    try:
        raw = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raw = b""
    if len(raw) < _SECRET_BYTES_MIN or not secret.startswith(SECRET_PREFIX):
        expected = f"{SECRET_PREFIX} and base64 of {_SECRET_BYTES_MIN} bytes or more"
        raise Refusal(GatewayReason.CODE_GATEWAY_SECRET_MALFORMED, expected=expected)
    return GatewaySettings(url, raw)


class CodeGateway:
    """A `CodeSender`: it takes a message at once and hands it over beside the loop."""

    def __init__(
        self, node: NodeRuntime, settings: GatewaySettings, poster: Poster, pause: Pause = asyncio.sleep
    ) -> None:
        self._node = node
        self._settings = settings
        self._poster = poster
        self._pause = pause
        self.waiting = 0
        self.sent = 0
        self.dropped = 0

    def send(self, phone: str, purpose: Purpose, code: str) -> None:
        node = self._node
        message_id = id_text(_MESSAGE_PREFIX, node.mint.mint())
        message = CodeMessage(message_id, node.node_id, phone, purpose.value, code, LIFE_NS // NS_PER_S)
        if self.waiting >= WAITING_MAX:
            self._drop(message, "too many wait")
            return
        self.waiting += 1
        node.spawn(self._hand_over(node, message))

    async def _hand_over(self, node: NodeRuntime, message: CodeMessage) -> None:
        body = msgspec.json.encode(message)
        why = ""
        try:
            for number in range(TRIES_MAX):
                if number:
                    await self._pause(_PAUSE_S << number)
                timestamp_s = node.clock.now_ns() // NS_PER_S
                headers = signed_headers([self._settings.secret], message.id, timestamp_s, body)
                try:
                    answer = await self._poster.post(self._settings.url, headers, body)
                except NotAnswered as error:
                    why = str(error)
                    continue
                if 200 <= answer.status < 300:
                    self.sent += 1
                    return
                why = f"status {answer.status}"
            self._drop(message, why)
        finally:
            self.waiting -= 1

    def _drop(self, message: CodeMessage, why: str) -> None:
        self.dropped += 1
        log.error("one_time_code_not_sent", id=message.id, phone=masked_phone(message.phone), why=why)
