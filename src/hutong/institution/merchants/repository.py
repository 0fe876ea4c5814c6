"""What is kept of merchants: every table once, and the newest versions in memory."""

from hutong.institution.merchants.fee import Fee
from hutong.institution.merchants.merchant import Merchant
from hutong.institution.merchants.plate import Plate
from hutong.institution.merchants.shop import Shop
from hutong.institution.merchants.staff_key import StaffKey
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Table

MERCHANTS = Table("merchants", Merchant)
FEES = Table("merchant_fees", Fee)
SHOPS = Table("shops", Shop)
STAFF_KEYS = Table("staff_keys", StaffKey)
PLATES = Table("plates", Plate)


class MerchantRepository:
    """The newest version of everything of a merchant's; a look-up that is not in memory raises `Cold`."""

    def __init__(self, node: NodeRuntime) -> None:
        self._store = node.store
        journal, store = node.journal, node.store
        self.merchants = Shelf(MERCHANTS, journal, store, by=("reference",))
        self.fees = Shelf(FEES, journal, store, by=("merchant_id",))
        self.shops = Shelf(SHOPS, journal, store, by=("merchant_id",))
        self.staff_keys = Shelf(STAFF_KEYS, journal, store, by=("merchant_id",), timed=True)
        self.plates = Shelf(PLATES, journal, store, by=("identity_key",))

    async def start(self) -> None:
        await self.staff_keys.start()

    async def plates_page(self, merchant_id: int, *, before: int | None, limit: int) -> list[tuple[int, Plate]]:
        """The merchant's plates, newest first, each as it is now, with the position to page on from."""
        found = await self._store.page(
            PLATES, "listed_merchant", merchant_id, before=before, limit=limit, newest_first=True
        )
        await self.plates.load([plate.id for _, plate in found])
        newest = [(position, self.plates.get(plate.id)) for position, plate in found]
        return [(position, plate) for position, plate in newest if plate is not None]
