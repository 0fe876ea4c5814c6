"""Our settlement account at the switch, booked as we are told of it."""

import structlog

from hutong.institution.chart import Chart
from hutong.institution.settlement.entry import SettlementEntry, noted
from hutong.institution.settlement.repository import ENTRIES
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import AccountStatement, StatementRequest

log = structlog.get_logger()


class SettlementService:
    """The newest entry of each currency is in memory."""

    def __init__(self, node: NodeRuntime, ledger: LedgerEngine, chart: Chart, switch: str) -> None:
        self._node = node
        self._ledger = ledger
        self._chart = chart
        self._switch = switch
        self._entries = Shelf(ENTRIES, node.journal, node.store, key="currency")

    async def start(self) -> None:
        """Load the newest entry, and book it again: a crash may have come between the two."""
        for entry in await self._entries.load_all():
            self._book(entry)
        self._node.journal.seal()

    def told(self, message: AccountStatement) -> None:
        """
        camt.053: book the entry if it is the next, and say which one we ask for now.

        Moves:    as `ledger.settlement_recipes.mirror_settlement` and its fellows say; never refused.
        Repeats:  what we know already is not booked again, and what comes too early is asked for in its turn.
        """
        last = self._entries.get(message.currency)
        known = last.number if last else 0
        if message.number == known + 1 and message.currency == self._chart.currency.alpha:
            entry = noted(message, self._node.clock.now_ns())
            if entry.opening_minor != (last.closing_minor if last else 0):
                log.error("settlement_account_differs", number=entry.number, opening=entry.opening_minor)
                return  # Not said to be known: people must look at it, and the switch goes on telling it.
            self._entries.put(entry)
            self._book(entry)
            known += 1
        self._node.journal.tell(self._switch, StatementRequest(currency=message.currency, number=known + 1))

    def newest(self) -> SettlementEntry | None:
        """How the account stands."""
        return self._entries.get(self._chart.currency.alpha)

    async def entries(self, *, limit: int = 100) -> list[SettlementEntry]:
        """The newest first."""
        currency = self._chart.currency.alpha
        found = await self._node.store.page(ENTRIES, "currency", currency, limit=limit, newest_first=True)
        return [entry for _, entry in found]

    def _book(self, entry: SettlementEntry) -> None:
        self._ledger.create_transfers(entry.transfers(self._chart), _booked)


def _booked(statuses: list[TransferStatus]) -> None:
    assert statuses[0] in TRANSFER_DONE, statuses  # None of these accounts is bounded.
