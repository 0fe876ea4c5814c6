"""How draws look over HTTP. Amounts are integers of minor units (fen)."""

from datetime import date

import msgspec

from hutong.marketing.draws.record import DrawTerms, Receipt


class CommittedDay(msgspec.Struct, frozen=True):
    """A day that was committed to; `seed` is empty until it is over."""

    day: date
    commitment: str
    seed: str


class DrawCampaignView(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign's draws. `mean` is what one comes to on average, rounded; `head` the newest of `entries` hashes of its log."""

    campaign_id: str
    name: str
    state: str
    terms: DrawTerms
    mean: int
    key: str
    head: str
    entries: int
    days: list[CommittedDay]


class OwnDraw(msgspec.Struct, frozen=True, kw_only=True):
    """A draw of one's own. It is verified with `hutong draw verify --receipt` once its day's seed is out."""

    payment_id: str
    state: str
    is_revealed: bool
    receipt: Receipt


class PhraseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to go into one's own draws. Empty: nothing."""

    phrase: str


class PhraseView(msgspec.Struct, frozen=True, kw_only=True):
    """It counts from this day on."""

    phrase: str
    from_day: date


class PacingSlot(msgspec.Struct, frozen=True, kw_only=True):
    """By the end of a slot: what was planned and what was given until then; who was let in, of a million."""

    planned: int
    given: int
    threshold: int


class PacingView(msgspec.Struct, frozen=True, kw_only=True):
    """Today against its plan."""

    day: date
    budget: int
    given: int
    slot_s: int
    slots: list[PacingSlot]
