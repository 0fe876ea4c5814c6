"""How Alipay tells a merchant: a form, signed, tried again for twenty-five hours until it is answered `success`."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import msgspec

from hutong.gateways.alipay.beijing import beijing_text
from hutong.gateways.alipay.charset import UTF8
from hutong.gateways.alipay.signature import RSA2, signed_parameters
from hutong.gateways.notification import GatewayNotification, Letter
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.kernel.clock import NS_PER_MS

_MINUTE, _HOUR = 60, 3600
TAKEN = b"success"


class Told(msgspec.Struct, frozen=True, array_like=True):
    """What is told but for the time and the signature; and how it is to be signed."""

    values: dict[str, str]
    sign_type: str = RSA2
    codec: str = UTF8


# One for each kind of news. It may raise `Cold`.
Writer = Callable[[GatewayNotification], Told]


class AlipayPostman:
    """What is told is made once; `notify_id` stays the same over all tries, the time and signature are each try's own."""

    schedule_s = (4 * _MINUTE, 10 * _MINUTE, 10 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR)
    timeout_s = 10.0

    def __init__(self, platform: PlatformService, writers: Mapping[str, Writer]) -> None:
        self._platform = platform
        self._writers = writers

    def waits_s(self, plain: bytes) -> tuple[int, ...]:  # noqa: ARG002  # Whatever it is.
        """One schedule for all."""
        return self.schedule_s

    def plain(self, notification: GatewayNotification) -> bytes:
        """The parameters but the time and the signature, as things stood with this news. May raise `Cold`."""
        told = self._writers[notification.kind](notification)
        told.values["notify_id"] = notify_id(notification.id)
        return msgspec.json.encode(told)

    def letter(
        self,
        notification: GatewayNotification,  # noqa: ARG002  # Its `plain` says everything.
        plain: bytes,
        now_ns: int,
    ) -> Letter:
        """Signed for this try, in the charset and with the kind of signature that was used to ask for it."""
        told = msgspec.json.decode(plain, type=Told)
        # Newer products push messages, that tell the time otherwise.
        is_message = "msg_method" in told.values
        time = {"utc_timestamp": str(now_ns // NS_PER_MS)} if is_message else {"notify_time": beijing_text(now_ns)}
        key = self._platform.current(KeyUse.ALIPAY)
        signed = signed_parameters(key, told.values | time, told.sign_type, told.codec)
        body = urlencode(signed, encoding=told.codec, errors="replace").encode()
        return Letter({"content-type": f"application/x-www-form-urlencoded; charset={told.codec}"}, body)

    def taken(self, status: int, body: bytes) -> bool:
        """Seven letters and nothing else."""
        return status == 200 and body == TAKEN


def notify_id(notification_id: int) -> str:
    """34 letters; the same for all tries."""
    return f"{notification_id:032x}nw"


def notification_id(text: str) -> int | None:
    """Which notification it is the id of."""
    digits = text.removesuffix("nw")
    if len(digits) != 32 or not text.endswith("nw"):
        return None
    try:
        return int(digits, 16)
    except ValueError:
        return None
