"""What all messages between nodes are made of: the types of their fields, and what is true of every message."""

from typing import Annotated

import msgspec

# `$` alone would let a line feed pass behind the last letter.
NodeId = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,34}$(?!\n)")]
MessageId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
MinorUnits = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
PositiveMinorUnits = Annotated[int, msgspec.Meta(gt=0, le=2**63 - 1)]
CurrencyCode = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
Max35Text = Annotated[str, msgspec.Meta(max_length=35)]
Max140Text = Annotated[str, msgspec.Meta(max_length=140)]
Max512Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
MaybeMax512Text = Annotated[str, msgspec.Meta(max_length=512)]
MaybeId = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")]
# A settlement window: its date and its number that day, as `2026-11-23/2`.
WindowText = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}/[1-9][0-9]{0,2})?$(?!\n)")]
DateText = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$(?!\n)")]
EntryNumber = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
MccText = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}$(?!\n)")]
# In nanoseconds it must fit 63 bits, as everybody keeps it: until April 2262.
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=(2**63 - 1) // 1_000_000)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="MsgTp", forbid_unknown_fields=False):
    """What all messages are. Unknown fields are ignored, so that a later minor version may add some."""
