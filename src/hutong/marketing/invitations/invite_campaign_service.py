"""The campaigns that reward inviting."""

from collections.abc import Sequence

from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.audience_service import AudienceService
from hutong.marketing.campaigns.campaign import TREATED, CampaignKind, CampaignTerms
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.invitations.invite_campaign import InviteCampaign
from hutong.marketing.invitations.reasons import InvitationReason
from hutong.marketing.invitations.terms import check_terms


class InviteCampaigns:
    """Reads them; what their terms say of inviting is checked before they are written down."""

    def __init__(self, campaigns: CampaignService, audience: AudienceService) -> None:
        self._campaigns = campaigns
        self._audience = audience
        campaigns.checks[CampaignKind.INVITE] = _check

    def inviting(self) -> Sequence[InviteCampaign]:
        """Those that reward inviting, ended ones too, oldest first."""
        found = self._campaigns.everything()
        return [InviteCampaign(each) for each in found if each.kind == CampaignKind.INVITE]

    def inviting_campaign(self, campaign_id: int) -> InviteCampaign:
        """Refuses CAMPAIGN_UNKNOWN, CAMPAIGN_NOT_FOR_INVITING."""
        campaign = self._campaigns.campaign(campaign_id)
        if campaign.kind != CampaignKind.INVITE:
            raise Refusal(InvitationReason.CAMPAIGN_NOT_FOR_INVITING)
        return InviteCampaign(campaign)

    def reserve_changed(self, campaign_id: int) -> None:
        """What is kept back of an ended campaign may be less now."""
        self._campaigns.touch(self._campaigns.campaign(campaign_id))

    def offers(self, campaign_id: int, person_id: int) -> bool:
        """Whether this person may invite; that the campaign was there for them is noted. May raise `Cold`."""
        campaign = self._campaigns.campaign(campaign_id)
        return self._audience.expose(campaign, person_id, self._audience.person(person_id)) == TREATED


def _check(terms: CampaignTerms) -> None:
    """Refuses INVITATION_TERMS_INVALID."""
    check_terms(terms.more)
