"""Why vouchers are told no; each dialect has its own words for these."""

from hutong.kernel.errors import Kind, Reason


class VoucherReason(Reason):
    """What is refused of vouchers, whatever the dialect."""

    VOUCHER_STOCK_UNKNOWN = Kind.NOT_FOUND, "NARR"
    VOUCHER_STOCK_DIFFERS = Kind.CONFLICT, "DUPL"  # The number came before, with another content.
    VOUCHER_STOCK_NOT_STARTED = Kind.REFUSED, "NARR"
    VOUCHER_STOCK_ENDED = Kind.REFUSED, "NARR"
    VOUCHER_STOCK_STARTED = Kind.REFUSED, "NARR"
    VOUCHER_BUDGET_INSUFFICIENT = Kind.REFUSED, "AM04"  # The merchant has less than the stock may give.
    VOUCHER_PERSON_UNKNOWN = Kind.REFUSED, "NARR"  # Nobody of this institution.
    VOUCHER_UNKNOWN = Kind.NOT_FOUND, "NARR"
