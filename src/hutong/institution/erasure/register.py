"""The register of personal data: every table that tells of a person, by which column, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Holding:
    """
    Rows of a table whose `column` is the person's id.

    `blanked` are columns and what they hold behind an erasure; with `deleted` the rows go. `secret` columns are no part of
    what the person is given a copy of: they are ours, or worth stealing.
    """

    table: str
    column: str = "user_id"
    blanked: Mapping[str, Any] = field(default_factory=dict)
    deleted: bool = False
    scanned: bool = False  # No index leads there: for an operator, who asks seldom.
    secret: frozenset[str] = frozenset()


_NAMELESS = {"name": ""}

# Amounts, instants, ids and outcomes stay: they are the books. Remarks go: people write anything into them.
REGISTER = (
    Holding("users", "id", {"phone": "", "name": "", "registration_id": "", "why": ""}),
    Holding("pins", blanked={"hash": ""}, secret=frozenset({"hash"})),
    Holding("devices", blanked={"name": "", "seed_sealed": b""}, secret=frozenset({"seed_sealed"})),
    Holding("sessions", secret=frozenset({"id"})),
    Holding("personal_codes", blanked={"remark": ""}),
    Holding("foreign_codes", deleted=True),
    Holding("payments", blanked={"debtor_name": "", "remark": ""}, scanned=True),
    Holding(
        "payments",
        "payee_user_id",
        {"payee_name": ""},
        secret=frozenset({"user_id", "account", "debtor_name"}),
        scanned=True,
    ),
    Holding("receipts", blanked={"remark": ""}, scanned=True),
    Holding("refunds", "payer_user_id", scanned=True),
    Holding("returns", blanked={"payee_name": "", "remark": ""}, scanned=True),
    Holding("spending"),
    Holding("requests_to_pay", scanned=True),
    Holding("payment_requests", scanned=True),
    Holding("mandates", blanked=_NAMELESS),
    Holding(
        "bank_accounts",
        blanked={"name": "", "mandate": "", "code": "", "mark": 0},
        secret=frozenset({"mandate", "mark"}),
    ),
    Holding("top_ups", scanned=True),
    Holding(
        "gateway_agreements",
        blanked={"shown": "", "mandate": "", "facts": b"{}"},
        secret=frozenset({"mandate", "facts", "content", "account_id", "payee_id"}),
    ),
    Holding("recalls", blanked={"remark": ""}, scanned=True),
    Holding("disputes", blanked={"remark": "", "stance_remark": ""}, scanned=True),
    Holding("grievances", blanked={"contact": "", "act_text": "", "act_pictures": "", "payee_name": ""}),
    Holding("grievance_turns", blanked={"text": "", "pictures": ""}, scanned=True),
    Holding("complaints", blanked={"contact": ""}, secret=frozenset({"owner"}), scanned=True),
    Holding("complaint_turns", blanked={"text": "", "pictures": ""}, secret=frozenset({"author"}), scanned=True),
    Holding("complaint_pictures"),
    Holding(
        "complaint_picture_parts", deleted=True, secret=frozenset({"content"})
    ),  # Each can be had where it was said.
    Holding(
        "gateway_preauths",
        blanked={"facts": b"{}"},
        secret=frozenset({"facts", "content", "account_id", "payee_id"}),
    ),
    Holding("holds", blanked={"debtor_name": "", "title": ""}, secret=frozenset({"token"})),
    Holding(
        "parking_entries",
        blanked={"facts": b"{}"},
        secret=frozenset({"content", "account_id", "payee_id"}),
        scanned=True,
    ),
    Holding("person_transfers", blanked={"payee": "", "remark": ""}, scanned=True),
    Holding(
        "red_packets",
        "sender_id",
        {"sender_name": "", "greeting": "", "to_name": ""},
        secret=frozenset({"seed", "link_key", "to_user_id", "to_code_id"}),
    ),
    Holding("red_packet_claims", blanked={"name": ""}, secret=frozenset({"claimant_key"})),
    Holding("red_packet_foreign_claims", blanked={"link": "", "sender_name": "", "greeting": ""}),
    Holding("split_receivers", blanked={"account": "", "custom_relation": ""}, scanned=True),
    Holding("invitations", "inviter_id", scanned=True),
    Holding(
        "referrals",
        "inviter_id",
        {"appeal": ""},
        secret=frozenset({"friend_id", "place_key", "score", "evidence", "payment_id", "merchant", "paid"}),
    ),
    Holding(
        "referrals",
        "friend_id",
        {"place_key": 0},
        scanned=True,
        secret=frozenset({"inviter_id", "score", "evidence", "appeal", "remark"}),
    ),
    Holding("coupons", "person_id", secret=frozenset({"given_by"})),
    Holding("coupon_claims", "person_id"),
    Holding("awards", "person_id", secret=frozenset({"facts"})),
    Holding("cash_prizes", "person_id", secret=frozenset({"account_id", "person_key"})),
    Holding("campaign_exposures", "unit_id"),
    Holding("draw_phrases", "person_id", deleted=True),
    Holding("marketing_traits", "id", {"words": b"[]", "home_city": "", "shared": b"[]"}),
    Holding("events", "owner_id"),  # Their texts lose every name: see `Notices.forget_names`.
)
