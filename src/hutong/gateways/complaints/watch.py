"""A watch: where an account wants to hear of complaints."""

import msgspec

from hutong.runtime.tables import BigInt, Table, Text, Uuid


class ComplaintWatch(msgspec.Struct, frozen=True, kw_only=True):
    """One version; without an address nobody is told."""

    id: Uuid  # The account's.
    merchant_id: Uuid
    shop_id: Uuid
    dialect: Text
    url: Text
    changed_ns: BigInt


COMPLAINT_WATCHES = Table("gateway_complaint_watches", ComplaintWatch)
