"""What other institutions are told of merchants of ours: whether they are small, where they are, and some words of the operator's."""

from collections.abc import Callable

import msgspec

from hutong.kernel.ids import derive
from hutong.marketing.campaigns.parties import SMALL, Parties
from hutong.marketing.campaigns.trait import STATEMENTS, Statement, Traits
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.scheme.messages import MerchantFacts

_KNOWN_MAX = 100_000


class StatementService:
    """The `Describer` of an institution."""

    def __init__(self, node: NodeRuntime, parties: Parties, traits: Shelf[Traits], changes: Callable[[], int]) -> None:
        """`changes` is a number that is another one behind every change of a merchant or shop."""
        self._clock = node.clock
        self._parties = parties
        self._changes = changes
        self._traits = traits
        self.statements = Shelf(STATEMENTS, node.journal, node.store)
        self._known: dict[tuple[int, int], MerchantFacts] = {}  # While nothing changes that it follows from.
        self._known_at = (-1, -1)

    def of(self, merchant_id: int, shop_id: int) -> MerchantFacts | None:
        """What is said of them now, and what was last said, in memory. May raise `Cold`."""
        if not merchant_id:
            return None
        known_at = self._changes(), self._traits.changes
        if known_at != self._known_at or len(self._known) > _KNOWN_MAX:
            self._known.clear()
            self._known_at = known_at
        facts = self._known.get((merchant_id, shop_id))
        if facts is None:
            place, traits = self._parties.place(merchant_id, shop_id), self._traits.get(merchant_id)
            facts = MerchantFacts(
                merchant=place.merchant,
                shop=place.shop,
                city=place.city,
                small=bool(place.small),
                words=tuple(each for each in traits.told_elsewhere if each != SMALL) if traits is not None else (),
            )
            self._known[merchant_id, shop_id] = facts
        self.statements.get(_name(merchant_id, shop_id))
        return facts

    def tell(self, merchant_id: int, shop_id: int, facts: MerchantFacts) -> None:
        """It leaves this node in the commit that writes it down, or behind it."""
        id_, said = _name(merchant_id, shop_id), msgspec.json.encode(facts)
        known = self.statements.get(id_)
        if known is None or known.said != said:
            now_ns = self._clock.now_ns()
            self.statements.put(Statement(id=id_, merchant_id=merchant_id, shop_id=shop_id, said=said, since_ns=now_ns))


def _name(merchant_id: int, shop_id: int) -> int:
    return derive(shop_id or merchant_id, "statement")
