"""How effects look over HTTP. Amounts are integers of minor units (fen); means and differences thousandths of what is counted."""

from datetime import date

import msgspec

from hutong.marketing.effects.effect import Effect


class DayGiven(msgspec.Struct, frozen=True):
    """What a day gave, less what refunds brought back."""

    day: date
    given: int


class RefusedFor(msgspec.Struct, frozen=True):
    """So many of an inviter's rewards are refused for this reason; `amount` is what was set aside for them."""

    reason: str
    times: int
    amount: int


class SignalSeen(msgspec.Struct, frozen=True):
    """At so many of the rewards that are refused for collusion this was seen. At one there may be several."""

    signal: str
    times: int


class EffectsView(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a campaign cost and brought. `payments` and `amount` are per `unit`, a person who met the campaign or an hour of a shop,
    and less refunds: a payment that was refunded whole is none. `gross_payments` and `gross_amount` are the same before refunds.

    `planned` is what would be given by now if each moment gave alike. The first payment of all that `new_payers` made was with an
    award of this campaign, and not refunded whole; `cost_per_new_payer` is what the campaign gave, less what came back, for each
    of them, and null where there are none. `repeat_bps` of those who paid did so twice or more.

    `refused` are rewards of inviters that are not paid as things stand: one that was granted on appeal is none. `refused_for` says
    why; COLLUSION_SUSPECTED is what was taken for fraud, and `refused_signals` what was seen of it. Nothing else that is refused is
    written down, so nothing else is counted.
    """

    campaign_id: str
    name: str
    state: str
    unit: str
    budget: int
    given: int
    times: int
    left: int
    planned: int
    days: list[DayGiven]
    payments: Effect
    amount: Effect
    gross_payments: Effect
    gross_amount: Effect
    new_payers: int
    cost_per_new_payer: int | None
    repeat_bps: int
    refused: int
    refused_amount: int
    refused_for: list[RefusedFor]
    refused_signals: list[SignalSeen]


class TakingsView(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a merchant took with a campaign's help; `given` is the campaign's part, the merchant's own money if `is_own`.

    Of `amount` refunds took back `refunded`, and of `given` `returned`.
    """

    campaign_id: str
    name: str
    is_own: bool
    payments: int
    amount: int
    refunded: int
    given: int
    returned: int
