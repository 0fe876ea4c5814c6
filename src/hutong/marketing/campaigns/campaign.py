"""
A campaign: whose money, for whom, by which rules, from when to when.

    DRAFT -> FUNDING -> SCHEDULED -> RUNNING <-> PAUSED -> ENDED       FUNDING -> DRAFT (a sponsor has not enough)

Its money is set aside when it starts, whole, so two campaigns of one sponsor never count on the same fen.
"""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from hutong.institution import chart
from hutong.kernel.errors import Refusal
from hutong.kernel.money import BPS, MINOR_MAX, split
from hutong.kernel.text import check_text
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.rules import OF_PERSON, RuleTable
from hutong.runtime.tables import BigInt, Bytes, Integer, SmallInt, Table, Text, Uuid

CAMPAIGN_PREFIX = "cmp"
NAME_LENGTH_MAX = 60
SPONSORS_MAX = 20
PRIORITY_MAX = 1_000_000_000
HOLDOUT_BPS = 500  # By default one person in twenty gets nothing, so that what the others got it for can be seen.


class CampaignKind(StrEnum):
    DISCOUNT = "DISCOUNT"  # Its rules say how much.
    DRAW = "DRAW"
    COUPON = "COUPON"
    INVITE = "INVITE"
    CASH = "CASH"  # A merchant sends people money, whom it says; no payment is made cheaper.


class Side(StrEnum):
    """Whose institution gives it."""

    PAYER = "PAYER"  # To its people, wherever they pay.
    PAYEE = "PAYEE"  # At its merchants, to whoever pays.


class CampaignState(StrEnum):
    DRAFT = "DRAFT"
    FUNDING = "FUNDING"  # Its sponsors' money is on its way.
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ENDED = "ENDED"


class Agreement(NamedTuple):
    """That somebody who is asked agreed: `who` as `Sponsor.who`; `by` is the key, or member of staff, that said so; 0: no row says."""

    who: int
    by: int = 0
    at_ns: int = 0

    @property
    def written(self) -> tuple[str, str, int]:
        """As a campaign's row has it."""
        return f"{self.who:032x}", f"{self.by:032x}", self.at_ns

    @classmethod
    def read(cls, written: Any) -> "Agreement":
        """What a row has; those of before have the id alone."""
        if isinstance(written, str):
            return cls(int(written, 16))
        who, by, at_ns = written
        return cls(int(who, 16), int(by, 16), at_ns)


class CampaignTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a version of a campaign holds to."""

    rules: RuleTable = RuleTable()
    caps: Caps = Caps()
    holdout_bps: int = HOLDOUT_BPS  # Up to all: a pilot holds out most.
    by_joining: bool = False  # For payments to merchants of ours that joined it: a programme.
    partial: bool = False  # Whether less than the rule says is given where a budget has no more.
    priority: int = 0  # See `Benefit`.
    exclusive: bool = False
    group: str = ""
    more: dict[str, Any] = {}  # What only its kind understands: a draw's distribution, the steps of an invitation.

    def check(self, kind: CampaignKind, side: Side) -> None:
        """Refuses RULE_NOT_UNDERSTOOD, CAMPAIGN_TERMS_UNSOUND."""
        self.rules.check()
        self.caps.check()
        if not 0 <= self.holdout_bps <= BPS:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="holdout_bps")
        if abs(self.priority) > PRIORITY_MAX:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="priority")
        check_text("group", self.group, length_max=NAME_LENGTH_MAX, empty=True)
        gives = [row for row in self.rules.rows if row.gives]
        if kind is CampaignKind.DISCOUNT and not any(row.off or row.bps for row in gives):
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="rules")
        if side is Side.PAYEE:  # Whoever shows a payer the price does not know yet who pays.
            if kind is not CampaignKind.DISCOUNT:
                raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="side")
            if self.caps.of_person:
                raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="caps.person")
            if OF_PERSON.intersection(self.rules.fields):
                raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="rules")


class CampaignDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign is to be."""

    id: int
    name: str  # As payers are shown it.
    kind: CampaignKind
    side: Side = Side.PAYER
    sponsors: Sequence[tuple[int, int]]  # Each with its proportion.
    budget: int
    terms: CampaignTerms
    starts_ns: int = 0  # 0: as soon as it is started.
    ends_ns: int
    merchant_id: int = 0  # Whose own it is; 0: the operator's.

    def check(self) -> None:
        """Refuses CAMPAIGN_TERMS_UNSOUND naming the field; RULE_NOT_UNDERSTOOD; the text refusals."""
        check_text("name", self.name, length_max=NAME_LENGTH_MAX)
        ids = [sponsor for sponsor, _ in self.sponsors]
        wrong = ""
        if not 0 < len(ids) <= SPONSORS_MAX or len(set(ids)) < len(ids):
            wrong = "sponsors"
        elif not all(0 < proportion <= 1_000_000 for _, proportion in self.sponsors):
            wrong = "proportion"
        elif not 0 < self.budget <= MINOR_MAX // 2:
            wrong = "budget"
        elif self.ends_ns <= self.starts_ns:
            wrong = "ends_at"
        if wrong:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field=wrong)
        self.terms.check(self.kind, self.side)


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a campaign."""

    id: Uuid
    merchant_id: Uuid  # Whose own it is; 0: the operator's.
    kind: Text
    side: Text
    name: Text
    sponsors: Bytes  # JSON: each sponsor's id and proportion.
    terms: Bytes  # JSON: `CampaignTerms`.
    version: Integer  # Of the terms; kept with each award.
    state: Text
    reason: Text  # Why it is a draft again.
    budget: BigInt
    funded: BigInt  # What its account was given.
    given_back: BigInt  # What went back to its sponsors,
    backs: Bytes  # JSON: of that each sponsor's, in all and the last time.
    attempt: SmallInt  # At funding it: a refused transfer's id is spent.
    salt: Bytes  # Of its holdout group.
    starts_ns: BigInt
    ends_ns: BigInt
    created_ns: BigInt
    changed_ns: BigInt
    agreed: Bytes = b""  # JSON: of those asked to pay a part, who agreed to these terms, by which key and when.

    @property
    def agreements(self) -> list[Agreement]:
        """Who agreed to pay their parts by these terms, in order of their ids."""
        return [Agreement.read(each) for each in msgspec.json.decode(self.agreed)] if self.agreed else []

    @property
    def consents(self) -> frozenset[int]:
        """These alone (`Sponsor.who`): merchants, and other sponsors that are asked."""
        return frozenset(each.who for each in self.agreements)

    @property
    def told(self) -> CampaignTerms:
        """The terms, read."""
        return _terms(self.terms)

    @property
    def shares(self) -> list[tuple[int, int]]:
        """Its sponsors and their proportions."""
        return [(int(sponsor, 16), proportion) for sponsor, proportion in msgspec.json.decode(self.sponsors)]

    @property
    def back(self) -> list[tuple[int, int]]:
        """What each sponsor got back: in all, and the last time. Empty before anything was."""
        return msgspec.json.decode(self.backs, type=list[tuple[int, int]]) if self.backs else []

    @property
    def account(self) -> int:
        """Its money's account."""
        return chart.campaign_account(self.id)

    def is_running(self, now_ns: int) -> bool:
        """Whether it gives anything now."""
        return self.state == CampaignState.RUNNING and self.starts_ns <= now_ns < self.ends_ns

    def parts(self) -> list[tuple[int, int]]:
        """What each sponsor gives of the budget, to the fen."""
        shares = self.shares
        amounts = split(self.budget, [proportion for _, proportion in shares])
        return [(sponsor, amount) for (sponsor, _), amount in zip(shares, amounts, strict=True)]

    def giving_back(self, amount: int, now_ns: int) -> "Campaign":
        """
        The same with so much more given back to its sponsors.

        All that went back is shared out as it came in, each time anew: however often, no sponsor's part is a fen off.
        """
        assert 0 < amount <= self.funded - self.given_back
        known = [back for back, _ in self.back] or [0] * len(self.shares)
        wanted = split(self.given_back + amount, [part for _, part in self.parts()])
        least = [max(0, now - was) for now, was in zip(wanted, known, strict=True)]
        # A share of more may be a fen less than a share of less; then somebody else waits for that fen.
        over = sum(least) - amount
        for index in sorted(range(len(least)), key=lambda i: (-least[i], i)):
            taken = min(over, least[index])
            least[index] -= taken
            over -= taken
        backs = [(was + part, part) for was, part in zip(known, least, strict=True)]
        return replace(self, given_back=self.given_back + amount, backs=msgspec.json.encode(backs), changed_ns=now_ns)

    def borne(self, left: int) -> list[int]:
        """What of each sponsor's part is given, with so much left: what would not come back to it if the campaign ended now."""
        if not self.funded:
            return [0] * len(self.shares)
        ended = self.giving_back(left, self.changed_ns) if left else self
        backs = [back for back, _ in ended.back] or [0] * len(self.shares)
        return [part - back for (_, part), back in zip(self.parts(), backs, strict=True)]

    def with_consent(self, who: int, by: int, now_ns: int, *, agrees: bool) -> "Campaign":
        """The same with a sponsor's yes, said `by` a key of its, or without it."""
        kept = [each for each in self.agreements if each.who != who]
        agreements = sorted([*kept, Agreement(who, by, now_ns)] if agrees else kept)
        agreed = msgspec.json.encode([each.written for each in agreements])
        return replace(self, agreed=agreed, changed_ns=now_ns)

    def in_state(self, now_ns: int, *allowed: CampaignState) -> None:
        """Refuses CAMPAIGN_STATE_FORBIDS, CAMPAIGN_OVER."""
        if self.state not in allowed:
            raise Refusal(CampaignReason.CAMPAIGN_STATE_FORBIDS, state=str(self.state))
        if now_ns >= self.ends_ns:
            raise Refusal(CampaignReason.CAMPAIGN_OVER)

    def moved_to(self, state: CampaignState, now_ns: int, reason: str = "") -> "Campaign":
        """The same in another state."""
        return replace(self, state=state.value, reason=reason, changed_ns=now_ns)

    def arm(self, unit: int) -> str:
        """
        In which group this person (or, where nobody knows who pays, this hour of a shop) is: the same for ever.

        The campaign's own salt makes groups of two campaigns independent of each other.
        """
        return HELD_OUT if self.is_held_out(unit) else TREATED

    def is_held_out(self, unit: int) -> bool:
        """Whether this one gets nothing, so that what the others got it for can be seen."""
        drawn = hashlib.blake2b(unit.to_bytes(16, "big"), digest_size=8, key=self.salt).digest()
        return int.from_bytes(drawn) % BPS < self.told.holdout_bps


TREATED, HELD_OUT = "TREATED", "HELD_OUT"
CAMPAIGNS = Table("campaigns", Campaign)


@lru_cache(5_000)
def _terms(raw: bytes) -> CampaignTerms:
    return msgspec.json.decode(raw, type=CampaignTerms)
