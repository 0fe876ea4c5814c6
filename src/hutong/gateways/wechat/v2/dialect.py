"""
The way in: what a request has to prove before anybody looks at what it wants.

In this order: POST, some data, UTF-8, XML, a merchant number that is somebody's, a signature with that merchant's key, the
fields' shape, an appid and a merchant that belong to whoever calls.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

import msgspec

from hutong.gateways.account import Caller, WechatAccount, acting_for
from hutong.gateways.account_service import AccountService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.wechat.v2 import answer, document, errors, shape
from hutong.gateways.wechat.v2.document import Fields, Malformed
from hutong.gateways.wechat.v2.endpoint import Call, Endpoint, Proof
from hutong.gateways.wechat.v2.errors import Code, Fault, Unreadable
from hutong.gateways.wechat.v2.refusals import fault_of
from hutong.gateways.wechat.v2.signature import SignType, is_signed, said_type, sandbox_key
from hutong.gateways.wire import Around, Dialect, Injected, WireAnswer, WireRequest, as_it_is
from hutong.institution.notices.webhook import check_url
from hutong.kernel.errors import OutcomeUnknown, Refusal
from hutong.kernel.ids import Randomness
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import Journal, JournalHalted
from hutong.runtime.shelf import warmed

# Paths of the vendor's sandbox: the same endpoints below them, under a key of their own.
_SANDBOXES = ("/sandboxnew", "/xdc/apiv2sandbox")
_SANDBOX_ALONE = ("/sandboxnew/", "/xdc/")
_LOG = logging.getLogger(__name__)
_MCHID = re.compile("[0-9]{1,32}")
_APPID = re.compile("wx[0-9a-f]{16}")
# By what requests name who calls: most by the first, the others each in a family of its own.
_APPIDS = ("appid", "mch_appid", "wxappid", "combine_appid")
_MCHIDS = ("mch_id", "mchid", "combine_mch_id")
_ECHOED = (*_APPIDS, *_MCHIDS, "sub_appid", "sub_mch_id", "device_info")
_NONCE_BITS = 128


class _Proved(msgspec.Struct, frozen=True):
    """Who calls, and how it was proved: what an answer is signed with, too."""

    account: WechatAccount
    fields: Fields
    key: str
    sign_type: SignType
    is_sandbox: bool


class V2Dialect:
    """Every path of v2 that the vendor has, those of its sandbox too where this institution is in one."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        journal: Journal,
        accounts: AccountService,
        randomness: Randomness,
        *,
        sandbox: bool,
        private_urls: bool,
    ) -> None:
        self._private_urls = private_urls
        self.endpoints: Mapping[str, Endpoint] = {each.path: each for each in endpoints}
        self._journal = journal
        self._accounts = accounts
        self._randomness = randomness
        self._sandbox = sandbox
        self.around: Around = as_it_is

    def route(self, request: WireRequest) -> Dialect | None:
        """Whether a request is v2's."""
        return None if self._found(request.path) is None else self.answer

    def _found(self, path: str) -> tuple[Endpoint, bool] | None:
        """The endpoint of a path, and whether it is signed with the sandbox's key."""
        if path.startswith(_SANDBOX_ALONE) and not self._sandbox:
            return None
        found = self.endpoints.get(path)
        if found is not None:
            return found, False
        for above in _SANDBOXES:
            if path.startswith(above) and (found := self.endpoints.get(path.removeprefix(above))) is not None:
                return found, True
        return None

    async def answer(self, request: WireRequest) -> WireAnswer:
        """Answers whatever comes; never raises."""
        try:
            return await self._answer(request)
        except Unreadable as unreadable:
            return answer.unread(unreadable)
        except (JournalHalted, DatabaseUnavailable, OutcomeUnknown):
            return answer.unread(Unreadable(Code.SYSTEMERROR.text))
        except Exception:  # noqa: BLE001  # Whatever it is, it is said in the vendor's words.
            _LOG.exception("v2 could not answer %s", request.path)
            return answer.unread(Unreadable(Code.SYSTEMERROR.text))

    async def _answer(self, request: WireRequest) -> WireAnswer:
        found = self._found(request.path)
        assert found is not None, "what isn't v2's is not routed here"
        endpoint, in_sandbox = found
        proved = await self._proved(endpoint, request, in_sandbox=in_sandbox)
        said: Fields
        try:
            given = await self.around(
                proved.account.row.id, endpoint.path, lambda: self._given(endpoint, proved, request)
            )
            if isinstance(given, WireAnswer):
                return given
            said = {"result_code": "SUCCESS", **given}
        except Fault as fault:
            said = answer.refused(fault)
        except Refusal as refusal:
            said = answer.refused(fault_of(refusal))
        except Injected as injected:
            said = answer.refused(Fault(Code.__members__.get(injected.code, Code.SYSTEMERROR)))
        except (JournalHalted, DatabaseUnavailable, OutcomeUnknown):
            said = answer.refused(Fault(Code.SYSTEMERROR))
        except Unreadable:
            raise
        except Exception:  # noqa: BLE001  # As above; this one can be signed.
            _LOG.exception("v2 could not answer %s", request.path)
            said = answer.refused(Fault(Code.SYSTEMERROR))
        echoed = {name: proved.fields[name] for name in _ECHOED if name in proved.fields}
        whole = echoed | {"nonce_str": f"{self._randomness.getrandbits(_NONCE_BITS):032x}"} | said
        # Whoever says nothing of how it went must still say that it did not go.
        unsaid = endpoint.unsaid - ({"result_code"} if said["result_code"] == "FAIL" else set())
        sign_type = proved.sign_type if endpoint.proof is Proof.AS_ASKED else None
        told = {name: text for name, text in whole.items() if name not in unsaid}
        return answer.told(told, proved.key, sign_type)

    async def _proved(self, endpoint: Endpoint, request: WireRequest, *, in_sandbox: bool) -> _Proved:
        fields = _read(endpoint, request)
        mchid = _first(fields, _MCHIDS)
        if not _MCHID.fullmatch(mchid):
            raise Unreadable("mch_id参数格式错误")
        try:
            account = await warmed(self._journal, lambda: self._accounts.wechatpay(mchid))
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ACCOUNT_UNKNOWN:
                raise
            raise Unreadable("商户号不存在") from refusal
        sign_type = said_type(fields)
        if sign_type is None or (endpoint.is_hmac and sign_type is not SignType.HMAC_SHA256):
            raise Unreadable("sign_type参数格式错误")
        own = account.secrets.api_v2_key
        key = sandbox_key(own) if in_sandbox else own
        if not is_signed(fields, key, sign_type):
            raise Unreadable(errors.NOT_SIGNED)
        return _Proved(account, fields, key, sign_type, in_sandbox)

    async def _given(self, endpoint: Endpoint, proved: _Proved, request: WireRequest) -> Fields | WireAnswer:
        if endpoint.handler is None:
            raise Fault(Code.NOAUTH)
        self._accounts.count(proved.account)
        fields = proved.fields
        if endpoint.has_nonce:
            shape.check(fields, shape.SIGNED)
        shape.check(fields, endpoint.parameters)
        if fields.get("notify_url"):
            check_url(fields["notify_url"], private_allowed=self._private_urls)
        caller = await self._caller(proved)
        _check_appid(_first(fields, _APPIDS), proved.account)
        call = Call(
            caller=caller,
            account=proved.account,
            fields=fields,
            key=proved.key,
            sign_type=proved.sign_type,
            is_sandbox=proved.is_sandbox,
            request=request,
        )
        return await endpoint.handler(call)

    async def _caller(self, proved: _Proved) -> Caller:
        """For whom it calls: a service provider names a merchant of its own."""
        sub_mch_id = proved.fields.get("sub_mch_id", "")
        if not sub_mch_id:
            return Caller(proved.account, proved.account)
        try:
            payee = await warmed(self._journal, lambda: self._accounts.wechatpay(sub_mch_id))
        except Refusal as refusal:
            if refusal.reason is not GatewayReason.ACCOUNT_UNKNOWN:
                raise
            raise Fault(Code.MCHID_NOT_EXIST, "sub_mch_id不存在") from refusal
        sub_appid = proved.fields.get("sub_appid", "")
        if sub_appid and sub_appid not in payee.facts.appids:
            raise Fault(Code.APPID_MCHID_NOT_MATCH, "sub_mch_id与sub_appid不匹配")
        return acting_for(proved.account, payee)


def _read(endpoint: Endpoint, request: WireRequest) -> Fields:
    if request.method != endpoint.method:
        raise Unreadable(errors.NOT_POST)
    if request.method == "GET":  # A browser that was led here: what is signed is in the address.
        return _address_fields(request)
    if not request.body:
        raise Unreadable(errors.NO_DATA)
    try:
        request.body.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(errors.NOT_UTF8) from error
    try:
        return document.read(request.body)
    except Malformed as malformed:
        raise Unreadable(errors.NOT_XML) from malformed


def _address_fields(request: WireRequest) -> Fields:
    """What an address says may be no more than what a document could: nobody keeps U+0000."""
    try:
        fields = dict(parse_qsl(request.query.decode("latin-1"), max_num_fields=document.FIELDS_MAX))
    except ValueError as error:
        raise Unreadable(errors.TOO_MANY_FIELDS) from error
    if any(text != document.sayable(text) for text in fields.values()):
        raise Unreadable(errors.NOT_UTF8)
    return fields


def _first(fields: Fields, names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _check_appid(appid: str, account: WechatAccount) -> None:
    if not appid or appid in account.facts.appids:
        return
    raise Fault(Code.APPID_MCHID_NOT_MATCH if _APPID.fullmatch(appid) else Code.APPID_NOT_EXIST)
