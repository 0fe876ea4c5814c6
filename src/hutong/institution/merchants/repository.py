"""What is kept of merchants: every table once, and the newest versions in memory."""

from hutong.institution.merchants.application import Application
from hutong.institution.merchants.fee import Fee
from hutong.institution.merchants.merchant import Merchant
from hutong.institution.merchants.plate import Plate
from hutong.institution.merchants.shop import Shop
from hutong.institution.merchants.staff import StaffMember, StaffSession
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.people.pin import Pin
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import Shelf
from hutong.runtime.tables import Table

MERCHANTS = Table("merchants", Merchant)
FEES = Table("merchant_fees", Fee)
SHOPS = Table("shops", Shop)
STAFF_KEYS = Table("staff_keys", StaffKey)
PLATES = Table("plates", Plate)
APPLICATIONS = Table("merchant_applications", Application)
STAFF = Table("staff", StaffMember)
STAFF_PINS = Table("staff_pins", Pin)
STAFF_SESSIONS = Table("staff_sessions", StaffSession)


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
        self.staff = Shelf(STAFF, journal, store, by=("merchant_id", "phone"))
        self.staff_pins = Shelf(STAFF_PINS, journal, store, key="user_id")
        self.staff_sessions = Shelf(STAFF_SESSIONS, journal, store, by=("member_id", "device_id"), rows_max=100_000)

    async def start(self) -> None:
        await self.staff_keys.start()

    @property
    def changes(self) -> int:
        """While it stays the same, so does everything that plates, merchants, shops and fees say."""
        return self.merchants.changes + self.fees.changes + self.shops.changes + self.plates.changes

    async def plates_page(self, column: str, value: int, *, before: int | None, limit: int) -> list[Plate]:
        """The plates listed under a merchant or a shop, newest first, each as it is now; those hung before another."""
        position = None
        if before is not None:
            position = (await self._store.find(PLATES, "id", [before]))[0][0]
        found = await self._store.page(PLATES, column, value, before=position, limit=limit, newest_first=True)
        await self.plates.load([first.id for _, first in found])
        return [self.plates.get(first.id) or first for _, first in found]


class ApplicationRepository:
    """Applications, found by their state, too."""

    def __init__(self, node: NodeRuntime) -> None:
        self.applications = Shelf(APPLICATIONS, node.journal, node.store, by=("state",))
