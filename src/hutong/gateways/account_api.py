"""Accounts at the gateways over HTTP: for a merchant's owner, and for the institution's operator in the owner's place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Controller, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from hutong.gateways.account import Account, GatewayKind
from hutong.gateways.account_service import AccountService
from hutong.gateways.account_views import (
    ACCOUNT_PREFIX,
    AccountView,
    AddKey,
    ChangeAccount,
    MadeAccount,
    MakeAccount,
    PlatformView,
    account_view,
    platform_view,
    secrets_view,
)
from hutong.gateways.platform import KeyUse
from hutong.gateways.platform_service import PlatformService
from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import Role, StaffKey
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.operators.guard import Guard
from hutong.runtime.http import HttpReason
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

_TAGS = ["Gateway accounts"]
_OPERATOR_TAGS = ["Operator: gateways"]


@dataclass(frozen=True, slots=True)
class AccountEdge:
    """What the handlers need."""

    journal: Journal
    accounts: AccountService
    platform: PlatformService
    merchants: MerchantService

    async def make(self, key: StaffKey, data: MakeAccount) -> MadeAccount:
        return self._made(await self.accounts.make(key, data.draft()))

    async def made(self, decide: Callable[[], Account]) -> MadeAccount:
        return self._made(await decided(self.journal, decide))

    async def shown(self, decide: Callable[[], Account]) -> AccountView:
        return account_view(await decided(self.journal, decide))

    async def listed(self, key: StaffKey) -> list[AccountView]:
        return await decided(self.journal, lambda: [account_view(each) for each in self.accounts.accounts(key)])

    async def opened(self, key: StaffKey, *, account_id: str, kind: str, name: str, public_key: str) -> MadeAccount:
        """As `make`, of texts. Refuses FIELD_INVALID, too, for a kind there is none of."""
        if kind not in set(GatewayKind):
            raise Refusal(HttpReason.FIELD_INVALID, field="kind", problem="none of the kinds")
        data = MakeAccount(account_id=account_id, kind=GatewayKind(kind), name=name, public_key=public_key)
        return await self.make(key, data)

    async def renewed(self, key: StaffKey, account_id: str) -> MadeAccount:
        """Other secrets. Refuses as `AccountService.own`."""
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        return await self.made(lambda: self.accounts.renew_secrets(key, id_))

    async def removed(self, key: StaffKey, account_id: str) -> AccountView:
        """Nobody comes in by it any more. Refuses as `AccountService.own`."""
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        return await self.shown(lambda: self.accounts.remove(key, id_))

    async def in_place_of(self, merchant_id: str) -> StaffKey:
        """The owner's rights, for the operator of the institution. Refuses MERCHANT_UNKNOWN."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        merchant = await decided(self.journal, lambda: self.merchants.merchant(id_))
        return StaffKey(
            id=merchant.id,
            merchant_id=merchant.id,
            shop_id=0,
            role=Role.OWNER.value,
            name="operator",
            token_hash=b"",
            created_ns=0,
            rotated_ns=0,
            revoked_ns=0,
        )

    def _made(self, account: Account) -> MadeAccount:
        kind = GatewayKind(account.row.kind)
        return MadeAccount(
            account=account_view(account),
            secrets=secrets_view(account),
            platform=platform_view(kind, self.platform),
        )


class AccountController(Controller):
    """A merchant's own: its owner's, as all that lets somebody in."""

    path = "/v1/gateway-accounts"
    tags = _TAGS

    @post("/")
    async def make(
        self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey], data: JSONBody[MakeAccount]
    ) -> MadeAccount:
        """An account for software that speaks WeChat Pay's or Alipay's protocol. Its secrets are shown here alone."""
        return await edge.make(key, data)

    @get("/")
    async def accounts(self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey]) -> list[AccountView]:
        """Those in use, oldest first."""
        return await edge.listed(key)

    @get("/{account_id:str}")
    async def account(
        self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey], account_id: FromPath[str]
    ) -> AccountView:
        """One account."""
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        return await edge.shown(lambda: edge.accounts.own(key, id_))

    @get("/{account_id:str}/platform")
    async def platform(
        self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey], account_id: FromPath[str]
    ) -> PlatformView:
        """What the institution's signatures are checked with, as it is now."""
        id_ = parse_id(ACCOUNT_PREFIX, account_id)
        account = await decided(edge.journal, lambda: edge.accounts.own(key, id_))
        return platform_view(GatewayKind(account.row.kind), edge.platform)

    @put("/{account_id:str}")
    async def change(
        self,
        edge: NamedDependency[AccountEdge],
        key: NamedDependency[StaffKey],
        account_id: FromPath[str],
        data: JSONBody[ChangeAccount],
    ) -> AccountView:
        """Who may act for it, and with what the institution signs for it."""
        id_, verb = parse_id(ACCOUNT_PREFIX, account_id), edge.accounts.settle
        changes: dict[str, Any] = msgspec.structs.asdict(data)
        return await edge.shown(lambda: verb(key, id_, **changes))

    @post("/{account_id:str}/keys")
    async def add_key(
        self,
        edge: NamedDependency[AccountEdge],
        key: NamedDependency[StaffKey],
        account_id: FromPath[str],
        data: JSONBody[AddKey],
    ) -> AccountView:
        """Another key of the merchant's; the ones before are good until they are retired."""
        id_, verb = parse_id(ACCOUNT_PREFIX, account_id), edge.accounts.add_key
        return await edge.shown(lambda: verb(key, id_, data.public_key))

    @post("/{account_id:str}/keys/{serial:str}/retire", status_code=200)
    async def retire_key(
        self,
        edge: NamedDependency[AccountEdge],
        key: NamedDependency[StaffKey],
        account_id: FromPath[str],
        serial: FromPath[str],
    ) -> AccountView:
        """Accept a key no longer; the last one stays."""
        id_, verb = parse_id(ACCOUNT_PREFIX, account_id), edge.accounts.retire_key
        return await edge.shown(lambda: verb(key, id_, serial))

    @post("/{account_id:str}/secrets", status_code=200)
    async def renew_secrets(
        self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey], account_id: FromPath[str]
    ) -> MadeAccount:
        """New secrets; the old ones are no good at once. Each call makes others."""
        return await edge.renewed(key, account_id)

    @post("/{account_id:str}/remove", status_code=200)
    async def remove(
        self, edge: NamedDependency[AccountEdge], key: NamedDependency[StaffKey], account_id: FromPath[str]
    ) -> AccountView:
        """Let nobody in by it any more."""
        return await edge.removed(key, account_id)


class OperatorAccounts(Controller):
    """The same, for the institution's operator: each act is in the audit log."""

    path = "/v1/operator/merchants/{merchant_id:str}/gateway-accounts"
    tags = _OPERATOR_TAGS

    @post("/")
    async def make(
        self, edge: NamedDependency[AccountEdge], merchant_id: FromPath[str], data: JSONBody[MakeAccount]
    ) -> MadeAccount:
        """An account for a merchant's software. Its secrets are shown here alone."""
        return await edge.make(await edge.in_place_of(merchant_id), data)

    @get("/")
    async def accounts(self, edge: NamedDependency[AccountEdge], merchant_id: FromPath[str]) -> list[AccountView]:
        """Those in use, oldest first."""
        return await edge.listed(await edge.in_place_of(merchant_id))

    @post("/{account_id:str}/keys")
    async def add_key(
        self,
        edge: NamedDependency[AccountEdge],
        merchant_id: FromPath[str],
        account_id: FromPath[str],
        data: JSONBody[AddKey],
    ) -> AccountView:
        """Another key of the merchant's; the ones before are good until they are retired."""
        id_, verb, key = (
            parse_id(ACCOUNT_PREFIX, account_id),
            edge.accounts.add_key,
            await edge.in_place_of(merchant_id),
        )
        return await edge.shown(lambda: verb(key, id_, data.public_key))

    @post("/{account_id:str}/secrets", status_code=200)
    async def renew_secrets(
        self, edge: NamedDependency[AccountEdge], merchant_id: FromPath[str], account_id: FromPath[str]
    ) -> MadeAccount:
        """New secrets; the old ones are no good at once. Each call makes others."""
        return await edge.renewed(await edge.in_place_of(merchant_id), account_id)

    @post("/{account_id:str}/remove", status_code=200)
    async def remove(
        self, edge: NamedDependency[AccountEdge], merchant_id: FromPath[str], account_id: FromPath[str]
    ) -> AccountView:
        """Let nobody in by it any more."""
        return await edge.removed(await edge.in_place_of(merchant_id), account_id)


@post("/v1/operator/gateway-keys/{use:str}/renew", tags=_OPERATOR_TAGS, status_code=200)
async def renew_platform_key(edge: NamedDependency[AccountEdge], use: FromPath[KeyUse]) -> PlatformView:
    """Sign with a new key of the institution's from now on; merchants' software that still knows the one before goes on with it."""
    await edge.platform.prepare()
    await edge.platform.renew(use)
    return platform_view(GatewayKind.ALIPAY if use is KeyUse.ALIPAY else GatewayKind.WECHATPAY, edge.platform)


def account_routes(node: NodeRuntime, edge: AccountEdge, operator_only: Guard) -> list[Router]:
    """The handlers for `make_app`. `operator_only` lets in operators and nobody else."""
    return [
        Door("key", key_guard(node, edge.merchants)).router("/", [AccountController], edge=edge),
        Door("operator", operator_only).router("/", [OperatorAccounts, renew_platform_key], edge=edge),
    ]
