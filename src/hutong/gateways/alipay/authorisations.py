"""Changing codes for tokens: a service provider's for its merchants, and an application's for its people."""

from typing import Any

import msgspec

from hutong.gateways.account import AlipayAccount
from hutong.gateways.account_service import AccountService
from hutong.gateways.alipay.beijing import beijing_text, local
from hutong.gateways.alipay.call import Call, Endpoint, Reply
from hutong.gateways.alipay.errors import AlipayError
from hutong.gateways.alipay.grant import Grant, GrantKind
from hutong.gateways.alipay.grant_service import GrantService
from hutong.gateways.alipay.identities import Identities
from hutong.gateways.payer import PayerIds, payer_here
from hutong.institution.node import InstitutionNode
from hutong.runtime.shelf import warmed

AUTH_USER = "auth_user"


class _Asked(msgspec.Struct, frozen=True):
    """What is to be changed: a code, or a refresh token."""

    kind: GrantKind
    token: str


class Authorisations:
    """A code is good once, and for the application that it was given to."""

    def __init__(
        self,
        institution: InstitutionNode,
        accounts: AccountService,
        grants: GrantService,
        payers: PayerIds,
        identities: Identities,
    ) -> None:
        self._journal = institution.node.journal
        self._people = institution.people
        self._accounts = accounts
        self._grants = grants
        self._payers = payers
        self._identities = identities

    def endpoints(self) -> list[Endpoint]:
        product = "authorisation"
        return [
            Endpoint(method="alipay.open.auth.token.app", product=product, handler=self.app_token),
            Endpoint(method="alipay.open.auth.token.app.query", product=product, handler=self.app_token_query),
            Endpoint(
                method="alipay.system.oauth.token", product=product, handler=self.user_token, flat=True, loose=True
            ),
            Endpoint(method="alipay.user.info.share", product=product, handler=self.person, flat=True),
        ]

    async def app_token(self, call: Call) -> Reply:
        """The token by which a service provider acts for a merchant."""
        asked = _asked(call, "code", GrantKind.APP_CODE, GrantKind.APP_REFRESH)
        token, refresh = (
            f"{local(call.now_ns):%Y%m}BB{self._grants.draw()}",
            f"{local(call.now_ns):%Y%m}BB{self._grants.draw()}",
        )
        into = ((GrantKind.APP_TOKEN, token), (GrantKind.APP_REFRESH, refresh))
        grant = await self._grants.change(asked.kind, asked.token, call.account.row.id, into)
        if grant is None:
            raise await self._no_longer(call, asked)
        merchant = await self._merchant(grant)
        told = {
            "app_auth_token": token,
            "app_refresh_token": refresh,
            "auth_app_id": merchant.row.number,
            "expires_in": str(GrantKind.APP_TOKEN.life_s),
            "re_expires_in": str(GrantKind.APP_REFRESH.life_s),
            "user_id": merchant.facts.seller_id,
        }
        return Reply({**told, "tokens": [told]})

    async def app_token_query(self, call: Call) -> Reply:
        """Whether a token still lets the service provider act."""
        token = call.fields.text("app_auth_token", 128, required=True)
        grant = await warmed(self._journal, lambda: self._grants.find(GrantKind.APP_TOKEN, token, call.account.row.id))
        if grant is None:
            raise AlipayError("aop.invalid-app-auth-token")
        merchant = await self._merchant(grant)
        is_valid = call.account.row.number in merchant.facts.partners
        return Reply(
            {
                "user_id": merchant.facts.seller_id,
                "auth_app_id": merchant.row.number,
                "expires_in": str(GrantKind.APP_TOKEN.life_s),
                "auth_methods": [],
                "auth_start": beijing_text(grant.created_ns),
                "auth_end": beijing_text(grant.expires_ns),
                "status": "valid" if is_valid else "invalid",
            }
        )

    async def user_token(self, call: Call) -> Reply:
        """The token by which an application knows a person, and who that is."""
        asked = _asked(call, "code", GrantKind.USER_CODE, GrantKind.USER_REFRESH)
        token, refresh = f"authusrB{self._grants.draw()}", f"authusrB{self._grants.draw()}"
        into = ((GrantKind.USER_TOKEN, token), (GrantKind.USER_REFRESH, refresh))
        grant = await self._grants.change(asked.kind, asked.token, call.account.row.id, into)
        if grant is None:
            raise await self._no_longer(call, asked)
        ids = await warmed(self._journal, lambda: self._ids(call, grant.subject_id))
        return Reply(
            ids
            | {
                "access_token": token,
                "expires_in": str(GrantKind.USER_TOKEN.life_s),
                "refresh_token": refresh,
                "re_expires_in": str(GrantKind.USER_REFRESH.life_s),
                "auth_start": beijing_text(call.now_ns),
            }
        )

    async def person(self, call: Call) -> Reply:
        """What a person agreed to show: the name as strangers see it."""
        if not call.auth_token:
            raise AlipayError("aop.invalid-auth-token")
        grant = await warmed(
            self._journal, lambda: self._grants.find(GrantKind.USER_TOKEN, call.auth_token, call.account.row.id)
        )
        if grant is None:
            is_over = await self._grants.was_good(GrantKind.USER_TOKEN, call.auth_token, call.account.row.id)
            raise AlipayError("aop.auth-token-time-out" if is_over else "aop.invalid-auth-token")
        if AUTH_USER not in grant.scope.split(","):
            raise AlipayError("isv.insufficient-user-permissions")
        user = await warmed(self._journal, lambda: self._people.user(grant.subject_id))
        ids = await warmed(self._journal, lambda: self._ids(call, grant.subject_id))
        return Reply(ids | {"nick_name": user.masked_name, "avatar": "", "province": "", "city": "", "gender": ""})

    async def _no_longer(self, call: Call, asked: _Asked) -> AlipayError:
        """Why what was to be changed for a token is good for none."""
        is_refresh = asked.kind in (GrantKind.APP_REFRESH, GrantKind.USER_REFRESH)
        if is_refresh and await self._grants.was_good(asked.kind, asked.token, call.account.row.id):
            return AlipayError("isv.refresh-token-time-out")
        return _no_good(asked.kind)

    async def _merchant(self, grant: Grant) -> AlipayAccount:
        found = await warmed(self._journal, lambda: self._accounts.account(grant.subject_id))
        assert isinstance(found, AlipayAccount)
        return found

    def _ids(self, call: Call, user_id: int) -> dict[str, Any]:
        """By what an application knows a person. May raise `Cold`."""
        return {
            "user_id": self._identities.number_of(user_id),
            "open_id": self._payers.openid(call.account.row.number, payer_here(user_id)),
        }


def _asked(call: Call, name: str, code: GrantKind, refresh: GrantKind) -> _Asked:
    """Refuses isv.grant-type-invalid, isv.code-invalid, isv.refresh-token-invalid."""
    match call.fields.text("grant_type", 20):
        case "authorization_code":
            asked = _Asked(code, call.fields.text(name, 64))
        case "refresh_token":
            asked = _Asked(refresh, call.fields.text("refresh_token", 128))
        case _:
            raise AlipayError("isv.grant-type-invalid")
    if not asked.token:
        raise _no_good(asked.kind)
    return asked


def _no_good(kind: GrantKind) -> AlipayError:
    is_code = kind in (GrantKind.APP_CODE, GrantKind.USER_CODE)
    return AlipayError("isv.code-invalid" if is_code else "isv.refresh-token-invalid")
