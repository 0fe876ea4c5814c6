"""Hanging plates, taking them down, and finding whose a code is."""

from itertools import count

from hutong.codes.printed_plate import Caption, PrintedPlate
from hutong.institution.merchants.foreign_code import identity_key, read_identity
from hutong.institution.merchants.merchant import REFERENCE_LENGTH_MAX, MerchantStatus
from hutong.institution.merchants.plate import Origin, Plate, static_id
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.repository import MerchantRepository
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.site import Site
from hutong.institution.merchants.staff_key import Right, StaffKey
from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.runtime.node import NodeRuntime

PAGE_MAX = 200


class PlateService:
    """The merchants' static codes. Every verb that takes a `StaffKey` answers to that key alone (invariant 8)."""

    def __init__(
        self, node: NodeRuntime, repository: MerchantRepository, merchants: MerchantService, site: Site
    ) -> None:
        self._clock = node.clock
        self._all = repository
        self._merchants = merchants
        self.site = site

    def hang(self, key: StaffKey, reference: str, shop_id: int = 0) -> Plate:
        """
        A new plate of ours.

        Refuses:  ROLE_MAY_NOT; SHOP_NOT_YOURS; the text refusals; REFERENCE_REUSED; MERCHANT_CLOSED; SHOP_UNKNOWN;
                  SHOP_CLOSED.
        Repeats:  the plate as it is now.
        """
        key.check_right(Right.MANAGE)
        shop_id = key.shop_for(shop_id)
        plate_id, known = self._slot(key.merchant_id, reference)
        if known is not None:
            return _same(known, shop_id, "")
        return self._put_up(plate_id, key.merchant_id, reference, shop_id)

    def register_foreign(self, merchant_id: int, reference: str, text: str, shop_id: int = 0) -> Plate:
        """
        Let a code that another system issued, and that hangs already, lead to a merchant (不增设码牌).

        `text` is what a scanner reads off it, or an identity as `foreign_code` has them. It is for the operator to do,
        who knows that the merchant owns it: anybody else's code, registered, would take that body's payments.

        Refuses:  the text refusals; what `read_identity` refuses; FOREIGN_CODE_IS_OURS; REFERENCE_REUSED;
                  FOREIGN_CODE_TAKEN; MERCHANT_UNKNOWN; MERCHANT_CLOSED; SHOP_UNKNOWN; SHOP_CLOSED.
        Repeats:  the plate as it is now.
        """
        identity = read_identity(text)
        if identity.startswith(self.site.base + "/"):
            raise Refusal(MerchantReason.FOREIGN_CODE_IS_OURS, field="text")
        plate_id, known = self._slot(merchant_id, reference)
        if known is not None:
            return _same(known, shop_id, text)
        if self.find_foreign(identity) is not None:
            raise Refusal(MerchantReason.FOREIGN_CODE_TAKEN, field="text", identity=identity)
        return self._put_up(plate_id, merchant_id, reference, shop_id, text=text, identity=identity)

    def replace(self, key: StaffKey, plate_id: int, reference: str) -> Plate:
        """
        Take a plate down and hang one of ours in its place, in one step: a stolen plate, or a foreign one's successor.

        Refuses:  as `hang`; PLATE_UNKNOWN; CODE_INACTIVE if it is down already.
        Repeats:  the plate that hangs there now.
        """
        key.check_right(Right.MANAGE)
        old = self.plate(key, plate_id)
        new_id, known = self._slot(key.merchant_id, reference)
        if known is not None:
            if old.replaced_by != known.id:
                raise Refusal(MerchantReason.REFERENCE_REUSED, field="plate_id", reference=reference)
            return known
        old.check_active()
        new = self._put_up(new_id, key.merchant_id, reference, old.shop_id)
        self._all.plates.put(old.taken_down(self._clock.now_ns(), replaced_by=new.id))
        return new

    def take_down(self, key: StaffKey, plate_id: int) -> Plate:
        """Let the plate lead nowhere, for good. Refuses ROLE_MAY_NOT, PLATE_UNKNOWN. Repeats: the plate, down."""
        key.check_right(Right.MANAGE)
        plate = self.plate(key, plate_id)
        down = plate.taken_down(self._clock.now_ns())
        if down is not plate:
            self._all.plates.put(down)
        return down

    def plate(self, key: StaffKey, plate_id: int) -> Plate:
        """Refuses PLATE_UNKNOWN, for a plate the key doesn't see just as for none."""
        plate = self._all.plates.get(plate_id)
        if plate is None or not key.sees(plate.merchant_id, plate.shop_id):
            raise Refusal(MerchantReason.PLATE_UNKNOWN)
        return plate

    async def plates(self, key: StaffKey, *, before: int | None, limit: int) -> tuple[list[Plate], int | None]:
        """
        The plates the key sees, newest first, and the id to page on `before`, None at the end.

        Refuses:  PLATE_UNKNOWN to page on before another's, or none.
        """
        if before is not None:
            await self._all.plates.load([before])
            self.plate(key, before)
        column, value = ("listed_shop", key.shop_id) if key.shop_id else ("listed_merchant", key.merchant_id)
        limit = min(limit, PAGE_MAX)
        found = await self._all.plates_page(column, value, before=before, limit=limit)
        return found, found[-1].id if len(found) == limit else None

    def texts(self, plate: Plate) -> tuple[str, str]:
        """The code's two forms, link and EMVCo payload; of a foreign plate the text it was registered with, and none."""
        if plate.origin == Origin.FOREIGN:
            return plate.text, ""
        merchant = self._merchants.merchant(plate.merchant_id)
        shop = self._merchants.shop_of(plate.merchant_id, plate.shop_id)
        return self.site.url(plate.plate_id), self.site.emvco(plate.plate_id, merchant, shop)

    def printed(self, key: StaffKey, plate_id: int) -> PrintedPlate:
        """What a printer puts on a plate of ours. Refuses PLATE_UNKNOWN, CODE_INACTIVE, PLATE_NOT_PRINTED_HERE."""
        plate = self.plate(key, plate_id)
        plate.check_active()
        if plate.origin == Origin.FOREIGN:
            raise Refusal(MerchantReason.PLATE_NOT_PRINTED_HERE)
        merchant = self._merchants.merchant(plate.merchant_id)
        name = Caption(merchant.name, merchant.latin_name)
        return PrintedPlate(self.site.url(plate.plate_id), name, footer=plate.reference)

    # Whoever resolves codes.

    def find(self, plate_id: int) -> Plate | None:
        """The plate of this id, whosever it is."""
        return self._all.plates.get(plate_id)

    def find_foreign(self, identity: str) -> Plate | None:
        """The plate that this identity of a foreign code leads to."""
        for plate in self._all.plates.find("identity_key", identity_key(identity)):
            return plate
        return None

    def _slot(self, merchant_id: int, reference: str) -> tuple[int, Plate | None]:
        """The id that a merchant's plate of this name has or would have, and the plate if there is one."""
        check_text("reference", reference, length_max=REFERENCE_LENGTH_MAX)
        for attempt in count():
            plate_id = static_id(merchant_id, reference, attempt)
            plate = self._all.plates.get(plate_id)
            if plate is None or (plate.merchant_id, plate.reference) == (merchant_id, reference):
                return plate_id, plate
        raise AssertionError

    def _put_up(
        self, plate_id: int, merchant_id: int, reference: str, shop_id: int, *, text: str = "", identity: str = ""
    ) -> Plate:
        merchant = self._merchants.merchant(merchant_id)
        if merchant.status == MerchantStatus.CLOSED:  # A suspended one may prepare for better days.
            raise Refusal(MerchantReason.MERCHANT_CLOSED)
        shop = self._merchants.shop_of(merchant_id, shop_id)
        if shop is not None:
            shop.check_open()
        now_ns = self._clock.now_ns()
        plate = Plate(
            id=plate_id,
            merchant_id=merchant_id,
            shop_id=shop_id,
            reference=reference,
            origin=Origin.FOREIGN if identity else Origin.OWN,
            text=text,
            identity=identity,
            identity_key=identity_key(identity) if identity else None,
            is_active=True,
            replaced_by=0,
            created_ns=now_ns,
            changed_ns=now_ns,
            listed_merchant=merchant_id,
            listed_shop=shop_id or None,
        )
        self._all.plates.put(plate)
        return plate


def _same(plate: Plate, shop_id: int, text: str) -> Plate:
    """The plate that came under this reference before. Refuses REFERENCE_REUSED, naming the field that differs."""
    for field, wanted in (("shop_id", shop_id), ("text", text)):
        if getattr(plate, field) != wanted:
            raise Refusal(MerchantReason.REFERENCE_REUSED, field=field, reference=plate.reference)
    return plate
