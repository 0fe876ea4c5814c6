"""What coupons need of their neighbours, and nothing more: campaigns, awards and people satisfy these."""

from typing import Any, Protocol


class Campaign(Protocol):
    """Whose rules say where a coupon is good, and whose budget pays."""

    @property
    def id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def merchant_id(self) -> int: ...
    @property
    def version(self) -> int: ...

    def is_running(self, now_ns: int, /) -> bool: ...


class Campaigns(Protocol):
    """All campaigns are in memory."""

    def campaign(self, campaign_id: int, /) -> Campaign:
        """Refuses CAMPAIGN_UNKNOWN."""
        ...

    def is_held_out(self, campaign_id: int, person_id: int, /) -> bool:
        """Whether this person gets nothing of it, so that what the others got it for can be seen."""
        ...


class Award(Protocol):
    """What a campaign gave a payment by way of a coupon."""

    @property
    def id(self) -> int: ...
    @property
    def payment_id(self) -> int: ...
    @property
    def source_id(self) -> int: ...


class Notices(Protocol):
    """News for people, appended in the decision that makes them."""

    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None: ...
