"""How effects look over HTTP. Amounts are integers of minor units (fen); means and differences thousandths of what is counted."""

from datetime import date

import msgspec

from hutong.marketing.effects.effect import Effect


class DayGiven(msgspec.Struct, frozen=True):
    """What a day gave, less what refunds brought back."""

    day: date
    given: int


class EffectsView(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a campaign cost and brought. `payments` and `amount` are per `unit`: a person who met the campaign, or an hour of a shop.

    `planned` is what would be given by now if each moment gave alike. `new_payers` had never paid before they met it;
    `repeat_bps` of those who paid did so twice or more.
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
    new_payers: int
    cost_per_new_payer: int
    repeat_bps: int
    refused: int
    refused_amount: int


class TakingsView(msgspec.Struct, frozen=True, kw_only=True):
    """What a merchant took with a campaign's help; `given` is the campaign's part, the merchant's own money if `is_own`."""

    campaign_id: str
    name: str
    is_own: bool
    payments: int
    amount: int
    given: int
    returned: int
