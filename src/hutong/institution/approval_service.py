"""What takes two operators at an institution: corrections of the books, and keeping a merchant from being paid."""

from functools import partial

import msgspec

from hutong.institution.books.account_name import account_named
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.reconciliation.case import CASE_PREFIX, proposes
from hutong.institution.reconciliation.difference import Proposal
from hutong.institution.reconciliation.reasons import ReconciliationReason
from hutong.institution.reconciliation.service import ReconciliationService
from hutong.kernel.ids import parse_id
from hutong.ledger.transfer import TRANSFER_DONE, TransferStatus
from hutong.operators.approval import Approval
from hutong.operators.approval_service import ApprovalKind, Approvals, Ended

CORRECT = "reconciliation.correct"
SETTLE = "reconciliation.settle"
SUSPEND_MERCHANT = "merchant.suspend"
RESUME_MERCHANT = "merchant.resume"
CLOSE_MERCHANT = "merchant.close"
_MOVED = {
    SUSPEND_MERCHANT: MerchantStatus.SUSPENDED,
    RESUME_MERCHANT: MerchantStatus.ACTIVE,
    CLOSE_MERCHANT: MerchantStatus.CLOSED,
}


class NoFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The subject says it all."""


class SettleFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With whom a booked difference is settled: `usr_…`, `mer_…`, or `differences`, our own gain or loss."""

    account: str


def register_approvals(approvals: Approvals, merchants: MerchantService, reconciliation: ReconciliationService) -> None:
    """Let these be proposed at an institution."""
    cases = _Cases(reconciliation)
    approvals.register(ApprovalKind(CORRECT, NoFacts, cases.check_correct, cases.correct))
    approvals.register(ApprovalKind(SETTLE, SettleFacts, cases.check_settle, cases.settle))
    for kind, status in _MOVED.items():
        check, move = partial(_check_move, merchants, status), partial(_move, merchants, status)
        approvals.register(ApprovalKind(kind, NoFacts, check, move))


class _Cases:
    """The ids of a correction's transfers follow from the case: it repeats without harm."""

    def __init__(self, reconciliation: ReconciliationService) -> None:
        self._reconciliation = reconciliation

    def check_correct(self, case: str, _: NoFacts) -> None:
        found = self._reconciliation.case(parse_id(CASE_PREFIX, case))
        found.check_open()
        proposes(found, Proposal.BOOK_TO_SUSPENSE)

    def correct(self, approval: Approval, _: NoFacts, ended: Ended) -> None:
        id_ = parse_id(CASE_PREFIX, approval.subject)
        self._reconciliation.correct(id_, _both(approval), partial(_booked, ended))

    def check_settle(self, case: str, facts: SettleFacts) -> None:
        self._reconciliation.case(parse_id(CASE_PREFIX, case)).check_corrected()
        account_named(self._reconciliation.chart, facts.account)

    def settle(self, approval: Approval, facts: SettleFacts, ended: Ended) -> None:
        id_, account = parse_id(CASE_PREFIX, approval.subject), account_named(self._reconciliation.chart, facts.account)
        self._reconciliation.settle(id_, account, _both(approval), partial(_booked, ended))


def _check_move(merchants: MerchantService, status: MerchantStatus, merchant: str, _: NoFacts) -> None:
    merchants.merchant(parse_id(MERCHANT_PREFIX, merchant)).moved_to(status, 0)


def _move(merchants: MerchantService, status: MerchantStatus, approval: Approval, _: NoFacts, ended: Ended) -> None:
    verbs = {
        MerchantStatus.SUSPENDED: merchants.suspend,
        MerchantStatus.ACTIVE: merchants.resume,
        MerchantStatus.CLOSED: merchants.close,
    }
    verbs[status](parse_id(MERCHANT_PREFIX, approval.subject))
    ended("")


def _booked(ended: Ended, status: TransferStatus) -> None:
    ended("" if status in TRANSFER_DONE else ReconciliationReason.CORRECTION_REFUSED.name)


def _both(approval: Approval) -> str:
    """Whose word it is, as the case keeps it."""
    return f"{approval.proposed_by}, {approval.decided_by}"
