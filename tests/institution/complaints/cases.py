"""Payments that somebody is not content with, across nodes and on us, and everybody who has a say in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hutong.institution.complaints.complaint import Complaint, complaint_id_of
from hutong.institution.complaints.grievance import Grievance, GrievanceOrder
from hutong.institution.complaints.turn import Words
from hutong.institution.payments.refund import RefundOrder
from hutong.scheme.complaint import ComplaintAct, ComplaintParty
from tests.institution.payments.world import now
from tests.institution.recalls.cases import Case, do, paid


@dataclass
class Complained:
    """One payment of 100.00 by a person to a merchant."""

    case: Case
    order: GrievanceOrder = field(init=False)

    def __post_init__(self) -> None:
        self.order = GrievanceOrder(
            grievance_id=self.case.debtor.node.mint.mint(),
            payment_id=self.case.payment.id,
            kind="RFND",
            text="面是凉的",
            contact="13800138000",
        )

    def open(self, **fields: Any) -> Grievance:
        order = GrievanceOrder(
            **{name: getattr(self.order, name) for name in GrievanceOrder.__struct_fields__} | fields
        )
        self.order = order
        do(self.case.debtor, lambda: self.case.debtor.complaints.grievances.open(self.case.payer.id, order))
        return self.grievance

    def says(self, act: ComplaintAct, text: str = "", **fields: Any) -> Grievance:
        words = Words(act_id=fields.pop("act_id", 0) or self.case.debtor.node.mint.mint(), text=text, **fields)
        grievances = self.case.debtor.complaints.grievances
        do(self.case.debtor, lambda: grievances.say(self.grievance, act, words))
        return self.grievance

    def answers(self, act: ComplaintAct, text: str = "", act_id: int = 0) -> Complaint:
        words = Words(act_id=act_id or self.case.creditor.node.mint.mint(), text=text)
        complaints = self.case.creditor.complaints.complaints
        do(self.case.creditor, lambda: complaints.answer(self.complaint, act, words, "老板"))
        return self.complaint

    def approves(self, amount: int, act_id: int = 0) -> Complaint:
        words = Words(act_id=act_id or self.case.creditor.node.mint.mint(), text="这就退")
        complaints = self.case.creditor.complaints.complaints
        do(self.case.creditor, lambda: complaints.approve(self.complaint, words, "老板", amount))
        return self.complaint

    def desk_says(self, text: str) -> Complaint:
        words = Words(act_id=self.case.creditor.node.mint.mint(), text=text)
        complaints = self.case.creditor.complaints.complaints
        answer: Callable[[], object] = partial(
            complaints.answer, self.complaint, ComplaintAct.SAY, words, "duty", by=ComplaintParty.AGENT
        )
        do(self.case.creditor, answer)
        return self.complaint

    def refunds(self, amount: int) -> None:
        refund_id = self.case.creditor.node.mint.mint()
        order = RefundOrder(refund_id=refund_id, payment_id=self.case.payment.id, amount=amount)
        do(self.case.creditor, lambda: self.case.creditor.payments.refunds.refund(self.case.merchant, order))

    @property
    def grievance(self) -> Grievance:
        return self.case.debtor.complaints.grievances.grievance(self.order.grievance_id)

    @property
    def complaint(self) -> Complaint:
        id_ = complaint_id_of(self.order.grievance_id, self.case.debtor.node_id)
        return self.case.creditor.complaints.complaints.complaint(id_)

    def here(self) -> list[tuple[str, str, int, str]]:
        """The history as the payer knows it."""
        service = self.case.debtor.complaints.grievances
        now(service.turns.load_by("case_id", [self.order.grievance_id]))
        return [(turn.by, turn.act, turn.amount, turn.text) for turn in service.history(self.grievance)]

    def there(self) -> list[tuple[str, str, int, str]]:
        """The history as the merchant has it."""
        service = self.case.creditor.complaints.complaints
        now(service.turns.load_by("case_id", [self.complaint.id]))
        return [(turn.by, turn.act, turn.amount, turn.text) for turn in service.history(self.complaint)]


def complained(*, on_us: bool = False, **fields: Any) -> Complained:
    return Complained(paid(on_us=on_us, **fields))
