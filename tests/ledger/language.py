"""
The small language of the ledger's tables: what is asked, and the answer at the end of the line.

    account A1 no_debt history ledger=2 created
    transfer T1 A1 -> A2 100 pending timeout=3 linked exceeds_credits
    post T2 T1 60 created                (or `all`, also by leaving it out)
    void T3 T1 created
    balance A1 0 100 0 0 closed          (debits pending, posted, credits pending, posted)
    stored T3 60                         (the amount the ledger kept)
    wait 1000000000                      (nanoseconds)
    to T1 -1                             (one nanosecond before T1 expires)
    at 2^63-5                            (the time itself)
    expire 2                             (how many)

Each event is a batch of its own, save that `linked` binds it to the next; `batch` gathers until `end`.
Numbers may be written `max`, `max-1` and 2^63. Ids: A1 and T1 are 1.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hutong.ledger.transfer import (
    AMOUNT_MAX,
    Account,
    AccountFlag,
    AccountStatus,
    Transfer,
    TransferFlag,
    TransferStatus,
)

ACCOUNT_FLAGS = {
    "linked": AccountFlag.LINKED,
    "no_debt": AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS,
    "no_credit": AccountFlag.CREDITS_MUST_NOT_EXCEED_DEBITS,
    "history": AccountFlag.HISTORY,
    "closed": AccountFlag.CLOSED,
}
TRANSFER_FLAGS = {flag.name.lower(): flag for flag in TransferFlag if flag.name} | {
    "post_and_void": TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING
}
FIELDS = {
    "ud128": "user_data_128",
    "ud64": "user_data_64",
    "ud32": "user_data_32",
    "dp": "debits_pending",
    "dpo": "debits_posted",
    "cp": "credits_pending",
    "cpo": "credits_posted",
    "debit": "debit_account_id",
    "credit": "credit_account_id",
}


@dataclass
class Batch:
    """Events that go to the ledger in one call, with the answers they must get."""

    events: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


@dataclass
class Command:
    """Anything else: its words."""

    name: str
    words: list[str]


def tables(folder: Path) -> dict[str, list[str]]:
    """Every table of the folder's files by name, as its lines."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.txt")):
        for raw in path.read_text().splitlines():
            line = raw.split("#")[0].strip()
            if line.startswith("table "):
                name = f"{path.stem}: {line[6:]}"
                assert name not in found, name
                found[name] = []
            elif line:
                found[name].append(line)
    return found


def read(lines: list[str]) -> Iterator[Batch | Command]:
    """The steps of one table."""
    batch, gathering = Batch(), False
    for line in lines:
        verb, *words = line.split()
        if verb == "batch":
            gathering = True
        elif verb in {"account", "transfer", "post", "void"}:
            event, answer = EVENTS[verb](words)
            batch.events.append(event)
            batch.answers.append(answer)
            batch.lines.append(line)
            if not gathering and "linked" not in words:
                yield batch
                batch = Batch()
        elif verb == "end":
            yield batch
            batch, gathering = Batch(), False
        else:
            assert not batch.events, f"a batch is open before {line}"
            yield Command(verb, words)
    assert not batch.events, "the last batch is open"


def number(word: str) -> int:
    """`100`, `max`, `max-1`, `2^63-5`; and `A1` or `T1` for an id."""
    word = word.lstrip("AT")
    head, minus, rest = word.partition("-")
    if head == "max":
        value = AMOUNT_MAX
    elif "^" in head:
        base, _, exponent = head.partition("^")
        value = int(base) ** int(exponent)
    else:
        value = int(head) if head else 0
    return value - int(rest) if minus else value


def _account(words: list[str]) -> tuple[Account, AccountStatus]:
    id_, *rest, answer = words
    fields = {"ledger": 1, "code": 1} | _options(rest, ACCOUNT_FLAGS)
    return Account(id=number(id_), **fields), AccountStatus[answer.upper()]


def _transfer(words: list[str]) -> tuple[Transfer, TransferStatus]:
    id_, debit, _, credit, amount, *rest, answer = words
    fields = {"ledger": 1, "code": 1} | _options(rest, TRANSFER_FLAGS)
    transfer = Transfer(
        id=number(id_),
        debit_account_id=number(debit),
        credit_account_id=number(credit),
        amount=number(amount),
        **fields,
    )
    return transfer, TransferStatus[answer.upper()]


def _resolution(words: list[str], flag: TransferFlag, everything: int) -> tuple[Transfer, TransferStatus]:
    id_, pending, *rest, answer = words
    amount = everything
    if rest and (rest[0] == "all" or rest[0][0].isdigit()):
        word = rest.pop(0)
        amount = everything if word == "all" else number(word)
    fields = {"debit_account_id": 0, "credit_account_id": 0, "ledger": 0, "code": 0} | _options(rest, TRANSFER_FLAGS)
    fields["flags"] = fields.get("flags", 0) | flag
    transfer = Transfer(id=number(id_), amount=amount, pending_id=number(pending), **fields)
    return transfer, TransferStatus[answer.upper()]


def _options(words: list[str], flags: dict[str, Any]) -> dict[str, int]:
    fields: dict[str, int] = {"flags": 0}
    for word in words:
        name, equals, value = word.partition("=")
        if equals:
            fields[FIELDS.get(name, name)] = number(value)
        else:
            fields["flags"] |= int(flags[name])
    return fields


EVENTS: dict[str, Callable[[list[str]], tuple[Any, Any]]] = {
    "account": _account,
    "transfer": _transfer,
    "post": lambda words: _resolution(words, TransferFlag.POST_PENDING, AMOUNT_MAX),
    "void": lambda words: _resolution(words, TransferFlag.VOID_PENDING, 0),
}
