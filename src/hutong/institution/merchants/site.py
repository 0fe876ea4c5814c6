"""Where this institution is found, and so how its codes read."""

from dataclasses import dataclass

from hutong.codes import merchant_presented
from hutong.codes.additional_data import LocalNames
from hutong.codes.link import Link, read_link
from hutong.codes.plate import PATH, Plate, PlateId, emvco_code
from hutong.institution.merchants.merchant import Merchant
from hutong.institution.merchants.shop import Shop
from hutong.kernel.money import currency_of


@dataclass(frozen=True, slots=True)
class Site:
    """The node, the address its plates point to, and the country and language its payloads name."""

    node_id: str
    base: str  # `https://jing.example`, without a slash at its end.
    country: str = "CN"
    language: str = "zh"

    def __post_init__(self) -> None:
        assert str(read_link(self.base)) == self.base + "/", "one spelling, or nobody's plate would be found to be ours"

    def url(self, plate_id: PlateId) -> str:
        """The code as a link, which any phone's plain camera opens."""
        return str(Plate(self.base, plate_id))

    @property
    def plate_prefix(self) -> str:
        """What every plate of ours begins with."""
        return self.base + PATH

    def is_ours(self, link: Link) -> bool:
        """Whether a link is meant to be a plate of ours, well formed or not."""
        return str(link).startswith(self.plate_prefix)

    def emvco(self, plate_id: PlateId, merchant: Merchant, shop: Shop | None, amount: int | None = None) -> str:
        """The same code as an EMVCo payload, the names in Latin letters and, if they have one, in their own script."""
        city = merchant.city if shop is None else shop.city
        local = LocalNames(self.language, merchant.name, city)
        return merchant_presented.build(
            emvco_code(
                self.node_id,
                plate_id,
                mcc=merchant.mcc,
                currency=currency_of(merchant.currency),
                country=self.country,
                name=merchant.latin_name,
                city=merchant.latin_city if shop is None else shop.latin_city,
                amount_minor=amount,
                local_names=None if (merchant.name + city).isascii() else local,
            )
        )
