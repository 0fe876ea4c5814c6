"""The public logs of a node's campaigns of draws: appended to in the decision that publishes, read by anybody."""

import msgspec

from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.campaign import CAMPAIGN_PREFIX
from hutong.marketing.draws import public_log
from hutong.marketing.draws.public_log import GENESIS, Entry
from hutong.marketing.draws.reasons import DrawReason
from hutong.marketing.draws.record import LogPart
from hutong.marketing.draws.seed import LOG, LogRow, day_id, entry_id
from hutong.runtime.node import NodeRuntime

PAGE = 1000


class LogService:
    """Heads are in memory; what lies behind them is read from the rows."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self._heads: dict[int, LogRow] = {}

    async def load(self, campaign_id: int) -> None:
        """Learn a campaign's head."""
        for _, row in await self._node.store.page(LOG, "campaign_id", campaign_id, limit=1, newest_first=True):
            self._heads[campaign_id] = row

    def publish(self, campaign_id: int, kind: str, told: msgspec.Struct, day: int = 0) -> None:
        """One more entry; it is public when this decision is durable."""
        head = self._heads.get(campaign_id)
        number, before = (head.number + 1, head.hash) if head is not None else (1, GENESIS)
        # A clock that was put back publishes nothing before what is published.
        at_ms = max(self._node.clock.now_ns() // NS_PER_MS, head.at_ms if head is not None else 0)
        entry = public_log.chained(campaign_text(campaign_id), before, number, at_ms, kind, told)
        row = LogRow(
            id=entry_id(campaign_id, number),
            campaign_id=campaign_id,
            day_id=day_id(campaign_id, day),
            number=number,
            at_ms=at_ms,
            kind=kind,
            text=entry.text,
            hash=entry.hash,
        )
        self._heads[campaign_id] = row
        self._node.journal.append(LOG, row)

    def head(self, campaign_id: int) -> LogRow:
        """The newest entry. Refuses DRAW_CAMPAIGN_UNKNOWN."""
        head = self._heads.get(campaign_id)
        if head is None:
            raise Refusal(DrawReason.DRAW_CAMPAIGN_UNKNOWN)
        return head

    async def part(self, campaign_id: int, after: int, limit: int = PAGE) -> LogPart:
        """Entries behind the one of number `after`. Refuses DRAW_CAMPAIGN_UNKNOWN."""
        last = min(self.head(campaign_id).number, after + limit)
        ids = [entry_id(campaign_id, number) for number in range(max(after, 1), last + 1)]
        rows = [row for _, row in await self._node.store.find(LOG, "id", ids)]
        before = next((row.hash for row in rows if row.number == after), GENESIS)
        entries = tuple(_entry(row) for row in sorted(rows, key=lambda row: row.number) if row.number > after)
        return LogPart(campaign_text(campaign_id), before, entries)

    async def of_day(self, campaign_id: int, day: int) -> list[tuple[int, LogRow]]:
        """What is published about one day alone, with positions, in order: how it goes, its gates, its seed."""
        return await self._node.store.find(LOG, "day_id", [day_id(campaign_id, day)])


def campaign_text(campaign_id: int) -> str:
    """A campaign as its public log names it."""
    return id_text(CAMPAIGN_PREFIX, campaign_id)


def _entry(row: LogRow) -> Entry:
    return Entry(row.number, row.at_ms, row.kind, row.text, row.hash)
