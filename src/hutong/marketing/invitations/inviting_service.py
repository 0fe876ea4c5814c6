"""Invitations of one institution, wired."""

from hutong.institution.payments.refund import Refund, Return
from hutong.institution.payments.service import PaymentService
from hutong.marketing.campaigns.award_service import AwardService
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.marketing.campaigns.campaign_service import CampaignService
from hutong.marketing.invitations.circle_service import CircleService
from hutong.marketing.invitations.invite_campaign_service import InviteCampaigns
from hutong.marketing.invitations.money_service import MoneyService, Staff
from hutong.marketing.invitations.ports import Devices, Notices, People
from hutong.marketing.invitations.register_service import ReferralRegister
from hutong.marketing.invitations.reserve_service import ReserveService
from hutong.marketing.invitations.reward_service import RewardService
from hutong.marketing.invitations.service import InvitationService


class Invitations:
    """Built upon payments and campaigns, before they start: `start` with them, `resume` behind them."""

    def __init__(
        self,
        payments: PaymentService,
        campaigns: CampaignService,
        awards: AwardService,
        people: People,
        devices: Devices,
        staff: Staff,
        notices: Notices,
        *,
        key: bytes,
    ) -> None:
        node = payments.node
        self.node = node
        self.register = ReferralRegister(node)
        self.money = money = MoneyService(payments, staff)
        self.campaigns = inviting = InviteCampaigns(campaigns, awards.audience)
        circles = CircleService(node, self.register, people, devices, money)
        campaigns.reserves[CampaignKind.INVITE] = ReserveService(self.register).kept
        self.rewards = RewardService(node, self.register, people, inviting, awards, money, circles, notices)
        self.invitations = InvitationService(node, self.register, people, inviting, money, notices, key=key)
        payments.debtor.on_completed.append(self.rewards.completed)
        payments.refunds.on_given_back.append(self._refunded)
        payments.returns.on_given_back.append(self._returned)

    async def start(self) -> None:
        """Load what is open."""
        await self.invitations.start()
        await self.rewards.start()

    def tick(self) -> None:
        """What time alone brings about."""
        self.rewards.tick()

    async def resume(self) -> None:
        """Look for what a crash may have kept from us."""
        await self.rewards.resume()
        self.node.journal.seal()

    def _refunded(self, refund: Refund) -> None:
        self.rewards.given_back(refund.payer_user_id, refund.payment_id)

    def _returned(self, return_: Return) -> None:
        self.rewards.given_back(return_.user_id, return_.payment_id)
