"""Merchant category codes (ISO 18245): what a merchant trades in. Fees, limits and risk look at it."""

from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal

# The standard's groups. Single codes come and go with its amendments; a group is where a policy may stand on.
_GROUPS = (
    (700, 1499, "agricultural services"),
    (1500, 2999, "contracted services"),
    (3000, 3299, "airlines"),
    (3300, 3499, "car rental"),
    (3500, 3999, "lodging"),
    (4000, 4799, "transportation"),
    (4800, 4999, "utilities and telecommunication"),
    (5000, 5599, "retail outlets"),
    (5600, 5699, "clothing stores"),
    (5700, 7299, "miscellaneous stores and services"),
    (7300, 7999, "business and entertainment services"),
    (8000, 8999, "professional services and membership organisations"),
    (9000, 9999, "government services"),
)


def mcc_group(mcc: str) -> str:
    """
    The group of ISO 18245 that `mcc` is in.

    Refuses:  MCC_MALFORMED, unless it is four ASCII digits; MCC_UNKNOWN below 0700, where the standard has none.
    """
    if not (len(mcc) == 4 and mcc.isascii() and mcc.isdigit()):
        raise Refusal(MerchantReason.MCC_MALFORMED, field="mcc")
    number = int(mcc)
    for first, last, group in _GROUPS:
        if first <= number <= last:
            return group
    raise Refusal(MerchantReason.MCC_UNKNOWN, field="mcc", mcc=mcc)
