"""Who takes part in which programme at one node, as its rows say: now, and when something was awarded."""

from collections import defaultdict
from typing import Any


class Members:
    """The merchants of each programme."""

    def __init__(self) -> None:
        self._joined: dict[int, set[int]] = defaultdict(set)
        self._then: dict[int, frozenset[int]] = {}  # By award: who took part when it was given.

    def of(self, campaign_id: int) -> set[int]:
        """Who takes part."""
        return self._joined.get(campaign_id, set())

    def change(self, row: Any) -> bool:
        """Somebody joined or left; whether that was anything new."""
        merchants = self._joined[row.campaign_id]
        is_new: bool = (row.merchant_id in merchants) != row.joined
        (merchants.add if row.joined else merchants.discard)(row.merchant_id)
        return is_new

    def awarded(self, award: Any) -> None:
        """Something of a programme is given."""
        self._then[award.id] = frozenset(self._joined[award.campaign_id])

    def were(self, award_id: int) -> frozenset[int]:
        """Who took part when it was given."""
        return self._then[award_id]
