"""Whom invitations live beside; the institution's services and the campaigns satisfy these."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from hutong.institution.payments.payment import Payment
from hutong.institution.people.device import Device
from hutong.institution.people.user import User
from hutong.marketing.invitations.circle import PersonPayment
from hutong.marketing.invitations.invite_campaign import InviteCampaign


class People(Protocol):
    """Everything may raise `Cold`."""

    def user(self, user_id: int, /) -> User:
        """Refuses who is unknown."""
        ...

    def came_before(self, user: User, /) -> bool:
        """Whether this telephone number had a wallet here before."""
        ...


class Devices(Protocol):
    def devices(self, user_id: int, /) -> Sequence[Device]:
        """A user's devices, lost ones too. May raise `Cold`."""
        ...


class Notices(Protocol):
    def tell_user(self, user_id: int, type_: str, data: dict[str, Any], /) -> None: ...


class Campaigns(Protocol):
    """All in memory, but what is known of a person."""

    def inviting(self) -> Sequence[InviteCampaign]:
        """Those that reward inviting, ended ones too, oldest first."""
        ...

    def inviting_campaign(self, campaign_id: int, /) -> InviteCampaign:
        """Refuses what is unknown, and CAMPAIGN_NOT_FOR_INVITING."""
        ...

    def reserve_changed(self, campaign_id: int, /) -> None:
        """What is kept back of an ended campaign may be less now."""
        ...

    def offers(self, campaign_id: int, person_id: int, /) -> bool:
        """Whether this person may invite: the holdout group may not. May raise `Cold`."""
        ...


class Awards(Protocol):
    """
    Money of campaigns' sponsors that is set aside for people.

    Each refuses, or raises `Cold`, before it appends anything, and repeats without harm.
    """

    def hold(
        self, award_id: int, campaign_id: int, person_id: int, amount: int, source: str, facts: dict[str, object], /
    ) -> Any:
        """Set aside; refuses CAMPAIGN_NOT_RUNNING and BUDGET_EXHAUSTED."""
        ...

    def hold_behind_end(
        self, award_id: int, campaign_id: int, person_id: int, amount: int, source: str, facts: dict[str, object], /
    ) -> Any:
        """Set aside out of what an ended campaign still has; refuses BUDGET_EXHAUSTED."""
        ...

    def look_up(self, award_id: int, /) -> None:
        """Before `pay` or `refuse`: whatever they need. May raise `Cold`."""
        ...

    def pay(self, award_id: int, amount: int, /) -> Any:
        """So much of it to the person's wallet, the rest back to the budget."""
        ...

    def refuse(self, award_id: int, reason: str, /) -> Any:
        """All of it back to the budget."""
        ...


class Money(Protocol):
    """What invitations ask about payments."""

    def paid_anything(self, user: User, /) -> bool:
        """Whether this person has ever paid, or tried to. May raise `Cold`."""
        ...

    def has_funding(self, user_id: int, /) -> bool:
        """Whether an account is linked that its bank knows. May raise `Cold`."""
        ...

    def ask_banks(self, user_id: int, then: Callable[[], None] | None = None, /) -> None:
        """Ask banks which accounts those are that the person linked; `then` follows each answer. May raise `Cold`."""
        ...

    def left(self, payment_id: int, /) -> int:
        """How much of what the payer paid has not come back, nor is about to. May raise `Cold`."""
        ...

    def is_returning(self, payment_id: int, /) -> bool:
        """Whether a refund of it is undecided. May raise `Cold`."""
        ...

    def paid_at(self, payment_id: int, /) -> int:
        """When it was paid. May raise `Cold`."""
        ...

    def works_at(self, user: User, merchant_id: int, /) -> bool:
        """Whether the person is of this merchant's staff. May raise `Cold`."""
        ...

    async def completed_lately(self) -> Sequence[Payment]:
        """The last payments that are complete: at least those of which a crash may have kept the news from us."""
        ...

    async def funding(self, user_ids: Collection[int], /) -> Mapping[int, frozenset[int]]:
        """Marks of all accounts these people ever linked."""
        ...

    async def among(self, users: Collection[User], /) -> Sequence[PersonPayment]:
        """What these people paid to each other, or at shops where another of them works."""
        ...
