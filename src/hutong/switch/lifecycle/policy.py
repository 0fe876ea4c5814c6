"""What the scheme asks of who wants to take part, and of who wants to leave: as one frozen value."""

from dataclasses import dataclass

KIT_VERSION = "1"  # Of the conformance kit's cases.
_DAY_S = 86_400

# Every case of the kit for a participant but those that take minutes; a test holds them to the kit.
_MANDATORY = """
PC-STATIC PC-DYNAMIC PC-CONSULT-AGAIN PC-CONSULT-AMOUNT PC-NOBODYS PC-PAID PC-DYNAMIC-PAID PC-STATIC-TWICE PC-REPEATED PC-REJECTED
PC-COMPLETED-STAYS PC-TOMBSTONE PC-AMOUNT PC-TRADE PC-SUM PC-NOBODY PC-FEES PC-PENDING PC-FORGED PC-ASKS PC-SAME-ID
PC-BATCH PC-CRASH PC-TAIL
PD-CODE PD-FIELDS PD-FEES PD-OPEN-AMOUNT PD-CONSULT-AMOUNT PD-REFUSED-CODE PD-COMPLETED PD-REJECTED PD-UNKNOWN-REASON PD-PENDING
PD-FORGED PD-STATUS PD-ASKS PD-POOR PD-CRASH PD-OVERTAKEN
PE-GOOD PE-NAMES PE-MISSING PE-SPELLING PE-VERSION PE-RECIPIENT PE-SENDER PE-KEY PE-ENDED PE-SIGNED PE-STALE PE-REPLAY
PE-NONCE-KEPT PE-BODY PE-MESSAGE PE-AMOUNTS PE-UNKNOWN-FIELDS PE-SIZE PE-BATCH PE-TWO-KEYS PE-AGAIN PE-SPOILT
PR-BACK PR-OVER PR-REJECTED PR-SHARES PR-SUM PR-UNKNOWN PR-EARLY PR-TOMBSTONE PR-BACK-ASKS PR-REFUND PR-REFUND-SHARES
PR-REFUND-OVER PR-REFUND-ASKS
PF-ANSWER PF-OVER PF-UNKNOWN PS-ENTRY PS-EARLY
PX-ALL
"""
# Of who takes complaints, of whose people may be asked for holds, and of who says what kind of merchant is paid: nobody must.
_MERCHANTS = "PC-MERCHANT PD-MERCHANT"
_COMPLAINTS, _HOLDS = "PK-OPEN PK-ANSWER PK-TOLD PK-UNKNOWN PK-PICTURE", "PH-HELD PH-TAKE PH-RELEASE PH-NAME"
OPTIONAL = frozenset({*_COMPLAINTS.split(), *_HOLDS.split(), *_MERCHANTS.split()})
# Of who shows payment codes, and takes them at its tills.
_PAYMENT_CODES = "PQ-AGREED PQ-DISCOUNT PQ-AGAIN PQ-ONCE PQ-WRONG PQ-EXPIRED PQ-CHARGE PQ-CHARGE-DISCOUNT PQ-CHARGE-AGAIN PQ-CHARGE-NO"


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """
    Which cases are mandatory, and how old papers may be.

    `kit_keys` are the public keys (hexadecimal) of the kits whose reports count; none: any kit's, and its key is on record.
    """

    mandatory: frozenset[str] = frozenset(_MANDATORY.split())
    mandatory_payment_codes: frozenset[str] = frozenset(_PAYMENT_CODES.split())  # Of who applies for `digits:` forms.
    kit_version: str = KIT_VERSION
    kit_keys: frozenset[str] = frozenset()
    report_age_max_s: int = 30 * _DAY_S
    application_age_max_s: int = 90 * _DAY_S
    returns_after_leaving_s: int = 30 * _DAY_S  # For so long what was paid may still be given back.

    def mandatory_for(self, forms: tuple[str, ...]) -> frozenset[str]:
        """What an applicant for these code forms has to have passed."""
        asked = any(form.startswith("digits:") for form in forms)
        return self.mandatory | (self.mandatory_payment_codes if asked else frozenset())
