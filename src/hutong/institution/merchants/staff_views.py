"""What the API takes and shows of a merchant's staff."""

from typing import Annotated

import msgspec
from msgspec import Meta

from hutong.institution.merchants.staff import IDLE_NS, MEMBER_PREFIX, SignedInStaff, StaffMember, StaffState
from hutong.institution.merchants.staff_key import Role
from hutong.institution.merchants.views import MERCHANT_PREFIX, AtMs, MerchantId, ShopId, shop_text
from hutong.institution.people.views import DeviceIdText, PhoneText, PinText
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text

MemberId = Annotated[str, Meta(examples=["mem_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"])]
CallersStaffId = Annotated[
    str,
    Meta(
        description="Your own id of the member, of at most 64 characters: the same again is the same member.",
        examples=["cashier-li"],
    ),
]
MemberName = Annotated[str, Meta(description="Of at most 40 characters.", examples=["李娜"])]
OneTimeCodeText = Annotated[str, Meta(description="What was texted to the telephone.", examples=["204881"])]


class Appoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An owner of a merchant, invited by the institution's operator."""

    staff_id: CallersStaffId
    name: MemberName
    phone: PhoneText


class Invite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be of the staff."""

    staff_id: CallersStaffId
    name: MemberName
    phone: PhoneText
    role: Role
    shop_id: ShopId = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's role and shop from now on."""

    role: Role
    shop_id: ShopId = ""


class RequestStaffCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a one-time code is to be sent. `for_pin`: to choose a PIN; else to sign in on a new device."""

    phone: PhoneText
    for_pin: bool = False


class SetStaffPin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The PIN of whoever holds the telephone, from now on."""

    phone: PhoneText
    code: OneTimeCodeText
    pin: PinText
    device_id: DeviceIdText


class StaffSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody at a till or a console."""

    phone: PhoneText
    pin: PinText
    device_id: DeviceIdText
    code: Annotated[str, Meta(description="Needed on a device that this telephone's holder has not used before.")] = ""
    member_id: Annotated[
        str, Meta(description="For who is staff of several merchants: as which. Default: the first.")
    ] = ""


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as it is now."""

    member_id: MemberId
    merchant_id: MerchantId
    shop_id: ShopId
    name: str
    phone: str
    role: Role
    state: Annotated[StaffState, Meta(description="INVITED until a PIN is chosen; REVOKED is final.")]
    created_at_ms: AtMs
    changed_at_ms: AtMs


class StaffSessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session just begun."""

    token: Annotated[
        str,
        Meta(
            description="Told this once. `Authorization: Bearer stf_…`, also where a staff key is taken.",
            examples=["stf_x7Q…"],
        ),
    ]
    staff: StaffView
    workplaces: Annotated[list[StaffView], Meta(description="Everything the telephone's holder is; one may `choose`.")]
    idle_s: Annotated[int, Meta(description="The session ends when nobody uses it for so long.")]


def staff_view(member: StaffMember) -> StaffView:
    return StaffView(
        member_id=id_text(MEMBER_PREFIX, member.id),
        merchant_id=id_text(MERCHANT_PREFIX, member.merchant_id),
        shop_id=shop_text(member.shop_id),
        name=member.name,
        phone=member.phone,
        role=Role(member.role),
        state=StaffState(member.state),
        created_at_ms=member.created_ns // NS_PER_MS,
        changed_at_ms=member.changed_ns // NS_PER_MS,
    )


def session_view(who: SignedInStaff, token: str, workplaces: list[StaffMember]) -> StaffSessionView:
    return StaffSessionView(
        token=token,
        staff=staff_view(who.member),
        workplaces=[staff_view(each) for each in workplaces],
        idle_s=IDLE_NS // (1000 * NS_PER_MS),
    )
