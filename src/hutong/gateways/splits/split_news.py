"""Telling merchants of what was split: who did it, and who got something, each where its account says."""

from typing import Any

import msgspec

from hutong.gateways.notification import News
from hutong.gateways.notification_service import NotificationService
from hutong.gateways.splits.split import Split, part_id
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Integer, Table, Uuid

FACT = "listeners"  # In the facts of a split: who hears of which of its parts.


class Listener(msgspec.Struct, frozen=True):
    """An account that hears of one part."""

    number: int
    account_id: str
    dialect: str
    url: str


class SplitShare(msgspec.Struct, frozen=True, kw_only=True):
    """A part that somebody is told of."""

    id: Uuid
    split_id: Uuid
    number: Integer


SPLIT_SHARES = Table("split_shares", SplitShare)


def listening(listeners: list[Listener]) -> dict[str, Any]:
    """The facts by which a split knows who hears of it."""
    return {FACT: msgspec.to_builtins(listeners)} if listeners else {}


class SplitNews:
    """Called in the decision by which the money has moved; whom to tell was written down before."""

    def __init__(self, node: NodeRuntime, notifications: NotificationService) -> None:
        self._notifications = notifications
        self.shares = Shelf(SPLIT_SHARES, node.journal, node.store, timed=True)

    async def start(self) -> None:
        await self.shares.start()

    def shared(self, split: Split, number: int) -> None:
        """A part has arrived."""
        listeners = msgspec.convert(split.given_facts.get(FACT, []), list[Listener])
        mine = [each for each in listeners if each.number == number]
        if not mine:
            return
        share = SplitShare(id=part_id(split.id, number), split_id=split.id, number=number)
        self.shares.put(share)
        for each in mine:
            self._notifications.add(int(each.account_id, 16), each.dialect, News.SHARED, share.id, each.url)
