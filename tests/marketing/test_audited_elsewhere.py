"""What a campaign gave on another institution's word, on a real PostgreSQL: the audit holds it against that one's rows."""

import asyncio

import pytest

from hutong.audit.network import audit
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from tests.gateways.test_audited import copied
from tests.marketing.campaigns.fair import off
from tests.marketing.campaigns.test_elsewhere import Town
from tests.network.conftest import new_database

NEVER_OVERDUE_S = 10**9  # The world's own time is long past.
NEVER_SAID = "which never said"


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("", 0),
        ("DELETE FROM wei.merchant_statements", 2),
        ("""UPDATE wei.merchant_statements SET said = replace(encode(said, 'escape'), 'true', 'false')::bytea""", 1),
        ("UPDATE wei.merchant_statements SET since_ns = since_ns + 1", 0),
        ("DROP TABLE wei.merchant_statements", 0),  # As of a release before, which is not asked.
    ],
)
def test_an_award_is_held_against_what_the_payees_institution_wrote_down(
    postgres: Address, damage: str, found: int
) -> None:
    town = Town(off(200, small="true"), off(10))
    for tags in (("small",), ()):
        town.off(town.stall("上海", *tags))
    assert len(town.statements()) == 2
    findings = asyncio.run(_found(town, new_database(postgres), damage))
    assert len([each for each in findings if NEVER_SAID in each]) == found


async def _found(town: Town, address: Address, damage: str) -> list[str]:
    for node_id, place in town.places.items():
        database = Database(address, node_id)
        own = "switch" if node_id == "switch" else "institution"
        await migrate(database, all_migrations(["runtime", "ledger", own]))
        await copied(database, place.store)
    if damage:
        connection = await Database(address, "wei").connect()
        try:
            await connection.execute(damage)
        finally:
            await connection.close()
    report = (await audit([address], overdue_s=NEVER_OVERDUE_S)).report
    return [str(finding) for finding in report.findings]
