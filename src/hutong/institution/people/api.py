"""People over HTTP: for whoever registers, for a user's device, and for the institution's operator."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from litestar import Controller, Request, Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation
from litestar.types import ControllerRouterHandler

from hutong.institution.door_api import Door, given, operator_guard, session_guard
from hutong.institution.people.device import Session
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.personal_code import PersonalCode
from hutong.institution.people.service import PeopleService
from hutong.institution.people.user import Tier, User
from hutong.institution.people.views import (
    DEVICE_PREFIX,
    PAYMENT_PREFIX,
    PERSONAL_CODE_PREFIX,
    USER_PREFIX,
    AskPinToken,
    Because,
    BindForeignCode,
    ChangePin,
    Close,
    CodeSent,
    DeviceView,
    ForeignCodeView,
    MakePersonalCode,
    OperatorUserView,
    PaymentCodeKeysView,
    PersonalCodeView,
    PinTokenView,
    RaiseTier,
    Register,
    RequestCode,
    ResetPin,
    SetPin,
    SignedInView,
    SignIn,
    Unfreeze,
    UserView,
    code_sent,
    device_view,
    operator_user_view,
    payment_code_keys_view,
    personal_code_view,
    pin_token_view,
    signed_in_view,
    user_view,
)
from hutong.kernel.clock import Clock
from hutong.kernel.ids import parse_id
from hutong.runtime.http import called_from
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Answer = TypeVar("Answer")
BalanceOf = Callable[[User], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class PeopleEdge:
    """What the handlers need. `balance_of` tells everything on a user's account, pending credits included."""

    journal: Journal
    clock: Clock
    people: PeopleService
    balance_of: BalanceOf

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.journal, decide)

    def personal_code(self, code: PersonalCode) -> PersonalCodeView:
        return personal_code_view(code, self.people.codes.plate_text(code))


Edge = NamedDependency[SkipValidation[PeopleEdge]]
Signed = NamedDependency[SkipValidation[Session]]
OperatorName = NamedDependency[SkipValidation[str]]


class Doors(Controller):
    """Coming in: open to everybody who holds the telephone."""

    tags = ("Users",)

    @post("/users/codes", status_code=202)
    async def request_code(self, edge: Edge, data: JSONBody[RequestCode]) -> CodeSent:
        """Have a one-time code sent. Refuses CODE_REQUESTS_EXHAUSTED: once a minute and ten times a day."""
        purpose = Purpose(data.purpose.value)
        return code_sent(await edge.answer(lambda: edge.people.request_code(data.phone, purpose)))

    @post("/users")
    async def register(self, request: Request[Any, Any, Any], edge: Edge, data: JSONBody[Register]) -> SignedInView:
        """Register, with a code sent for `SIGN_IN`; the same registration again begins a new session."""
        device_id = parse_id(DEVICE_PREFIX, data.device_id)
        decide = partial(
            edge.people.register,
            phone=data.phone,
            name=data.name,
            code=data.code,
            registration_id=data.registration_id,
            device_id=device_id,
            device_name=data.device_name,
            invitation=data.invitation,
            address=called_from(request),
        )
        return signed_in_view(await edge.answer(decide))

    @post("/sessions")
    async def sign_in(self, edge: Edge, data: JSONBody[SignIn]) -> SignedInView:
        """
        Begin a session on a device, with a code sent for `SIGN_IN`, or with the PIN; the device's earlier one ends.

        The PIN alone opens a device that is the user's already. Refuses ONE_TIME_CODE_NEEDED on any other.
        """
        device_id = parse_id(DEVICE_PREFIX, data.device_id)
        code = data.code or ""
        if data.pin is not None:
            return signed_in_view(
                await edge.people.sign_in_with_pin(
                    phone=data.phone, pin=data.pin, code=code, device_id=device_id, device_name=data.device_name
                )
            )
        decide = partial(
            edge.people.sign_in, phone=data.phone, code=code, device_id=device_id, device_name=data.device_name
        )
        return signed_in_view(await edge.answer(decide))


class Me(Controller):
    """The user who asks."""

    tags = ("Users",)

    @get("/users/me")
    async def show(self, edge: Edge, session: Signed) -> UserView:
        """Who I am here."""
        return user_view(await edge.answer(lambda: edge.people.user(session.user_id)))

    @post("/users/me/freeze", status_code=200)
    async def freeze(self, edge: Edge, session: Signed, data: JSONBody[Because]) -> UserView:
        """Stop all paying from this wallet; being paid goes on."""
        return user_view(await edge.answer(lambda: edge.people.freeze(session.user_id, data.why)))

    @post("/users/me/unfreeze", status_code=200)
    async def unfreeze(self, edge: Edge, session: Signed, data: JSONBody[Unfreeze]) -> UserView:
        """Lift my own freeze. Refuses FROZEN_BY_OPERATOR, and what a wrong PIN is refused with."""
        await edge.people.pins.check(session.user_id, data.pin)
        return user_view(await edge.answer(lambda: edge.people.unfreeze(session.user_id, data.why)))

    @post("/users/me/close", status_code=200)
    async def close(self, edge: Edge, session: Signed, data: JSONBody[Close]) -> UserView:
        """Close the wallet for good. Refuses BALANCE_NOT_ZERO, and what a wrong PIN is refused with."""
        await edge.people.pins.check(session.user_id, data.pin)
        user = await edge.answer(lambda: edge.people.user(session.user_id))
        balance = await edge.balance_of(user)
        return user_view(await edge.answer(lambda: edge.people.close(session.user_id, balance)))

    @delete("/sessions/current")
    async def sign_out(self, edge: Edge, session: Signed) -> None:
        """End this session."""
        await edge.answer(lambda: edge.people.devices.sign_out(session))


class Devices(Controller):
    """The user's phones."""

    path = "/devices"
    tags = ("Devices",)

    @get()
    async def list_devices(self, edge: Edge, session: Signed) -> list[DeviceView]:
        """My devices, oldest first, lost ones too."""
        devices = await edge.answer(lambda: edge.people.devices.devices(session.user_id))
        return [device_view(device, session.device_id) for device in devices]

    @post("/{device_id:str}/lost", status_code=200)
    async def report_lost(self, edge: Edge, session: Signed, device_id: FromPath[str]) -> DeviceView:
        """From now on that device can do nothing: its session ends and its payment codes are wrong."""
        id_ = parse_id(DEVICE_PREFIX, device_id)
        device = await edge.answer(lambda: edge.people.devices.report_lost(session.user_id, id_))
        return device_view(device, session.device_id)


class Pins(Controller):
    """The payment PIN (支付密码)."""

    path = "/pin"
    tags = ("PIN",)

    @put(status_code=204)
    async def set_pin(self, edge: Edge, session: Signed, data: JSONBody[SetPin]) -> None:
        """Set the first PIN. Refuses PIN_WEAK, PIN_ALREADY_SET."""
        await edge.people.pins.set_pin(session.user_id, data.pin)

    @post("/change", status_code=204)
    async def change_pin(self, edge: Edge, session: Signed, data: JSONBody[ChangePin]) -> None:
        """Change it. Refuses PIN_WRONG with the tries left, PIN_LOCKED, PIN_BLOCKED, PIN_WEAK."""
        await edge.people.pins.change_pin(session.user_id, data.pin, data.new_pin)

    @post("/reset", status_code=204)
    async def reset_pin(self, edge: Edge, session: Signed, data: JSONBody[ResetPin]) -> None:
        """
        Set another, with a code sent for `PIN_RESET`; a lock ends with it.

        Refuses DEVICE_TOO_NEW on a phone that was added to another, or signed in beside another, within a day.
        """
        await edge.people.pins.reset_pin(session.user_id, session.device_id, data.code, data.new_pin)

    @post("/tokens")
    async def pin_token(self, edge: Edge, session: Signed, data: JSONBody[AskPinToken]) -> PinTokenView:
        """A token that says, for two minutes, that the PIN was typed for this one payment."""
        payment_id = parse_id(PAYMENT_PREFIX, data.payment_id)
        return pin_token_view(
            await edge.people.pin_token(session.user_id, data.pin, payment_id, data.amount, data.creditor)
        )


class Codes(Controller):
    """What a user is paid by, and pays with."""

    tags = ("Codes",)

    @post("/personal-codes")
    async def make(self, edge: Edge, session: Signed, data: JSONBody[MakePersonalCode]) -> PersonalCodeView:
        """A plate to be paid by (个人码). The same id and content again is the same code."""
        code_id = parse_id(PERSONAL_CODE_PREFIX, data.id)
        decide = partial(
            edge.people.codes.make_personal_code,
            session.user_id,
            code_id,
            amount=data.amount,
            currency=data.currency,
            remark=data.remark,
        )
        return edge.personal_code(await edge.answer(decide))

    @get("/personal-codes")
    async def list_codes(self, edge: Edge, session: Signed) -> list[PersonalCodeView]:
        """My codes, oldest first."""
        codes = await edge.answer(lambda: edge.people.codes.personal_codes(session.user_id))
        return [edge.personal_code(code) for code in codes]

    @post("/personal-codes/{code_id:str}/deactivate", status_code=200)
    async def deactivate(self, edge: Edge, session: Signed, code_id: FromPath[str]) -> PersonalCodeView:
        """Be paid by this code no more."""
        id_ = parse_id(PERSONAL_CODE_PREFIX, code_id)
        code = await edge.answer(lambda: edge.people.codes.deactivate_personal_code(session.user_id, id_))
        return edge.personal_code(code)

    @get("/payment-codes/keys")
    async def payment_code_keys(self, edge: Edge, session: Signed) -> PaymentCodeKeysView:
        """What this phone makes payment codes (付款码) from, offline, until tomorrow ends."""
        keys = await edge.answer(lambda: edge.people.codes.payment_code_keys(session.user_id, session.device_id))
        return payment_code_keys_view(keys, edge.clock.now_ns())


class Operators(Controller):
    """What the institution's operator does with users."""

    path = "/operator/users"
    tags = ("Operator: users",)

    @get()
    async def find(self, edge: Edge, operator: OperatorName, phone: FromQuery[str]) -> OperatorUserView:  # noqa: ARG002
        """Who has this telephone number."""
        return operator_user_view(await edge.answer(lambda: edge.people.user_on(phone)))

    @get("/{user_id:str}")
    async def show(self, edge: Edge, operator: OperatorName, user_id: FromPath[str]) -> OperatorUserView:  # noqa: ARG002
        """One user."""
        id_ = parse_id(USER_PREFIX, user_id)
        return operator_user_view(await edge.answer(lambda: edge.people.user(id_)))

    @post("/{user_id:str}/freeze", status_code=200)
    async def freeze(
        self, edge: Edge, operator: OperatorName, user_id: FromPath[str], data: JSONBody[Because]
    ) -> OperatorUserView:
        """Stop a user from paying and from being paid."""
        id_ = parse_id(USER_PREFIX, user_id)
        return operator_user_view(await edge.answer(lambda: edge.people.freeze(id_, data.why, operator=operator)))

    @post("/{user_id:str}/unfreeze", status_code=200)
    async def unfreeze(
        self, edge: Edge, operator: OperatorName, user_id: FromPath[str], data: JSONBody[Because]
    ) -> OperatorUserView:
        """Lift the operator's freeze; the user's own stays."""
        id_ = parse_id(USER_PREFIX, user_id)
        return operator_user_view(await edge.answer(lambda: edge.people.unfreeze(id_, data.why, operator=operator)))

    @post("/{user_id:str}/tier", status_code=200)
    async def raise_tier(
        self, edge: Edge, operator: OperatorName, user_id: FromPath[str], data: JSONBody[RaiseTier]
    ) -> OperatorUserView:
        """Raise a user's real-name tier on evidence, under the name the evidence gives."""
        id_, tier = parse_id(USER_PREFIX, user_id), Tier[data.tier.name]
        decide = partial(edge.people.raise_tier, id_, tier, data.evidence, data.name, operator)
        return operator_user_view(await edge.answer(decide))

    @post("/{user_id:str}/foreign-codes", status_code=200)
    async def bind_foreign_code(
        self,
        edge: Edge,
        operator: OperatorName,  # noqa: ARG002  # Asking for it is what keeps others out.
        user_id: FromPath[str],
        data: JSONBody[BindForeignCode],
    ) -> ForeignCodeView:
        """
        Let a number that another system issued, and that the user shows at tills already, lead to the user.

        Be sure that it is the user's own. It pays nothing by itself: the user is asked for the PIN each time.
        """
        id_ = parse_id(USER_PREFIX, user_id)
        code = await edge.answer(lambda: edge.people.codes.bind_foreign_code(id_, data.digits))
        return ForeignCodeView(code.digits, code.active)

    @delete("/{user_id:str}/foreign-codes/{digits:str}", status_code=200)
    async def unbind_foreign_code(
        self,
        edge: Edge,
        operator: OperatorName,  # noqa: ARG002  # As above.
        user_id: FromPath[str],
        digits: FromPath[str],
    ) -> ForeignCodeView:
        """Let it lead nowhere any more: the card was lost, say."""
        id_ = parse_id(USER_PREFIX, user_id)
        code = await edge.answer(lambda: edge.people.codes.unbind_foreign_code(id_, digits))
        return ForeignCodeView(code.digits, code.active)

    @post("/{user_id:str}/devices/{device_id:str}/lost", status_code=200)
    async def report_lost(
        self,
        edge: Edge,
        operator: OperatorName,  # noqa: ARG002  # Asking for it is what keeps others out.
        user_id: FromPath[str],
        device_id: FromPath[str],
    ) -> DeviceView:
        """For a user who calls because the only phone is gone."""
        id_, lost_id = parse_id(USER_PREFIX, user_id), parse_id(DEVICE_PREFIX, device_id)
        return device_view(await edge.answer(lambda: edge.people.devices.report_lost(id_, lost_id)), 0)

    @get("/{user_id:str}/devices")
    async def devices(
        self,
        edge: Edge,
        operator: OperatorName,  # noqa: ARG002  # As above.
        user_id: FromPath[str],
    ) -> list[DeviceView]:
        """A user's devices, oldest first."""
        id_ = parse_id(USER_PREFIX, user_id)
        return [device_view(each, 0) for each in await edge.answer(lambda: edge.people.devices.devices(id_))]


def people_api(node: NodeRuntime, people: PeopleService, balance_of: BalanceOf) -> list[ControllerRouterHandler]:
    """The handlers for `make_app`."""
    edge = PeopleEdge(node.journal, node.clock, people, balance_of)
    return [
        Router("/v1", route_handlers=[Doors], dependencies=given(edge=edge), security=[{}]),
        Door("session", session_guard(node, people)).router("/v1", [Me, Devices, Pins, Codes], edge=edge),
        Door("operator", operator_guard(node, people)).router("/v1", [Operators], edge=edge),
    ]
