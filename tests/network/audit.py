"""
An audit of a whole network that trusts none of its nodes: it reads their rows with its own SQL and does its own sums.

Nothing of the product is imported here. What an account, a transfer or a decision is, is read from the tables as
`docs/chart-of-accounts.md` and `docs/scheme/` describe them.
"""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import asyncpg

# Flags of transfers and accounts, codes of accounts and transfers: as written in the tables.
PENDING, POST, VOID, BALANCING = 2, 4, 8, 48
DEBITS_BOUNDED, CREDITS_BOUNDED = 2, 4
RESERVE, CLEARING, WALLET, MERCHANT, BUDGET, EXPENSE = 1001, 1101, 2001, 2101, 2201, 5001
POSITION, CAPS, INCOME, AT_SWITCH, RESERVE_CAPS, CONTRIBUTION, CUSTODY = 1, 2, 3, 4, 5, 6, 7
SETTLEMENT, OWED_TO_NETWORK, OWN_FUNDS = 1102, 2301, 3001
CNY = "CNY"

Rows = list[dict[str, Any]]


@dataclass
class Balance:
    """One account, added up from the transfers alone."""

    code: int
    flags: int
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    @property
    def debit(self) -> int:
        return self.debits_posted - self.credits_posted


@dataclass
class Node:
    """One schema: its rows, and what they come to."""

    schema: str
    tables: dict[str, Rows]
    balances: dict[int, Balance] = field(default_factory=dict)
    open: dict[int, dict[str, Any]] = field(default_factory=dict)  # Pending transfers that nothing resolved.
    wrong: list[str] = field(default_factory=list)

    def with_code(self, code: int) -> list[Balance]:
        return [balance for balance in self.balances.values() if balance.code == code]

    def owed(self, *codes: int) -> int:
        return sum(-balance.debit for code in codes for balance in self.with_code(code))

    def say(self, text: str) -> None:
        self.wrong.append(f"{self.schema}: {text}")


_COMMON = ("account", "transfer", "expiry")
_SWITCH = ("cleared_payment", "decision", "returned", "participant")
_INSTITUTION = (
    "payments",
    "payment_outcomes",
    "receipts",
    "receipt_outcomes",
    "refunds",
    "refund_outcomes",
    "returns",
    "return_outcomes",
    "payment_requests",
)


def derived(parent: int, label: str) -> int:
    """How ids that are no thing of a moment are named: docs/scheme/ids.md."""
    digest = hashlib.blake2b(parent.to_bytes(16, "big") + label.encode(), digest_size=9).digest()
    return (parent >> 80 << 80) | int.from_bytes(digest, "big") << 8


async def _read(url: str) -> dict[str, Node]:
    connection = await asyncpg.connect(url)
    try:
        # One snapshot of all schemas; the nodes may be at work.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            schemas = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information)'")
            nodes = {}
            for (schema,) in schemas:
                present = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
                names = {name for (name,) in present}
                if "transfer" not in names:
                    continue
                tables = {}
                for name in (*_COMMON, *(_SWITCH if "decision" in names else _INSTITUTION)):
                    found = await connection.fetch(f'SELECT * FROM "{schema}"."{name}" ORDER BY position')  # noqa: S608
                    tables[name] = [dict(row) for row in found]
                nodes[schema] = Node(schema, tables)
            return nodes
    finally:
        await connection.close()


def _add_up(node: Node) -> None:
    """Every account's balances from the transfers, and against what the transfers' own rows say."""
    for row in node.tables["account"]:
        node.balances[row["id"].int] = Balance(row["code"], row["flags"])
    seen: set[int] = set()
    resolved: set[int] = set()
    last_time = 0
    for row in node.tables["transfer"]:
        id_, amount = row["id"].int, int(row["amount"])
        if id_ in seen:
            node.say(f"transfer {id_:032x} is there twice")
        seen.add(id_)
        if row["timestamp"] <= last_time:
            node.say(f"transfer {id_:032x} is out of time")
        last_time = row["timestamp"]
        debit = node.balances[row["debit_account_id"].int]
        credit = node.balances[row["credit_account_id"].int]
        if row["flags"] & (POST | VOID):
            pending_id = row["pending_id"].int
            pending = node.open.pop(pending_id, None)
            if pending is None:
                why = "twice" if pending_id in resolved else "though it was never pending"
                node.say(f"pending {pending_id:032x} was resolved {why}")
                continue
            resolved.add(pending_id)
            held = int(pending["amount"])
            debit.debits_pending -= held
            credit.credits_pending -= held
            if row["flags"] & POST:
                debit.debits_posted += amount
                credit.credits_posted += amount
        elif row["flags"] & PENDING:
            node.open[id_] = row
            debit.debits_pending += amount
            credit.credits_pending += amount
        else:
            debit.debits_posted += amount
            credit.credits_posted += amount
        _check_bounds(node, row, debit, credit)
    for row in node.tables["expiry"]:
        node.say(f"pending {row['pending_id'].int:032x} expired; only a decision ends one")
    _check_last_rows(node)


def _check_bounds(node: Node, row: dict[str, Any], debit: Balance, credit: Balance) -> None:
    id_ = row["id"].int
    told = (row["debits_pending"].int, row["debits_posted"].int, row["credits_pending"].int, row["credits_posted"].int)
    real = (debit.debits_pending, debit.debits_posted, credit.credits_pending, credit.credits_posted)
    if told != real:
        node.say(f"transfer {id_:032x} left {real}, and its row says {told}")
    if debit.flags & DEBITS_BOUNDED and debit.debits_pending + debit.debits_posted > debit.credits_posted:
        node.say(f"transfer {id_:032x} overdraws an account of code {debit.code}")
    if credit.flags & CREDITS_BOUNDED and credit.credits_pending + credit.credits_posted > credit.debits_posted:
        node.say(f"transfer {id_:032x} takes more out of an account of code {credit.code} than is in it")


def _check_last_rows(node: Node) -> None:
    """The books balance, posted and pending each, by the sums and by the last row of each account."""
    for kind in ("pending", "posted"):
        debits = sum(getattr(balance, f"debits_{kind}") for balance in node.balances.values())
        credits_ = sum(getattr(balance, f"credits_{kind}") for balance in node.balances.values())
        told_debits = {row["debit_account_id"]: row[f"debits_{kind}"].int for row in node.tables["transfer"]}
        told_credits = {row["credit_account_id"]: row[f"credits_{kind}"].int for row in node.tables["transfer"]}
        sums = {debits, credits_, sum(told_debits.values()), sum(told_credits.values())}
        if len(sums) != 1:
            node.say(f"{kind}: debits {debits}, credits {credits_}, by the rows {sums}")


def _newest(rows: Rows, key: str = "id") -> dict[int, dict[str, Any]]:
    return {row[key].int: row for row in rows}


def _outcomes(node: Node, table: str) -> dict[int, bool]:
    """How each ended; a second outcome is wrong, whatever it says."""
    found: dict[int, bool] = {}
    for row in node.tables[table]:
        id_ = row["id"].int
        if id_ in found:
            node.say(f"{table}: {id_:032x} ended twice")
        found[id_] = row["completed"]
    return found


def _through_clearing(node: Node) -> dict[int, int]:
    """By payment or refund: what posted transfers brought to the clearing account, less what they took."""
    accounts = {id_ for id_, balance in node.balances.items() if balance.code == CLEARING}
    moved: dict[int, int] = defaultdict(int)
    for row in node.tables["transfer"]:
        if row["flags"] & (PENDING | VOID):
            continue
        amount = int(row["amount"])
        moved[row["user_data_128"].int] += amount * (row["credit_account_id"].int in accounts)
        moved[row["user_data_128"].int] -= amount * (row["debit_account_id"].int in accounts)
    return moved


def _posted_at_switch(switch: Node) -> dict[int, tuple[int, int]]:
    """By the switch's own id: what left the paying position, and how often something was posted."""
    moved: dict[int, tuple[int, int]] = {}
    for row in switch.tables["transfer"]:
        if row["flags"] & POST:
            amount, times = moved.get(row["user_data_128"].int, (0, 0))
            moved[row["user_data_128"].int] = amount + int(row["amount"]), times + 1
    return moved


class Audit:
    """What is wrong with a network; nothing, if `wrong` is empty. `undecided` counts what healing has still to end."""

    def __init__(self, nodes: dict[str, Node], ignoring: str = "") -> None:
        self.nodes = nodes
        self.ignoring = ignoring
        for node in nodes.values():
            _add_up(node)
        (self.switch,) = [node for node in nodes.values() if "decision" in node.tables]
        self.institutions = [node for node in nodes.values() if node is not self.switch]
        self.undecided = sum(len(node.open) for node in nodes.values())
        self.completed: dict[str, set[int]] = {node.schema: set() for node in self.institutions}
        self.rejected: dict[str, set[int]] = {node.schema: set() for node in self.institutions}
        self.intended: dict[str, set[int]] = {node.schema: set() for node in self.institutions}
        self._decisions = {row["id"].int: row for row in self.switch.tables["decision"]}
        self._cleared = _newest(self.switch.tables["cleared_payment"])
        self._moved = {node.schema: _through_clearing(node) for node in self.institutions}
        self._at_switch = _posted_at_switch(self.switch)
        self._positions()
        self._backing()
        for node in self.institutions:
            self._payments(node)
            self._receipts(node)
            self._refunds(node)
            self._requests(node)
        self._decided_alike()

    @property
    def wrong(self) -> list[str]:
        found = [text for node in self.nodes.values() for text in node.wrong]
        for node in self.nodes.values():
            found += [f"{node.schema}: pending {id_:032x}, code {row['code']}" for id_, row in node.open.items()]
        return [text for text in found if not self.ignoring or self.ignoring not in text]

    @property
    def figures(self) -> dict[tuple[str, int], tuple[int, ...]]:
        """Every balance of every account: equal before and after when nothing moved."""
        return {
            (node.schema, id_): (each.debits_pending, each.debits_posted, each.credits_pending, each.credits_posted)
            for node in self.nodes.values()
            for id_, each in node.balances.items()
            if each.debits_posted or each.credits_posted or each.debits_pending or each.credits_pending
        }

    def _positions(self) -> None:
        """Positions add up to the caps less the scheme's income; each is mirrored by its node's clearing account."""
        switch = self.switch
        positions = sum(-balance.debit for balance in switch.with_code(POSITION))
        caps = sum(balance.debit for code in (CAPS, RESERVE_CAPS) for balance in switch.with_code(code))
        income = sum(-balance.debit for balance in switch.with_code(INCOME))
        if positions != caps - income:
            switch.say(f"positions {positions}, caps {caps}, income {income}")
        granted: dict[int, int] = defaultdict(int)
        caps_accounts = {id_ for id_, balance in switch.balances.items() if balance.code in {CAPS, RESERVE_CAPS}}
        for row in switch.tables["transfer"]:
            if row["debit_account_id"].int in caps_accounts:
                granted[row["credit_account_id"].int] += int(row["amount"])
            elif row["credit_account_id"].int in caps_accounts:
                granted[row["debit_account_id"].int] -= int(row["amount"])
        for node in self.institutions:
            account = derived(1 << 80, f"position/{node.schema}/{CNY}")
            net = -switch.balances[account].debit - granted[account]
            clearing = sum(balance.debit for balance in node.with_code(CLEARING))
            if net != clearing and not self.undecided:
                node.say(f"its position is {net}, its clearing account says {clearing}")
            reserve = -switch.balances[derived(1 << 80, f"reserve/{node.schema}/{CNY}")].debit
            settlement = sum(balance.debit for balance in node.with_code(SETTLEMENT))
            if reserve != settlement:
                node.say(f"its reserve is {reserve}, its settlement account says {settlement}")
        custody = sum(balance.debit for balance in switch.with_code(CUSTODY))
        if custody != switch.owed(AT_SWITCH, CONTRIBUTION):
            switch.say(f"custody {custody}, reserves and contributions {switch.owed(AT_SWITCH, CONTRIBUTION)}")

    def _backing(self) -> None:
        """What is owed to people and merchants is covered by the reserve and what the network owes."""
        for node in self.institutions:
            owed = node.owed(WALLET, MERCHANT, BUDGET)
            has = -node.owed(RESERVE, CLEARING, SETTLEMENT, OWN_FUNDS)
            if owed > has and not self.undecided:
                node.say(f"owes {owed} and has {has}")

    def _switch_says(self, id_: int, originator: str) -> str:
        decision = self._decisions.get(derived(id_, originator))
        return decision["status"] if decision else ""

    def _crossed(self, what: str, node: Node, id_: int, originator: str, *, completed: bool, cleared: int) -> None:
        """One payment or return across nodes: `cleared` is what the originator's clearing account gives up."""
        own = derived(id_, originator)
        said = self._switch_says(id_, originator)
        posted, _ = self._at_switch.get(own, (0, 0))
        if completed != (said == "ACSC"):
            node.say(f"{what} {id_:032x}: completed is {completed}, the switch says {said or 'nothing'}")
        if posted != (cleared if completed else 0):
            node.say(f"{what} {id_:032x}: the switch moved {posted}, not {cleared if completed else 0}")

    def _payments(self, node: Node) -> None:
        outcomes = _outcomes(node, "payment_outcomes")
        payments = _newest(node.tables["payments"])
        if len(payments) != len(node.tables["payments"]):
            node.say("a payment was admitted twice")
        on_us: Counter[int] = Counter()
        for row in node.tables["transfer"]:
            if row["code"] == 12 and not row["flags"] & (PENDING | VOID):
                on_us[row["user_data_128"].int] += 1
        self.intended[node.schema] = set(payments)
        for id_, row in payments.items():
            completed = outcomes.get(id_)
            if completed is None:
                self.undecided += 1
                node.say(f"payment {id_:032x} is undecided")
                continue
            (self.completed if completed else self.rejected)[node.schema].add(id_)
            if row["creditor_agent"] == node.schema:
                legs = on_us[id_]
                if completed != bool(legs):
                    node.say(f"payment {id_:032x} on us: completed is {completed}, {legs} transfers")
                continue
            cleared = row["gross"] - row["payee_discount"] - row["interchange"]
            self._crossed("payment", node, id_, node.schema, completed=completed, cleared=cleared)
            moved = self._moved[node.schema][id_]
            if moved != (cleared if completed else 0):
                node.say(f"payment {id_:032x}: moved {moved} here, not {cleared}; completed is {completed}")
            if completed:
                self._other_side("receipts", "receipt_outcomes", row["creditor_agent"], id_, node.schema)
        for id_ in outcomes.keys() - payments.keys():
            node.say(f"an outcome of {id_:032x}, which was never admitted")

    def _other_side(self, table: str, outcomes: str, schema: str, id_: int, originator: str) -> None:
        other = self.nodes[schema]
        if id_ not in _newest(other.tables[table]):
            other.say(f"{table}: {id_:032x} of {originator} completed there, and is unknown here")
        elif not {row["id"].int: row["completed"] for row in other.tables[outcomes]}.get(id_):
            other.say(f"{table}: {id_:032x} of {originator} completed there, and not here")

    def _receipts(self, node: Node) -> None:
        outcomes = _outcomes(node, "receipt_outcomes")
        for id_, row in _newest(node.tables["receipts"]).items():
            completed = outcomes.get(id_)
            if completed is None:
                self.undecided += 1
                node.say(f"receipt {id_:032x} is undecided")
                continue
            said = self._switch_says(id_, row["debtor_agent"])
            if completed != (said == "ACSC"):
                node.say(f"receipt {id_:032x}: completed is {completed}, the switch says {said or 'nothing'}")
            settled = row["gross"] - row["payee_discount"] - row["interchange"] - row["switch_fee"]
            moved = -self._moved[node.schema][id_]
            if moved != (settled if completed else 0):
                node.say(f"receipt {id_:032x}: moved {moved}, not {settled}; completed is {completed}")

    def _refunds(self, node: Node) -> None:
        outcomes = _outcomes(node, "refund_outcomes")
        given: dict[int, int] = defaultdict(int)
        for id_, row in _newest(node.tables["refunds"]).items():
            completed = outcomes.get(id_)
            if completed is None:
                self.undecided += 1
                node.say(f"refund {id_:032x} is undecided")
                continue
            if completed:
                given[row["payment_id"].int] += row["gross"]
            if not row["on_us"]:
                back = row["gross"] - row["payee_discount"] - row["interchange"]
                self._crossed("refund", node, id_, node.schema, completed=completed, cleared=back)
                if completed:
                    self._other_side("returns", "return_outcomes", row["debtor_agent"], id_, node.schema)
        paid = {**_newest(node.tables["receipts"]), **_newest(node.tables["payments"])}
        for payment_id, gross in given.items():
            if gross > paid[payment_id]["gross"]:
                node.say(f"payment {payment_id:032x} of {paid[payment_id]['gross']} was refunded {gross}")
        returned = _outcomes(node, "return_outcomes")
        for id_, row in _newest(node.tables["returns"]).items():
            if id_ not in returned:
                self.undecided += 1
                node.say(f"return {id_:032x} is undecided")
            elif returned[id_] != (self._switch_says(id_, row["creditor_agent"]) == "ACSC"):
                node.say(f"return {id_:032x}: completed is {returned[id_]}, and not so at the switch")

    def _requests(self, node: Node) -> None:
        """What was to be paid once was paid once."""
        paid: Counter[int] = Counter()
        outcomes = {row["id"].int: row["completed"] for row in node.tables["receipt_outcomes"]}
        for id_, row in _newest(node.tables["receipts"]).items():
            paid[row["request_id"].int] += not row["is_static"] and outcomes.get(id_, False)
        outcomes = {row["id"].int: row["completed"] for row in node.tables["payment_outcomes"]}
        for id_, row in _newest(node.tables["payments"]).items():
            ours = row["creditor_agent"] == node.schema
            paid[row["request_id"].int] += ours and not row["is_static"] and outcomes.get(id_, False)
        for id_, row in _newest(node.tables["payment_requests"]).items():
            if paid[id_] > 1:
                node.say(f"request {id_:032x} was paid {paid[id_]} times")
            if row["state"] == "CLAIMED":
                node.say(f"request {id_:032x} is still claimed")
            if paid[id_] and row["state"] != "PAID":
                node.say(f"request {id_:032x} was paid, and is {row['state']}")

    def _decided_alike(self) -> None:
        """What the switch completed, both sides completed: the third side of the triangle."""
        originated = {
            node.schema: {
                **dict.fromkeys(_newest(node.tables["payments"]), "payment_outcomes"),
                **dict.fromkeys(_newest(node.tables["refunds"]), "refund_outcomes"),
            }
            for node in self.institutions
        }
        counted: Counter[int] = Counter(row["id"].int for row in self.switch.tables["decision"])
        for own, times in counted.items():
            if times > 1:
                self.switch.say(f"{own:032x} was decided {times} times")
        for own, row in self._cleared.items():
            decision = self._decisions.get(own)
            if decision is None:
                self.undecided += 1
                self.switch.say(f"{own:032x} is undecided")
                continue
            if row["payment_id"].int not in originated[row["originator"]]:
                self.switch.say(f"{own:032x} comes from {row['originator']}, which knows nothing of it")
            if (decision["status"] == "ACSC") != (own in self._at_switch):
                self.switch.say(f"{own:032x} is {decision['status']}, and moved {self._at_switch.get(own)}")


def audit(url: str, ignoring: str = "") -> Audit:
    """Read and check everything, once; `ignoring` is a finding that a test brings about itself."""
    return Audit(asyncio.run(_read(url)), ignoring)


def audit_when_quiet(url: str, within_s: float = 30, *, ignoring: str = "") -> Audit:
    """The audit once nothing is undecided any more, or as it stands when the time is over."""
    ends_at = time.monotonic() + within_s
    while True:
        found = audit(url, ignoring)
        if not found.wrong or time.monotonic() > ends_at:
            return found
        time.sleep(0.3)
