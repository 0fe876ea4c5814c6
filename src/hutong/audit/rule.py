"""What must be true of one node's rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be true of one node: its invariant, the tables it reads, and the SQL that finds what breaks it."""

    invariant: int
    tables: tuple[str, ...]
    finds: str
