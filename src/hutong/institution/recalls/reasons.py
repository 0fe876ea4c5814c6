"""Why a recall, a dispute or a trace is told no."""

from hutong.kernel.errors import Kind, Reason


class RecallRefused(Reason):
    """Rows are append-only: clients match on the name. In a camt.029 the code is the answer's reason."""

    # Asking.
    RECALL_UNKNOWN = Kind.NOT_FOUND, "NARR"
    RECALL_ALREADY_OPEN = Kind.REFUSED, "DUPL"  # One at a time for a payment.
    RECALL_TOO_LATE = Kind.REFUSED, "NARR"  # `until` says up to which day the policy lets it be asked.
    RECALL_NOT_ALLOWED = Kind.REFUSED, "NARR"  # Who asks may not ask for this reason.
    RECALL_NOT_WAITING = Kind.REFUSED, "NARR"  # The desk has decided already.
    # Answering.
    DISPUTE_UNKNOWN = Kind.NOT_FOUND, "NARR"
    DISPUTE_NOT_OPEN = Kind.REFUSED, "NARR"  # It is answered already; `state` says how.
    DISPUTED_AMOUNT_NOT_THERE = Kind.REFUSED, "AM04"  # `at_most` could come back of what was set aside.
    NOTHING_LEFT_TO_RETURN = Kind.REFUSED, "ARDT"
    RECALLED_PAYMENT_UNKNOWN = Kind.REFUSED, "NOOR"
    RECALLED_PAYMENT_NOT_COMPLETED = Kind.REFUSED, "NOOR"
    RECALL_DIFFERS_FROM_PAYMENT = Kind.REFUSED, "AM09"
    PAYEE_OBJECTED = Kind.REFUSED, "CUST"
    PAYEE_DID_NOT_ANSWER = Kind.REFUSED, "NOAS"
    ACCOUNT_CLOSED = Kind.REFUSED, "AC04"
    BALANCE_SPENT = Kind.REFUSED, "AM04"
    FORBIDDEN_BY_LAW = Kind.REFUSED, "LEGL"
    AGENT_DECIDED = Kind.REFUSED, "AGNT"
    # Tracing.
    TRACE_SILENT = Kind.LIMITED, "NARR"  # The switch did not answer in time; ask again.


# What an operator may answer, by the code of ISO 20022's ExternalPaymentCancellationRejection1Code.
ANSWERS = {
    reason.iso_code: reason
    for reason in (
        RecallRefused.PAYEE_OBJECTED,
        RecallRefused.PAYEE_DID_NOT_ANSWER,
        RecallRefused.NOTHING_LEFT_TO_RETURN,
        RecallRefused.ACCOUNT_CLOSED,
        RecallRefused.BALANCE_SPENT,
        RecallRefused.FORBIDDEN_BY_LAW,
        RecallRefused.AGENT_DECIDED,
    )
}
