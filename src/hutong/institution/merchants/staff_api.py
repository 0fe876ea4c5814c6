"""A merchant's staff over HTTP: the operator appoints the first owner, owners the rest, and everybody signs in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from litestar import Controller, Request, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Door, given, key_guard, token_guard, token_of
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff import MEMBER_PREFIX, SignedInStaff
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.merchants.staff_service import StaffService
from hutong.institution.merchants.staff_views import (
    Appoint,
    Invite,
    Place,
    RequestStaffCode,
    SetStaffPin,
    StaffSessionView,
    StaffSignIn,
    StaffView,
    session_view,
    staff_view,
)
from hutong.institution.merchants.views import MERCHANT_PREFIX, shop_id_of
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.views import DEVICE_PREFIX, CodeSent, code_sent
from hutong.kernel.ids import parse_id
from hutong.operators.guard import Guard
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class StaffEdge:
    """What the handlers need."""

    journal: Journal
    staff: StaffService

    async def answer(self, decide: Callable[[], Answer]) -> Answer:
        """Decide, and answer when that is durable."""
        return await decided(self.journal, decide)

    async def begun(self, who: SignedInStaff, token: str) -> StaffSessionView:
        workplaces = await self.answer(lambda: self.staff.workplaces(who))
        return session_view(who, token, workplaces)


Edge = NamedDependency[SkipValidation[StaffEdge]]
Key = NamedDependency[SkipValidation[StaffKey]]
Who = NamedDependency[SkipValidation[SignedInStaff]]


class AppointingController(Controller):
    """How a merchant gets its first owner."""

    path = "/v1/operator/merchants/{merchant_id:str}/staff"
    tags = ("Operator: merchants",)

    @post("/")
    async def appoint(self, edge: Edge, merchant_id: FromPath[str], data: JSONBody[Appoint]) -> StaffView:
        """Invite an owner of the merchant's: a one-time code goes to the telephone, to choose a PIN with."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        verb = edge.staff.appoint
        return staff_view(await edge.answer(lambda: verb(id_, data.staff_id, data.name, data.phone)))


class StaffController(Controller):
    """Who works for the merchant, and as what."""

    path = "/v1/staff"
    tags = ("Merchant: staff",)

    @post("/")
    async def invite(self, edge: Edge, key: Key, data: JSONBody[Invite]) -> StaffView:
        """Ask somebody to be of the staff: a one-time code goes to the telephone, to choose a PIN with."""
        shop_id = shop_id_of(data.shop_id)
        verb = edge.staff.invite
        return staff_view(
            await edge.answer(lambda: verb(key, data.staff_id, data.name, data.phone, data.role, shop_id))
        )

    @get("/")
    async def staff(self, edge: Edge, key: Key) -> list[StaffView]:
        """Everybody, who was revoked too, oldest first."""
        return [staff_view(member) for member in await edge.answer(lambda: edge.staff.staff(key))]

    @post("/{member_id:str}/place", status_code=200)
    async def place(self, edge: Edge, key: Key, member_id: FromPath[str], data: JSONBody[Place]) -> StaffView:
        """Another role or shop for a member, at once."""
        id_, shop_id = parse_id(MEMBER_PREFIX, member_id), shop_id_of(data.shop_id)
        return staff_view(await edge.answer(lambda: edge.staff.place(key, id_, data.role, shop_id)))

    @post("/{member_id:str}/reset-pin", status_code=200)
    async def reset_pin(self, edge: Edge, key: Key, member_id: FromPath[str]) -> StaffView:
        """Sign a member out everywhere, until they chose another PIN with the code that goes to their telephone."""
        id_ = parse_id(MEMBER_PREFIX, member_id)
        return staff_view(await edge.answer(lambda: edge.staff.reset_pin(key, id_)))

    @post("/{member_id:str}/revoke", status_code=200)
    async def revoke(self, edge: Edge, key: Key, member_id: FromPath[str]) -> StaffView:
        """A member is one no longer, at once and for good."""
        id_ = parse_id(MEMBER_PREFIX, member_id)
        return staff_view(await edge.answer(lambda: edge.staff.revoke(key, id_)))


class StaffDoorsController(Controller):
    """Coming in: open to everybody who holds the telephone."""

    path = "/v1/staff"
    tags = ("Merchant: staff",)

    @post("/codes", status_code=202)
    async def request_code(self, edge: Edge, data: JSONBody[RequestStaffCode]) -> CodeSent:
        """Have a one-time code sent. Refuses CODE_REQUESTS_EXHAUSTED: once a minute and ten times a day."""
        purpose = Purpose.STAFF_PIN if data.for_pin else Purpose.STAFF_SIGN_IN
        return code_sent(await edge.answer(lambda: edge.staff.request_code(data.phone, purpose)))

    @post("/pin")
    async def set_pin(self, edge: Edge, data: JSONBody[SetStaffPin]) -> StaffSessionView:
        """Choose a PIN, with a code sent for it; take the invitations to the telephone, and sign in. Other sessions end."""
        device_id = parse_id(DEVICE_PREFIX, data.device_id)
        return await edge.begun(*await edge.staff.set_pin(data.phone, data.code, data.pin, device_id))

    @post("/sessions")
    async def sign_in(self, edge: Edge, data: JSONBody[StaffSignIn]) -> StaffSessionView:
        """Begin a session. On a device not used before, ONE_TIME_CODE_NEEDED without a code."""
        device_id = parse_id(DEVICE_PREFIX, data.device_id)
        member_id = parse_id(MEMBER_PREFIX, data.member_id) if data.member_id else 0
        begun = await edge.staff.sign_in(data.phone, data.pin, device_id, code=data.code, member_id=member_id)
        return await edge.begun(*begun)


class StaffSessionController(Controller):
    """Whoever is signed in."""

    path = "/v1/staff/me"
    tags = ("Merchant: staff",)

    @get("/")
    async def me(self, who: Who) -> StaffView:
        """Who I am here."""
        return staff_view(who.member)

    @post("/choose/{member_id:str}", status_code=200)
    async def choose(self, edge: Edge, who: Who, member_id: FromPath[str]) -> StaffView:
        """Go on at another merchant that I work for."""
        id_ = parse_id(MEMBER_PREFIX, member_id)
        return staff_view((await edge.answer(lambda: edge.staff.choose(who, id_))).member)

    @post("/sign-out", status_code=204)
    async def sign_out(self, edge: Edge, request: Request[Any, Any, Any]) -> None:
        """End this session."""
        token = token_of(request)
        await edge.answer(lambda: edge.staff.sign_out(token))


def staff_routes(
    node: NodeRuntime, merchants: MerchantService, staff: StaffService, operator_only: Guard
) -> list[Router]:
    """The handlers for `make_app`. `operator_only` lets in operators and nobody else."""
    edge = StaffEdge(node.journal, staff)
    return [
        Door("operator", operator_only).router("/", [AppointingController], edge=edge),
        Door("key", key_guard(node, merchants)).router("/", [StaffController], edge=edge),
        Router("/", route_handlers=[StaffDoorsController], dependencies=given(edge=edge), security=[{}]),
        # Refuses TOKEN_MISSING, SESSION_UNKNOWN, SESSION_EXPIRED.
        Door("who", token_guard(node, staff.use)).router("/", [StaffSessionController], edge=edge),
    ]
