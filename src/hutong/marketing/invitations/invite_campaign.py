"""A campaign that rewards inviting, as invitations see it."""

from typing import Any

import msgspec

from hutong.marketing.campaigns.campaign import Campaign, CampaignState
from hutong.marketing.invitations.terms import InvitationTerms, read_terms


class InviteCampaign(msgspec.Struct, frozen=True):
    """One version of it."""

    campaign: Campaign

    @property
    def id(self) -> int:
        return self.campaign.id

    @property
    def name(self) -> str:
        return self.campaign.name

    @property
    def terms(self) -> InvitationTerms:
        """What it says of inviting, over what is shipped."""
        said: dict[str, Any] = self.campaign.told.more
        return read_terms(said)

    @property
    def ends_ns(self) -> int:
        return self.campaign.ends_ns

    @property
    def is_over(self) -> bool:
        """Whether nothing can be set aside any more."""
        return self.campaign.state == CampaignState.ENDED

    def runs(self, now_ns: int) -> bool:
        """Whether friends may join, and bring something, now."""
        return self.campaign.is_running(now_ns)
