"""
A checker of histories, of its own: what clients were told, held against what the ledgers have.

It imports nothing of the product. It reads the clients' log (JSON lines, written as things happen) and the rows, by its
own SQL, and adds everything up itself. So what it shares with the nodes and with the product's auditor is the documented
meaning of the columns, and no code.

What it holds: who was told "completed" finds it kept, once; nobody was told one thing and then another; nothing is
unknown after healing; nothing is there that nobody asked for; a balance that was read fits what had been answered when it was
asked for; all money is where it was or where it was paid; every completed payment is in exactly one window.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

FINAL = frozenset({"COMPLETED", "REJECTED", "REFUSED"})
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_EVER = 1 << 62
_COUNTED = {"NETTED", "SETTLING", "SETTLED"}  # States of a window whose obligations are there.


@dataclass
class Asked:
    """One payment, refund or charge: what was asked when, and every answer."""

    kind: str
    node: str
    who: str  # The payer whose balance it moves.
    amount: int
    at: int
    answers: list[tuple[int, str]] = field(default_factory=list)
    request: str = ""  # Of a charge: what the payer is asked, which a payment of another id answers.

    @property
    def final(self) -> str:
        return next((answer for _, answer in self.answers if answer in FINAL), "")

    @property
    def answered_at(self) -> int:
        return next((at for at, answer in self.answers if answer in FINAL), _EVER)


@dataclass
class Read:
    """A payer's balance as its node said it, asked and answered when."""

    asked: int
    at: int
    balance: int
    last: bool = False  # All is quiet and healed: it must be exact.


@dataclass
class History:
    """What clients know."""

    asked: dict[str, Asked] = field(default_factory=dict)
    funds: dict[str, int] = field(default_factory=dict)
    reads: dict[str, list[Read]] = field(default_factory=lambda: defaultdict(list))
    takings: dict[str, int] = field(default_factory=dict)  # Tills' last balances.


@dataclass
class Cleared:
    """One payment or return at the switch."""

    id: str
    source: str
    debtor: str
    creditor: str
    settlement: int
    fee: int
    status: str | None
    window: str


@dataclass
class Window:
    """A settlement window as its newest row has it, and what everybody is owed by it."""

    state: str
    lines: int
    net: dict[str, int] = field(default_factory=dict)


@dataclass
class Ledgers:
    """What the rows of all nodes say; every list as read, so that what is there twice is seen twice."""

    payments: list[tuple[str, str, int, bool | None]] = field(default_factory=list)  # Node, id, amount, completed.
    requests: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # Payments by what they answer.
    refunds: list[tuple[str, str, int, bool | None]] = field(default_factory=list)
    incoming: list[tuple[str, str, bool | None]] = field(default_factory=list)  # Receipts and returns: node, id.
    spent: dict[tuple[str, str], int] = field(default_factory=dict)  # By node and payment: what left a wallet.
    cleared: list[Cleared] = field(default_factory=list)
    windows: dict[str, Window] = field(default_factory=dict)
    open: list[tuple[str, str]] = field(default_factory=list)  # Pending transfers.
    income: int = 0  # Of institutions and the scheme, from payments and their returns.


def number(text: str) -> str:
    """An id as clients write it, in hex: `pay_` and 26 letters of Crockford's base 32."""
    value = 0
    for letter in text.rpartition("_")[2]:
        value = value * 32 + _LETTERS.index(letter)
    return f"{value:032x}"


def read_log(lines: Iterable[str]) -> History:
    """The history that a log tells."""
    found = History()
    for line in lines:
        said = json.loads(line)
        match said["what"]:
            case "opened":
                found.funds[said["who"]] = said["funds"]
            case "asked":
                new = Asked(said["kind"], said["node"], said["who"], said["amount"], said["at"])
                found.asked.setdefault(said["id"], new)
            case "answered":
                entry = found.asked[said["id"]]
                entry.answers.append((said["at"], said["answer"]))
                entry.request = said.get("request") or entry.request
            case "balance":
                read = Read(said["asked"], said["at"], said["balance"], said.get("last", False))
                found.reads[said["who"]].append(read)
            case "takings":
                found.takings[said["who"]] = said["balance"]
    return found


def check(history: History, ledgers: Ledgers) -> list[str]:
    """Everything that is wrong; nothing, if nothing is."""
    wrong = [*_answers(history), *_kept(history, ledgers), *_ended(ledgers), *_alike(ledgers), *_windows(ledgers)]
    return [*wrong, *_balances(history), *_money(history, ledgers)]


def _answers(history: History) -> Iterable[str]:
    for id_, entry in history.asked.items():
        told = {answer for _, answer in entry.answers if answer in FINAL}
        if not told:
            yield f"{entry.kind} {id_} is unknown after healing: {[answer for _, answer in entry.answers[-5:]]}"
        if len(told) > 1:
            yield f"{entry.kind} {id_} was answered {sorted(told)}"
        since = entry.answered_at
        later = {answer for at, answer in entry.answers if at > since and answer == "PENDING"}
        if later:
            yield f"{entry.kind} {id_} was {entry.final}, and pending again"


def _kept(history: History, ledgers: Ledgers) -> Iterable[str]:
    rows: dict[str, list[tuple[str, int, bool | None]]] = defaultdict(list)
    for node, id_, amount, completed in [*ledgers.payments, *ledgers.refunds]:
        rows[id_].append((node, amount, completed))
    known = set()
    for name, entry in history.asked.items():
        ids = ledgers.requests.get(number(entry.request), set()) if entry.kind == "charge" else {number(name)}
        known |= ids
        found = [row for id_ in ids for row in rows.get(id_, [])]
        if entry.final == "COMPLETED":
            if [row[1:] for row in found] != [(entry.amount, True)]:
                yield f"{entry.kind} {name} of {entry.amount} was completed, and the ledgers have {found}"
        elif any(completed for _, _, completed in found):
            yield f"{entry.kind} {name} was {entry.final or 'unknown'}, and the ledgers completed it"
        if entry.final == "REFUSED" and found:
            yield f"{entry.kind} {name} was refused, and the ledgers have {found}"
    for id_ in rows.keys() - known:
        yield f"nobody asked for {id_}: {rows[id_]}"


def _ended(ledgers: Ledgers) -> Iterable[str]:
    for what, each in (("payment", ledgers.payments), ("refund", ledgers.refunds)):
        twice = [id_ for id_, times in Counter(row[1] for row in each).items() if times > 1]
        yield from (f"{what} {id_} is there twice" for id_ in twice)
        yield from (f"{row[0]}: {what} {row[1]} has no outcome" for row in each if row[3] is None)
    yield from (
        f"{node}: incoming {id_} has no outcome" for node, id_, completed in ledgers.incoming if completed is None
    )
    yield from (f"{node}: transfer {id_} is pending" for node, id_ in ledgers.open)
    for node, id_, amount, completed in ledgers.payments:
        spent = ledgers.spent.get((node, id_), 0)
        if spent != (amount if completed else 0):
            yield f"{node}: payment {id_} of {amount}, completed {completed}, took {spent} from a wallet"


def _alike(ledgers: Ledgers) -> Iterable[str]:
    """Both institutions and the switch say the same of what crossed it."""
    decided = {(each.source, each.id): each for each in ledgers.cleared}
    if len(decided) != len(ledgers.cleared):
        yield "something is cleared twice"
    completed_there: dict[str, set[str]] = defaultdict(set)
    for node, id_, completed in ledgers.incoming:
        if completed:
            if id_ in completed_there[node]:
                yield f"{node}: incoming {id_} is there twice"
            completed_there[node].add(id_)
    own = {(node, id_): completed for node, id_, _, completed in ledgers.payments}
    for (source, id_), each in decided.items():
        is_payment = source == each.debtor
        other = each.creditor if is_payment else each.debtor
        has = each.status == "ACSC"
        if each.status is None:
            yield f"switch: {id_} of {source} is undecided"
        if has != (id_ in completed_there[other]):
            yield f"{other}: {id_} of {source} is {each.status} at the switch, and not so here"
        if is_payment and own.get((source, id_)) != has:
            yield f"{source}: {id_} is {each.status} at the switch, and completed is {own.get((source, id_))}"


def _windows(ledgers: Ledgers) -> Iterable[str]:
    lines: Counter[str] = Counter()
    net: dict[str, Counter[str]] = defaultdict(Counter)
    for each in ledgers.cleared:
        if each.status != "ACSC":
            continue
        if each.window not in ledgers.windows:
            yield f"switch: {each.id} completed, and is in no window ({each.window!r})"
        lines[each.window] += 1
        sign = 1 if each.source == each.debtor else -1
        net[each.window][each.debtor] -= sign * (each.settlement + each.fee)
        net[each.window][each.creditor] += sign * each.settlement
        net[each.window]["switch"] += sign * each.fee
    for name, window in ledgers.windows.items():
        if window.state == "HALTED":
            yield f"window {name} is halted"
        if window.state not in _COUNTED:
            continue
        if window.lines != lines[name]:
            yield f"window {name} says {window.lines} payments and returns, and has {lines[name]}"
        if {k: v for k, v in window.net.items() if v} != {k: v for k, v in net[name].items() if v}:
            yield f"window {name}: obligations {window.net}, and what was cleared is {dict(net[name])}"


def _balances(history: History) -> Iterable[str]:
    """
    What was answered before a balance was asked for is in it; what was begun after it was told is not.

    A refund reaches its payer through two more nodes, so until all is quiet it may be on its way.
    """
    by_payer: dict[str, list[Asked]] = defaultdict(list)
    for entry in history.asked.values():
        by_payer[entry.who].append(entry)
    for who, reads in history.reads.items():
        funds = history.funds[who]
        for read in reads:
            low = high = funds
            for entry in by_payer[who]:
                low, high = _bounds(entry, read, low, high)
            if not low <= read.balance <= high:
                yield f"{who} read {read.balance} at {read.at}, where {low} to {high} was possible"


def _bounds(entry: Asked, read: Read, low: int, high: int) -> tuple[int, int]:
    if entry.at > read.at or entry.final == "REFUSED":
        return low, high
    known = read.last or entry.answered_at < read.asked
    if entry.kind == "refund":
        if entry.final == "REJECTED" and known:
            return low, high
        certain = read.last and entry.final == "COMPLETED"
        return low + (entry.amount if certain else 0), high + entry.amount
    if not known:
        return low - entry.amount, high
    if entry.final == "COMPLETED":
        return low - entry.amount, high - entry.amount
    return low, high


def _money(history: History, ledgers: Ledgers) -> Iterable[str]:
    last = {who: reads[-1].balance for who, reads in history.reads.items() if reads and reads[-1].last}
    if set(last) != set(history.funds):
        yield f"balances were not read in the end: {sorted(set(history.funds) - set(last))}"
        return
    paid_in = sum(history.funds.values())
    held = sum(last.values()) + sum(history.takings.values()) + ledgers.income
    if paid_in != held:
        yield f"{paid_in} was paid in, and {held} is there"


# The rows, by SQL of its own. `{s}` is a node's schema.
_PAYMENTS = "SELECT id, gross, completed, request_id FROM {s}.payments LEFT JOIN {s}.payment_outcomes USING (id)"
_REFUNDS = "SELECT refund_id, gross, completed FROM {s}.refunds r LEFT JOIN {s}.refund_outcomes o ON o.id = r.id"
_INCOMING = """
SELECT id, completed FROM {s}.receipts LEFT JOIN {s}.receipt_outcomes USING (id)
UNION ALL SELECT id, completed FROM {s}.returns LEFT JOIN {s}.return_outcomes USING (id)"""
# Flags 2 and 8: pending, and void. Code 2001: wallets.
_SPENT = """
SELECT t.user_data_128, sum(t.amount)::bigint FROM {s}.transfer t JOIN {s}.account a ON a.id = t.debit_account_id
WHERE a.code = 2001 AND t.flags & 10 = 0 GROUP BY 1"""
_OPEN = """
SELECT id FROM {s}.transfer p WHERE flags & 2 <> 0
AND NOT EXISTS (SELECT FROM {s}.transfer t WHERE t.pending_id = p.id AND t.flags & 12 <> 0)
AND NOT EXISTS (SELECT FROM {s}.expiry e WHERE e.pending_id = p.id)"""
# 4001, 4101 and 5001: what payments leave with the institution. 3, moved by 10 and 11: what they leave with the scheme.
_INCOME = """
SELECT coalesce(sum(CASE WHEN c.code IN (4001, 4101, 5001) THEN amount ELSE 0 END
    - CASE WHEN d.code IN (4001, 4101, 5001) THEN amount ELSE 0 END), 0)::bigint
FROM {s}.transfer t JOIN {s}.account d ON d.id = debit_account_id JOIN {s}.account c ON c.id = credit_account_id
WHERE t.flags & 10 = 0 AND t.code < 60"""
_SCHEME_INCOME = """
SELECT coalesce(sum(CASE WHEN c.code = 3 THEN amount ELSE 0 END - CASE WHEN d.code = 3 THEN amount ELSE 0 END), 0)::bigint
FROM {s}.transfer t JOIN {s}.account d ON d.id = debit_account_id JOIN {s}.account c ON c.id = credit_account_id
WHERE t.flags & 10 = 0 AND t.code IN (10, 11)"""
_CLEARED = """
SELECT c.payment_id, c.originator, c.debtor_agent, c.creditor_agent, c.settlement_minor, c.switch_fee_minor, d.status,
    coalesce(d.window, '')
FROM {s}.cleared_payment c LEFT JOIN {s}.decision d USING (id)"""
_WINDOWS = """
SELECT DISTINCT ON ("window") "window", state, payments + returns FROM {s}.settlement_window ORDER BY "window", position DESC"""
_OBLIGATIONS = 'SELECT "window", node_id, credit_minor - debit_minor FROM {s}.settlement_obligation'


async def read_ledgers(url: str, institutions: Iterable[str], switch: str) -> Ledgers:
    """Everything, at one moment."""
    connection = await asyncpg.connect(url)
    found = Ledgers()

    async def rows(node: str, text: str) -> list[Any]:
        return list(await connection.fetch(text.replace("{s}", f'"{node}"')))

    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            for node in institutions:
                for id_, amount, done, request in await rows(node, _PAYMENTS):
                    found.payments.append((node, id_.hex, amount, done))
                    found.requests[request.hex].add(id_.hex)
                found.refunds += [(node, id_.hex, amount, done) for id_, amount, done in await rows(node, _REFUNDS)]
                found.incoming += [(node, id_.hex, done) for id_, done in await rows(node, _INCOMING)]
                found.spent |= {(node, id_.hex): amount for id_, amount in await rows(node, _SPENT)}
                found.income += (await rows(node, _INCOME))[0][0]
            for node in (*institutions, switch):
                found.open += [(node, id_.hex) for (id_,) in await rows(node, _OPEN)]
            found.income += (await rows(switch, _SCHEME_INCOME))[0][0]
            found.cleared = [Cleared(row[0].hex, *row[1:]) for row in await rows(switch, _CLEARED)]
            for name, state, lines in await rows(switch, _WINDOWS):
                found.windows[name] = Window(state, lines)
            for name, node, net in await rows(switch, _OBLIGATIONS):
                found.windows[name].net[node] = net
    finally:
        await connection.close()
    return found


def read_history(path: Path) -> History:
    with path.open(encoding="utf-8") as lines:
        return read_log(lines)


def summary(history: History) -> Mapping[str, int]:
    """How many of each kind ended how."""
    return Counter(f"{entry.kind} {entry.final or 'unknown'}" for entry in history.asked.values())
