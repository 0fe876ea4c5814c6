"""Merchants' applications over HTTP: for whoever applies, and for the institution's operator."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, SkipValidation
from msgspec import Meta

from hutong.institution.door_api import Door, given
from hutong.institution.merchants.application import (
    APPLICATION_PREFIX,
    Application,
    ApplicationForm,
    ApplicationState,
)
from hutong.institution.merchants.application_service import ApplicationService
from hutong.institution.merchants.views import MERCHANT_PREFIX, City, FeeBps, LatinCity, Name
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.operators.guard import Guard
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

ApplicationId = Annotated[
    str,
    Meta(
        description="Your own id of it: `apl_` and 26 letters of a ULID. The same again with the same content gets the same "
        "answer, with other content APPLICATION_OTHERWISE.",
        examples=["apl_01JD3V7M8Y5ZK2Q4R6T8W0X1A0"],
    ),
]


class Apply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merchant that wants to be taken on."""

    application_id: ApplicationId
    legal_name: Annotated[str, Meta(examples=["北京胡同面馆有限公司"])]
    licence: Annotated[str, Meta(description="The number of the business licence.", examples=["91110101MA01ABCD2X"])]
    name: Name
    latin_name: str = ""
    city: City
    latin_city: LatinCity = ""
    mcc: Annotated[str, Meta(description="Merchant category code, ISO 18245.", examples=["5812"])]
    contact_name: str
    contact_phone: Annotated[str, Meta(examples=["+8613800138000"])]

    def form(self) -> ApplicationForm:
        told = msgspec.structs.asdict(self)
        del told["application_id"]
        return ApplicationForm(**told)


class ApplicationStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How an application stands, as the applicant sees it."""

    application_id: str
    state: ApplicationState
    why: Annotated[str, Meta(description="Why it was declined.")]
    applied_at_ms: int


class ApplicationView(msgspec.Struct, frozen=True, kw_only=True):
    """An application as the operator sees it."""

    application_id: str
    legal_name: str
    licence: str
    name: str
    latin_name: str
    city: str
    latin_city: str
    mcc: str
    contact_name: str
    contact_phone: str
    state: ApplicationState
    why: str
    decided_by: str
    merchant_id: str
    applied_at_ms: int
    changed_at_ms: int


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms a merchant is taken on by."""

    fee_bps: FeeBps
    reference: Annotated[str, Meta(description="Your own number for it. Default: the application's id.")] = ""


class Decline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a merchant is not taken on: the applicant is shown it."""

    why: str


@dataclass(frozen=True, slots=True)
class ApplicationEdge:
    """What the handlers need."""

    journal: Journal
    applications: ApplicationService


Edge = NamedDependency[SkipValidation[ApplicationEdge]]
OperatorName = NamedDependency[SkipValidation[str]]


class Applying(Controller):
    """For whoever wants to be taken on as a merchant. Nobody need sign in."""

    path = "/v1/merchant-applications"
    tags = ("Merchants: applying",)

    @post("/")
    async def apply(self, edge: Edge, data: JSONBody[Apply]) -> ApplicationStanding:
        """Apply. The operator looks at it. Refuses APPLICATION_OTHERWISE, APPLICATIONS_TOO_MANY."""
        id_, form = parse_id(APPLICATION_PREFIX, data.application_id), data.form()
        return _standing(await decided(edge.journal, lambda: edge.applications.apply(id_, form)))

    @get("/{application_id:str}")
    async def standing(self, edge: Edge, application_id: FromPath[str]) -> ApplicationStanding:
        """How it stands, for who knows its id."""
        id_ = parse_id(APPLICATION_PREFIX, application_id)
        return _standing(await decided(edge.journal, lambda: edge.applications.application(id_)))


class Deciding(Controller):
    """What the institution's operator does with applications."""

    path = "/v1/operator/merchant-applications"
    tags = ("Operator: merchants",)

    @get("/")
    async def in_state(
        self, edge: Edge, only: FromQuery[ApplicationState] = ApplicationState.APPLIED
    ) -> list[ApplicationView]:
        """Applications in one state, oldest first."""
        found = await decided(edge.journal, lambda: edge.applications.in_state(only))
        return [_view(each) for each in found]

    @get("/{application_id:str}")
    async def show(self, edge: Edge, application_id: FromPath[str]) -> ApplicationView:
        """One application."""
        id_ = parse_id(APPLICATION_PREFIX, application_id)
        return _view(await decided(edge.journal, lambda: edge.applications.application(id_)))

    @post("/{application_id:str}/approve", status_code=200)
    async def approve(
        self, edge: Edge, operator: OperatorName, application_id: FromPath[str], data: JSONBody[Approval]
    ) -> ApplicationView:
        """Take the merchant on. Refuses APPLICATION_DECIDED, FEE_OUT_OF_RANGE, REFERENCE_REUSED."""
        id_ = parse_id(APPLICATION_PREFIX, application_id)
        verb = edge.applications.approve
        approved, _ = await decided(edge.journal, lambda: verb(id_, data.fee_bps, data.reference, operator))
        return _view(approved)

    @post("/{application_id:str}/decline", status_code=200)
    async def decline(
        self, edge: Edge, operator: OperatorName, application_id: FromPath[str], data: JSONBody[Decline]
    ) -> ApplicationView:
        """Don't take the merchant on. Refuses APPLICATION_DECIDED."""
        id_ = parse_id(APPLICATION_PREFIX, application_id)
        return _view(await decided(edge.journal, lambda: edge.applications.decline(id_, data.why, operator)))


def application_routes(node: NodeRuntime, applications: ApplicationService, operator_only: Guard) -> list[Router]:
    """The handlers for `make_app`."""
    edge = ApplicationEdge(node.journal, applications)
    return [
        Router("/", route_handlers=[Applying], dependencies=given(edge=edge), security=[{}]),
        Door("operator", operator_only).router("/", [Deciding], edge=edge),
    ]


def _standing(application: Application) -> ApplicationStanding:
    return ApplicationStanding(
        application_id=id_text(APPLICATION_PREFIX, application.id),
        state=ApplicationState(application.state),
        why=application.why,
        applied_at_ms=application.created_ns // NS_PER_MS,
    )


def _view(application: Application) -> ApplicationView:
    return ApplicationView(
        application_id=id_text(APPLICATION_PREFIX, application.id),
        **msgspec.structs.asdict(application.form),
        state=ApplicationState(application.state),
        why=application.why,
        decided_by=application.decided_by,
        merchant_id=id_text(MERCHANT_PREFIX, application.merchant_id) if application.merchant_id else "",
        applied_at_ms=application.created_ns // NS_PER_MS,
        changed_at_ms=application.changed_ns // NS_PER_MS,
    )
