"""
A request from its bytes to its endpoint, and the answer back, signed.

The vendor's order of checks: path and method, the Authorization header, its time, its signature, the headers that must be
there, the platform key that is asked for; then the product.
"""

from collections.abc import Iterable
from functools import partial
from urllib.parse import unquote_plus

import msgspec
import structlog

from hutong.gateways import keys
from hutong.gateways.account import Signing, WechatAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.platform import KeyUse, SigningKey
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.signers import Signers
from hutong.gateways.wechat.v3 import authorization, upload
from hutong.gateways.wechat.v3.endpoint import Call, Endpoint, Router, catalogue
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.gateways.wechat.v3.refusals import fault_of
from hutong.gateways.wire import JSON, Around, Dialect, Injected, WireAnswer, WireRequest, as_it_is
from hutong.kernel.clock import NS_PER_S, Clock
from hutong.kernel.errors import Refusal
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import JournalHalted
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

log = structlog.get_logger()
PREFIX = "/v3/"
_USES = {Signing.CERTIFICATE: KeyUse.WECHATPAY_CERTIFICATE, Signing.PUBLIC_KEY: KeyUse.WECHATPAY_PUBLIC_KEY}
_HEADERS_TEXT = "Http头缺少Accept或User-Agent"


class Envelope:
    """The dialect: it answers whatever comes, in the vendor's words, and never raises."""

    def __init__(
        self,
        node: NodeRuntime,
        accounts: AccountService,
        platform: PlatformService,
        endpoints: Iterable[Endpoint],
        signers: Signers,
        wall: Clock,
    ) -> None:
        self._node = node
        self._wall = wall  # What is signed says when, by the client's clock.
        self._accounts = accounts
        self._platform = platform
        self.built = tuple(endpoints)
        self._router = Router([*self.built, *catalogue()])
        self.around: Around = as_it_is
        self._signers = signers

    def route(self, request: WireRequest) -> Dialect | None:
        """Itself, for what is WeChat Pay's v3. The other vendor's v3 paths are told apart by how they are authorised."""
        ours = request.path.startswith(PREFIX) and not request.headers.get("authorization", "").startswith("ALIPAY-")
        return self.answer if ours else None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """The answer, whatever happens."""
        drawn = self._node.randomness.randbytes(36).hex()
        try:
            with self._signers.request():
                answer = await self._answer(request, nonce=drawn[:32])
        except Fault as fault:
            answer = fault.answer()
        except Refusal as refusal:
            answer = fault_of(refusal).answer()
        except Injected as injected:
            answer = Fault(Code.__members__.get(injected.code, Code.SYSTEM_ERROR)).answer()
        except (JournalHalted, DatabaseUnavailable):
            answer = Fault(Code.SYSTEM_ERROR).answer()
        except Exception:
            log.exception("gateway_failed", dialect="wechatpay-v3", method=request.method, path=request.path)
            answer = Fault(Code.SYSTEM_ERROR).answer()
        request_id = ("Request-ID", f"08{drawn[32:].upper()}-0")
        return msgspec.structs.replace(answer, headers=(*answer.headers, request_id))

    async def _answer(self, request: WireRequest, *, nonce: str) -> WireAnswer:
        found = self._router.find(request.method, request.path)
        if isinstance(found, int):
            return WireAnswer(status=found)
        signed = request.body
        content_type = request.headers.get("content-type", "")
        if upload.is_multipart(content_type):
            signed = upload.parse(content_type, request.body).meta
        account = await self._authenticate(request, signed)
        self._accounts.count(account)
        if not request.path.startswith("/v3/pay/") and not (
            request.headers.get("user-agent") and request.headers.get("accept")
        ):
            raise Fault(Code.INVALID_REQUEST, _HEADERS_TEXT)
        key = self._key(request, account)
        call = Call(request=request, account=account, path=found.path, query=read_query(request.query), signed=signed)
        answer = await self.around(account.row.id, request.path, lambda: found.endpoint.handler(call))
        return await self._signed(answer, key, nonce)

    async def _authenticate(self, request: WireRequest, signed: bytes) -> WechatAccount:
        """Whose request it is. Refuses SIGN_ERROR."""
        claimed = authorization.parse(request.headers.get("authorization", ""), request.path)
        authorization.check_time(claimed, self._wall.now_ns() // NS_PER_S)
        account = await self._account(claimed.mchid)
        key = account.key(claimed.serial_no) if account is not None else None
        if account is None or key is None:
            raise Fault(Code.SIGN_ERROR, authorization.SERIAL_TEXT)
        public = keys.public_key(key.pem)
        for text in authorization.canonical_texts(request, claimed, signed, lenient=account.facts.lenient):
            if keys.verifies(public, claimed.signature, text):
                return account
        raise authorization.mismatch(request, claimed, signed)

    async def _account(self, mchid: str) -> WechatAccount | None:
        try:
            return await warmed(self._node.journal, lambda: self._accounts.wechatpay(mchid))
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ACCOUNT_UNKNOWN:
                return None
            raise

    def _key(self, request: WireRequest, account: WechatAccount) -> SigningKey:
        """What the answer is signed with: the key that the caller names, or the one it is configured for."""
        serial = request.headers.get("wechatpay-serial")
        if serial is None:
            return self._platform.current(_USES[account.facts.signing])
        key = self._platform.by_serial(serial)
        if key is None:
            raise param_error(
                "/header/Wechatpay-Serial", "unknown serial", "Wechatpay-Serial有误，请检查后再试", serial[:64]
            )
        return key

    async def _signed(self, answer: WireAnswer, key: SigningKey, nonce: str) -> WireAnswer:
        """Every 2xx is signed, but for files, which their hashes vouch for."""
        if not 200 <= answer.status < 300 or answer.content_type != JSON:
            return answer
        sign = partial(signature_headers, key, answer.body, nonce, self._wall.now_ns() // NS_PER_S)
        headers = await self._signers.run(sign)
        return WireAnswer(status=answer.status, body=answer.body, headers=answer.headers + headers)


def signature_headers(key: SigningKey, body: bytes, nonce: str, now_s: int) -> tuple[tuple[str, str], ...]:
    """The five headers of what the platform says, in an answer or a notification."""
    timestamp = str(now_s)
    signature = keys.sign(key.private, f"{timestamp}\n{nonce}\n".encode() + body + b"\n")
    return (
        ("Wechatpay-Timestamp", timestamp),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Serial", key.serial),
        ("Wechatpay-Signature-Type", authorization.SCHEME),
    )


def read_query(query: bytes) -> dict[str, str]:
    """Names and values of a query, the first of a repeated name; odd ampersands are nobody's fault."""
    read: dict[str, str] = {}
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name:
            read.setdefault(_decoded(name), _decoded(value))
    return read


def _decoded(text: bytes) -> str:
    if b"%" in text or b"+" in text:
        return unquote_plus(text.decode("latin-1"), encoding="utf-8", errors="replace")
    return text.decode("utf-8", "replace")
