"""Why campaigns, and those who fund them, are told no."""

from hutong.kernel.errors import Kind, Reason


class CampaignReason(Reason):
    """Why a sponsor, a campaign or an award is refused; `field` names the input that is wrong."""

    SPONSOR_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SPONSOR_OTHERWISE = Kind.CONFLICT, "DUPL"  # The same reference came before with another `field`.
    SPONSOR_BUDGET_INSUFFICIENT = Kind.REFUSED, "AM04"
    SPONSOR_NOT_YOURS = Kind.NOT_ALLOWED, "NARR"  # A merchant's money is the merchant's to give.
    DEPOSIT_OTHERWISE = Kind.CONFLICT, "DUPL"

    CAMPAIGN_UNKNOWN = Kind.NOT_FOUND, "NARR"
    CAMPAIGN_OTHERWISE = Kind.CONFLICT, "DUPL"
    CAMPAIGN_REVISED_SINCE = (
        Kind.CONFLICT,
        "NARR",
    )  # Its terms are of another `version` now than the one to be replaced.
    CAMPAIGN_TERMS_UNSOUND = Kind.INVALID, "NARR"
    CAMPAIGN_STATE_FORBIDS = Kind.REFUSED, "NARR"  # `state` says in which it is.
    CAMPAIGN_OVER = Kind.REFUSED, "NARR"  # Its last day has passed.

    RULE_NOT_UNDERSTOOD = Kind.INVALID, "NARR"  # `row` and `field` say where.

    CAMPAIGN_NOT_RUNNING = Kind.REFUSED, "NARR"
    BUDGET_EXHAUSTED = Kind.REFUSED, "AM04"  # `level` says which: campaign, day, place, person.
    AWARD_UNKNOWN = Kind.NOT_FOUND, "NARR"
    AWARD_OTHERWISE = Kind.CONFLICT, "DUPL"
    AWARD_DECIDED = Kind.REFUSED, "NARR"  # Paid or refused, for good; `state` says which.
    WORDS_NOT_SHARED = Kind.INVALID, "NARR"  # `words` are none of the merchant's tags, or there are more than `most`.

    CAMPAIGN_NOT_AGREED = (
        Kind.REFUSED,
        "NARR",
    )  # So many `sponsors` that are to pay a part have not agreed to its terms.
    CAMPAIGN_TERMS_AGREED = Kind.REFUSED, "NARR"  # Sponsors that are asked pay by these terms: they stand.

    SPONSOR_HAS_STAFF = Kind.REFUSED, "NARR"  # It is a merchant: its own staff keys say who it is.
    SPONSOR_KEY_UNKNOWN = Kind.NOT_FOUND, "NARR"
    SPONSOR_KEY_TAKEN = Kind.CONFLICT, "DUPL"  # The caller's id is of a key with another `field`.
