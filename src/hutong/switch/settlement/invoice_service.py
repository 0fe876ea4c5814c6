"""Invoices: issued once a month is over and settled, and paid from the reserve where they ask for anything."""

from functools import partial

import msgspec

from hutong.kernel.clock import instant
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.kernel.money import currency_of
from hutong.ledger.engine import LedgerEngine
from hutong.ledger.settlement_recipes import linked, move
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import EntryKind
from hutong.switch import chart
from hutong.switch.admission import AdmissionService
from hutong.switch.policy import ClearingPolicy
from hutong.switch.settlement.account_service import AccountService
from hutong.switch.settlement.invoice import Invoice, lines_of
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.repository import INVOICES
from hutong.switch.settlement.rules_service import RulesService
from hutong.switch.settlement.service import SettlementService
from hutong.switch.settlement.window import WindowState
from hutong.switch.settlement.window_service import WindowService

DUE, PAID = "DUE", "PAID"


class InvoiceService:
    """One invoice for each month, node and currency."""

    def __init__(
        self,
        node: NodeRuntime,
        ledger: LedgerEngine,
        admission: AdmissionService,
        windows: WindowService,
        settlement: SettlementService,
        accounts: AccountService,
        rules: RulesService,
        policy: ClearingPolicy,
    ) -> None:
        self._node = node
        self._ledger = ledger
        self._admission = admission
        self._windows = windows
        self._settlement = settlement
        self._accounts = accounts
        self._rules = rules
        self._policy = policy
        self._invoices = Shelf(INVOICES, node.journal, node.store, key="number")

    async def start(self) -> None:
        await self._invoices.load_all()

    def invoices(self) -> list[Invoice]:
        """All of them, by month, node and currency."""
        return self._invoices.everything()

    def invoice(self, number: str) -> Invoice:
        """Refuses INVOICE_UNKNOWN."""
        found = self._invoices.get(number)
        if found is None:
            raise Refusal(SettlementReason.INVOICE_UNKNOWN, number=number)
        return found

    async def issue(self, month: str) -> list[Invoice]:
        """
        Issue the invoices of a month whose windows are all settled, and take what they ask for.

        Moves:    reserve -> the scheme's own, the membership.
        Refuses:  MONTH_NOT_SETTLED.
        Repeats:  nothing; what was due is tried again.
        """
        of_month = [row for row in self._windows.windows() if row.settles_on.startswith(month + "-")]
        today = instant(self._node.clock.now_ns()).date().isoformat()
        if today <= f"{month}-31" or any(row.state != WindowState.SETTLED.value for row in of_month):
            raise Refusal(SettlementReason.MONTH_NOT_SETTLED, month=month)
        flows = await self._settlement.flows([row.window for row in of_month])
        for alpha in sorted(self._policy.currencies):
            for participant in self._admission.participants():
                number = f"{month}/{participant.node_id}/{alpha}"
                invoice = self._invoices.get(number)
                if invoice is None:
                    # Who left had to have paid everything before: no membership is asked for afterwards.
                    fee = 0 if participant.has_left else self._rules.now().membership_fee_minor
                    own = [flow for flow in flows if flow.currency == alpha]
                    lines = lines_of(own, participant.node_id, fee)
                    if participant.has_left and not lines:
                        continue
                    invoice = Invoice(
                        number=number,
                        id=self._node.mint.mint(),
                        month=month,
                        node_id=participant.node_id,
                        currency=alpha,
                        lines=msgspec.json.encode(lines).decode(),
                        total_minor=sum(line.charged_minor for line in lines),
                        due_minor=fee,
                        state=DUE if fee else PAID,
                        issued_ns=self._node.clock.now_ns(),
                    )
                    self._invoices.put(invoice)
                if invoice.state == DUE:
                    self._charge(invoice)
        self._node.journal.seal()
        return [each for each in self.invoices() if each.month == month]

    def _charge(self, invoice: Invoice) -> None:
        currency = currency_of(invoice.currency)
        node, scheme = invoice.node_id, self._node.node_id
        common = {"amount": invoice.due_minor, "ledger": currency.ledger, "code": chart.CODE_CHARGE}
        charge = move(
            derive(self._node.mint.mint(), f"charge/{invoice.number}"),
            invoice.id,
            debit=chart.reserve_account(node, currency),
            credit=chart.reserve_account(scheme, currency),
            **common,
        )
        uncap = move(
            derive(self._node.mint.mint(), f"charge/cap/{invoice.number}"),
            invoice.id,
            debit=chart.position_account(node, currency),
            credit=chart.reserve_caps_account(node, currency),
            **common,
        )
        # The cap that the money stood behind goes with it: a reserve in use is not charged, but stays due.
        self._ledger.create_transfers(linked([charge, uncap]), partial(self._charged, invoice))

    def _charged(self, invoice: Invoice, statuses: list[TransferStatus]) -> None:
        if statuses[0] not in TRANSFER_DONE:
            return
        self._invoices.put(msgspec.structs.replace(invoice, state=PAID))
        for node, moved in ((invoice.node_id, -invoice.due_minor), (self._node.node_id, invoice.due_minor)):
            id_ = derive(invoice.id, f"entry/{node}")
            self._accounts.book(id_, node, invoice.currency, EntryKind.CHARGE, moved)
