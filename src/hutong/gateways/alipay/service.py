"""What both dialects ask of the institution: which methods there are, who calls, and what is answered."""

import logging
from collections.abc import Iterable

from hutong.gateways.account import AlipayAccount, Caller
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.call import Call, Endpoint, Page, Reply
from hutong.gateways.alipay.catalogue import methods
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.refusals import in_alipays_words
from hutong.gateways.platform import KeyUse, SigningKey
from hutong.gateways.platform_service import PlatformService
from hutong.kernel.errors import OutcomeUnknown, Refusal
from hutong.runtime.database import DatabaseUnavailable
from hutong.runtime.journal import JournalHalted
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

_LOG = logging.getLogger(__name__)


class AlipayService:
    """Nothing here raises anything but `AlipayError`."""

    def __init__(
        self, node: NodeRuntime, accounts: AccountService, platform: PlatformService, endpoints: Iterable[Endpoint]
    ) -> None:
        self._node = node
        self._accounts = accounts
        self._platform = platform
        self.endpoints = {endpoint.method: endpoint for endpoint in endpoints}

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
        """The account itself, or whom its token lets it act for. Refuses aop.invalid-app-auth-token."""
        if not app_auth_token:
            return Caller(account, account)
        raise AlipayError("aop.invalid-app-auth-token")

    async def answer(self, endpoint: Endpoint, call: Call) -> Reply | Page:
        """What the method answers. An outcome that nobody knows yet is 20000: the client asks again, or queries."""
        try:
            return await endpoint.handler(call)
        except AlipayError:
            raise
        except Refusal as refusal:
            raise in_alipays_words(refusal) from None
        except (OutcomeUnknown, JournalHalted, DatabaseUnavailable):
            raise AlipayError("isp.unknow-error") from None
        except Exception:  # noqa: BLE001  # A client can do nothing with half an answer.
            _LOG.exception("unexpected, in %s", endpoint.method)
            raise AlipayError("isp.unknow-error") from None

    def signing_key(self) -> SigningKey | None:
        """What answers are signed with; there is none before the first account."""
        listed = self._platform.listed(KeyUse.ALIPAY)
        return listed[-1] if listed else None

    def now_ns(self) -> int:
        return self._node.clock.now_ns()


async def _not_enabled(_: Call) -> Reply:
    raise AlipayError("isv.insufficient-isv-permissions")
