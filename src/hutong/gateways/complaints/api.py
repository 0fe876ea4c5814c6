"""Where an account is called back about complaints, over HTTP: at the Alipay gateway no request says it."""

from typing import Annotated

import msgspec
from litestar import Controller, Router, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from hutong.gateways.account_views import ACCOUNT_PREFIX
from hutong.gateways.complaints.complaint_service import ComplaintsService
from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.kernel.ids import parse_id
from hutong.runtime.node import NodeRuntime


class WatchView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an account hears of complaints; empty: nowhere."""

    url: Annotated[str, msgspec.Meta(max_length=255)]


class Watches(Controller):
    """As the vendor's page of an application has it (应用网关), or its complaint notifications."""

    path = "/v1/gateway-accounts/{account_id:str}/complaint-url"
    tags = ("Gateway accounts",)

    @put()
    async def watch(
        self,
        complaints: NamedDependency[SkipValidation[ComplaintsService]],
        key: NamedDependency[SkipValidation[StaffKey]],
        account_id: FromPath[str],
        data: JSONBody[WatchView],
    ) -> WatchView:
        """Call back there at each turn of a complaint."""
        await complaints.watch_own(key, parse_id(ACCOUNT_PREFIX, account_id), data.url)
        return data


def complaint_watch_routes(node: NodeRuntime, merchants: MerchantService, complaints: ComplaintsService) -> Router:
    """The handlers for `make_app`."""
    return Door("key", key_guard(node, merchants)).router("/", [Watches], complaints=complaints)
