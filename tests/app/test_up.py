"""A network in one process: who hears what, and from when on."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hutong.app import up
from hutong.app.network import DEMO_NETWORK
from hutong.institution.node import InstitutionNode
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from hutong.scheme.transport import MemoryNetwork, Receive
from hutong.switch.node import SwitchNode
from tests.network.conftest import new_database


def test_a_node_hears_nothing_before_it_has_started(
    postgres: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came earlier met accounts that were not open yet, and halted the node."""
    seen: list[tuple[str, str]] = []

    class Watched(MemoryNetwork):
        def join(self, node_id: str, receive: Receive) -> None:
            seen.append(("hears", node_id))
            super().join(node_id, receive)

    for kind in (SwitchNode, InstitutionNode):
        start: Any = kind.start

        async def started(self: Any, *given: Any, start: Any = start) -> None:
            await start(self, *given)
            seen.append(("started", self.node.node_id))

        monkeypatch.setattr(kind, "start", started)
    monkeypatch.setattr(up, "MemoryNetwork", Watched)

    address = new_database(postgres)

    async def scenario() -> None:
        nodes = [spec.node for spec in DEMO_NETWORK.nodes]
        settings = Settings(data_directory=tmp_path, ports=dict.fromkeys(nodes, 0))
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(up.running_network(settings, DEMO_NETWORK, address))
        for node in nodes:
            lives = [what for what, who in seen if who == node]
            assert lives == ["started", "hears"] * (len(lives) // 2)
            assert lives

    asyncio.run(scenario())
