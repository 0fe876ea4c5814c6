"""What a sponsor that is no merchant of ours calls us with: it sees its own money, and says yes or no to what it pays for."""

import msgspec

from hutong.runtime.tables import BigInt, Bytes, Table, Text, Uuid

KEY_PREFIX = "spk"
NAME_LENGTH_MAX = 50


class SponsorKey(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a sponsor's key. The token itself is nowhere kept."""

    id: Uuid
    sponsor_id: Uuid
    name: Text
    token_hash: Bytes
    created_ns: BigInt
    rotated_ns: BigInt
    revoked_ns: BigInt  # 0 while it is good.
    rotation_id: Text = ""  # The caller's own id of the last rotation, if it had one.


SPONSOR_KEYS = Table("sponsor_keys", SponsorKey)
