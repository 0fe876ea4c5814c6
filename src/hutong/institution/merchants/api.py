"""Merchants over HTTP: for the institution's operator, and for whoever holds a staff key."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hutong.codes.printed_plate import plate_png, plate_svg
from hutong.institution.approval_service import CLOSE_MERCHANT, RESUME_MERCHANT, SUSPEND_MERCHANT
from hutong.institution.door_api import Door, key_guard
from hutong.institution.merchants.merchant import Merchant
from hutong.institution.merchants.plate import Plate
from hutong.institution.merchants.plate_service import PAGE_MAX, PlateService
from hutong.institution.merchants.service import MerchantService
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.merchants.views import (
    KEY_PREFIX,
    MERCHANT_PREFIX,
    PLATE_PREFIX,
    SHOP_PREFIX,
    ChangeFee,
    FeeView,
    HangPlate,
    IssuedKey,
    IssueKey,
    IssueOwnerKey,
    KeyView,
    MerchantView,
    OnboardMerchant,
    OpenShop,
    PlatePage,
    PlateView,
    RegisterForeignPlate,
    ReplacePlate,
    RotateKey,
    ShopView,
    fee_view,
    key_view,
    merchant_view,
    plate_view,
    shop_id_of,
    shop_view,
)
from hutong.kernel.clock import NS_PER_MS, Clock
from hutong.kernel.ids import id_text, parse_id
from hutong.operators.approval_service import Approvals
from hutong.operators.guard import Guard
from hutong.runtime.journal import Journal
from hutong.runtime.node import NodeRuntime
from hutong.runtime.shelf import decided

Limit = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX, description="How many at most.")]
Cursor = Annotated[str | None, QueryParameter(description="The `next_cursor` of the page before.")]


@dataclass(frozen=True, slots=True)
class MerchantEdge:
    """What the handlers need: the services, and the journal that says when an answer may leave."""

    journal: Journal
    clock: Clock
    merchants: MerchantService
    plates: PlateService
    approvals: Approvals

    async def merchant(self, decide: Callable[[], Merchant]) -> MerchantView:
        """The merchant that `decide` answers. Showing it may have to load, so it is no part of the decision."""
        merchant = await decided(self.journal, decide)
        now_ns = self.clock.now_ns()
        return await decided(self.journal, lambda: merchant_view(merchant, self.merchants.fee(merchant.id, now_ns)))

    async def plate(self, decide: Callable[[], Plate]) -> PlateView:
        """The plate that `decide` answers; shown apart, as `merchant`."""
        plate = await decided(self.journal, decide)
        return await decided(self.journal, lambda: plate_view(plate, self.plates.texts(plate)))


class OperatorController(Controller):
    """What the institution's operator does with merchants."""

    path = "/v1/operator/merchants"
    tags = ["Operator: merchants"]  # noqa: RUF012  # As Litestar has it.

    @post("/")
    async def onboard(self, edge: NamedDependency[MerchantEdge], data: JSONBody[OnboardMerchant]) -> MerchantView:
        """Take a merchant on."""
        verb = edge.merchants.onboard
        return await edge.merchant(lambda: verb(data.profile(), data.fee_bps))

    @get("/")
    async def find(self, edge: NamedDependency[MerchantEdge], reference: FromQuery[str]) -> MerchantView:
        """The merchant of your own reference."""
        return await edge.merchant(lambda: edge.merchants.merchant_by_reference(reference))

    @get("/{merchant_id:str}")
    async def show(self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str]) -> MerchantView:
        """One merchant."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        return await edge.merchant(lambda: edge.merchants.merchant(id_))

    @post("/{merchant_id:str}/suspend", status_code=200)
    async def suspend(self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str]) -> MerchantView:
        """Let a merchant take no new payments; refunds and what is under way go on. Refuses TWO_PEOPLE_NEEDED, where the node is set so."""
        edge.approvals.check_alone(SUSPEND_MERCHANT)
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        return await edge.merchant(lambda: edge.merchants.suspend(id_))

    @post("/{merchant_id:str}/resume", status_code=200)
    async def resume(self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str]) -> MerchantView:
        """Let a suspended merchant take payments again. Refuses TWO_PEOPLE_NEEDED, where the node is set so."""
        edge.approvals.check_alone(RESUME_MERCHANT)
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        return await edge.merchant(lambda: edge.merchants.resume(id_))

    @post("/{merchant_id:str}/close", status_code=200)
    async def close(self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str]) -> MerchantView:
        """Let a merchant take no new payments, for good. Refuses TWO_PEOPLE_NEEDED, where the node is set so."""
        edge.approvals.check_alone(CLOSE_MERCHANT)
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        return await edge.merchant(lambda: edge.merchants.close(id_))

    @get("/{merchant_id:str}/fees")
    async def fees(self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str]) -> list[FeeView]:
        """Every version of a merchant's fee, in order."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)

        def shown() -> list[FeeView]:
            edge.merchants.merchant(id_)
            return [fee_view(fee) for fee in edge.merchants.fees(id_)]

        return await decided(edge.journal, shown)

    @post("/{merchant_id:str}/fees")
    async def change_fee(
        self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str], data: JSONBody[ChangeFee]
    ) -> FeeView:
        """Decide a merchant's next fee. What was paid before its instant keeps the fee it was paid under."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        from_ns = None if data.applies_from_ms is None else data.applies_from_ms * NS_PER_MS
        verb = edge.merchants.change_fee
        return await decided(edge.journal, lambda: fee_view(verb(id_, data.version, data.fee_bps, from_ns)))

    @post("/{merchant_id:str}/keys")
    async def issue_owner_key(
        self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str], data: JSONBody[IssueOwnerKey]
    ) -> IssuedKey:
        """A key with every right over the merchant: its first one, or in place of one that got lost."""
        id_ = parse_id(MERCHANT_PREFIX, merchant_id)
        return await decided(edge.journal, lambda: _issued(edge.merchants.issue_owner_key(id_, data.name, data.key_id)))

    @post("/{merchant_id:str}/foreign-plates")
    async def register_foreign(
        self, edge: NamedDependency[MerchantEdge], merchant_id: FromPath[str], data: JSONBody[RegisterForeignPlate]
    ) -> PlateView:
        """
        Let a code of another system's, which hangs at the merchant's already, lead to the merchant (不增设码牌).

        Be sure that it is the merchant's own: who scans it pays this merchant from now on.
        """
        id_, shop_id = parse_id(MERCHANT_PREFIX, merchant_id), shop_id_of(data.shop_id)
        verb = edge.plates.register_foreign
        return await edge.plate(lambda: verb(id_, data.reference, data.text, shop_id))


class MerchantController(Controller):
    """What a merchant's staff do: the merchant itself, its shops, its keys."""

    path = "/v1"
    tags = ["Merchant"]  # noqa: RUF012  # As Litestar has it.

    @get("/merchant")
    async def merchant(self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey]) -> MerchantView:
        """The merchant whose key this is."""
        return await edge.merchant(lambda: edge.merchants.merchant(key.merchant_id))

    @post("/shops")
    async def open_shop(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], data: JSONBody[OpenShop]
    ) -> ShopView:
        """Open a shop."""
        return await decided(edge.journal, lambda: shop_view(edge.merchants.open_shop(key, data.profile())))

    @get("/shops")
    async def shops(self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey]) -> list[ShopView]:
        """The shops that the key sees, oldest first."""
        return await decided(edge.journal, lambda: [shop_view(shop) for shop in edge.merchants.shops(key)])

    @get("/shops/{shop_id:str}")
    async def shop(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], shop_id: FromPath[str]
    ) -> ShopView:
        """One shop."""
        id_ = parse_id(SHOP_PREFIX, shop_id)
        return await decided(edge.journal, lambda: shop_view(edge.merchants.shop(key, id_)))

    @post("/shops/{shop_id:str}/close", status_code=200)
    async def close_shop(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], shop_id: FromPath[str]
    ) -> ShopView:
        """Close a shop for good: its plates and requests take no more payments."""
        id_ = parse_id(SHOP_PREFIX, shop_id)
        return await decided(edge.journal, lambda: shop_view(edge.merchants.close_shop(key, id_)))

    @post("/keys")
    async def issue_key(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], data: JSONBody[IssueKey]
    ) -> IssuedKey:
        """A key for a till or a colleague, of one shop or of all."""
        shop_id = shop_id_of(data.shop_id)
        verb = edge.merchants.issue_key
        return await decided(edge.journal, lambda: _issued(verb(key, data.role, data.name, shop_id, data.key_id)))

    @get("/keys")
    async def keys(self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey]) -> list[KeyView]:
        """The merchant's keys, revoked ones too."""
        return await decided(edge.journal, lambda: [key_view(known) for known in edge.merchants.keys(key)])

    @post("/keys/{key_id:str}/rotate", status_code=200)
    async def rotate_key(
        self,
        edge: NamedDependency[MerchantEdge],
        key: NamedDependency[StaffKey],
        key_id: FromPath[str],
        data: JSONBody[RotateKey | None] = None,
    ) -> IssuedKey:
        """A new token for a key; the old one is no good at once. To go on without a gap, issue a second key first."""
        id_, rotation_id = parse_id(KEY_PREFIX, key_id), data.rotation_id if data is not None else ""
        return await decided(edge.journal, lambda: _issued(edge.merchants.rotate_key(key, id_, rotation_id)))

    @post("/keys/{key_id:str}/revoke", status_code=200)
    async def revoke_key(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], key_id: FromPath[str]
    ) -> KeyView:
        """End a key for good."""
        id_ = parse_id(KEY_PREFIX, key_id)
        return await decided(edge.journal, lambda: key_view(edge.merchants.revoke_key(key, id_)))


class PlateController(Controller):
    """The merchant's static codes."""

    path = "/v1/plates"
    tags = ["Plates"]  # noqa: RUF012  # As Litestar has it.

    @post("/")
    async def hang(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], data: JSONBody[HangPlate]
    ) -> PlateView:
        """A new plate."""
        shop_id = shop_id_of(data.shop_id)
        return await edge.plate(lambda: edge.plates.hang(key, data.reference, shop_id))

    @get("/")
    async def plates(
        self,
        edge: NamedDependency[MerchantEdge],
        key: NamedDependency[StaffKey],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> PlatePage:
        """The plates that the key sees, newest first."""
        before = None if cursor is None else parse_id(PLATE_PREFIX, cursor)
        plates, after = await edge.plates.plates(key, before=before, limit=limit)
        views = await decided(edge.journal, lambda: [plate_view(plate, edge.plates.texts(plate)) for plate in plates])
        return PlatePage(plates=views, next_cursor=None if after is None else id_text(PLATE_PREFIX, after))

    @get("/{plate_id:str}")
    async def plate(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], plate_id: FromPath[str]
    ) -> PlateView:
        """One plate."""
        id_ = parse_id(PLATE_PREFIX, plate_id)
        return await edge.plate(lambda: edge.plates.plate(key, id_))

    @get("/{plate_id:str}/print.svg", media_type="image/svg+xml")
    async def print_svg(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], plate_id: FromPath[str]
    ) -> Response[bytes]:
        """The plate, ready to be printed, as SVG."""
        id_ = parse_id(PLATE_PREFIX, plate_id)
        printed = await decided(edge.journal, lambda: edge.plates.printed(key, id_))
        return Response(await asyncio.to_thread(plate_svg, printed), media_type="image/svg+xml")

    @get("/{plate_id:str}/print.png", media_type="image/png")
    async def print_png(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], plate_id: FromPath[str]
    ) -> Response[bytes]:
        """The plate, ready to be printed, as PNG."""
        id_ = parse_id(PLATE_PREFIX, plate_id)
        printed = await decided(edge.journal, lambda: edge.plates.printed(key, id_))
        return Response((await asyncio.to_thread(plate_png, printed)).png, media_type="image/png")

    @post("/{plate_id:str}/replace")
    async def replace(
        self,
        edge: NamedDependency[MerchantEdge],
        key: NamedDependency[StaffKey],
        plate_id: FromPath[str],
        data: JSONBody[ReplacePlate],
    ) -> PlateView:
        """Take a plate down and hang a new one in its place."""
        id_ = parse_id(PLATE_PREFIX, plate_id)
        return await edge.plate(lambda: edge.plates.replace(key, id_, data.reference))

    @post("/{plate_id:str}/take-down", status_code=200)
    async def take_down(
        self, edge: NamedDependency[MerchantEdge], key: NamedDependency[StaffKey], plate_id: FromPath[str]
    ) -> PlateView:
        """Take a plate down: its code leads nowhere from now on."""
        id_ = parse_id(PLATE_PREFIX, plate_id)
        return await edge.plate(lambda: edge.plates.take_down(key, id_))


def merchant_routes(
    node: NodeRuntime, merchants: MerchantService, plates: PlateService, approvals: Approvals, operator_only: Guard
) -> list[Router]:
    """The handlers for `make_app`. `operator_only` lets in operators and nobody else."""
    edge = MerchantEdge(node.journal, node.clock, merchants, plates, approvals)
    return [
        Door("operator", operator_only).router("/", [OperatorController], edge=edge),
        Door("key", key_guard(node, merchants)).router("/", [MerchantController, PlateController], edge=edge),
    ]


def _issued(issued: tuple[StaffKey, str]) -> IssuedKey:
    key, token = issued
    return IssuedKey(key=key_view(key), token=token)
