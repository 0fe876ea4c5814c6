"""The queue of what merchants are to be told by callback."""

from hutong.gateways.notification import NOTIFICATIONS, GatewayNotification, News, NotificationState, Postman
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf


class NotificationService:
    """`add` is called in the decision that makes the news, so none is lost and none is told that did not happen."""

    def __init__(self, node: NodeRuntime) -> None:
        self._node = node
        self.all = Shelf(NOTIFICATIONS, node.journal, node.store, by=("account_id",), timed=True)
        self.postmen: dict[str, Postman] = {}

    async def start(self) -> None:
        await self.all.start()

    def add(self, account_id: int, dialect: str, kind: News, subject_id: int, url: str) -> None:
        """Tell the merchant of `subject_id`, at `url`."""
        now_ns = self._node.clock.now_ns()
        self.all.put(
            GatewayNotification(
                id=self._node.mint.mint(),
                account_id=account_id,
                dialect=dialect,
                kind=kind.value,
                subject_id=subject_id,
                url=url,
                plain=b"",
                state=NotificationState.WAITING,
                attempts=0,
                next_at_ns=now_ns,
                status=0,
                note="",
                at_ns=now_ns,
            )
        )
