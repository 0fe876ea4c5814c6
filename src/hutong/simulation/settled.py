"""Liveness, when the faults are over: nothing is unknown, all ledgers say alike, and what was promised was kept."""

from functools import partial
from typing import Any

from hutong.institution.chart import AccountCode
from hutong.institution.payments.payment import Why
from hutong.institution.payments.request_to_pay import ChargeState
from hutong.institution.requests.request import RequestState
from hutong.kernel.ids import derive
from hutong.kernel.money import Currency
from hutong.runtime.shelf import warmed
from hutong.scheme.messages import TransactionStatus
from hutong.simulation.audit import DAY_ZERO, SWITCH, NodeView
from hutong.simulation.place import Place
from hutong.simulation.world import World
from hutong.switch import chart as switch_chart

_OWED = (
    AccountCode.WALLET,
    AccountCode.MERCHANT,
    AccountCode.BUDGET,
    AccountCode.CAMPAIGN_BUDGET,
    AccountCode.AWARDED,
    AccountCode.RED_PACKET,
    AccountCode.HELD,
    AccountCode.FROZEN,
    AccountCode.DISPUTED,
)
_SIDES = (("payments", "payment_outcomes"), ("receipts", "receipt_outcomes"), ("refunds", "refund_outcomes"))
SIDES = (*_SIDES, ("returns", "return_outcomes"))


def is_quiet(world: World) -> bool:
    """Whether everything is decided, and nobody has anything more to say."""
    if world.open_acts or world.network.on_the_way:
        return False
    for place in world.places.values():
        if not place.is_up or not place.is_quiet:
            return False
        if world.audit.nodes[place.node_id].books.open:
            return False
    return not any(_undecided(view) for view in world.audit.nodes.values())


def _undecided(view: NodeView) -> list[tuple[str, int]]:
    return [
        (table, id_)
        for table, outcomes in SIDES
        if len(view.rows[table]) > len(view.outcomes[outcomes])
        or view.rows[table].keys() - view.outcomes[outcomes].keys()
        for id_ in view.rows[table]
        if id_ not in view.outcomes[outcomes]
    ]


def check_settled(world: World) -> None:
    """Say everything that is not as it must be after healing (invariants 1, 2, 4, 5)."""
    audit = world.audit
    for view in audit.nodes.values():
        for table, id_ in _undecided(view):
            audit.say(f"{view.node_id}: {id_:032x} of {table} is still undecided")
        for id_, row in view.books.open.items():
            audit.say(f"{view.node_id}: transfer {id_:032x} of code {row.code} is still pending")
        debits_pending, credits_pending, debits, credits_ = view.books.totals()
        if (debits_pending, debits) != (credits_pending, credits_):
            audit.say(f"{view.node_id}: debits {debits_pending}, {debits}; credits {credits_pending}, {credits_}")
    if audit.wrong:
        return
    _check_alike(world)
    _check_positions(world)
    _check_windows(world)
    for view in audit.nodes.values():
        if view.node_id != SWITCH:
            _check_requests(world, view)
            _check_backing(world, view)


def _check_alike(world: World) -> None:
    """Whatever crossed the network ended at both agents as the switch decided, and moved what it says."""
    audit = world.audit
    agents = [view for view in audit.nodes.values() if view.node_id != SWITCH]
    for view in agents:
        for table, outcomes, why in (
            ("payments", "payment_outcomes", Why.PAYMENT_HELD),
            ("refunds", "refund_outcomes", Why.REFUND_HELD),
        ):
            for id_, row in view.rows[table].items():
                completed = view.outcomes[outcomes][id_]
                on_us = row.creditor_agent == view.node_id if table == "payments" else row.on_us
                if on_us:
                    continue
                decision = audit.switch.decisions.get(derive(id_, view.node_id))
                decided = decision is not None and decision.status == TransactionStatus.COMPLETED.value
                other = row.creditor_agent if table == "payments" else row.debtor_agent
                there = audit.nodes[other].outcomes["receipt_outcomes" if table == "payments" else "return_outcomes"]
                if not completed == decided == bool(there.get(id_)):
                    audit.say(f"{id_:032x}: {view.node_id} {completed}, switch {decided}, {other} {there.get(id_)}")
                if completed != bool(view.books.posted.get((why, id_))):
                    audit.say(f"{view.node_id}: {id_:032x} ended {completed}, its money otherwise")
    completed_there = sum(
        sum(view.outcomes[table].values()) for view in agents for table in ("receipt_outcomes", "return_outcomes")
    )
    decided = sum(row.status == TransactionStatus.COMPLETED.value for row in audit.switch.decisions.values())
    if decided != completed_there:
        audit.say(f"the switch completed {decided}, and those who were paid {completed_there}")


def _check_positions(world: World) -> None:
    """Positions add up to the caps less the scheme's income, and every clearing account mirrors its own (invariant 2)."""
    audit, books = world.audit, world.audit.switch.books
    positions, caps = books.of_code(switch_chart.CODE_POSITION), -books.of_code(switch_chart.CODE_CAPS)
    income = books.of_code(switch_chart.CODE_INCOME)
    if positions != caps - income:
        audit.say(f"positions {positions}, caps {caps}, income {income}")
    granted: dict[int, int] = {}
    caps_id = switch_chart.caps_account(Currency.CNY)
    for row in audit.switch.rows["transfer"].values():
        if row.debit_account_id == caps_id:
            granted[row.credit_account_id] = granted.get(row.credit_account_id, 0) + row.amount
        elif row.credit_account_id == caps_id:
            granted[row.debit_account_id] = granted.get(row.debit_account_id, 0) - row.amount
    for place in world.institutions:
        account = switch_chart.position_account(place.node_id, Currency.CNY)
        net = books.accounts[account].credit - granted.get(account, 0)
        clearing = audit.nodes[place.node_id].books.of_code(AccountCode.CLEARING)
        if net != -clearing:
            audit.say(f"{place.node_id}: its position is {net}, its clearing account says {-clearing}")


def _check_windows(world: World) -> None:
    """Everything completed is in exactly one window, all agents know which, and each window's rows are where it says."""
    audit, switch = world.audit, world.audit.switch
    for decision in switch.decisions.values():
        window = switch.windows.get(decision.window)
        if window is None:
            continue  # Rejected: `audit` has seen to it that what is completed has one.
        position = switch.decided_at[decision.id]
        ends = window.to_position or position
        if not window.from_position < position <= ends:
            audit.say(f"switch: {decision.payment_id:032x} is outside of its window {window.window}")
    for view in audit.nodes.values():
        for table, outcomes in (("payments", "payment_outcomes"), ("receipts", "receipt_outcomes")):
            for id_, outcome in view.rows[outcomes].items():
                row = view.rows[table].get(id_)
                originator = getattr(row, "debtor_agent", view.node_id)
                told = switch.decisions.get(derive(id_, originator))
                if outcome.completed and told is not None and outcome.window != told.window:
                    audit.say(f"{view.node_id}: {id_:032x} is in window {outcome.window} here, in {told.window} there")


def _check_backing(world: World, view: NodeView) -> None:
    """What is owed to people and merchants is there (invariant 2)."""
    books = view.books
    owed = sum(books.of_code(code) for code in _OWED)
    has = -books.of_code(AccountCode.RESERVE) - books.of_code(AccountCode.CLEARING)
    own = sum(
        books.of_code(code)
        for code in (AccountCode.FEE_INCOME, AccountCode.INTERCHANGE_INCOME, AccountCode.ACQUIRING_EXPENSE)
    )
    if owed + own != has:
        world.audit.say(f"{view.node_id} owes {owed}, earned {own} and has {has}")


def _check_requests(world: World, view: NodeView) -> None:
    """No request is claimed by a payment that is no more; what tills and users are shown is what happened."""
    for table, states in (("payment_requests", RequestState.CLAIMED), ("top_ups", "CLAIMED")):
        for id_, row in view.rows[table].items():
            if row.state == states:
                world.audit.say(f"{view.node_id}: {table} {id_:032x} is still claimed by {row.claimed_by:032x}")
            if (row.state == "PAID") != bool(view.paid_requests.get(id_)):
                world.audit.say(
                    f"{view.node_id}: {table} {id_:032x} is {row.state}; paid: {view.paid_requests.get(id_)}"
                )
    for id_, row in view.rows["charges"].items():
        if (row.state == ChargeState.PAID) != bool(view.paid_requests.get(id_)):
            world.audit.say(f"{view.node_id}: charge {id_:032x} is {row.state}; paid: {view.paid_requests.get(id_)}")
    for id_, row in view.rows["requests_to_pay"].items():
        if row.state == "PAYING" and row.payment_id not in view.outcomes["payment_outcomes"]:
            world.audit.say(f"{view.node_id}: request to pay {id_:032x} is being paid for ever")


def check_replayed(world: World) -> None:
    """Every node, started again from its disk, has the balances that its rows add up to (invariant 10)."""
    for place in world.places.values():
        view = world.audit.nodes[place.node_id]
        found = world.loop.run(_lookup(place.life, view), 10**12)
        for account in found:
            ours = view.books.accounts[account.id]
            theirs = (account.debits_pending, account.debits_posted, account.credits_pending, account.credits_posted)
            if theirs != (ours.debits_pending, ours.debits_posted, ours.credits_pending, ours.credits_posted):
                world.audit.say(f"{place.node_id}: account {account.id:032x} has other balances after a restart")
        if len(found) != len(view.books.accounts):
            world.audit.say(f"{place.node_id}: {len(found)} of {len(view.books.accounts)} accounts after a restart")
        if place.node_id != SWITCH:
            _check_usages(world, place, view)


def _check_usages(world: World, place: Place, view: NodeView) -> None:
    """Limits count what was paid, nothing twice and nothing that was refused (invariant 7)."""
    usages, journal = place.software.payments.debtor.usages, place.software.node.journal
    for user in view.rows["users"].values():
        usage = world.loop.run(warmed(journal, partial(usages.of, user.id, user.wallet_account)), 10**12)
        year = view.spent_year.get((user.id, usage.year), 0)
        if usage.year and usage.year_spent != year:
            world.audit.say(f"{place.node_id}: {user.id:032x} spent {year} in {usage.year}; counted {usage.year_spent}")
        for counter, counted in enumerate(usage.today):
            today = view.spent.get((user.id, usage.day - DAY_ZERO, counter), 0)
            if counted != today:
                world.audit.say(f"{place.node_id}: {user.id:032x} spent {today} of {counter}; counted {counted}")


async def _lookup(life: Any, view: NodeView) -> list[Any]:
    found: list[Any] = await life.ledger.lookup_accounts(list(view.books.accounts))
    return found
