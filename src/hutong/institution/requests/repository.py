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

    async def page(
        self, column: str, value: int, *, before: int | None, limit: int
    ) -> list[tuple[int, PaymentRequest]]:
        """The requests listed under a merchant or a shop, newest first, each as it is now, with its place in the list."""
        found = await self._store.page(REQUESTS, column, value, before=before, limit=limit, newest_first=True)
        await self.requests.load([first.id for _, first in found])
        return [(position, self.requests.get(first.id) or first) for position, first in found]
