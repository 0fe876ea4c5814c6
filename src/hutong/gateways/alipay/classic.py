"""
The classic dialect: `/gateway.do`, its order of checks, and answers signed whether yes or no.

HTTP's status is always 200: one client fails in its own error path on any other. Real errors of the gateway itself are
not signed; here all are, since some clients otherwise report a broken signature in their place.
"""

import html
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from hutong.gateways.account import AlipayAccount
from hutong.gateways.alipay import cipher, pages, parameters
from hutong.gateways.alipay.answer import ERROR_KEY, compose, object_text, response_key
from hutong.gateways.alipay.beijing import beijing_ns
from hutong.gateways.alipay.call import Call, Endpoint, Page, origin
from hutong.gateways.alipay.charset import UTF8, decode
from hutong.gateways.alipay.errors import TITLES, AlipayError
from hutong.gateways.alipay.fields import Fields, read_object
from hutong.gateways.alipay.parameters import Parameters
from hutong.gateways.alipay.service import AlipayService
from hutong.gateways.alipay.signature import RSA2, SIGN_TYPES, certificate_sn, check_certificate, sign, verifies
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.kernel.ids import Randomness

PATH = "/gateway.do"
_LOG = logging.getLogger(__name__)
_WIRE_NAMES = {"gbk": "gbk", "gb18030": "gb18030"}
_ECHO_MAX = 2000
_TRACE_BYTES = 16
_NOT_FOR_THE_METHOD = {
    *("app_id", "method", "charset", "sign_type", "sign", "timestamp", "version", "format", "notify_url", "return_url"),
    *("app_auth_token", "auth_token", "app_cert_sn", "alipay_root_cert_sn", "encrypt_type", "biz_content"),
}


class ClassicDialect:
    """Answers every request with a text that the client can verify, or a page for a browser."""

    def __init__(self, service: AlipayService, randomness: Randomness) -> None:
        self._service = service
        self._randomness = randomness

    async def __call__(self, request: WireRequest) -> WireAnswer:
        envelope = _Envelope()
        with self._service.signers.request():
            try:
                return await self._answered(request, envelope)
            except AlipayError as error:
                return await self._refused(error, envelope)
            except Exception:  # noqa: BLE001  # A client can do nothing with half an answer.
                _LOG.exception("unexpected, while a request to the gateway was read")
                return await self._refused(AlipayError("isp.unknow-error"), envelope)

    async def _answered(self, request: WireRequest, envelope: "_Envelope") -> WireAnswer:
        given = envelope.given = parameters.read(request)
        envelope.codec = given.codec
        envelope.key = response_key(given["method"])
        if given["sign_type"] in SIGN_TYPES:
            envelope.sign_type = given["sign_type"]
        service = self._service
        if given["service"] == "notify_verify" and not given["method"]:
            told = await service.was_told(given["partner"], given["notify_id"])
            return WireAnswer(body=b"true" if told else b"false", content_type="text/html;charset=utf-8")
        if not given["method"]:
            raise AlipayError("isv.missing-method")
        endpoint = service.endpoint(given["method"])
        envelope.endpoint = endpoint
        if not given["app_id"]:
            raise AlipayError("isv.missing-app-id")
        account = await service.account(given["app_id"])
        _check_common(given)
        now_ns = service.now_ns()
        check_certificate(account, given["app_cert_sn"], now_ns)
        envelope.certified = bool(given["app_cert_sn"])
        if not verifies(account, given["sign"], given.signed, given["sign_type"]):
            raise AlipayError("isv.invalid-signature", detail=_echo(given))
        caller = await service.caller(account, given["app_auth_token"])
        content = _content(given, account)
        envelope.aes_key = account.secrets.aes_key if given["encrypt_type"] else ""
        values: Mapping[str, Any] = given.values if endpoint.flat else read_object(content)
        call = Call(
            method=endpoint.method,
            caller=caller,
            fields=Fields(_flat(values, content) if endpoint.flat else dict(values), endpoint.invalid),
            sign_type=given["sign_type"],
            codec=given.codec,
            notify_url=given["notify_url"],
            return_url=given["return_url"],
            auth_token=given["auth_token"],
            files=given.files,
            now_ns=now_ns,
            wall_ns=service.wall.now_ns(),
            origin=origin(request),
            private_urls=service.private_urls,
        )
        reply = await service.answer(endpoint, call)
        if isinstance(reply, Page):
            return pages.shown(reply.html)
        return await self._wrapped({"code": reply.code, "msg": TITLES[reply.code], **reply.fields}, envelope)

    async def _refused(self, error: AlipayError, envelope: "_Envelope") -> WireAnswer:
        endpoint = envelope.endpoint
        if endpoint is not None and endpoint.page:
            return pages.shown(pages.error_page(error))
        if endpoint is not None and endpoint.loose:
            envelope.key = ERROR_KEY
        said = {"code": error.code, "msg": TITLES[error.code], "sub_code": error.sub_code, "sub_msg": error.sub_msg}
        return await self._wrapped({**said, **error.fields}, envelope)

    async def _wrapped(self, fields: dict[str, Any], envelope: "_Envelope") -> WireAnswer:
        value = object_text(fields)
        if envelope.aes_key:
            value = f'"{cipher.encrypt(value.encode(envelope.codec, "replace"), envelope.aes_key)}"'
        key = self._service.signing_key()
        signed = partial(
            compose,
            envelope.key,
            value,
            envelope.codec,
            None if key is None else partial(sign, key, sign_type=envelope.sign_type),
            certificate_sn=certificate_sn(key.certificate) if envelope.certified and key is not None else "",
        )
        body = await self._service.signers.run(signed)
        charset = _WIRE_NAMES.get(envelope.codec, UTF8)
        trace = ("trace_id", self._randomness.randbytes(_TRACE_BYTES).hex())
        return WireAnswer(body=body, content_type=f"text/html;charset={charset}", headers=(trace,))


class _Envelope:
    """What is known of a request by the time something is to be answered."""

    def __init__(self) -> None:
        self.given: Parameters | None = None
        self.endpoint: Endpoint | None = None
        self.key = ERROR_KEY
        self.codec = UTF8
        self.sign_type = RSA2
        self.certified = False
        self.aes_key = ""


def _check_common(given: Parameters) -> None:
    """
    The parameters that every request has.

    A timestamp may be of any day: clients without a zone of their own write their machine's, eight hours away.
    """
    if not given.is_text:
        raise AlipayError("isv.invalid-charset")
    if not given["sign_type"]:
        raise AlipayError("isv.missing-signature-type")
    if given["sign_type"] not in SIGN_TYPES:
        raise AlipayError("isv.invalid-signature-type")
    if not given["timestamp"]:
        raise AlipayError("isv.missing-timestamp")
    if beijing_ns(given["timestamp"]) is None:
        raise AlipayError("isv.invalid-timestamp")
    if not given["version"]:
        raise AlipayError("isv.missing-version")
    if given["version"] != "1.0":
        raise AlipayError("isv.invalid-version")
    if given["format"].upper() not in {"", "JSON"}:
        raise AlipayError("isv.invalid-format")
    if not given["sign"]:
        raise AlipayError("isv.missing-signature")


def _content(given: Parameters, account: AlipayAccount) -> str:
    """`biz_content`, in clear."""
    content = given["biz_content"]
    if given["encrypt_type"] not in {"", cipher.ALGORITHM}:
        raise AlipayError("isv.invalid-encrypt-type")
    if not given["encrypt_type"]:
        if cipher.looks_encrypted(content):
            raise AlipayError("isv.decryption-error-missing-encrypt-type")
        return content
    plain = cipher.decrypt(content, account.secrets.aes_key) if content else b""
    return decode(plain, given.codec)


def _flat(values: Mapping[str, Any], content: str) -> dict[str, Any]:
    """The fields of a flat method; some clients put them into `biz_content` all the same."""
    inner = read_object(content)
    return inner | {name: value for name, value in values.items() if name not in _NOT_FOR_THE_METHOD}


def _echo(given: Parameters) -> str:
    """What the gateway verified: the one thing that helps who has signed something else."""
    text = given.signed.decode(given.codec, "replace")[:_ECHO_MAX]
    return f"网关生成的验签字符串为：{html.escape(text, quote=False)}"
