"""An institution's books as its auditor adds them up: its own accounts, and those of everybody named."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.institution import chart
from hutong.institution.node import InstitutionNode
from hutong.kernel.ids import parse_id
from hutong.ledger.transfer import Account


@dataclass(frozen=True, slots=True)
class NodeBooks:
    """What an institution has and owes, in minor units. `clearing` is what the network owes it; below zero, what it owes."""

    wallets: int
    merchants: int
    reserve: int
    clearing: int
    settlement: int  # On its settlement account at the switch.
    own_funds: int  # Of that, what it paid in from money of its own.
    income: int  # Fees and interchange, less what acquiring cost.
    debits: int
    credits: int
    pending: int

    @property
    def owed(self) -> int:
        """To customers."""
        return self.wallets + self.merchants

    @property
    def covered(self) -> int:
        """What there is for them."""
        return self.reserve + self.clearing + self.settlement - self.own_funds


async def node_books(node: InstitutionNode, user_ids: Sequence[str], merchant_ids: Sequence[str]) -> NodeBooks:
    """Look all accounts up at one moment. Debits equal credits only if nobody who has money was left out."""
    own = node.chart
    wallets = [chart.user_account(parse_id("usr", text)) for text in user_ids]
    merchants = [chart.merchant_account(parse_id("mer", text)) for text in merchant_ids]
    asked = [account.id for account in own.accounts()] + wallets + merchants
    found = {account.id: account for account in await node.ledger.lookup_accounts(asked)}
    return NodeBooks(
        wallets=sum(_credit(found[id_]) for id_ in wallets),
        merchants=sum(_credit(found[id_]) for id_ in merchants),
        reserve=-_credit(found[own.reserve]),
        clearing=-_credit(found[own.clearing]),
        settlement=-_credit(found[own.settlement]),
        own_funds=_credit(found[own.own_funds]),
        income=sum(_credit(found[id_]) for id_ in (own.fee_income, own.interchange_income, own.acquiring_expense)),
        debits=sum(account.debits_posted for account in found.values()),
        credits=sum(account.credits_posted for account in found.values()),
        pending=sum(account.debits_pending + account.credits_pending for account in found.values()),
    )


def _credit(account: Account) -> int:
    return account.credits_posted - account.debits_posted
