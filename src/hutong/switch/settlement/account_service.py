"""Settlement accounts as their owners see them: entries without a gap, each told to its node until it says it knows."""

from collections.abc import Iterable

from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import AccountStatement, EntryKind, StatementRequest, id_hex
from hutong.switch.settlement.repository import ENTRIES, TOLD
from hutong.switch.settlement.statement import Entry, Told, account_name

_AGAIN_FIRST_NS = 2 * NS_PER_S
_AGAIN_MAX_NS = 300 * NS_PER_S
_AT_ONCE_MAX = 100


class AccountService:
    """The newest entry of each account is in memory; those before it are rows."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self._entries = Shelf(ENTRIES, node.journal, node.store, key="account")
        self._told = Shelf(TOLD, node.journal, node.store, key="account")
        self._again: dict[str, tuple[int, int]] = {}  # When to tell an account's node again, and after how long then.

    async def start(self) -> None:
        await self._entries.load_all()
        await self._told.load_all()
        for entry in self._entries.everything():
            if self._known(entry.account) < entry.number:
                self._again[entry.account] = self._node.clock.now_ns(), _AGAIN_FIRST_NS

    def balance(self, node_id: str, currency: str) -> int:
        """By the last entry."""
        last = self._entries.get(account_name(node_id, currency))
        return last.closing_minor if last else 0

    def book(
        self,
        id_: int,
        node_id: str,
        currency: str,
        kind: EntryKind,
        moved_minor: int,
        *,
        window: str = "",
        settles_on: str = "",
        credit_minor: int = 0,
        debit_minor: int = 0,
        loss_minor: int = 0,
        missing_minor: int = 0,
    ) -> Entry:
        """Note an entry of an account, and tell its node."""
        account = account_name(node_id, currency)
        last = self._entries.get(account)
        opening = last.closing_minor if last else 0
        now_ns = self._node.clock.now_ns()
        entry = Entry(
            account=account,
            id=id_,
            number=last.number + 1 if last else 1,
            node_id=node_id,
            currency=currency,
            kind=kind.value,
            window=window,
            settles_on=settles_on,
            credit_minor=credit_minor,
            debit_minor=debit_minor,
            moved_minor=moved_minor,
            loss_minor=loss_minor,
            missing_minor=missing_minor,
            opening_minor=opening,
            closing_minor=opening + moved_minor,
            booked_ns=now_ns,
        )
        self._entries.put(entry)
        if node_id != self._node.node_id:
            self._node.journal.tell(node_id, _message(entry))
            self._again[account] = now_ns + _AGAIN_FIRST_NS, 2 * _AGAIN_FIRST_NS
        return entry

    def asked(self, sender: str, request: StatementRequest) -> None:
        """camt.060: the node knows everything before this entry, and asks for the rest, if there is any."""
        account = account_name(sender, request.currency)
        last = self._entries.get(account)
        if last is None or request.number > last.number + 1:
            return
        if request.number - 1 > self._known(account):
            self._told.put(Told(account, request.number - 1))
        if request.number > last.number:
            self._again.pop(account, None)
        elif request.number == last.number:
            self._node.journal.tell(sender, _message(last))
        else:
            self._node.spawn(self._tell_from(account, request.number))

    def tick(self) -> None:
        """Tell again what nobody said to know."""
        now_ns = self._node.clock.now_ns()
        for account, (at_ns, wait_ns) in list(self._again.items()):
            if at_ns <= now_ns:
                self._again[account] = now_ns + wait_ns, min(2 * wait_ns, _AGAIN_MAX_NS)
                self._node.spawn(self._tell_from(account, self._known(account) + 1))

    async def entries(self, node_id: str, currency: str, *, limit: int = 100) -> list[Entry]:
        """The newest first."""
        account = account_name(node_id, currency)
        found = await self._node.store.page(ENTRIES, "account", account, limit=limit, newest_first=True)
        return [entry for _, entry in found]

    async def entries_of_window(self, window: str) -> list[Entry]:
        """Every account's entry of a window."""
        found = await self._node.store.find(ENTRIES, "window", [window])
        return [entry for _, entry in found]

    async def _tell_from(self, account: str, number: int) -> None:
        found: Iterable[tuple[int, Entry]] = await self._node.store.find(ENTRIES, "account", [account])
        for _, entry in [each for each in found if each[1].number >= number][:_AT_ONCE_MAX]:
            self._node.journal.tell(entry.node_id, _message(entry))
        self._node.journal.seal()

    def _known(self, account: str) -> int:
        told = self._told.get(account)
        return told.number if told else 0


def _message(entry: Entry) -> AccountStatement:
    return AccountStatement(
        statement_id=id_hex(entry.id),
        number=entry.number,
        kind=EntryKind(entry.kind),
        currency=entry.currency,
        window=entry.window,
        settles_on=entry.settles_on,
        credits=entry.credit_minor,
        debits=entry.debit_minor,
        amount=abs(entry.moved_minor),
        is_credit=entry.moved_minor >= 0,
        loss=entry.loss_minor,
        missing=entry.missing_minor,
        opening=entry.opening_minor,
        closing=entry.closing_minor,
        booked_at_ms=entry.booked_ns // NS_PER_MS,
    )
