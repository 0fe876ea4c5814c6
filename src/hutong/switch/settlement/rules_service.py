"""The settlement rules, published as dated versions."""

import msgspec

from hutong.kernel.errors import Refusal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.switch.settlement.reason import SettlementReason
from hutong.switch.settlement.repository import RULES
from hutong.switch.settlement.rules import DEFAULT_RULES, RulesVersion, SettlementRules, rules_at


class RulesService:
    """Small, and all in memory."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self._rules = Shelf(RULES, node.journal, node.store, key="version")

    async def start(self) -> None:
        await self._rules.load_all()

    def versions(self) -> list[RulesVersion]:
        """Every version; the first came with the switch."""
        return [DEFAULT_RULES, *self._rules.everything()]

    def now(self) -> SettlementRules:
        """What is in force."""
        return rules_at(self.versions(), self._node.clock.now_ns())

    def publish(self, version: str, starts_ns: int, rules: SettlementRules) -> RulesVersion:
        """
        Announce rules that apply from an instant on.

        Refuses:  RULES_CONFLICT, the version exists with other content; RULES_START_IN_THE_PAST.
        """
        announced = RulesVersion(version, starts_ns, msgspec.json.encode(rules, order="deterministic").decode())
        known = next((each for each in self.versions() if each.version == version), None)
        if known is not None:
            if known != announced:
                differs = "starts_at_ms" if known.rules == announced.rules else "rules"
                raise Refusal(SettlementReason.RULES_CONFLICT, field=differs, version=version)
            return known
        if starts_ns < self._node.clock.now_ns():
            raise Refusal(SettlementReason.RULES_START_IN_THE_PAST, starts_ns=starts_ns)
        self._rules.put(announced)
        return announced
