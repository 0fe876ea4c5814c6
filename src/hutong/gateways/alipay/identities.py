"""Who is meant by a number, and by what number somebody is told."""

import msgspec

from hutong.gateways.account import AlipayAccount, sellers_app_id
from hutong.gateways.account_service import AccountService
from hutong.gateways.order import Trade
from hutong.gateways.payer import PayerIds
from hutong.institution.node import InstitutionNode
from hutong.kernel.errors import Refusal


class Somebody(msgspec.Struct, frozen=True):
    """A merchant or a person of this institution: one of the two."""

    merchant_id: int = 0
    user_id: int = 0


class Identities:
    """A person of ours is found again by what a merchant was told; one of another institution is not. May raise `Cold`."""

    def __init__(self, institution: InstitutionNode, accounts: AccountService, payers: PayerIds) -> None:
        self._people = institution.people
        self._accounts = accounts
        self._payers = payers

    def debtor(self, trade: Trade, account: AlipayAccount) -> dict[str, str]:
        """Who paid, by the names that this application knows; nothing before somebody has."""
        payer = trade.order.payer
        if not payer:
            return {}
        number = self.number(payer)
        return {
            "buyer_logon_id": masked(number),
            "buyer_user_id": number,
            "buyer_open_id": self._payers.openid(account.row.number, payer),
        }

    def number(self, payer: str) -> str:
        """The 2088 number of an order's payer."""
        return self._payers.number(payer, lambda user_id: self._people.user(user_id).number)

    def number_of(self, user_id: int) -> str:
        """The 2088 number of a person of ours."""
        return self._payers.number_here(self._people.user(user_id).number)

    def find(self, account: AlipayAccount, kind: str, identity: str) -> Somebody | None:
        """Who an application means: by 2088 number, by open id, or by telephone number; None for nobody here."""
        try:
            match kind:
                case "openId" | "ALIPAY_OPEN_ID":
                    user_id = self._payers.person(account.row.number, identity)
                    return None if user_id is None else Somebody(user_id=user_id)
                case "loginName" | "ALIPAY_LOGON_ID":
                    return Somebody(user_id=self._people.user_on(_with_country(identity)).id)
                case _:
                    return self._numbered(identity)
        except Refusal:
            return None

    def is_nobody(self, account: AlipayAccount, number: str) -> bool:
        """Whether a 2088 number would be of a person of ours, and nobody has it."""
        return self._payers.user_number(number) is not None and self.find(account, "ALIPAY_USER_ID", number) is None

    def _numbered(self, identity: str) -> Somebody | None:
        if app_id := sellers_app_id(identity):
            return Somebody(merchant_id=self._accounts.alipay(app_id).row.merchant_id)
        number = self._payers.user_number(identity)
        return None if number is None else Somebody(user_id=self._people.user_numbered(number).id)


def masked(number: str) -> str:
    """A 2088 number, as a stranger may see it."""
    return f"{number[:3]}****{number[-4:]}"


def _with_country(phone: str) -> str:
    """Merchants write telephone numbers as people of their country do."""
    return phone if phone.startswith("+") else f"+86{phone}"
