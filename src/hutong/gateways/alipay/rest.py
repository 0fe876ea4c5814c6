"""The v3 dialect: REST below `/v3/`, proven by a header, answered with HTTP's own statuses."""

import json
import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from hutong.gateways.account import AlipayAccount
from hutong.gateways.alipay import cipher, parameters
from hutong.gateways.alipay.answer import object_text
from hutong.gateways.alipay.call import Call, Page, origin
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.fields import Fields, read_object
from hutong.gateways.alipay.parameters import File
from hutong.gateways.alipay.service import AlipayService
from hutong.gateways.alipay.signature import certificate_sn, check_certificate, sign, verifies
from hutong.gateways.wire import JSON, WireAnswer, WireRequest
from hutong.kernel.clock import NS_PER_MS, Clock
from hutong.kernel.ids import Randomness

SCHEME = "ALIPAY-SHA256withRSA"
PREFIX = "/v3/"
WINDOW_MS = 10 * 60 * 1000
_TRACE_BYTES = 16
_MILLISECONDS, _SECONDS = re.compile("[0-9]{1,16}"), re.compile("[0-9]{1,6}")
_LOG = logging.getLogger(__name__)


class Authorization(msgspec.Struct, frozen=True):
    """The header that proves a request: its parts, the text of them that is signed, and the signature."""

    parts: dict[str, str]
    text: str
    signature: str


class RestDialect:
    """Answers every request under a path of a method; which those are, the paths of all methods say."""

    def __init__(self, service: AlipayService, paths: Mapping[str, str], randomness: Randomness, wall: Clock) -> None:
        self._service = service
        self._paths = paths
        self._randomness = randomness
        self._wall = wall  # What is signed says when, by the client's clock.

    async def __call__(self, request: WireRequest) -> WireAnswer:
        trace = self._randomness.randbytes(_TRACE_BYTES).hex()
        try:
            with self._service.signers.request():
                return await self._answered(request, trace)
        except AlipayError as error:
            return refused(error, trace)
        except Exception:  # noqa: BLE001  # A client can do nothing with half an answer.
            _LOG.exception("unexpected, while a v3 request was read")
            return refused(AlipayError("isp.unknow-error"), trace)

    async def _answered(self, request: WireRequest, trace: str) -> WireAnswer:
        service = self._service
        endpoint = service.endpoint(self._paths.get(unquote(request.path).rstrip("/"), ""))
        header = read_authorization(request.headers.get("authorization", ""))
        account = await service.account(header.parts["app_id"])
        now_ns = service.now_ns()
        now_ms = self._wall.now_ns() // NS_PER_MS
        _check_time(header.parts, now_ms)
        check_certificate(account, header.parts.get("app_cert_sn", ""), now_ns)
        body, files = signed_body(request)
        token = request.headers.get("alipay-app-auth-token", "")
        if not verifies(account, header.signature, signed_text(request, header, body, token)):
            raise AlipayError("isv.invalid-signature")
        caller = await service.caller(account, token)
        encrypted = _encrypted(request)
        fields = Fields(_fields(request, _plain(body, account) if encrypted else body), endpoint.invalid)
        call = Call(
            method=endpoint.method,
            caller=caller,
            fields=fields,
            notify_url=fields.text("notify_url", 256),
            return_url=fields.text("return_url", 256),
            auth_token=fields.text("auth_token", 128),
            files=files,
            now_ns=now_ns,
            wall_ns=service.wall.now_ns(),
            origin=origin(request),
            private_urls=service.private_urls,
        )
        reply = await service.answer(endpoint, call)
        if isinstance(reply, Page):
            raise AlipayError("isv.invalid-method")  # A browser never comes this way.
        text = object_text(reply.fields)
        if encrypted:
            text = cipher.encrypt(text.encode(), account.secrets.aes_key)
        certified = "app_cert_sn" in header.parts
        return await self._signed(text, trace, now_ms, encrypted=encrypted, certified=certified)

    async def _signed(self, text: str, trace: str, now_ms: int, *, encrypted: bool, certified: bool) -> WireAnswer:
        key = self._service.signing_key()
        assert key is not None, "an account brings it"
        nonce = self._randomness.randbytes(_TRACE_BYTES).hex()
        signature = await self._service.signers.run(partial(sign, key, f"{now_ms}\n{nonce}\n{text}\n".encode()))
        headers = [
            ("alipay-timestamp", str(now_ms)),
            ("alipay-nonce", nonce),
            ("alipay-signature", signature),
            ("alipay-trace-id", trace),
        ]
        if certified:
            headers.append(("alipay-sn", certificate_sn(key.certificate)))
        if encrypted:
            headers.append(("alipay-encrypt-type", cipher.ALGORITHM))
        content_type = "text/plain;charset=utf-8" if encrypted else f"{JSON};charset=utf-8"
        return WireAnswer(body=text.encode(), content_type=content_type, headers=tuple(headers))


def read_authorization(header: str) -> Authorization:
    """
    `ALIPAY-SHA256withRSA app_id=…,nonce=…,timestamp=…,sign=…`: what stands before `,sign=` is signed as it stands.

    Refuses:  isv.missing-timestamp, where there is none at all; isv.invalid-signature-type, isv.missing-signature,
              isv.missing-app-id, isv.missing-timestamp; isv.invalid-parameter without a nonce.
    """
    if not header:
        raise AlipayError("isv.missing-timestamp")
    scheme, _, rest = header.partition(" ")
    if scheme != SCHEME:
        raise AlipayError("isv.invalid-signature-type")
    text, found, signature = rest.strip().rpartition(",sign=")
    if not found or not signature:
        raise AlipayError("isv.missing-signature")
    parts = dict(_part(each) for each in text.split(","))
    if not parts.get("app_id"):
        raise AlipayError("isv.missing-app-id")
    if not parts.get("timestamp"):
        raise AlipayError("isv.missing-timestamp")
    if not parts.get("nonce"):
        raise AlipayError("isv.invalid-parameter", detail="nonce")
    return Authorization(parts, text, signature)


def _part(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value


def _check_time(parts: dict[str, str], now_ms: int) -> None:
    """Within ten minutes of ours, or what the client itself says it should be good for. Refuses isv.invalid-timestamp."""
    at, seconds = parts["timestamp"], parts.get("expired_seconds", "")
    if not _MILLISECONDS.fullmatch(at):
        raise AlipayError("isv.invalid-timestamp")
    window = min(int(seconds) * 1000, WINDOW_MS) if _SECONDS.fullmatch(seconds) else WINDOW_MS
    age = now_ms - int(at)
    if age > window or -age > WINDOW_MS:
        raise AlipayError("isv.invalid-timestamp")


def signed_body(request: WireRequest) -> tuple[bytes, dict[str, File]]:
    """The bytes of a body that are signed: all of it, but of a multipart one its field `data`."""
    if not request.headers.get("content-type", "").lower().startswith(parameters.MULTIPART):
        return request.body, {}
    given = parameters.read(msgspec.structs.replace(request, query=b""))
    return given["data"].encode(), given.files


def signed_text(request: WireRequest, header: Authorization, body: bytes, app_auth_token: str) -> bytes:
    """What the client signed, line by line."""
    lines = [header.text.encode(), request.method.encode(), request.target, body]
    if app_auth_token:
        lines.append(app_auth_token.encode())
    return b"\n".join(lines) + b"\n"


def _encrypted(request: WireRequest) -> bool:
    named = request.headers.get("alipay-encrypt-type") or request.headers.get("alipay-encryption-algm", "")
    if named not in {"", cipher.ALGORITHM}:
        raise AlipayError("isv.invalid-encrypt-type")
    return bool(named)


def _plain(body: bytes, account: AlipayAccount) -> bytes:
    return cipher.decrypt(body.decode("latin-1"), account.secrets.aes_key) if body else b""


def _fields(request: WireRequest, body: bytes) -> dict[str, Any]:
    """What is asked: the query's fields, and the body's before them."""
    try:
        query = dict(
            parse_qsl(request.query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200)
        )
        text = body.decode()
    except ValueError:
        raise AlipayError("isv.invalid-parameter") from None
    return query | read_object(text)


def refused(error: AlipayError, trace: str = "") -> WireAnswer:
    """No signature on a no, and no `links`: Java's client reads those as another type than it is documented to be."""
    body = json.dumps({"code": error.bare_code, "message": error.sub_msg}, ensure_ascii=False)
    return WireAnswer(
        status=error.status,
        body=body.encode("utf-8", "replace"),
        content_type=f"{JSON};charset=utf-8",
        headers=(("alipay-trace-id", trace),) if trace else (),
    )
