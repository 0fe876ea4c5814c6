"""What is kept of payment requests."""

from hutong.institution.requests.request import PaymentRequest
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Table

REQUESTS = Table("payment_requests", PaymentRequest)


class RequestRepository:
    """The newest version of every request; a look-up that is not in memory raises `Cold`."""

    def __init__(self, node: NodeRuntime) -> None:
        self._store = node.store
        self.requests = Shelf(REQUESTS, node.journal, node.store, by=("reference_key",), timed=True)

    async def start(self) -> None:
        await self.requests.start()

    async def page(self, column: str, value: int, *, before: int | None, limit: int) -> list[PaymentRequest]:
        """The requests listed under a merchant or a shop, newest first, each as it is now; those made before another."""
        position = None
        if before is not None:
            position = (await self._store.find(REQUESTS, "id", [before]))[0][0]
        found = await self._store.page(REQUESTS, column, value, before=position, limit=limit, newest_first=True)
        await self.requests.load([first.id for _, first in found])
        return [self.requests.get(first.id) or first for _, first in found]
