import asyncio
from collections.abc import Callable

from hutong.runtime.journal import JournalHalted
from hutong.scheme.messages import AnyMessage, StatusRequest
from hutong.scheme.transport import MemoryNetwork

ASKED: AnyMessage = StatusRequest(payment_id="0" * 32, originator="jing")
Received = list[tuple[str, list[AnyMessage]]]


def ear(received: Received) -> Callable[[str, list[AnyMessage]], None]:
    return lambda sender, messages: received.append((sender, messages))


async def test_what_is_posted_arrives_soon_and_not_at_once() -> None:
    network, received = MemoryNetwork(), Received()
    network.join("switch", ear(received))
    network.post("jing")("switch", [ASKED])
    assert received == []
    await asyncio.sleep(0)
    assert received == [("jing", [ASKED])]


def test_a_simulation_decides_what_is_delivered_and_how_often() -> None:
    deliveries: list[Callable[[], None]] = []
    network, received = MemoryNetwork(deliveries.append), Received()
    network.join("switch", ear(received))
    post = network.post("jing")
    post("switch", [ASKED])
    post("switch", [])
    (delivery,) = deliveries
    delivery()
    delivery()
    assert len(received) == 2


def test_what_is_on_its_way_to_a_node_that_left_is_lost() -> None:
    deliveries: list[Callable[[], None]] = []
    network, received = MemoryNetwork(deliveries.append), Received()
    network.join("switch", ear(received))
    network.post("jing")("switch", [ASKED, ASKED])
    network.leave("switch")
    deliveries[0]()
    assert received == []
    assert network.undelivered == 2


def test_what_comes_to_a_node_that_starts_again_is_lost() -> None:
    deliveries: list[Callable[[], None]] = []
    network = MemoryNetwork(deliveries.append)

    def halted(sender: str, messages: list[AnyMessage]) -> None:
        raise JournalHalted(sender, messages)

    network.join("switch", halted)
    network.post("jing")("switch", [ASKED])
    deliveries[0]()
    assert network.undelivered == 1
