"""The ledger browser: it asks the ledger's port, and joins what it finds with what it was for."""

from hutong.institution.books.account_name import BookReason, account_named, signed
from hutong.institution.books.entry import Entry, EntryPage
from hutong.institution.books.movement import Movement, ids_beside, legs_of, posted_debit
from hutong.institution.chart import AccountCode, Chart
from hutong.institution.payments.statement_service import StatementService
from hutong.kernel.errors import Refusal
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.transfer import TIMESTAMP_MAX, Account, AccountBalance, AccountQuery, Transfer
from hutong.ledger.trial_balance import AllAccounts, TrialBalance
from hutong.runtime.journal import durable
from hutong.runtime.node import NodeRuntime

PAGE_MAX = 200
_ABOUT_PAGES_MAX = 5


class BookService:
    """For operators. It awaits freely: nothing of it is in a payment's way."""

    def __init__(
        self, node: NodeRuntime, ledger: LedgerEngine, own: Chart, statements: StatementService, everything: AllAccounts
    ) -> None:
        self.node = node
        self.chart = own
        self._ledger = ledger
        self._statements = statements
        self._everything = everything

    async def account(self, account_id: int) -> Account:
        """Refuses ACCOUNT_UNKNOWN."""
        found = await self._ledger.lookup_accounts([account_id])
        if not found:
            raise Refusal(BookReason.ACCOUNT_UNKNOWN)
        return found[0]

    async def named(self, name: str) -> Account:
        """The account that `name` says: see `account_named`. Refuses ACCOUNT_UNKNOWN, too."""
        return await self.account(account_named(self.chart, name))

    async def own_accounts(self) -> list[Account]:
        """The node's own accounts, in the order of the chart."""
        found = await self._ledger.lookup_accounts([account.id for account in self.chart.accounts()])
        return sorted(found, key=lambda account: account.code)

    async def accounts(self, code: AccountCode, *, before_ns: int = TIMESTAMP_MAX, limit: int = 50) -> list[Account]:
        """Accounts of a code, the newest first, opened before a time."""
        await durable(self.node.journal)
        ids = await self._everything.accounts(code, before_ns=before_ns, limit=min(limit, PAGE_MAX))
        return await self._ledger.lookup_accounts(ids)

    async def entries(
        self, account_id: int, *, before: int | None = None, after: int | None = None, limit: int = 50
    ) -> EntryPage:
        """
        A page of an account: the newest, or those before, or those right after a time.

        Refuses:  ACCOUNT_UNKNOWN.
        """
        await durable(self.node.journal)
        account = await self.account(account_id)
        limit = min(limit, PAGE_MAX)
        newer: int | None
        older: int | None
        if after is not None:
            found = await self._page(account_id, timestamp_min=after + 1, limit=limit + 1)
            is_more, transfers = len(found) > limit, found[:limit][::-1]
            newer = transfers[0].timestamp if transfers and is_more else None
            older = transfers[-1].timestamp if transfers else after + 1
        else:
            until = 0 if before is None else before - 1
            found = await self._page(account_id, timestamp_max=until, limit=limit + 1, is_reversed=True)
            transfers = found[:limit]
            newer = None if before is None else (transfers[0].timestamp if transfers else before - 1)
            older = transfers[-1].timestamp if len(found) > limit else None
        return EntryPage(account, await self._entries(account, transfers), newer, older)

    async def balance_at(self, account_id: int, at_ns: int) -> AccountBalance | None:
        """An account's balances at a time, inclusive; None before it was opened."""
        await durable(self.node.journal)
        return await self._ledger.balance_at(account_id, at_ns)

    async def movement(self, transfer_id: int) -> Movement:
        """A transfer with everything that happened with it. Refuses TRANSFER_UNKNOWN."""
        found = await self._ledger.lookup_transfers(ids_beside(transfer_id))
        meant = next((each for each in found if each.id == transfer_id), None)
        if meant is None:
            raise Refusal(BookReason.TRANSFER_UNKNOWN)
        ids = {id_ for each in found for id_ in (each.debit_account_id, each.credit_account_id)}
        accounts = {account.id: account for account in await self._ledger.lookup_accounts(sorted(ids))}
        return Movement(meant, legs_of(found), accounts, await self._statements.subject(meant))

    async def movement_about(self, account_id: int, about: int, from_ns: int) -> Movement | None:
        """The first movement on an account that is about a payment, a receipt, a refund or a return begun at a time."""
        await durable(self.node.journal)
        after = from_ns - 1
        for _ in range(_ABOUT_PAGES_MAX):
            page = await self._page(account_id, timestamp_min=after + 1, limit=PAGE_MAX)
            for transfer in page:
                if transfer.user_data_128 == about:
                    return await self.movement(transfer.id)
            if len(page) < PAGE_MAX:
                return None
            after = page[-1].timestamp
        return None

    async def trial_balance(self, at_ns: int | None = None) -> TrialBalance:
        """What all accounts of each code come to, now or at a time."""
        await durable(self.node.journal)
        return await self._everything.trial_balance(self.node.clock.now_ns() if at_ns is None else at_ns)

    async def _page(
        self, account_id: int, *, timestamp_min: int = 0, timestamp_max: int = 0, limit: int, is_reversed: bool = False
    ) -> list[Transfer]:
        return await self._ledger.account_transfers(
            AccountQuery(
                account_id,
                timestamp_min=timestamp_min,
                timestamp_max=timestamp_max,
                limit=limit,
                reversed=is_reversed,
            )
        )

    async def _entries(self, account: Account, transfers: list[Transfer]) -> list[Entry]:
        """Each transfer with the posted balance after it: known at the newest, and walked back from there."""
        if not transfers:
            return []
        newest = await self._ledger.balance_at(account.id, transfers[0].timestamp)
        assert newest is not None, "an account that has a transfer was there by then"
        debit = newest.debits_posted - newest.credits_posted
        entries = []
        for transfer in transfers:
            change = posted_debit(transfer, account.id)
            entries.append(Entry(transfer, signed(account.code, change), signed(account.code, debit)))
            debit -= change
        return entries
