"""What keeps a node that is leaving from departing."""

import msgspec


class Blocker(msgspec.Struct, frozen=True):
    """One thing that is left, and what to do about it."""

    what: str
    details: str
    then: str
