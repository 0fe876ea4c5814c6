"""What the API of people takes and shows. Instants are milliseconds since 1970 UTC, amounts minor units."""

import base64
from enum import Enum
from typing import Annotated

import msgspec

from hutong.institution.people.device import Device
from hutong.institution.people.one_time_code import PAUSE_NS, OneTimeCode
from hutong.institution.people.payment_code import PaymentCodeKeys
from hutong.institution.people.personal_code import PersonalCode
from hutong.institution.people.phone import masked_phone
from hutong.institution.people.signed_in import SignedIn
from hutong.institution.people.tokens import PIN_TOKEN_LIFE_NS
from hutong.institution.people.user import Evidence, User
from hutong.kernel.clock import NS_PER_MS, NS_PER_S
from hutong.kernel.ids import id_text

USER_PREFIX = "usr"
DEVICE_PREFIX = "dev"
PERSONAL_CODE_PREFIX = "pco"
PAYMENT_PREFIX = "pay"

PhoneText = Annotated[
    str,
    msgspec.Meta(max_length=20, description="E.164, or a Chinese mobile number alone", examples=["+8613800138000"]),
]
PinText = Annotated[
    str, msgspec.Meta(max_length=12, description="Six digits, none a thief would try", examples=["483915"])
]
CodeText = Annotated[str, msgspec.Meta(max_length=12, description="The six digits that were sent", examples=["204881"])]
PersonName = Annotated[str, msgspec.Meta(max_length=200, examples=["王小明"])]
DeviceName = Annotated[str, msgspec.Meta(max_length=200, examples=["小明的手机"])]
Why = Annotated[str, msgspec.Meta(max_length=200, examples=["phone lost"])]
DeviceIdText = Annotated[
    str,
    msgspec.Meta(
        max_length=40,
        description="`dev_` and 26 letters: a ULID the phone mints once and keeps",
        examples=["dev_01JZ8Q5V7XN8E2M4T9B3K6C0D1"],
    ),
]
Minor = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1, examples=[1200])]
CurrencyText = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", examples=["CNY"])]


class CodePurpose(Enum):
    """What a user's code is good for."""

    SIGN_IN = "SIGN_IN"
    PIN_RESET = "PIN_RESET"


class RequestCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a one-time code is to be sent, and what for."""

    phone: PhoneText
    purpose: CodePurpose = CodePurpose.SIGN_IN


class CodeSent(msgspec.Struct, frozen=True):
    """A code is on its way. The answer is the same whoever has the number."""

    expires_at_ms: int
    another_from_ms: int  # From then on another may be asked for.


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new user. The same phone and `registration_id` again is the same registration."""

    phone: PhoneText
    name: PersonName
    code: CodeText
    registration_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["r-7f3a"])]
    device_id: DeviceIdText
    device_name: DeviceName
    invitation: Annotated[
        str,
        msgspec.Meta(
            max_length=200, description="The code, or link, of who invited; one that leads nowhere does no harm"
        ),
    ] = ""


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A session on a device; one that is not known yet is registered.

    By `code` alone; or by `pin`, which a device that is not the user's already needs a `code` beside.
    """

    phone: PhoneText
    device_id: DeviceIdText
    device_name: DeviceName
    code: CodeText | None = None
    pin: PinText | None = None


class UserView(msgspec.Struct, frozen=True):
    """A user, as the user and the operator see it."""

    id: str
    phone: str
    name: str
    tier: int
    evidence: str
    frozen_by_operator: bool
    frozen_by_user: bool
    closed: bool


class OperatorUserView(UserView, frozen=True):
    """A user, as the operator sees it: with the last reason for a change, and who made it."""

    why: str
    changed_at_ms: int


class SignedInView(msgspec.Struct, frozen=True):
    """A session just begun. The token is told this once; it goes into `Authorization: Bearer …`."""

    token: str
    expires_at_ms: int
    device_id: str
    user: UserView


class DeviceView(msgspec.Struct, frozen=True):
    """A device; `is_this` is the one that asks."""

    id: str
    name: str
    state: str
    is_this: bool


class SetPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first PIN."""

    pin: PinText

    def __repr__(self) -> str:
        return "SetPin(...)"


class ChangePin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another PIN, for who knows the old one."""

    pin: PinText
    new_pin: PinText

    def __repr__(self) -> str:
        return "ChangePin(...)"


class ResetPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another PIN, for who holds the telephone: with a code sent for `PIN_RESET`."""

    code: CodeText
    new_pin: PinText

    def __repr__(self) -> str:
        return "ResetPin(...)"


class AskPinToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the PIN is typed for: exactly this payment, of this amount, to whom the consult's answer names."""

    pin: PinText
    payment_id: Annotated[
        str, msgspec.Meta(max_length=40, description="As it will be sent", examples=["pay_01JZ8Q5V7XN8E2M4T9B3K6C0D1"])
    ]
    amount: Minor
    creditor: Annotated[str, msgspec.Meta(max_length=200, description="`creditor` of the consult's answer")]

    def __repr__(self) -> str:
        return "AskPinToken(...)"


class PinTokenView(msgspec.Struct, frozen=True):
    """Goes into the payment as `pin_token`."""

    token: str
    expires_in_s: int


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why; it is kept with the change."""

    why: Why


class Unfreeze(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The PIN shows that it is the user who lifts the freeze, not whoever has the phone."""

    why: Why
    pin: PinText

    def __repr__(self) -> str:
        return "Unfreeze(...)"


class Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The PIN shows that it is the user who closes the wallet."""

    pin: PinText

    def __repr__(self) -> str:
        return "Close(...)"


class TierText(Enum):
    """Real-name tiers."""

    I = "I"  # noqa: E741  # Its name in the rules.
    II = "II"
    III = "III"


class RaiseTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known now, and the name the evidence gives."""

    tier: TierText
    evidence: Evidence
    name: PersonName


class MakePersonalCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plate to be paid by. Without an amount the payer says how much."""

    id: Annotated[
        str,
        msgspec.Meta(
            max_length=40,
            description="`pco_` and 26 letters, minted by the caller",
            examples=["pco_01JZ8Q5V7XN8E2M4T9B3K6C0D1"],
        ),
    ]
    amount: Minor = 0
    currency: CurrencyText = "CNY"
    remark: Annotated[str, msgspec.Meta(max_length=200, examples=["AA 火锅"])] = ""


class PersonalCodeView(msgspec.Struct, frozen=True):
    """A personal code; `text` is what its picture says."""

    id: str
    text: str
    amount: int
    currency: str
    remark: str
    active: bool


class PaymentCodeKeysView(msgspec.Struct, frozen=True):
    """
    What this phone makes payment codes from until the day is over: see `docs/scheme/code-formats.md`.

    The seed is the phone's own secret: keep it where other apps cannot read.
    """

    head_today: str
    head_tomorrow: str
    today_ends_at_ms: int
    seed: str  # Base64.
    now_ms: int  # Our clock, for a phone whose own is wrong.

    def __repr__(self) -> str:
        return "PaymentCodeKeysView(...)"


class BindForeignCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number on a card or in another wallet that is the user's own."""

    digits: Annotated[str, msgspec.Meta(max_length=40, examples=["28610123456789012345"])]


class ForeignCodeView(msgspec.Struct, frozen=True):
    """A number that leads to the user, who is asked for the PIN whenever it is shown."""

    digits: str
    active: bool


def code_sent(sent: OneTimeCode) -> CodeSent:
    return CodeSent(sent.expires_ns // NS_PER_MS, (sent.sent_ns + PAUSE_NS) // NS_PER_MS)


def user_view(user: User) -> UserView:
    return UserView(
        id=id_text(USER_PREFIX, user.id),
        phone=masked_phone(user.phone),
        name=user.name,
        tier=user.tier,
        evidence=user.evidence,
        frozen_by_operator=user.frozen_by_operator,
        frozen_by_user=user.frozen_by_user,
        closed=user.closed,
    )


def operator_user_view(user: User) -> OperatorUserView:
    shown = msgspec.structs.asdict(user_view(user)) | {"phone": user.phone}
    return OperatorUserView(**shown, why=user.why, changed_at_ms=user.changed_ns // NS_PER_MS)


def signed_in_view(signed_in: SignedIn) -> SignedInView:
    return SignedInView(
        token=signed_in.token,
        expires_at_ms=signed_in.expires_ns // NS_PER_MS,
        device_id=id_text(DEVICE_PREFIX, signed_in.device_id),
        user=user_view(signed_in.user),
    )


def device_view(device: Device, this_id: int) -> DeviceView:
    return DeviceView(id_text(DEVICE_PREFIX, device.id), device.name, device.state, device.id == this_id)


def pin_token_view(token: str) -> PinTokenView:
    return PinTokenView(token, PIN_TOKEN_LIFE_NS // NS_PER_S)


def personal_code_view(code: PersonalCode, text: str) -> PersonalCodeView:
    return PersonalCodeView(
        id=id_text(PERSONAL_CODE_PREFIX, code.id),
        text=text,
        amount=code.amount,
        currency=code.currency,
        remark=code.remark,
        active=code.active,
    )


def payment_code_keys_view(keys: PaymentCodeKeys, now_ns: int) -> PaymentCodeKeysView:
    return PaymentCodeKeysView(
        head_today=keys.head_today,
        head_tomorrow=keys.head_tomorrow,
        today_ends_at_ms=keys.today_ends_ns // NS_PER_MS,
        seed=base64.b64encode(keys.seed).decode(),
        now_ms=now_ns // NS_PER_MS,
    )
