"""Template 62: what the merchant adds to a payment, or asks the payer to add; and template 64, names in another script."""

from dataclasses import dataclass
from operator import attrgetter

from hutong.codes import tlv
from hutong.codes.code import CodeReason
from hutong.codes.profile import Profile
from hutong.kernel.errors import Refusal

ASK_PAYER = "***"
"""In place of a value: the wallet asks the payer for it."""

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A field that holds fields, under an identifier that says whose they are (its sub-field 00)."""

    id: str
    guid: str
    fields: Fields = ()  # In the order they came.

    def get(self, id_: str) -> str | None:
        """The value of sub-field `id_`, if there is one."""
        return next((value for known, value in self.fields if known == id_), None)


@dataclass(frozen=True, slots=True)
class AdditionalData:
    """Template 62; a value may be `ASK_PAYER`."""

    bill_number: str | None = None
    mobile_number: str | None = None
    store_label: str | None = None
    loyalty_number: str | None = None
    reference_label: str | None = None
    customer_label: str | None = None
    terminal_label: str | None = None
    purpose: str | None = None
    consumer_data_request: str | None = None  # A address, M mobile number, E email.
    merchant_tax_id: str | None = None
    merchant_channel: str | None = None  # Three letters: medium, place of the transaction, who is there.
    templates: tuple[Template, ...] = ()  # 50-99, of payment systems.
    reserved: Fields = ()  # 12-49, kept as they came.


@dataclass(frozen=True, slots=True)
class LocalNames:
    """Template 64: the merchant in another language."""

    language: str  # ISO 639, two letters.
    name: str
    city: str | None = None
    reserved: Fields = ()


_NAMED_IDS = tuple(f"{number:02d}" for number in range(1, 12))
_named_values = attrgetter(
    "bill_number",
    "mobile_number",
    "store_label",
    "loyalty_number",
    "reference_label",
    "customer_label",
    "terminal_label",
    "purpose",
    "consumer_data_request",
    "merchant_tax_id",
    "merchant_channel",
)
_LENGTH_MAX = {**dict.fromkeys(_NAMED_IDS, 25), "09": 3, "10": 20, "11": 3}
_GUID_LENGTH_MAX = 32


def read_template(id_: str, value: str, profile: Profile) -> Template:
    """The template in `value`. Refuses FIELD_MISSING without an identifier; FIELDS_OUT_OF_ORDER, to canonical."""
    fields = tlv.parse(value)
    guid = fields.get("00")
    if not guid:
        raise Refusal(CodeReason.FIELD_MISSING, id="00", offset=0)
    if len(guid) > _GUID_LENGTH_MAX:
        raise Refusal(CodeReason.FIELD_TOO_LONG, id="00", offset=tlv.offset_of(value, "00"), length_max=32)
    check_fields(value, fields, profile)
    return Template(id_, guid, tuple([item for item in fields.items() if item[0] != "00"]))


def template_text(template: Template) -> str:
    fields = [("00", template.guid), *template.fields]
    return tlv.field(template.id, "".join([tlv.field(id_, value) for id_, value in fields]))


def read_additional_data(value: str, profile: Profile) -> AdditionalData | None:
    """What template 62 holds, nothing if a lenient reader may take it for missing."""
    if not value and profile.lax_templates:
        return None
    fields = tlv.parse(value)
    check_fields(value, fields, profile)
    templates: list[Template] = []
    reserved: list[tuple[str, str]] = []
    for id_, held in fields.items():
        if len(held) > _LENGTH_MAX.get(id_, tlv.VALUE_LENGTH_MAX):
            raise Refusal(
                CodeReason.FIELD_TOO_LONG, id=id_, offset=tlv.offset_of(value, id_), length_max=_LENGTH_MAX[id_]
            )
        if id_ not in _LENGTH_MAX:
            if id_ >= "50":
                templates.append(tlv.nested(value, id_, read_template, id_, held, profile))
            elif id_ == "00":
                raise Refusal(CodeReason.FIELD_ID_MALFORMED, id=id_, offset=tlv.offset_of(value, id_) - 4)
            else:
                reserved.append((id_, held))
    asked = fields.get("09", "")
    if len(set(asked)) != len(asked) or not set(asked) <= {"A", "M", "E"}:
        raise Refusal(CodeReason.FIELD_MALFORMED, id="09", offset=tlv.offset_of(value, "09"))
    get = fields.get
    return AdditionalData(
        bill_number=get("01"),
        mobile_number=get("02"),
        store_label=get("03"),
        loyalty_number=get("04"),
        reference_label=get("05"),
        customer_label=get("06"),
        terminal_label=get("07"),
        purpose=get("08"),
        consumer_data_request=get("09"),
        merchant_tax_id=get("10"),
        merchant_channel=get("11"),
        templates=tuple(templates),
        reserved=tuple(reserved),
    )


def additional_data_text(data: AdditionalData) -> str:
    parts = [
        tlv.field(id_, value) for id_, value in zip(_NAMED_IDS, _named_values(data), strict=True) if value is not None
    ]
    parts += [tlv.field(id_, value) for id_, value in data.reserved]
    parts += [template_text(template) for template in data.templates]
    return tlv.field("62", "".join(parts))


def read_local_names(value: str, profile: Profile) -> LocalNames:
    """What template 64 holds. Refuses FIELD_MISSING without language or name, FIELD_TOO_LONG, FIELD_MALFORMED."""
    fields = tlv.parse(value)
    check_fields(value, fields, profile)
    language, name, city = fields.get("00"), fields.get("01"), fields.get("02")
    if language is None or name is None:
        raise Refusal(CodeReason.FIELD_MISSING, id="00" if language is None else "01", offset=0)
    if len(language) != 2 or not (language.isascii() and language.isalpha()):
        raise Refusal(CodeReason.FIELD_MALFORMED, id="00", offset=tlv.offset_of(value, "00"))
    if len(name) > 25:
        raise Refusal(CodeReason.FIELD_TOO_LONG, id="01", offset=tlv.offset_of(value, "01"), length_max=25)
    if city is not None and len(city) > 15:
        raise Refusal(CodeReason.FIELD_TOO_LONG, id="02", offset=tlv.offset_of(value, "02"), length_max=15)
    return LocalNames(language, name, city, tuple([item for item in fields.items() if item[0] > "02"]))


def local_names_text(names: LocalNames) -> str:
    parts = [tlv.field("00", names.language), tlv.field("01", names.name)]
    if names.city is not None:
        parts.append(tlv.field("02", names.city))
    parts += [tlv.field(id_, value) for id_, value in names.reserved]
    return tlv.field("64", "".join(parts))


def check_fields(value: str, fields: dict[str, str], profile: Profile) -> None:
    """Refuses an empty field (FIELD_EMPTY), an empty template (FIELD_MISSING), and to canonical disorder."""
    if not fields:
        raise Refusal(CodeReason.FIELD_MISSING, offset=0)
    if "" in fields.values():
        id_ = next(id_ for id_, held in fields.items() if not held)
        raise Refusal(CodeReason.FIELD_EMPTY, id=id_, offset=tlv.offset_of(value, id_))
    if profile.ascending:
        ids = list(fields)
        if ids != sorted(ids):
            raise Refusal(CodeReason.FIELDS_OUT_OF_ORDER, offset=0)
