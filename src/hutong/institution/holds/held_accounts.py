"""What people let merchants hold, in the ledger: an account for each authorisation, moved into and out of the wallet."""

from collections.abc import Callable

from hutong.institution import chart
from hutong.institution.payments.payment import Why
from hutong.kernel.money import Currency
from hutong.ledger import holding_recipes
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import AccountStatus, TransferStatus

Then = Callable[[list[TransferStatus]], None]
_THERE = frozenset({AccountStatus.CREATED, AccountStatus.EXISTS})


class HeldAccounts:
    """Of authorisations in one currency, whoever keeps them: for a merchant of this institution or of another."""

    def __init__(self, ledger: LedgerEngine, currency: Currency) -> None:
        self._ledger = ledger
        self._currency = currency

    def hold_back(self, transfer_id: int, authorisation_id: int, user_id: int, amount: int, then: Then) -> None:
        """So much of a person's wallet, in an account that is opened for it. As `holding_recipes.hold_back`."""
        self._ledger.create_accounts([chart.held(authorisation_id, self._currency)], _opened)
        transfer = holding_recipes.hold_back(
            transfer_id,
            authorisation_id,
            wallet=chart.user_account(user_id, self._currency),
            held=chart.held_account(authorisation_id, self._currency),
            amount=amount,
            ledger=self._currency.ledger,
            code=Why.HELD,
        )
        self._ledger.create_transfers([transfer], then)

    def let_go(self, transfer_id: int, authorisation_id: int, user_id: int, amount: int, then: Then) -> None:
        """So much of it back into the wallet. As `holding_recipes.let_go`."""
        transfer = holding_recipes.let_go(
            transfer_id,
            authorisation_id,
            held=chart.held_account(authorisation_id, self._currency),
            wallet=chart.user_account(user_id, self._currency),
            amount=amount,
            ledger=self._currency.ledger,
            code=Why.LET_GO,
        )
        self._ledger.create_transfers([transfer], then)


def _opened(statuses: list[AccountStatus]) -> None:
    assert statuses[0] in _THERE, statuses
