"""What other institutions are told of our merchants, for the rules of whoever makes their people's payments cheaper."""

from typing import Protocol

from hutong.scheme.messages import MerchantFacts


class Describer(Protocol):
    """Who knows what kind of merchant somebody of ours is."""

    def of(self, merchant_id: int, shop_id: int) -> MerchantFacts | None:
        """What is said of a merchant there, or None of a person: nothing. Appends nothing; may raise `Cold`."""
        ...

    def tell(self, merchant_id: int, shop_id: int, facts: MerchantFacts) -> None:
        """
        Just this, found by `of` in the same decision, is said to another institution: it is written down first.

        Repeats:  nothing, as long as the same is said.
        """
        ...


class Silence:
    """Nothing is said of anybody."""

    def of(self, merchant_id: int, shop_id: int) -> None: ...

    def tell(self, merchant_id: int, shop_id: int, facts: MerchantFacts) -> None: ...
