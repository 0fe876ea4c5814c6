"""
What happened to an account, as a fold over the log: the definition of every query.

Balances come from the amounts alone, never from those a row carries along, so that whoever compares the two
finds out if a row ever carried the wrong ones.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from hutong.ledger.rows import ExpiryRow, TransferRow
from hutong.ledger.transfer import AccountBalance, AccountQuery, Transfer, TransferFlag

_PENDING = int(TransferFlag.PENDING)
_POST_PENDING = int(TransferFlag.POST_PENDING)

Event = TransferRow | ExpiryRow
Found = TypeVar("Found")


def account_transfers(events: Iterable[Event], query: AccountQuery) -> list[Transfer]:
    """The account's transfers that the query asks for; `events` in order of time."""
    found = [event.transfer() for event in events if type(event) is TransferRow and _matches(event, query)]
    return _page(found, query)


def account_balances(events: Iterable[Event], query: AccountQuery) -> list[AccountBalance]:
    """The account's balances after each transfer that the query asks for; `events` in order of time, and all of them."""
    found = [
        balance
        for event, balance in _balances(events, query.account_id)
        if type(event) is TransferRow and _matches(event, query)
    ]
    return _page(found, query)


def balance_at(events: Iterable[Event], account_id: int, timestamp: int) -> AccountBalance:
    """The account's balances at a time, inclusive; `events` in order of time, and all of them."""
    balance = AccountBalance(timestamp, 0, 0, 0, 0)
    for event, after in _balances(events, account_id):
        if event.timestamp > timestamp:
            break
        balance = after
    return AccountBalance(
        timestamp, balance.debits_pending, balance.debits_posted, balance.credits_pending, balance.credits_posted
    )


def _balances(events: Iterable[Event], account_id: int) -> Iterator[tuple[Event, AccountBalance]]:
    """Each event that touched the account, with its balances after it."""
    pendings: dict[int, int] = {}
    debits_pending = debits_posted = credits_pending = credits_posted = 0
    for event in events:
        is_debit = event.debit_account_id == account_id
        if not is_debit and event.credit_account_id != account_id:
            continue
        pending, posted = _moved(event, pendings)
        if is_debit:
            debits_pending += pending
            debits_posted += posted
        else:
            credits_pending += pending
            credits_posted += posted
        yield event, AccountBalance(event.timestamp, debits_pending, debits_posted, credits_pending, credits_posted)


def _moved(event: Event, pendings: dict[int, int]) -> tuple[int, int]:
    """By how much the pending and the posted balance of both sides change."""
    if type(event) is ExpiryRow:
        return -pendings.pop(event.pending_id), 0
    assert type(event) is TransferRow
    if event.flags & _PENDING:
        pendings[event.id] = event.amount
        return event.amount, 0
    if event.pending_id:
        return -pendings.pop(event.pending_id), event.amount if event.flags & _POST_PENDING else 0
    return 0, event.amount


def _matches(row: TransferRow, query: AccountQuery) -> bool:
    is_debit = query.debits and row.debit_account_id == query.account_id
    is_credit = query.credits and row.credit_account_id == query.account_id
    return (
        (is_debit or is_credit)
        and row.timestamp >= query.timestamp_min
        and (not query.timestamp_max or row.timestamp <= query.timestamp_max)
        and (not query.code or row.code == query.code)
    )


def _page(found: list[Found], query: AccountQuery) -> list[Found]:
    if query.reversed:
        found.reverse()
    return found[: query.limit]
