"""What of an ended campaign's money is kept back for rewards that were refused: appeals are heard after its end, too."""

from collections import defaultdict

from hutong.marketing.invitations.referral import Referral, ReferralState, standing
from hutong.marketing.invitations.register_service import ReferralRegister


class ReserveService:
    """
    A campaign's `Reserve`.

    It is for what all who may still be granted something would bring together, by the step table: never less than what their
    appeals can come to, in whatever order they are granted.
    """

    def __init__(self, register: ReferralRegister) -> None:
        self._register = register

    def kept(self, campaign_id: int, now_ns: int) -> tuple[int, int]:
        """So much is to be kept, and when it may be less; 0, 0: nothing is. May raise `Cold`."""
        register = self._register
        open_ = register.known({*register.held, *register.appealed, *register.appealable})
        by_inviter: defaultdict[int, list[Referral]] = defaultdict(list)
        for referral in open_:
            if referral.campaign_id == campaign_id and referral.may_yet_be_paid(now_ns):
                by_inviter[referral.inviter_id].append(referral)
        kept, until_ns = 0, 0
        for inviter_id, waiting in by_inviter.items():
            known = standing(register.brought_by(inviter_id), campaign_id)
            count = known.expected + sum(each.state != ReferralState.HELD for each in waiting)
            # Terms may differ between friends, by when they joined: the most generous table is kept for.
            kept += max(0, max(each.told.total(count) for each in waiting) - known.reserved)
            ends = [each.appeal_ends_ns for each in waiting if each.state == ReferralState.REFUSED]
            until_ns = min([*ends, *([until_ns] if until_ns else [])], default=0)
        return kept, until_ns
