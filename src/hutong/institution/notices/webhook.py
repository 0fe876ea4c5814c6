"""Webhook endpoints: where a merchant wants events sent, how they are signed, and when a failed one is tried again."""

import base64
import hmac
from enum import Enum
from urllib.parse import urlsplit

import msgspec

from hutong.institution.notices.event import is_event_type
from hutong.institution.notices.reasons import NoticeReason
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import Randomness
from hutong.runtime.tables import BigInt, Bytes, Text, Uuid

ID_PREFIX = "whk"
ENDPOINTS_MAX = 10  # Of a merchant.
URL_LENGTH_MAX = 2048
TYPES_MAX = 50
SECRET_BYTES = 32  # Standard Webhooks: 24 to 64.
SECRET_PREFIX = "whsec_"  # noqa: S105  # How it begins is no secret.
ROTATION_NS = NS_PER_DAY  # For so long the old secret signs, too.

# Standard Webhooks' example schedule: the waits behind each failed attempt, about 76 hours in all.
RETRY_WAITS_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
ATTEMPTS_MAX = len(RETRY_WAITS_S) + 1
_JITTER_PARTS = 1000
_RETRY_AFTER_MAX_S = 86_400


class EndpointState(Enum):
    """Whether we call it."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"  # By us, for it failed for days or said it was gone. Enabled again, it goes on where it was.
    REMOVED = "REMOVED"


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """One version of an endpoint."""

    id: Uuid
    owner_id: Uuid
    url: Text
    types: Text  # Event types it wants, with blanks between; none: all.
    secret_sealed: Bytes
    starts_after: BigInt  # The journal's position when it was made: it gets what came later.
    changed_ns: BigInt
    old_secret_sealed: Bytes | None = None
    old_secret_until_ns: BigInt = 0
    state: Text = EndpointState.ACTIVE.value
    why: Text = ""  # Why it is disabled.

    @property
    def is_active(self) -> bool:
        return self.state == EndpointState.ACTIVE.value

    @property
    def secret_label(self) -> str:
        """Under what its secrets are sealed."""
        return f"webhook-secret/{self.id:032x}"

    def wants(self, type_: str) -> bool:
        """Whether it asked for events of this type: by name, or `payment.*` for a whole family, or all."""
        if not self.types:
            return True
        return any(
            type_ == wanted or (wanted.endswith(".*") and type_.startswith(wanted[:-1]))
            for wanted in self.types.split()
        )

    def turned(self, state: EndpointState, why: str, now_ns: int) -> "WebhookEndpoint":
        """In another state."""
        return msgspec.structs.replace(self, state=state.value, why=why, changed_ns=now_ns)

    def check_same(self, url: str, types: str) -> None:
        """Refuses WEBHOOK_TAKEN, naming the first field that differs."""
        for field, ours, theirs in (("url", self.url, url), ("types", self.types, types)):
            if ours != theirs:
                raise Refusal(NoticeReason.WEBHOOK_TAKEN, field=field)


def check_url(url: str, *, private_allowed: bool) -> str:
    """
    The host that `url` leads to.

    Refuses:  WEBHOOK_URL_MALFORMED: not an absolute http or https URL in ASCII, with a name and password, a fragment, or
              anything that two readers could read differently; WEBHOOK_URL_NOT_SECURE for http, unless private targets
              are allowed (which are then the only ones http may lead to).
    """
    if not (url.isascii() and url.isprintable()) or len(url) > URL_LENGTH_MAX or set(url) & set(' \\"<>^`{|}'):
        raise Refusal(NoticeReason.WEBHOOK_URL_MALFORMED, field="url")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise Refusal(NoticeReason.WEBHOOK_URL_MALFORMED, field="url") from error
    if not host or parts.scheme not in {"http", "https"} or "@" in parts.netloc or "#" in url:
        raise Refusal(NoticeReason.WEBHOOK_URL_MALFORMED, field="url")
    if parts.scheme == "http" and not private_allowed:
        raise Refusal(NoticeReason.WEBHOOK_URL_NOT_SECURE, field="url")
    return host


def checked_types(types: list[str]) -> str:
    """The types as they are kept; refuses EVENT_TYPE_MALFORMED."""
    for type_ in types:
        # Of a family, `payment.*`, what a type of it would be spelled like.
        spelled = type_[:-1] + "any" if type_.endswith(".*") else type_
        if len(types) > TYPES_MAX or not is_event_type(spelled):
            raise Refusal(NoticeReason.EVENT_TYPE_MALFORMED, field="types", types_max=TYPES_MAX)
    return " ".join(sorted(set(types)))


def mint_secret(randomness: Randomness) -> bytes:
    """A new endpoint's secret."""
    return randomness.randbytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """How a merchant sees it, and pastes it into any library for Standard Webhooks."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def sign(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """One signature of Standard Webhooks, symmetric, version 1: HMAC-SHA256 over id, timestamp and the body's bytes."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def signed_headers(secrets: list[bytes], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The headers of a delivery; while a secret is being rotated, with a signature by each."""
    return {
        "content-type": "application/json",
        "user-agent": "Hutong-Webhooks",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(sign(secret, message_id, timestamp_s, body) for secret in secrets),
    }


def retry_wait_ns(failures: int, retry_after_s: int, randomness: Randomness) -> int:
    """
    How long to wait behind the n-th failure, with up to a fifth more by chance, so that those that failed together do
    not come back together. The receiver may ask for more, up to a day.
    """
    wait_ns = RETRY_WAITS_S[min(failures, len(RETRY_WAITS_S)) - 1] * NS_PER_S
    jitter_ns = wait_ns // 5 * (randomness.getrandbits(32) % _JITTER_PARTS) // _JITTER_PARTS
    return max(wait_ns + jitter_ns, min(retry_after_s, _RETRY_AFTER_MAX_S) * NS_PER_S)
