"""How campaigns, sponsors and awards look over HTTP. Amounts are integers of minor units (fen)."""

from typing import Annotated, Any, Literal

import msgspec

from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.campaigns.award import AWARD_PREFIX, MERCHANT_SAID, Award
from hutong.marketing.campaigns.campaign import (
    CAMPAIGN_PREFIX,
    Agreement,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignTerms,
    Side,
)
from hutong.marketing.campaigns.reasons import CampaignReason
from hutong.marketing.campaigns.sponsor import SPONSOR_PREFIX, Sponsor, SponsorKind, SponsorProfile, merchant_sponsor_id
from hutong.marketing.campaigns.sponsor_key import KEY_PREFIX
from hutong.marketing.campaigns.trait import WORD_LENGTH_MAX, WORDS_MAX_SHARED

USER_PREFIX = "usr"
PAYMENT_PREFIX = "pay"
DEPOSIT_PREFIX = "dep"
Moment = Annotated[
    int, msgspec.Meta(ge=0, le=9_000_000_000_000, description="Milliseconds since 1970.", examples=[1_798_732_800_000])
]
Begin = Annotated[
    int,
    msgspec.Meta(
        ge=0,
        le=9_000_000_000_000,
        description="Milliseconds since 1970; 0: as soon as it is started.",
        examples=[1_798_128_000_000],
    ),
]
Minor = Annotated[int, msgspec.Meta(ge=1, le=2**62, examples=[3_000_000])]
CampaignId = Annotated[
    str,
    msgspec.Meta(
        description="Your own id of it: `cmp_` and 26 letters of a ULID, kept before the first try.",
        examples=["cmp_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"],
    ),
]
SponsorId = Annotated[str, msgspec.Meta(examples=["spn_01JD3V7M8Y5ZK2Q4R6T8W0X1B0"])]
DepositId = Annotated[
    str,
    msgspec.Meta(
        description="Your own id of it: `dep_` and 26 letters of a ULID.", examples=["dep_01JD3V7M8Y5ZK2Q4R6T8W0X1C0"]
    ),
]
CampaignName = Annotated[str, msgspec.Meta(description="As payers are shown it.", examples=["满十减二"])]
_RULES = {"rows": [{"why": "breakfast", "when": {"amount": ">= 1000", "hour": "[6..10)"}, "off": 200}]}
Terms = Annotated[
    CampaignTerms,
    msgspec.Meta(examples=[{"rules": _RULES, "caps": {"day": 1_000_000, "times_day": 1}, "holdout_bps": 500}]),
]

# Whoever shows a price does not know yet who pays, so a merchant's own caps nobody.
OwnTerms = Annotated[
    CampaignTerms, msgspec.Meta(examples=[{"rules": _RULES, "caps": {"day": 1_000_000}, "holdout_bps": 500}])
]


class RegisterSponsor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who pays in from outside. `reference` is your own number for it."""

    reference: Annotated[str, msgspec.Meta(examples=["city-2026"])]
    kind: Annotated[SponsorKind, msgspec.Meta(examples=["OUTSIDE"])]
    name: Annotated[str, msgspec.Meta(description="As payers may see it.", examples=["城市消费节"])]

    def profile(self) -> SponsorProfile:
        """What the service takes."""
        return SponsorProfile(reference=self.reference, kind=self.kind, name=self.name)


class SponsorView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sponsor, and what is in its budget and in no campaign."""

    sponsor_id: str
    kind: str
    reference: str = ""
    name: str
    merchant_id: str = ""
    balance: int


class Deposit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money for a budget, or back. The same id again changes nothing."""

    deposit_id: DepositId
    amount: Minor


class DepositView(msgspec.Struct, frozen=True, kw_only=True):
    """What was moved, and what the budget has now."""

    deposit_id: str
    amount: int
    balance: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A sponsor and its proportion of the budget."""

    sponsor_id: SponsorId
    proportion: int = 1


class ShareBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sponsor and its proportion of the budget. `merchant_id` in place of `sponsor_id`: a merchant, which has to agree."""

    sponsor_id: SponsorId = ""
    merchant_id: Annotated[str, msgspec.Meta(examples=[""])] = ""
    proportion: Annotated[int, msgspec.Meta(ge=1, le=1_000_000, examples=[2])] = 1

    @property
    def sponsor(self) -> int:
        """Whose id that is. Refuses ID_MALFORMED; CAMPAIGN_TERMS_UNSOUND where both are named."""
        if self.merchant_id and self.sponsor_id:
            raise Refusal(CampaignReason.CAMPAIGN_TERMS_UNSOUND, field="sponsors")
        if self.merchant_id:
            return merchant_sponsor_id(parse_id(MERCHANT_PREFIX, self.merchant_id))
        return parse_id(SPONSOR_PREFIX, self.sponsor_id)


class DraftCampaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign of the operator's. `starts_at_ms` 0: as soon as it is started."""

    campaign_id: CampaignId
    name: CampaignName
    kind: Annotated[CampaignKind, msgspec.Meta(examples=["DISCOUNT"])] = CampaignKind.DISCOUNT
    side: Annotated[Side, msgspec.Meta(examples=["PAYER"])] = Side.PAYER
    sponsors: Annotated[
        list[ShareBody], msgspec.Meta(examples=[[{"sponsor_id": "spn_01JD3V7M8Y5ZK2Q4R6T8W0X1B0", "proportion": 1}]])
    ]
    budget: Minor
    terms: Terms
    starts_at_ms: Begin = 0
    ends_at_ms: Moment

    def draft(self) -> CampaignDraft:
        """What the service takes."""
        return CampaignDraft(
            id=parse_id(CAMPAIGN_PREFIX, self.campaign_id),
            name=self.name,
            kind=self.kind,
            side=self.side,
            sponsors=[(each.sponsor, each.proportion) for each in self.sponsors],
            budget=self.budget,
            terms=self.terms,
            starts_ns=self.starts_at_ms * NS_PER_MS,
            ends_ns=self.ends_at_ms * NS_PER_MS,
        )


class DraftOwnCampaign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    A merchant's own campaign: at its own shops, from its own budget.

    `DISCOUNT`: for whoever pays, from any wallet. `COUPON`: for people of this institution, who claim what templates of it give.
    """

    campaign_id: CampaignId
    name: CampaignName
    kind: Annotated[Literal["DISCOUNT", "COUPON"], msgspec.Meta(examples=["DISCOUNT"])] = "DISCOUNT"
    budget: Minor
    terms: OwnTerms
    starts_at_ms: Begin = 0
    ends_at_ms: Moment

    def draft(self, merchant_id: int, sponsor_id: int) -> CampaignDraft:
        """What the service takes."""
        return CampaignDraft(
            id=parse_id(CAMPAIGN_PREFIX, self.campaign_id),
            name=self.name,
            kind=CampaignKind(self.kind),
            side=Side.PAYEE if self.kind == CampaignKind.DISCOUNT else Side.PAYER,
            sponsors=[(sponsor_id, 1)],
            budget=self.budget,
            terms=self.terms,
            starts_ns=self.starts_at_ms * NS_PER_MS,
            ends_ns=self.ends_at_ms * NS_PER_MS,
            merchant_id=merchant_id,
        )


class AgreedView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a merchant or sponsor agreed to pay its part: when, and by which key where it is no merchant."""

    who: str
    at_ms: int = 0
    key_id: str = ""


class CampaignView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A campaign as it is. `given` is what payments and rewards have of it, less what came back."""

    campaign_id: str
    merchant_id: str = ""
    name: str
    kind: str
    side: str
    state: str
    reason: str = ""
    sponsors: list[Share]
    waits_for: list[
        str
    ] = []  # Who is asked to pay a part, and has not agreed to its terms: merchants, or sponsors with a key.
    agreed: list[AgreedView] = []  # Of those that are asked, who has.
    budget: int
    funded: int
    given: int
    given_times: int
    left: int
    given_back: int
    version: int
    terms: CampaignTerms
    starts_at_ms: int
    ends_at_ms: int
    created_at_ms: int
    changed_at_ms: int


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """Terms as they stood from a moment on, until the next version's: what the `version` and `row` of an award mean."""

    version: int
    since_ms: int
    terms: CampaignTerms


class ProgrammeView(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign of others that merchants join: what it gives is theirs to read before they do."""

    campaign_id: str
    name: str
    side: str
    state: str
    joined: bool
    merchants: int
    terms: CampaignTerms
    starts_at_ms: int
    ends_at_ms: int


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that a person may meet."""

    campaign_id: str
    name: str
    kind: str
    terms: CampaignTerms
    ends_at_ms: int


class AwardView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a campaign gave a payment or a person, by which row of which version of its rules."""

    award_id: str
    campaign_id: str
    kind: str
    state: str
    reason: str = ""
    person_id: str = ""
    payment_id: str = ""
    source: str
    amount: int
    returned: int = 0
    row: int = 0
    version: int
    facts: dict[str, Any] = {}
    created_at_ms: int
    decided_at_ms: int = 0


class AwardPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some versions of a campaign's awards, the newest first. `next_cursor` is empty on the last page."""

    awards: list[AwardView]
    next_cursor: str


class TraitsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that rules may ask for: all that hold from now on."""

    words: Annotated[list[str], msgspec.Meta(max_length=50, examples=[["student", "north"]])]


class SegmentsBody(TraitsBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same of a person, and the city where they live; empty: nobody says."""

    home_city: Annotated[str, msgspec.Meta(max_length=WORD_LENGTH_MAX, examples=["上海"])] = ""


class TagsBody(TraitsBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same of a merchant. `shared`: those that other institutions are told, for their rules; `small` they are told anyway."""

    shared: Annotated[list[str], msgspec.Meta(max_length=WORDS_MAX_SHARED, examples=[["north"]])] = []


class TraitsView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The same, as kept."""

    words: list[str]
    home_city: str = ""
    shared: list[str] = []


def sponsor_view(sponsor: Sponsor, balance: int) -> SponsorView:
    """A sponsor, to be shown."""
    return SponsorView(
        sponsor_id=id_text(SPONSOR_PREFIX, sponsor.id),
        kind=sponsor.kind,
        reference=sponsor.reference,
        name=sponsor.name,
        merchant_id=_text(MERCHANT_PREFIX, sponsor.merchant_id),
        balance=balance,
    )


def who_text(sponsor: Sponsor) -> str:
    """Whose word a campaign waits for."""
    return _text(MERCHANT_PREFIX, sponsor.merchant_id) or id_text(SPONSOR_PREFIX, sponsor.id)


def agreed_view(sponsor: Sponsor, agreement: Agreement) -> AgreedView:
    """An agreement, to be shown."""
    key_id = "" if sponsor.merchant_id or not agreement.by else id_text(KEY_PREFIX, agreement.by)
    return AgreedView(who=who_text(sponsor), at_ms=agreement.at_ns // NS_PER_MS, key_id=key_id)


def campaign_view(
    campaign: Campaign, given: int, times: int, waits_for: list[str], agreed: list[AgreedView]
) -> CampaignView:
    """A campaign, to be shown."""
    return CampaignView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        merchant_id=_text(MERCHANT_PREFIX, campaign.merchant_id),
        name=campaign.name,
        kind=campaign.kind,
        side=campaign.side,
        state=campaign.state,
        reason=campaign.reason,
        sponsors=[
            Share(sponsor_id=id_text(SPONSOR_PREFIX, sponsor_id), proportion=proportion)
            for sponsor_id, proportion in campaign.shares
        ],
        waits_for=waits_for,
        agreed=agreed,
        budget=campaign.budget,
        funded=campaign.funded,
        given=given,
        given_times=times,
        left=campaign.funded - campaign.given_back - given,
        given_back=campaign.given_back,
        version=campaign.version,
        terms=campaign.told,
        starts_at_ms=campaign.starts_ns // NS_PER_MS,
        ends_at_ms=campaign.ends_ns // NS_PER_MS,
        created_at_ms=campaign.created_ns // NS_PER_MS,
        changed_at_ms=campaign.changed_ns // NS_PER_MS,
    )


def version_view(campaign: Campaign) -> VersionView:
    """A version of a campaign's terms, to be shown."""
    return VersionView(version=campaign.version, since_ms=campaign.changed_ns // NS_PER_MS, terms=campaign.told)


def programme_view(campaign: Campaign, merchants: int, *, joined: bool) -> ProgrammeView:
    """A programme, to be shown to a merchant."""
    return ProgrammeView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        name=campaign.name,
        side=campaign.side,
        state=campaign.state,
        joined=joined,
        merchants=merchants,
        terms=campaign.told,
        starts_at_ms=campaign.starts_ns // NS_PER_MS,
        ends_at_ms=campaign.ends_ns // NS_PER_MS,
    )


def offer_view(campaign: Campaign) -> OfferView:
    """A campaign, to be shown to a person."""
    return OfferView(
        campaign_id=id_text(CAMPAIGN_PREFIX, campaign.id),
        name=campaign.name,
        kind=campaign.kind,
        terms=campaign.told,
        ends_at_ms=campaign.ends_ns // NS_PER_MS,
    )


def award_view(award: Award, *, with_words: bool = False) -> AwardView:
    """An award, to be shown; with what another institution said of its merchant, to operators alone."""
    return AwardView(
        award_id=id_text(AWARD_PREFIX, award.id),
        campaign_id=id_text(CAMPAIGN_PREFIX, award.campaign_id),
        kind=award.kind,
        state=award.state,
        reason=award.reason,
        person_id=_text(USER_PREFIX, award.person_id),
        payment_id=_text(PAYMENT_PREFIX, award.paid_id),
        source=award.source,
        amount=award.amount,
        returned=award.returned,
        row=award.row,
        version=award.version,
        facts={name: fact for name, fact in award.told.items() if name != MERCHANT_SAID or with_words},
        created_at_ms=award.created_ns // NS_PER_MS,
        decided_at_ms=award.decided_ns // NS_PER_MS,
    )


def _text(prefix: str, id_: int) -> str:
    return id_text(prefix, id_) if id_ else ""
