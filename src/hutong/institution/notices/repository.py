"""The rows notices are kept in."""

from hutong.institution.notices.delivery import WebhookDelivery
from hutong.institution.notices.event import Event
from hutong.institution.notices.webhook import WebhookEndpoint
from hutong.runtime.journal import Journal
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Store, Table

EVENTS = Table("events", Event)
WEBHOOK_ENDPOINTS = Table("webhook_endpoints", WebhookEndpoint)
WEBHOOK_DELIVERIES = Table("webhook_deliveries", WebhookDelivery)
TABLES = (EVENTS, WEBHOOK_ENDPOINTS, WEBHOOK_DELIVERIES)


class NoticeRepository:
    """Events are only appended and paged; endpoints are all in memory."""

    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._store = store
        self.endpoints: Shelf[WebhookEndpoint] = Shelf(
            WEBHOOK_ENDPOINTS, journal, store, by=("owner_id",), timed=True, rows_max=10_000_000
        )

    async def start(self) -> list[WebhookEndpoint]:
        """All endpoints."""
        await self.endpoints.start()
        return await self.endpoints.load_all()

    def keep(self, event: Event) -> int:
        """Append an event; returns its cursor."""
        return self._journal.append(EVENTS, event)

    async def events(self, owner_id: int, after: int, limit: int) -> list[tuple[int, Event]]:
        """The owner's durable events behind a cursor, oldest first."""
        return await self._store.page(EVENTS, "owner_id", owner_id, after=after, limit=limit)

    async def event(self, event_id: int) -> Event | None:
        found = await self._store.find(EVENTS, "id", [event_id])
        return found[0][1] if found else None

    def log(self, delivery: WebhookDelivery) -> None:
        self._journal.append(WEBHOOK_DELIVERIES, delivery)

    async def deliveries(
        self, endpoint_id: int, *, before: int | None, limit: int
    ) -> list[tuple[int, WebhookDelivery]]:
        """What was tried, newest first."""
        return await self._store.page(
            WEBHOOK_DELIVERIES, "endpoint_id", endpoint_id, before=before, limit=limit, newest_first=True
        )
