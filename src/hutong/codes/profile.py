"""How exactly a merchant-presented code must follow the specification: three named profiles, and no other switches."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """What is asked of a code beyond sound TLV, a right CRC and an amount that its currency can count."""

    name: str
    ascending: bool  # Ids in ascending order (63 last), in templates too.
    canonical_values: bool  # One spelling for each value: 10.50, not 10.5 or 010.50.
    required: tuple[str, ...]  # Ids that must be there, besides an account, the currency and the country.
    versions: frozenset[str]  # What field 00 may say.
    lower_case_crc: bool
    ascii_only: bool  # Outside the language template 64.
    lax_templates: bool  # 62 may be empty, and 80-99 hold anything.
    length_max: int  # Characters of the whole code.


_MERCHANT = ("52", "59", "60")

CANONICAL = Profile(
    name="canonical",
    ascending=True,
    canonical_values=True,
    required=_MERCHANT,
    versions=frozenset({"01"}),
    lower_case_crc=False,
    ascii_only=True,
    lax_templates=False,
    length_max=512,
)
"""What we issue: one text for one meaning."""

STRICT = Profile(
    name="strict",
    ascending=False,  # The specification's own sample is not.
    canonical_values=False,
    required=_MERCHANT,
    versions=frozenset({"01"}),
    lower_case_crc=False,
    ascii_only=True,
    lax_templates=False,
    length_max=512,
)
"""What the specification allows."""

LENIENT = Profile(
    name="lenient",
    ascending=False,
    canonical_values=False,
    required=(),  # VietQR and PromptPay leave out names, and often the MCC.
    versions=frozenset({"01", "02"}),
    lower_case_crc=True,
    ascii_only=False,
    lax_templates=True,
    length_max=1024,
)
"""What is found in the field, and is unambiguous all the same."""
