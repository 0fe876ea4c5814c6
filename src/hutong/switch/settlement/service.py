"""
Settlement: what a closed window comes to is written down, checked against the ledger, and paid.

CLOSED -> NETTED -> SETTLING -> SETTLED, or HALTED. Each step is written down before the next begins, so a crash between
any two is taken up where it was. Windows are settled in their order, beside the payments and never in their way.
"""

from collections.abc import Sequence
from functools import partial

import msgspec
import structlog

from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.settlement_recipes import linked
from hutong.ledger.transfer import TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.scheme.messages import EntryKind
from hutong.switch.admission import AdmissionService
from hutong.switch.settlement.account_service import AccountService
from hutong.switch.settlement.clearing_repository import ClearingRepository
from hutong.switch.settlement.movement import Means, Movement, MovementKind, discharge, uncovered
from hutong.switch.settlement.obligation import Flow, Obligation, expected_postings, obligations
from hutong.switch.settlement.posting import chain_of
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.repository import FLOWS, MOVEMENTS, OBLIGATIONS
from hutong.switch.settlement.reserve_service import ReserveService
from hutong.switch.settlement.rules_service import RulesService
from hutong.switch.settlement.window import WindowRow, WindowState
from hutong.switch.settlement.window_service import WindowService

log = structlog.get_logger()
_FOR_EVER = 2**63 - 1
_AGAIN_NS = 5 * NS_PER_S
_OVER = frozenset({WindowState.SETTLED.value, WindowState.OPEN.value})


class SettlementService:
    """One errand at a time works through the windows that closed."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        admission: AdmissionService,
        windows: WindowService,
        cleared: ClearingRepository,
        reserves: ReserveService,
        accounts: AccountService,
        rules: RulesService,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._admission = admission
        self._windows = windows
        self._cleared = cleared
        self._reserves = reserves
        self._accounts = accounts
        self._rules = rules
        self._working = self._wanted = False
        self._again_ns = 0
        self._moving: set[str] = set()  # Windows whose money this life of the node has moved.
        # What it decides on must be durable: it is read from the rows.
        windows.on_closed = lambda _: node.journal.effect(self.wake)

    def wake(self) -> None:
        """There may be something to do."""
        self._wanted = True
        if not self._working:
            self._working = True
            self._node.spawn(self._work())

    def tick(self) -> None:
        """Look again at what waits: for money, for the database, for somebody to look at it."""
        now_ns = self._node.clock.now_ns()
        if now_ns >= self._again_ns:
            self._again_ns = now_ns + _AGAIN_NS
            self.wake()

    def declare_default(self, window_id: str) -> WindowRow:
        """
        Whoever does not cover what it owes for this window is in default: the rules say who bears it.

        Refuses:  WINDOW_UNKNOWN; WINDOW_NOT_SETTLEABLE, unless it waits for somebody's money.
        """
        row = self.check_default(window_id)
        if row.default_declared:
            return row
        declared = msgspec.structs.replace(row, default_declared=True)
        self._windows.note(declared)
        self._node.journal.effect(self.wake)
        return declared

    def check_default(self, window_id: str) -> WindowRow:
        """Refuses what `declare_default` refuses."""
        row = self._windows.closed_window(window_id)
        if not row.default_declared and (row.state != WindowState.NETTED.value or not row.reason):
            raise Refusal(SettlementReason.WINDOW_NOT_SETTLEABLE, window=window_id, state=row.state)
        return row

    def look_again(self, window_id: str) -> WindowRow:
        """After people looked at a halted window: compare once more. Refuses WINDOW_UNKNOWN, WINDOW_NOT_SETTLEABLE."""
        row = self._windows.closed_window(window_id)
        if row.state == WindowState.HALTED.value:
            self._node.spawn(self._net_again(row))
        elif row.state == WindowState.OPEN.value:
            raise Refusal(SettlementReason.WINDOW_NOT_SETTLEABLE, window=window_id, state=row.state)
        self._node.journal.effect(self.wake)
        return row

    async def obligations(self, window_id: str) -> list[Obligation]:
        """What everybody was owed and owed for a window, by node."""
        return [row for _, row in await self._node.store.find(OBLIGATIONS, "window", [window_id])]

    async def flows(self, window_ids: Sequence[str]) -> list[Flow]:
        """Between any two nodes, of some windows."""
        return [row for _, row in await self._node.store.find(FLOWS, "window", window_ids)]

    async def unsettled_windows(self, node_id: str) -> list[WindowRow]:
        """Windows with payments or returns of a node that are not settled yet, the open one too."""
        await self._node.journal.flushed()  # What was decided a moment ago counts, and is read from the rows.
        found = []
        for row in self._windows.windows():
            if row.state == WindowState.SETTLED.value:
                continue
            so_far = row if row.to_position else msgspec.structs.replace(row, to_position=_FOR_EVER)
            flows = await self._cleared.flows(so_far)
            if any(node_id in (flow.debtor_agent, flow.creditor_agent) for flow in flows):
                found.append(row)
        return found

    async def movements(self, window: WindowRow) -> list[Movement]:
        """How a window was settled, or is being."""
        found = await self._node.store.find(MOVEMENTS, "window", [window.window])
        return [row for _, row in found if row.attempt == window.attempt]

    async def _work(self) -> None:
        try:
            while self._wanted:
                self._wanted = False
                await self._advance()
                await self._reserves.adjust_caps()
        finally:
            self._working = False

    async def _advance(self) -> None:
        for window in self._windows.windows():
            row = window
            if row.state not in _OVER and not self._windows.is_durable(row.window):
                # The timer came between a step and its commit: read now, the rows would miss the window's last payments.
                self._node.journal.effect(self.wake)
                return
            if row.state == WindowState.CLOSED.value:
                row = await self._net(row)
            if row.state == WindowState.NETTED.value:
                row = await self._settle(row)
            elif row.state == WindowState.SETTLING.value and row.window not in self._moving:
                await self._take_up(row)
                row = self._windows.window(row.window)
            if row.state not in _OVER:
                return  # Those behind it wait: they are settled in their order.

    async def _net(self, row: WindowRow) -> WindowRow:
        """Write down what the window comes to, if the ledger says the same."""
        flows = await self._cleared.flows(row)
        expected, posted = expected_postings(flows), await self._cleared.postings(row)
        if expected != posted:
            pairs = {pair for pair in expected.keys() | posted.keys() if expected.get(pair) != posted.get(pair)}
            decided_minor = sum(expected.get(pair, 0) for pair in pairs)
            posted_minor = sum(posted.get(pair, 0) for pair in pairs)
            reason = (
                f"{SettlementReason.OBLIGATIONS_DIFFER.name}: {len(pairs)} pairs of accounts,"
                f" decided {decided_minor}, posted {posted_minor}"
            )
            log.error("window_halted", window=row.window, decided=decided_minor, posted=posted_minor)
            netted = msgspec.structs.replace(row, state=WindowState.HALTED.value, reason=reason)
        else:
            for flow in flows:
                self._node.journal.append(FLOWS, flow)
            for obligation in obligations(row.window, flows, self._node.node_id):
                self._node.journal.append(OBLIGATIONS, obligation)
            counts = [sum(flow.count for flow in flows if flow.is_return is kind) for kind in (False, True)]
            netted = msgspec.structs.replace(
                row, state=WindowState.NETTED.value, payments=counts[0], returns=counts[1], reason=""
            )
        self._windows.note(netted)
        self._node.journal.effect(self.wake)  # What was written down is read again once it is durable.
        self._node.journal.seal()
        return row

    async def _net_again(self, row: WindowRow) -> None:
        await self._net(row)

    async def _settle(self, row: WindowRow) -> WindowRow:
        """Write down who pays what from where, or why nobody does yet; then move it."""
        owed = await self.obligations(row.window)
        means = {alpha: await self._reserves.means(currency_of(alpha)) for alpha in {each.currency for each in owed}}
        nets = {alpha: {each.node_id: each.net_minor for each in owed if each.currency == alpha} for alpha in means}
        short = {f"{node} {alpha}": by for alpha in means for node, by in uncovered(nets[alpha], means[alpha]).items()}
        row = self._windows.window(row.window)
        rules = self._rules.now()
        late = rules.default_after_s and self._node.clock.now_ns() >= row.closed_ns + rules.default_after_s * NS_PER_S
        if short and not (late or row.default_declared):
            return self._wait(row, ", ".join(f"{who} {by}" for who, by in sorted(short.items())))
        try:
            moves = self._movements(row, nets, means)
        except Refusal as refusal:
            return self._wait(row, f"{refusal.reason.name} {refusal.facts}")
        settling = msgspec.structs.replace(row, state=WindowState.SETTLING.value, attempt=row.attempt + 1, reason="")
        self._windows.note(settling)
        for move in moves:
            self._node.journal.append(MOVEMENTS, move)
        self._move(settling, moves, owed)
        self._node.journal.seal()
        return self._windows.window(row.window)

    def _wait(self, row: WindowRow, missing: str) -> WindowRow:
        reason = f"{SettlementReason.OBLIGATION_UNCOVERED.name}: {missing}"
        if row.reason != reason:
            log.warning("window_uncovered", window=row.window, missing=missing)
            self._windows.note(msgspec.structs.replace(row, reason=reason))
            self._node.journal.seal()
        return row

    def _movements(self, row: WindowRow, nets: dict[str, dict[str, int]], means: dict[str, Means]) -> list[Movement]:
        order = self._rules.now().loss_order
        return [
            Movement(
                window=row.window,
                attempt=row.attempt + 1,
                kind=kind.value,
                node_id=node,
                defaulter=defaulter,
                currency=alpha,
                minor=minor,
            )
            for alpha in sorted(nets)
            for kind, node, defaulter, minor in discharge(nets[alpha], means[alpha], order, self._node.node_id)
        ]

    def _move(self, row: WindowRow, moves: list[Movement], owed: list[Obligation]) -> None:
        """
        Pay a window's obligations, all at once or not at all.

        Moves:    as `posting.chain_of` says.
        Repeats:  EXISTS: the ids are those of the attempt.
        """
        self._moving.add(row.window)
        transfers = linked(chain_of(row, moves, self._node.node_id))
        if transfers:
            self._ledger.create_transfers(transfers, partial(self._moved, row, moves, owed))
        else:
            self._settled(row, moves, owed)

    async def _take_up(self, row: WindowRow) -> None:
        """Go on where a crash cut off: what was written down is moved, or was."""
        self._move(row, await self.movements(row), await self.obligations(row.window))
        self._node.journal.seal()

    def _moved(
        self, row: WindowRow, moves: list[Movement], owed: list[Obligation], statuses: list[TransferStatus]
    ) -> None:
        if self._windows.window(row.window).state != WindowState.SETTLING.value:
            return  # Asked twice.
        if statuses[0] in {TransferStatus.CREATED, TransferStatus.EXISTS}:
            self._settled(row, moves, owed)
            return
        # Somebody took money out meanwhile, or a crash ate that answer: another attempt has other ids.
        refused = {status for status in statuses if status is not TransferStatus.LINKED_EVENT_FAILED}
        assert refused <= {TransferStatus.EXCEEDS_CREDITS, TransferStatus.ID_ALREADY_FAILED}, statuses
        self._windows.note(msgspec.structs.replace(row, state=WindowState.NETTED.value))

    def _settled(self, row: WindowRow, moves: list[Movement], owed: list[Obligation]) -> None:
        """Write down that it is done, and tell everybody what it meant for them."""
        now_ns = self._node.clock.now_ns()
        self._windows.note(msgspec.structs.replace(row, state=WindowState.SETTLED.value, settled_ns=now_ns))
        for each in owed:
            of = [move for move in moves if (move.node_id, move.currency) == (each.node_id, each.currency)]
            sums = {kind: sum(move.minor for move in of if move.kind == kind.value) for kind in MovementKind}
            moved = sums[MovementKind.RECEIVE] - sums[MovementKind.PAY]
            loss = sums[MovementKind.LOSS]
            self._accounts.book(
                derive(row.id, f"entry/{each.node_id}/{each.currency}"),
                each.node_id,
                each.currency,
                EntryKind.WINDOW,
                moved,
                window=row.window,
                settles_on=row.settles_on,
                credit_minor=each.credit_minor,
                debit_minor=each.debit_minor,
                loss_minor=loss,
                missing_minor=moved + loss - each.net_minor,
            )
        defaulters = {move.defaulter for move in moves if move.defaulter}
        for node in sorted(defaulters):
            log.error("participant_in_default", node=node, window=row.window)
            if self._rules.now().suspends:
                self._admission.suspend_in_default(node, row.window)
        self._node.journal.effect(self.wake)
