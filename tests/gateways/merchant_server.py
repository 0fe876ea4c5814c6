"""A hall whose merchants are told: their server, and the API that shows what they were told."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import httpx

from hutong.gateways.notification_worker import NotificationWorker
from hutong.institution.door_api import operator_guard
from hutong.runtime.http_app import make_app
from hutong.runtime.outbound import HttpPoster
from hutong.runtime.shelf import decided
from tests.gateways.hall import Hall, opened_hall
from tests.gateways.telling import until
from tests.institution.merchants.shop_street import noodles
from tests.institution.notices.post_office import Call, Receiver

OPERATOR = {"authorization": "Bearer op_a-long-token"}


class TellingHall:
    """The hall, with a receiver of its own."""

    def __init__(self, hall: Hall, receiver: Receiver, worker: NotificationWorker, api: httpx.AsyncClient) -> None:
        self.hall = hall
        self.receiver = receiver
        self.worker = worker
        self.api = api

    async def calls(self, count: int) -> list[Call]:
        """When so many have come, and the merchant's answer to the last was written down."""
        await until(lambda: len(self.receiver.calls) >= count and not self.worker.standing()["under way"])
        return self.receiver.calls

    async def stranger(self) -> dict[str, str]:
        """The headers of another merchant's owner."""
        jing = self.hall.jing
        merchants = jing.institution.merchants
        other = await decided(jing.node.journal, lambda: merchants.onboard(noodles(reference="M-2"), 60))
        _, token = await decided(jing.node.journal, lambda: merchants.issue_owner_key(other.id, "boss"))
        return {"authorization": f"Bearer {token}"}

    def later(self, seconds: int) -> None:
        self.hall.jing.clock.advance(seconds=seconds)
        self.worker.poke()

    async def ask(
        self, method: str, path: str, status: int = 200, body: Any = None, who: dict[str, str] | None = None
    ) -> Any:
        answer = await self.api.request(method, path, json=body, headers=who or self.hall.merchant.headers)
        assert answer.status_code == status, answer.text
        return answer.json()


@asynccontextmanager
async def telling_hall(*, sandbox: bool = False) -> AsyncIterator[TellingHall]:
    async with opened_hall(sandbox=sandbox) as hall, AsyncExitStack() as stack:
        receiver, poster = Receiver(), HttpPoster(private_allowed=True)
        await receiver.start()
        stack.push_async_callback(receiver.stop)
        stack.push_async_callback(poster.close)
        worker = hall.gateways.begin(stack, poster)
        guard = operator_guard(hall.jing.node, hall.jing.institution.people)
        app = make_app(hall.gateways.routes_beside(hall.gateways.desk(worker), guard), title="jing", version="1")
        transport = httpx.ASGITransport(cast("Any", app))
        api = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://jing"))
        yield TellingHall(hall, receiver, worker, api)
