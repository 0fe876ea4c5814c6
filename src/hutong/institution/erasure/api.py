"""Erasure over HTTP: for the person, a copy of what is kept; for an admin, forgetting."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Controller, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.institution.door_api import Doors
from hutong.institution.erasure.retained_identity import RetainedIdentity
from hutong.institution.erasure.service import ErasureService
from hutong.institution.people.device import Session
from hutong.institution.people.views import USER_PREFIX
from hutong.kernel.clock import NS_PER_MS
from hutong.kernel.ids import id_text, parse_id
from hutong.operators.guard import TAKES
from hutong.operators.operator import Role


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """On whose word: it is kept in the audit log, so it names no person."""

    why: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Erased(msgspec.Struct, frozen=True):
    """A person was forgotten; who it was is kept, sealed, until then."""

    user_id: str
    erased_at_ms: int
    identity_kept_until_ms: int
    policy_version: str


class IdentityView(msgspec.Struct, frozen=True):
    """Who a forgotten person was."""

    user_id: str
    phone: str
    name: str
    tier: int
    evidence: str
    kept_until_ms: int
    policy_version: str


class PersonalData(msgspec.Struct, frozen=True):
    """Everything that is kept of a person, by table."""

    user_id: str
    tables: dict[str, list[dict[str, Any]]]


class Purged(msgspec.Struct, frozen=True):
    """How many identities were deleted, because their time was over."""

    count: int


@dataclass(frozen=True, slots=True)
class ErasureEdge:
    """What the handlers need."""

    erasure: ErasureService


Edge = NamedDependency[SkipValidation[ErasureEdge]]
Signed = NamedDependency[SkipValidation[Session]]


class OwnData(Controller):
    """The person's own copy."""

    tags = ("Users",)

    @get("/users/me/export")
    async def export(self, edge: Edge, session: Signed) -> PersonalData:
        """What is kept of me here (PIPL 45), besides what `/v1/statement` and `/v1/payments` tell."""
        told = await edge.erasure.export(session.user_id, everything=False)
        return PersonalData(id_text(USER_PREFIX, session.user_id), told)


class Forgetting(Controller):
    """What the institution's admins do with a person's data."""

    path = "/operator"
    tags = ("Operator: personal data",)

    @get("/users/{user_id:str}/export")
    async def export(self, edge: Edge, user_id: FromPath[str]) -> PersonalData:
        """Everything that is kept of a person."""
        return PersonalData(user_id, await edge.erasure.export(parse_id(USER_PREFIX, user_id), everything=True))

    @post("/users/{user_id:str}/erase", status_code=200, opt={TAKES: Role.ADMIN})
    async def erase(self, edge: Edge, user_id: FromPath[str], data: JSONBody[Why]) -> Erased:  # noqa: ARG002
        """Forget a closed user, and keep the books. Refuses USER_NOT_CLOSED. The same again finishes what was left."""
        return _erased(await edge.erasure.erase(parse_id(USER_PREFIX, user_id)))

    @get("/users/{user_id:str}/retained-identity", opt={TAKES: Role.ADMIN})
    async def identity(self, edge: Edge, user_id: FromPath[str]) -> IdentityView:
        """Who a forgotten person was, for who may ask by law. Refuses IDENTITY_NOT_RETAINED."""
        retained, identity = await edge.erasure.identity(parse_id(USER_PREFIX, user_id))
        until_ms = retained.kept_until_ns // NS_PER_MS
        return IdentityView(
            user_id, identity.phone, identity.name, identity.tier, identity.evidence, until_ms, retained.policy_version
        )

    @post("/retained-identities/purge", status_code=200, opt={TAKES: Role.ADMIN})
    async def purge(self, edge: Edge) -> Purged:
        """Delete the identities whose time is over: once a day."""
        return Purged(await edge.erasure.purge())


def erasure_api(erasure: ErasureService, doors: Doors) -> list[Router]:
    """The handlers for `make_app`."""
    edge = ErasureEdge(erasure)
    return [doors.people.router("/v1", [OwnData], edge=edge), doors.operators.router("/v1", [Forgetting], edge=edge)]


def _erased(retained: RetainedIdentity) -> Erased:
    return Erased(
        id_text(USER_PREFIX, retained.user_id),
        retained.erased_ns // NS_PER_MS,
        retained.kept_until_ns // NS_PER_MS,
        retained.policy_version,
    )
