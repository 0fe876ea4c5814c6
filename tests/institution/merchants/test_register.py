"""The register of merchants on a real PostgreSQL: each once, as it is now, newest first, searched and leafed through."""

import asyncio

from hutong.institution.merchants.application import APPLICATION_PREFIX
from hutong.institution.merchants.application_service import ApplicationService
from hutong.institution.merchants.merchant import MerchantStatus
from hutong.institution.merchants.register_repository import PgMerchantRegister
from hutong.institution.merchants.register_service import RegisterService
from hutong.kernel.ids import id_text
from hutong.runtime.database import Database
from hutong.runtime.migrations import all_migrations, migrate
from hutong.runtime.pgjournal import open_journal
from hutong.runtime.pgstore import PgStore
from hutong.runtime.shelf import decided
from tests.institution.merchants.shop_street import ShopStreet, noodles
from tests.institution.merchants.test_applications import form


def test_merchants_are_found_and_leafed_through(database: Database) -> None:
    asyncio.run(_scenario(database))


async def _scenario(database: Database) -> None:
    await migrate(database, all_migrations(["runtime", "institution"]))
    journal = await open_journal(database)
    pool = await database.open_pool(size_max=2)
    try:
        street = ShopStreet.__new__(ShopStreet)
        street.prepare()
        await street.wire(journal, PgStore(pool))
        merchants = []
        for number in range(5):
            profile = noodles(
                reference=f"M-{number}", name=f"面馆{number}", legal_name="100% 胡同", latin_name="NOODLES"
            )
            merchants.append(await decided(journal, lambda profile=profile: street.merchants.onboard(profile, 60)))  # type: ignore[misc]
            street.clock.advance(seconds=1)
        await decided(journal, lambda: street.merchants.suspend(merchants[1].id))
        register = RegisterService(street.node, street.merchants, PgMerchantRegister(pool))

        first = await register.page(limit=2)
        assert [merchant.reference for merchant, _ in first.merchants] == ["M-4", "M-3"]
        assert first.older is not None
        second = await register.page(limit=3, before=first.older)
        assert [(merchant.reference, merchant.status) for merchant, _ in second.merchants] == [
            ("M-2", "ACTIVE"),
            ("M-1", "SUSPENDED"),
            ("M-0", "ACTIVE"),
        ]
        assert second.older is None
        assert {fee.fee_bps for _, fee in second.merchants} == {60}
        suspended = await register.page(status=MerchantStatus.SUSPENDED)
        assert [merchant.id for merchant, _ in suspended.merchants] == [merchants[1].id]
        for words, count in (("面馆3", 1), ("m-2", 1), ("noodles", 5), ("100%", 5), ("1%%", 0), ("_", 0)):
            assert len((await register.page(words)).merchants) == count, words

        applications = ApplicationService(street.node, street.merchants)
        await decided(journal, lambda: applications.apply(7 << 80, form()))
        _, merchant = await decided(journal, lambda: applications.approve(7 << 80, 38, "", "ann"))
        assert merchant.reference == id_text(APPLICATION_PREFIX, 7 << 80)
        again = ApplicationService(street.node, street.merchants)
        assert (await decided(journal, lambda: again.application(7 << 80))).merchant_id == merchant.id
    finally:
        await journal.close()
        await pool.close()
