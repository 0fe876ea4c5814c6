"""
The chart of accounts: which ledger accounts an institution keeps, why, and what holds them in bounds.

`docs/chart-of-accounts.md` says the same for accountants. An account's id is derived from its name, so every
node and every restart finds the same account without a table of its own. Codes group as accountants expect:
1 assets, 2 liabilities, 3 equity, 4 income, 5 expense.
"""

from enum import IntEnum
from functools import lru_cache

from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import Account, AccountFlag, AccountStatus


class AccountCode(IntEnum):
    """Why an account exists."""

    RESERVE = 1001  # 备付金: customers' money, held at the central bank or a custodian. Debit balance.
    CLEARING = 1101  # Mirrors our position at the switch: debit balance when the network owes us.
    SUSPENSE = 1901  # 待查: differences with the network that reconciliation booked, until it is known whose they are.
    SETTLEMENT = 1102  # Our settlement account at the switch: what we prefunded. Debit balance.
    WALLET = 2001  # What we owe a person: the balance.
    HELD = 2011  # What a person let a merchant hold, until it is taken or let go: one account per authorisation.
    MERCHANT = 2101  # What we owe a merchant for what it sold.
    FROZEN = 2111  # What a merchant took for an order that is to be split, until it is: one account per order.
    RED_PACKET = 2221  # What a person put into a red packet, until it is claimed or goes back: one account per packet.
    BUDGET = 2201  # What a sponsor paid in beforehand for discounts.
    CAMPAIGN_BUDGET = 2202  # What one campaign has of its sponsors' money: one account per campaign.
    AWARDED = (
        2203  # On its way from campaigns to who gets it: rewards that wait, discounts of several campaigns at once.
    )
    DISPUTED = 2901  # What was set aside of a payee's money until a recall is answered: one account per case.
    OWED_TO_NETWORK = 2301  # What others bore for us when we could not pay a window.
    OWN_FUNDS = 3001  # What we paid into the settlement account from our own money.
    FEE_INCOME = 4001  # Merchant fees, less interchange and the switch's fee.
    INTERCHANGE_INCOME = 4101  # What acquirers pay us for bringing the payer.
    ACQUIRING_EXPENSE = 5001  # Interchange and switch fees beyond what the merchant paid.
    DIFFERENCES = 5901  # Differences that nobody could be asked for: our loss, or gain.
    SETTLEMENT_LOSS = 5002  # What we bore for a participant that could not pay.
    SCHEME_CHARGES = 5003  # What the scheme charges by invoice.


# What is owed to somebody can be spent and not overspent: the account refuses, so no race can slip past it.
OWED = int(AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS)
# Paid-in money can leave the reserve, and no more than that.
HELD = int(AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS)
_REMEMBERED_MAX = 100_000


@lru_cache(_REMEMBERED_MAX)
def user_account(user_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of a person's wallet account."""
    return derive(user_id, f"wallet/{currency.alpha}")


@lru_cache(_REMEMBERED_MAX)
def merchant_account(merchant_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of a merchant's account."""
    return derive(merchant_id, f"merchant/{currency.alpha}")


def budget_account(sponsor_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of a sponsor's budget for discounts."""
    return derive(sponsor_id, f"budget/{currency.alpha}")


def wallet(user_id: int, currency: Currency = Currency.CNY) -> Account:
    """A person's wallet, to be opened: it can't be overdrawn."""
    return _owed(user_account(user_id, currency), AccountCode.WALLET, user_id, currency)


def merchant(merchant_id: int, currency: Currency = Currency.CNY) -> Account:
    """A merchant's account, to be opened: it can't be overdrawn, by a refund neither."""
    return _owed(merchant_account(merchant_id, currency), AccountCode.MERCHANT, merchant_id, currency)


def budget(sponsor_id: int, currency: Currency = Currency.CNY) -> Account:
    """A sponsor's budget, to be opened: discounts end where the money does."""
    return _owed(budget_account(sponsor_id, currency), AccountCode.BUDGET, sponsor_id, currency)


def campaign_account(campaign_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of one campaign's money."""
    return derive(campaign_id, f"campaign/{currency.alpha}")


def campaign(campaign_id: int, currency: Currency = Currency.CNY) -> Account:
    """One campaign's money, to be opened: it gives no more than its sponsors set aside."""
    return _owed(campaign_account(campaign_id, currency), AccountCode.CAMPAIGN_BUDGET, campaign_id, currency)


def disputed_account(dispute_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of what is set aside in one dispute."""
    return derive(dispute_id, f"disputed/{currency.alpha}")


def disputed(dispute_id: int, currency: Currency = Currency.CNY) -> Account:
    """What is set aside in one dispute, to be opened: no case can spend another's money, nor more than its own."""
    return _owed(disputed_account(dispute_id, currency), AccountCode.DISPUTED, dispute_id, currency)


def held_account(preauth_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of what a person let a merchant hold by one authorisation."""
    return derive(preauth_id, f"held/{currency.alpha}")


def held(preauth_id: int, currency: Currency = Currency.CNY) -> Account:
    """What one authorisation holds, to be opened: the merchant takes no more of it than that."""
    return _owed(held_account(preauth_id, currency), AccountCode.HELD, preauth_id, currency)


def frozen_account(order_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of what is frozen of one order."""
    return derive(order_id, f"frozen/{currency.alpha}")


def frozen(order_id: int, currency: Currency = Currency.CNY) -> Account:
    """What is frozen of one order, to be opened: its receivers get no more than that, and nobody else's."""
    return _owed(frozen_account(order_id, currency), AccountCode.FROZEN, order_id, currency)


@lru_cache(_REMEMBERED_MAX)
def red_packet_account(packet_id: int, currency: Currency = Currency.CNY) -> int:
    """The id of what is in one red packet."""
    return derive(packet_id, f"red packet/{currency.alpha}")


def red_packet(packet_id: int, currency: Currency = Currency.CNY) -> Account:
    """What is in one red packet, to be opened: its claims take no more than that, and nobody else's."""
    return _owed(red_packet_account(packet_id, currency), AccountCode.RED_PACKET, packet_id, currency)


class Chart:
    """One node's own accounts in its currency, and the opening of them."""

    def __init__(self, node_id: str, currency: Currency = Currency.CNY) -> None:
        self.node_id = node_id
        self.currency = currency
        self.reserve = self._id(AccountCode.RESERVE)
        self.clearing = self._id(AccountCode.CLEARING)
        self.fee_income = self._id(AccountCode.FEE_INCOME)
        self.interchange_income = self._id(AccountCode.INTERCHANGE_INCOME)
        self.acquiring_expense = self._id(AccountCode.ACQUIRING_EXPENSE)
        self.suspense = self._id(AccountCode.SUSPENSE)
        self.differences = self._id(AccountCode.DIFFERENCES)
        self.settlement = self._id(AccountCode.SETTLEMENT)
        self.owed_to_network = self._id(AccountCode.OWED_TO_NETWORK)
        self.own_funds = self._id(AccountCode.OWN_FUNDS)
        self.settlement_loss = self._id(AccountCode.SETTLEMENT_LOSS)
        self.scheme_charges = self._id(AccountCode.SCHEME_CHARGES)
        self.awarded = self._id(AccountCode.AWARDED)

    def accounts(self) -> list[Account]:
        """The node's own accounts. Clearing may stand on either side; income and expense are what they become."""
        flags = {AccountCode.RESERVE: HELD, AccountCode.AWARDED: OWED}
        own = (
            AccountCode.RESERVE,
            AccountCode.CLEARING,
            AccountCode.FEE_INCOME,
            AccountCode.INTERCHANGE_INCOME,
            AccountCode.ACQUIRING_EXPENSE,
            AccountCode.SUSPENSE,
            AccountCode.DIFFERENCES,
            AccountCode.SETTLEMENT,
            AccountCode.OWED_TO_NETWORK,
            AccountCode.OWN_FUNDS,
            AccountCode.SETTLEMENT_LOSS,
            AccountCode.SCHEME_CHARGES,
            AccountCode.AWARDED,
        )
        return [
            Account(id=self._id(code), ledger=self.currency.ledger, code=code, flags=flags.get(code, 0)) for code in own
        ]

    def open(self, ledger: LedgerEngine) -> None:
        """
        Open the node's own accounts.

        Repeats:  nothing changes; a ledger that holds one of them with other flags or code stops the node.
        """
        ledger.create_accounts(self.accounts(), _opened)

    def _id(self, code: AccountCode) -> int:
        return derive(0, f"{self.node_id}/{code.name.lower()}/{self.currency.alpha}")


def _opened(statuses: list[AccountStatus]) -> None:
    strange = [status for status in statuses if status not in {AccountStatus.CREATED, AccountStatus.EXISTS}]
    assert not strange, f"the node's own accounts are not what the chart says: {strange}"


def _owed(account_id: int, code: AccountCode, owner_id: int, currency: Currency) -> Account:
    return Account(id=account_id, ledger=currency.ledger, code=code, flags=OWED, user_data_128=owner_id)
