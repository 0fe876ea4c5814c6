"""What a protocol wants back as it came: rows keep it as JSON."""

from typing import Any

import msgspec


def read_facts(facts: bytes) -> dict[str, Any]:
    """The facts of a row."""
    found: dict[str, Any] = msgspec.json.decode(facts)
    return found
