"""What the simulated nodes wrote down, on a real PostgreSQL: the auditor, which trusts nobody's code but its own, finds nothing."""

import asyncio

import pytest

from hutong.audit.network import audit
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.simulation.audit import SWITCH
from hutong.simulation.run import lived
from hutong.simulation.world import World
from tests.gateways.test_audited import copied
from tests.network.conftest import new_database

NEVER_OVERDUE_S = 10**9  # The world's own time is long past, or to come.


@pytest.mark.parametrize("seed", [3])
def test_the_audit_from_the_rows_finds_nothing_in_a_simulated_world(postgres: Address, seed: int) -> None:
    world = lived(seed, hours=0.03, marketing=True)
    assert world.audit.wrong == []
    assert asyncio.run(_found(world, new_database(postgres))) == []


async def _found(world: World, address: Address) -> list[str]:
    for node_id, place in world.places.items():
        database = Database(address, node_id)
        own = "switch" if node_id == SWITCH else "institution"
        await migrate(database, all_migrations(["runtime", "ledger", own]))
        await copied(database, place.disk)
    report = (await audit([address], overdue_s=NEVER_OVERDUE_S)).report
    assert report.looked_at.keys() == world.places.keys()
    return [str(finding) for finding in report.findings]
