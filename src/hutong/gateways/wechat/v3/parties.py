"""Who is paid: the caller itself, or in partner mode a merchant that lets this service provider act for it."""

from collections.abc import Mapping
from typing import Any

from hutong.gateways.account import Caller, WechatAccount, acting_for
from hutong.gateways.account_service import AccountService
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.wechat.v3.endpoint import Call
from hutong.gateways.wechat.v3.errors import Code, Fault, param_error
from hutong.kernel.errors import Refusal
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import warmed


class Parties:
    """Reads the numbers of a request and holds them to who signed it."""

    def __init__(self, journal: Journal, accounts: AccountService) -> None:
        self._journal = journal
        self._accounts = accounts

    async def of(self, call: Call, told: Mapping[str, Any], *, partner: bool, where: str = "/body") -> Caller:
        """
        The caller of a request whose body or query names its parties.

        Refuses:  PARAM_ERROR for a number that is not the signer's; APPID_MCHID_NOT_MATCH; MCH_NOT_EXISTS; NO_AUTH for a
                  merchant that has not let the service provider in.
        """
        field = "sp_mchid" if partner else "mchid"
        check_number(call, told.get(field, call.account.row.number), f"{where}/{field}")
        check_appid(call.account, told.get("sp_appid" if partner else "appid", ""))
        if not partner:
            return Caller(call.account, call.account)
        caller = await self.acting(call, str(told["sub_mchid"]))
        assert isinstance(caller.payee, WechatAccount)
        check_appid(caller.payee, told.get("sub_appid", ""))
        return caller

    async def for_whom(self, call: Call, sub_mchid: str, *, status: int | None = None) -> Caller:
        """The caller of a request that names a merchant only in partner mode. Refuses as `of`."""
        if not sub_mchid or sub_mchid == call.account.row.number:
            return Caller(call.account, call.account)
        return await self.acting(call, sub_mchid, status=status)

    async def acting(self, call: Call, sub_mchid: str, *, status: int | None = None) -> Caller:
        """The caller as a service provider. Refuses MCH_NOT_EXISTS, NO_AUTH."""
        try:
            merchant = await warmed(self._journal, lambda: self._accounts.wechatpay(sub_mchid))
        except Refusal as refusal:
            if refusal.reason is GatewayReason.ACCOUNT_UNKNOWN:
                raise Fault(Code.MCH_NOT_EXISTS, "子商户号不存在", status=status) from None
            raise
        return acting_for(call.account, merchant)


def check_number(call: Call, number: str, pointer: str) -> None:
    """Refuses PARAM_ERROR, unless it is the number of who signed."""
    if number != call.account.row.number:
        text = f"输入源“{pointer}”映射到字段“商户号”校验失败，与签名使用的商户号不一致"
        raise param_error(pointer, "not the signer", text, number)


def check_appid(account: WechatAccount, appid: str) -> None:
    """Refuses APPID_MCHID_NOT_MATCH, unless the application is the account's; none is nobody's."""
    if appid and appid not in account.facts.appids:
        raise Fault(Code.APPID_MCHID_NOT_MATCH)
