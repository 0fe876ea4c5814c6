"""
The pages where a person, or a merchant's owner, lets an application do something; then the browser goes back with a code.

Who it is, the institution's own pages know: who has not signed in there goes there first.
"""

import hashlib
import hmac
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hutong.gateways.account import AlipayAccount, GatewayKind
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.authorisations import AUTH_USER
from hutong.gateways.alipay.grant import GrantKind
from hutong.gateways.alipay.grant_service import GrantService
from hutong.gateways.alipay.pages import page, redirected, shown
from hutong.gateways.wire import WireAnswer, WireRequest
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal
from hutong.runtime.shelf import decided, warmed

PERSON_PATH, OWNER_PATH = "/oauth2/publicAppAuthorize.htm", "/oauth2/appToAppAuth.htm"
PATHS = (PERSON_PATH, OWNER_PATH)
_SCOPES = {"auth_base", AUTH_USER}
_PARAMETERS_MAX = 50
Told = TypeVar("Told")


class Consent:
    """A form counts only with the token that belongs to who is signed in: no other site can send it."""

    def __init__(self, institution: InstitutionNode, accounts: AccountService, grants: GrantService) -> None:
        self._institution = institution
        self._node = institution.node
        self._accounts = accounts
        self._grants = grants

    async def __call__(self, request: WireRequest) -> WireAnswer:
        asked = _read(request.query)
        back = asked.get("redirect_uri", "")
        parts = urlsplit(back)
        application = await self._known(lambda: self._accounts.alipay(asked.get("app_id", "")))
        if application is None or parts.scheme not in {"http", "https"} or not parts.netloc or not back.isprintable():
            return _refused("app_id或redirect_uri无效", 400)
        if request.path == PERSON_PATH:
            return await self._of_person(request, asked, application)
        return await self._of_owner(request, asked, application)

    async def _of_person(self, request: WireRequest, asked: dict[str, str], application: AlipayAccount) -> WireAnswer:
        token = _cookie(request, f"wallet-{self._node.node_id}")
        session = await self._known(lambda: self._institution.people.session(token)) if token else None
        if session is None:
            return _sign_in("/wallet/sign-in", request)
        scopes = [scope for scope in asked.get("scope", "").split(",") if scope in _SCOPES]
        if not scopes:
            return _refused("scope无效", 400)
        # Who only wants to be known again is not asked.
        if AUTH_USER in scopes and not _agreed(request, token):
            merchant = await self._known(lambda: self._institution.merchants.merchant(application.row.merchant_id))
            name = "" if merchant is None else merchant.name
            return self._question(request, asked, token, name, "获取你的昵称等公开信息 see your public profile", [])
        code = self._grants.draw()
        await self._grants.give(
            GrantKind.USER_CODE,
            code,
            account_id=application.row.id,
            subject_id=session.user_id,
            scope=",".join(scopes),
        )
        return _back(asked, {"auth_code": code, "scope": ",".join(scopes), "source": "alipay_wallet"})

    async def _of_owner(self, request: WireRequest, asked: dict[str, str], application: AlipayAccount) -> WireAnswer:
        token = _cookie(request, f"staff-{self._node.node_id}")
        key = await self._known(lambda: self._owner(token)) if token else None
        if key is None:
            return _sign_in("/staff/sign-in", request)
        accounts = [
            each
            for each in await warmed(self._node.journal, lambda: self._accounts.accounts(key))
            if each.row.kind == GatewayKind.ALIPAY and each.row.id != application.row.id
        ]
        chosen = next((each for each in accounts if each.row.number == _form(request).get("account")), None)
        if chosen is None or not _agreed(request, token):
            what = "代你的应用发起收款、退款等操作 take and refund payments for your application"
            return self._question(request, asked, token, application.row.name, what, [a.row.number for a in accounts])
        await decided(self._node.journal, lambda: self._let_in(key, chosen.row.id, application.row.number))
        code = f"P{self._grants.draw()}"
        await self._grants.give(GrantKind.APP_CODE, code, account_id=application.row.id, subject_id=chosen.row.id)
        return _back(asked, {"app_auth_code": code, "source": "alipay_app_auth"})

    def _let_in(self, key: StaffKey, account_id: int, provider: str) -> None:
        """From now on the service provider may act for the account."""
        partners = self._accounts.own(key, account_id).facts.partners
        if provider not in partners:
            self._accounts.settle(key, account_id, partners=(*partners, provider))

    def _owner(self, token: str) -> StaffKey:
        """Refuses whoever may not manage the whole merchant."""
        key = self._institution.staff.signed_in(token).key
        key.check_right(Right.MANAGE)
        key.check_whole_merchant()
        return key

    def _question(
        self, request: WireRequest, asked: dict[str, str], token: str, name: str, what: str, accounts: list[str]
    ) -> WireAnswer:
        return shown(
            page(
                "consent.html",
                title="授权 Authorisation",
                name=name,
                what=what,
                host=urlsplit(asked["redirect_uri"]).netloc,
                action=request.target.decode("ascii", "replace"),
                proof=_proof(token),
                accounts=accounts,
                no=_address(asked, {"error_code": "auth_denied"}),
            )
        )

    async def _known(self, look: Callable[[], Told]) -> Told | None:
        """What is found; None where it is refused."""
        try:
            return await warmed(self._node.journal, look)
        except Refusal:
            return None


def _read(data: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=_PARAMETERS_MAX))
    except ValueError:
        return {}


def _form(request: WireRequest) -> dict[str, str]:
    return _read(request.body) if request.method == "POST" else {}


def _proof(token: str) -> str:
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"alipay consent").hexdigest()


def _agreed(request: WireRequest, token: str) -> bool:
    """Whether who is signed in pressed the button."""
    return hmac.compare_digest(_form(request).get("proof", "").encode(), _proof(token).encode())


def _cookie(request: WireRequest, name: str) -> str:
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _sign_in(path: str, request: WireRequest) -> WireAnswer:
    return redirected(f"{path}?next={quote(request.target.decode('ascii', 'replace'), safe='')}")


def _address(asked: dict[str, str], told: dict[str, str]) -> str:
    """Back to the application, with what it said itself."""
    url = asked["redirect_uri"]
    state = {"state": asked["state"]} if "state" in asked else {}
    query = urlencode({"app_id": asked["app_id"], **told, **state})
    return url + ("&" if urlsplit(url).query else "?") + query


def _back(asked: dict[str, str], told: dict[str, str]) -> WireAnswer:
    return redirected(_address(asked, told))


def _refused(why: str, status: int) -> WireAnswer:
    return shown(page("page.html", title="无法继续 This cannot go on", text=why), status)
