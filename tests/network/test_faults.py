"""
Real faults under load, bounded: one network of processes, and a round each of the kinds that differ most.

`make faults ROUNDS=50` does many, of every kind and at other moments (tests/network/rounds.py).
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.rounds import FAULTS, run_round
from tests.network.town import Town, town_of

SEED = 20240229
KINDS = ("kill all nodes", "kill database", "drain node", "answers lost", "disk full", "take-over", "half open")
assert set(KINDS) <= set(FAULTS)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def town(run_directory: Path) -> Iterator[Town]:
    with town_of(run_directory / f"town-{os.getpid()}", wired=True) as town:
        yield town


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_lost_nor_there_twice_nor_unknown_in_the_end(town: Town, kind: str) -> None:
    if kind == "disk full" and town.disk is None:
        pytest.skip("no file system of its own can be mounted here, so none can be filled")
    seed = zlib.crc32(f"{SEED}/{kind}".encode())
    found = await run_round(town, 1, kind, seed)
    print(found)  # noqa: T201  # Shown when the round fails.
    assert found.wrong == []
    assert found.completed > 5
