"""Why an invitation, a reward or an appeal is refused."""

from hutong.kernel.errors import Kind, Reason


class InvitationReason(Reason):
    """Rows are append-only: clients match on the name."""

    # Terms.
    INVITATION_TERMS_INVALID = Kind.INVALID, "NARR"

    # Coming by an invitation.
    INVITATION_UNKNOWN = Kind.NOT_FOUND, "NARR"
    INVITATION_OWN = Kind.REFUSED, "NARR"
    INVITED_BY_ANOTHER = Kind.CONFLICT, "NARR"  # The first counts.
    NOT_NEW_HERE = Kind.REFUSED, "NARR"  # Registered too long ago, has paid, or had a wallet before.
    CAMPAIGN_NOT_FOR_INVITING = Kind.REFUSED, "NARR"

    # Why a friend brings no reward: kept with the referral, and shown to the inviter.
    STEPS_EXHAUSTED = Kind.REFUSED, "NARR"
    REWARD_BUDGET_SPENT = Kind.REFUSED, "NARR"
    QUALIFYING_PAYMENT_REFUNDED = Kind.REFUSED, "NARR"
    COLLUSION_SUSPECTED = Kind.REFUSED, "NARR"
    FRIEND_NOT_ACTIVE = Kind.REFUSED, "NARR"  # Closed, or frozen by the institution.
    INVITER_NOT_ACTIVE = Kind.REFUSED, "NARR"

    # Appeals.
    REFERRAL_UNKNOWN = Kind.NOT_FOUND, "NARR"
    REFERRAL_NOT_REFUSED = Kind.REFUSED, "NARR"
    APPEAL_TOO_LATE = Kind.REFUSED, "NARR"
    APPEAL_DECIDED_BEFORE = Kind.REFUSED, "NARR"
    APPEAL_NOT_OPEN = Kind.REFUSED, "NARR"
