"""What both dialects ask of the institution: which methods there are, who calls, and what is answered."""

import logging
from collections.abc import Iterable

from hutong.gateways.account import AccountState, AlipayAccount, Caller, acting_for
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.call import Call, Endpoint, Page, Reply
from hutong.gateways.alipay.catalogue import methods
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.grant import GrantKind
from hutong.gateways.alipay.grant_service import GrantService
from hutong.gateways.alipay.postman import notification_id
from hutong.gateways.alipay.refusals import in_alipays_words
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.order import Dialect
from hutong.gateways.platform import KeyUse, SigningKey
from hutong.gateways.platform_service import PlatformService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.signers import Signers
from hutong.gateways.wire import Around, Injected, as_it_is
from hutong.institution.node import InstitutionNode
from hutong.kernel.clock import Clock
from hutong.kernel.errors import OutcomeUnknown, Refusal
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import JournalHalted
from hutong.runtime.shelf import warmed

_LOG = logging.getLogger(__name__)


class AlipayService:
    """Nothing here raises anything but `AlipayError`."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        platform: PlatformService,
        notifications: NotificationService,
        grants: GrantService,
        endpoints: Iterable[Endpoint],
        signers: Signers,
        wall: Clock,
    ) -> None:
        self.signers = signers
        self.wall = wall
        self._node = institution.node
        self.private_urls = institution.webhooks_private
        self._notifications = notifications
        self._grants = grants
        self._accounts = accounts
        self._platform = platform
        self.endpoints = {endpoint.method: endpoint for endpoint in endpoints}
        self.around: Around = as_it_is

    def endpoint(self, method: str) -> Endpoint:
        """
        The method of this name; one that Alipay has and that isn't built here says, when it is called, that it is not enabled.

        Refuses:  isv.invalid-method.
        """
        found = self.endpoints.get(method)
        if found is not None:
            return found
        if method not in methods():
            raise AlipayError("isv.invalid-method")
        return Endpoint(method=method, product="", handler=_not_enabled)

    async def account(self, app_id: str) -> AlipayAccount:
        """Refuses isv.invalid-app-id, isp.unknow-error."""
        try:
            return await warmed(self._node.journal, lambda: self._accounts.alipay(app_id))
        except Refusal:
            raise AlipayError("isv.invalid-app-id") from None
        except (JournalHalted, DatabaseUnavailable):
            raise AlipayError("isp.unknow-error") from None

    async def caller(self, account: AlipayAccount, app_auth_token: str) -> Caller:
        """The account itself, or whom its token lets it act for. Refuses aop.invalid-app-auth-token, aop.app-auth-token-time-out."""
        if not app_auth_token:
            return Caller(account, account)
        try:
            return await warmed(self._node.journal, lambda: self._acting(account, app_auth_token))
        except Refusal:
            is_over = await self._grants.was_good(GrantKind.APP_TOKEN, app_auth_token, account.row.id)
            raise AlipayError("aop.app-auth-token-time-out" if is_over else "aop.invalid-app-auth-token") from None
        except (JournalHalted, DatabaseUnavailable):
            raise AlipayError("isp.unknow-error") from None

    def _acting(self, account: AlipayAccount, token: str) -> Caller:
        grant = self._grants.find(GrantKind.APP_TOKEN, token, account.row.id)
        if grant is None:
            raise Refusal(GatewayReason.PARTNER_NOT_ALLOWED)
        merchant = self._accounts.account(grant.subject_id)
        if merchant.row.state != AccountState.ACTIVE:
            raise Refusal(GatewayReason.PARTNER_NOT_ALLOWED)
        return acting_for(account, merchant)

    async def answer(self, endpoint: Endpoint, call: Call) -> Reply | Page:
        """What the method answers. An outcome that nobody knows yet is 20000: the client asks again, or queries."""
        try:
            self._accounts.count(call.caller.account)
            return await self.around(call.account.row.id, endpoint.method, lambda: endpoint.handler(call))
        except AlipayError:
            raise
        except Refusal as refusal:
            raise in_alipays_words(refusal, is_trade=endpoint.invalid.startswith("ACQ.")) from None
        except (OutcomeUnknown, JournalHalted, DatabaseUnavailable):
            raise AlipayError("isp.unknow-error") from None
        except Injected as injected:
            raise AlipayError(injected.code or "ACQ.SYSTEM_ERROR") from None
        except Exception:  # noqa: BLE001  # A client can do nothing with half an answer.
            _LOG.exception("unexpected, in %s", endpoint.method)
            raise AlipayError("isp.unknow-error") from None

    async def was_told(self, seller_id: str, notify_id: str) -> bool:
        """Whether a notification is one of ours to this seller: the oldest way for a merchant to make sure."""
        id_ = notification_id(notify_id)
        if id_ is None:
            return False
        try:
            return await warmed(self._node.journal, lambda: self._is_to(seller_id, id_))
        except (Refusal, JournalHalted, DatabaseUnavailable):
            return False

    def _is_to(self, seller_id: str, id_: int) -> bool:
        row = self._notifications.all.get(id_)
        if row is None or row.dialect != Dialect.ALIPAY:
            return False
        account = self._accounts.account(row.account_id)
        return isinstance(account, AlipayAccount) and account.facts.seller_id == seller_id

    def signing_key(self) -> SigningKey | None:
        """What answers are signed with; there is none before the first account."""
        listed = self._platform.listed(KeyUse.ALIPAY)
        return listed[-1] if listed else None

    def now_ns(self) -> int:
        return self._node.clock.now_ns()


async def _not_enabled(_: Call) -> Reply:
    raise AlipayError("isv.insufficient-isv-permissions")
