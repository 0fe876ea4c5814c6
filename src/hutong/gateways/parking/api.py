"""Parking over HTTP: a person asks to agree for a plate. What is signed, listed and ended then is an agreement as every other."""

from typing import Annotated

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, SkipValidation
from msgspec import Meta

from hutong.gateways.agreements.agreement_service import AgreementService
from hutong.gateways.agreements.api import Agreements, AgreementView, Node, agreement_view
from hutong.gateways.parking.parking_service import ParkingService
from hutong.gateways.parking.plate import PlateColor, read_plate
from hutong.institution.door_api import Door, session_guard
from hutong.institution.people.service import PeopleService
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import warmed

Parking = NamedDependency[SkipValidation[ParkingService]]


class PlateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose parking is to be taken."""

    plate_number: Annotated[str, Meta(max_length=32)]
    plate_color: PlateColor = PlateColor.BLUE


@post("/v1/parking/plates", status_code=200, tags=("Agreements",))
async def offer_plate(node: Node, agreements: Agreements, parking: Parking, data: JSONBody[PlateBody]) -> AgreementView:
    """
    Agree that car parks take what this car owes: the agreement to sign, at `/v1/agreements/{agreement_id}/sign`.

    A person whose wallet is elsewhere signs it under a mandate.
    """
    agreement = await parking.offer(read_plate(data.plate_number, data.plate_color))
    return await warmed(node.journal, lambda: agreement_view(agreements, agreement, node.clock.now_ns()))


def parking_api(
    node: NodeRuntime, people: PeopleService, agreements: AgreementService, parking: ParkingService
) -> Router:
    """The handlers for `make_app`."""
    door = Door("session", session_guard(node, people))
    return door.router("/", [offer_plate], node=node, agreements=agreements, parking=parking)
