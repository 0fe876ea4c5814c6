"""The switch as one node: its services, what it does with each message, and its timer."""

from collections.abc import Sequence
from functools import partial
from typing import assert_never

from hutong.ledger.engine import LedgerEngine
from hutong.operators.audit_log import AuditLog
from hutong.runtime.node import NodeRuntime
from hutong.scheme.complaint_messages import ComplaintPictureAsked, ComplaintPiece, ComplaintSaid, ComplaintTurn
from hutong.scheme.hold import HoldReport, HoldRequest
from hutong.scheme.messages import (
    AccountStatement,
    AnyMessage,
    CodeConsult,
    CodeResolve,
    CreditTransfer,
    PaymentReturn,
    PaymentStatus,
    RecallAnswer,
    RecallRequest,
    RequestStatus,
    RequestToPay,
    StatementRequest,
    StatusRequest,
    TraceAnswer,
    TraceRequest,
)
from hutong.switch.admission import AdmissionService
from hutong.switch.complaint_service import ComplaintService
from hutong.switch.hold_service import HoldService
from hutong.switch.lifecycle.exit_service import ExitService
from hutong.switch.lifecycle.service import LifecycleService
from hutong.switch.oversight_service import OversightService
from hutong.switch.policy import ClearingPolicy
from hutong.switch.position_service import PositionService
from hutong.switch.pulse_service import PulseService
from hutong.switch.recall_service import RecallService
from hutong.switch.routing import RoutingService
from hutong.switch.service import ClearingService
from hutong.switch.settlement.account_service import AccountService
from hutong.switch.settlement.clearing_repository import ClearingRepository, ScannedClearingRepository
from hutong.switch.settlement.flow_service import FlowService
from hutong.switch.settlement.invoice_service import InvoiceService
from hutong.switch.settlement.reserve_service import ReserveService
from hutong.switch.settlement.rules_service import RulesService
from hutong.switch.settlement.service import SettlementService
from hutong.switch.settlement.switch_proof_service import SwitchProofService
from hutong.switch.settlement.window_service import WindowService
from hutong.switch.trace_service import TraceService


class SwitchNode:
    """Everything of the switch behind its transports and its API."""

    def __init__(
        self, node: NodeRuntime, ledger: LedgerEngine, policy: ClearingPolicy, cleared: ClearingRepository | None = None
    ) -> None:
        self.node = node
        self.ledger = ledger
        self.audit = AuditLog(node)
        self.admission = AdmissionService(node, ledger, policy)
        self.windows = WindowService(node, policy.calendar)
        self.cleared = cleared or ScannedClearingRepository(node.store)
        self.clearing = ClearingService(node, ledger, self.admission, self.windows, policy)
        self.settlement_rules = RulesService(node)
        self.accounts = AccountService(node)
        self.reserves = ReserveService(node, ledger, self.admission, self.accounts, self.settlement_rules, policy)
        self.settlement = SettlementService(
            node,
            ledger,
            self.admission,
            self.windows,
            self.cleared,
            self.reserves,
            self.accounts,
            self.settlement_rules,
        )
        self.positions = PositionService(node.node_id, ledger, self.admission, policy)
        self.invoices = InvoiceService(
            node,
            ledger,
            self.admission,
            self.windows,
            self.settlement,
            self.accounts,
            self.settlement_rules,
            policy,
        )
        self.proofs = SwitchProofService(node, self.positions, policy)
        self.pulse = PulseService(node.clock, self.clearing.figures)
        self.flows = FlowService(node, self.windows, self.cleared)
        self.oversight = OversightService(node, self.admission, self.clearing)
        self.routing = RoutingService(node, self.admission, policy)
        self.recalls = RecallService(node, self.clearing)
        self.traces = TraceService(node, self.clearing)
        self.complaints = ComplaintService(node, self.clearing, policy)
        self.holds = HoldService(node, self.admission, self.routing, policy)
        self.lifecycle = LifecycleService(node, self.admission, policy.lifecycle)
        self.exits = ExitService(
            node,
            self.admission,
            self.clearing,
            self.recalls,
            self.settlement,
            self.invoices,
            self.reserves,
            self.positions,
            policy.lifecycle,
        )

    async def start(self) -> None:
        """Load what the node knows and take up what is undecided."""
        await self.audit.start()
        await self.admission.start()
        await self.settlement_rules.start()
        await self.accounts.start()
        await self.invoices.start()
        await self.proofs.start()
        await self.windows.start()
        await self.clearing.start()
        await self.recalls.start()
        await self.lifecycle.start()

    def receive(self, sender: str, messages: Sequence[AnyMessage]) -> None:
        """Decide on each message of a batch from a participant; all of it shares a commit."""
        self.node.decide_each(partial(self._receive, sender, message) for message in messages)

    def tick(self) -> None:
        """What time alone brings about; the node's timer calls it a few times a second."""
        self.clearing.expire()
        self.windows.tick()
        self.recalls.tick()
        self.traces.tick()
        self.settlement.tick()
        self.accounts.tick()
        self.proofs.tick()
        self.pulse.tick()

    def _receive(self, sender: str, message: AnyMessage) -> None:
        match message:
            case CreditTransfer() | PaymentReturn():
                self.clearing.clear(sender, message)
            case PaymentStatus():
                self.clearing.conclude(sender, message)
            case StatusRequest():
                self.clearing.enquire(sender, message)
            case StatementRequest():
                self.accounts.asked(sender, message)
            case AccountStatement():
                pass  # Only the switch says how accounts stand.
            case CodeConsult():
                self.routing.consult(sender, message)
            case CodeResolve():
                self.routing.resolved(sender, message)
            case RequestToPay():
                self.routing.request(sender, message)
            case RequestStatus():
                self.routing.answered(sender, message)
            case RecallRequest():
                self.recalls.ask(sender, message)
            case RecallAnswer():
                self.recalls.answer(sender, message)
            case TraceRequest():
                self.traces.ask(sender, message)
            case TraceAnswer():
                self.traces.answered(sender, message)
            case ComplaintSaid():
                self.complaints.said(sender, message)
            case ComplaintTurn():
                self.complaints.told(sender, message)
            case HoldRequest():
                self.holds.asked(sender, message)
            case HoldReport():
                self.holds.told(sender, message)
            case ComplaintPictureAsked() | ComplaintPiece():
                self.complaints.pictured(sender, message)
            case _:
                assert_never(message)
