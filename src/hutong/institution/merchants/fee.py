"""What a merchant pays for being paid: basis points, dated and versioned."""

from collections.abc import Iterable

import msgspec

from hutong.institution.merchants.reasons import MerchantReason
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import derive
from hutong.runtime.tables import BigInt, Integer, Uuid

FEE_BPS_MAX = 1000


class Fee(msgspec.Struct, frozen=True, kw_only=True):
    """From `applies_from_ns` on, the merchant's fee is `fee_bps`, until a later version's instant has come."""

    id: Uuid
    merchant_id: Uuid
    version: Integer  # 1, 2, 3, ... of this merchant; a payment stores it.
    fee_bps: Integer
    applies_from_ns: BigInt
    decided_ns: BigInt


def first_fee(merchant_id: int, fee_bps: int, now_ns: int) -> Fee:
    """The fee a merchant begins with."""
    return _fee(merchant_id, 1, fee_bps, applies_from_ns=now_ns, now_ns=now_ns)


def fee_at(fees: Iterable[Fee], now_ns: int) -> Fee:
    """
    The fee in force: of those whose instant has come, the one decided last.

    So a decision that comes later and begins earlier replaces one still waiting, for good.
    """
    return max((fee for fee in fees if fee.applies_from_ns <= now_ns), key=lambda fee: fee.version)


def next_fee(fees: Iterable[Fee], fee_bps: int, applies_from_ns: int, now_ns: int) -> Fee:
    """
    The next version.

    Refuses:  FEE_OUT_OF_RANGE; FEE_CHANGE_IN_THE_PAST, for what was charged has been charged.
    """
    newest = max(fees, key=lambda fee: fee.version)
    if applies_from_ns < now_ns:
        raise Refusal(MerchantReason.FEE_CHANGE_IN_THE_PAST, field="applies_from")
    return _fee(newest.merchant_id, newest.version + 1, fee_bps, applies_from_ns=applies_from_ns, now_ns=now_ns)


def _fee(merchant_id: int, version: int, fee_bps: int, *, applies_from_ns: int, now_ns: int) -> Fee:
    if not 0 <= fee_bps <= FEE_BPS_MAX:
        raise Refusal(MerchantReason.FEE_OUT_OF_RANGE, field="fee_bps", fee_bps_max=FEE_BPS_MAX)
    return Fee(
        id=derive(merchant_id, f"fee/{version}"),
        merchant_id=merchant_id,
        version=version,
        fee_bps=fee_bps,
        applies_from_ns=applies_from_ns,
        decided_ns=now_ns,
    )
