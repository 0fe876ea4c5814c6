"""What all pages of the console share: who is there, what of it is theirs to open, and the page around it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, Router
from litestar.types import ControllerRouterHandler

from hutong.institution.bills.service import BillService
from hutong.institution.merchants.reasons import MerchantReason
from hutong.institution.merchants.shop import Shop
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.staff_key import Right, Role
from hutong.institution.merchants.views import SHOP_PREFIX
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.views import payment_id_text
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.pool import WorkerPool
from hutong.runtime.shelf import decided, warmed
from hutong.web.console.wording import channel_name, state_name, state_tag
from hutong.web.language import phrase
from hutong.web.page import AnyRequest, Pages, guarded
from hutong.web.staff import ROLE_NAMES, STAFF, staff_guard

# A cashier's place is the till.
INSIDE = frozenset({Role.OWNER, Role.MANAGER, Role.ACCOUNTANT})
BOOKS = frozenset({Role.OWNER, Role.ACCOUNTANT})
OWNER = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the menu: for which roles, and whether staff of one shop has it, too."""

    name: str
    path: str
    title: str
    roles: Collection[Role] = INSIDE
    of_one_shop: bool = False


SECTIONS = (
    Section("overview", "/console", phrase("Overview"), of_one_shop=True),
    Section("payments", "/console/payments", phrase("Payments"), of_one_shop=True),
    Section("complaints", "/console/complaints", phrase("Complaints"), of_one_shop=True),
    Section("bills", "/console/bills", phrase("Daily bills")),
    Section("settlement", "/console/settlement", phrase("Fees and settlement"), BOOKS),
    Section("withdrawal", "/console/withdrawal", phrase("Withdrawal"), OWNER),
    Section("shops", "/console/shops", phrase("Shops"), of_one_shop=True),
    Section("plates", "/console/plates", phrase("Code plates"), of_one_shop=True),
    Section("campaigns", "/console/campaigns", phrase("Campaigns"), OWNER),
    Section("staff", "/console/staff", phrase("Staff"), OWNER),
    Section("keys", "/console/keys", phrase("API keys"), OWNER),
    Section("webhooks", "/console/webhooks", phrase("Webhooks"), OWNER),
    Section("gateways", "/console/gateways", phrase("Gateways"), OWNER),
    Section("callbacks", "/console/callbacks", phrase("Gateway callbacks"), OWNER),
)


@dataclass(frozen=True, slots=True)
class Console:
    """The services behind the pages."""

    institution: InstitutionNode
    pages: Pages
    bills: BillService
    pool: WorkerPool
    has_callbacks: bool = False
    has_campaigns: bool = False

    async def page(
        self, request: AnyRequest, template: str, nav: str, refusal: Refusal | None = None, **values: Any
    ) -> Response[str]:
        """A page of the console, its menu as the role has it; with a `refusal`, the form once more."""
        who: SignedInStaff = request.auth
        merchant = await self.look(lambda: self.institution.merchants.merchant(who.key.merchant_id))
        role = Role(who.member.role)
        _ = self.pages.words(request)
        around = {
            "nav": nav,
            "who": f"{who.member.name} · {_(ROLE_NAMES[role])}",
            "merchant": merchant,
            "role": role.value,
            "sections": [each for each in SECTIONS if has(who, each) and self._is_there(each)],
            "may_manage": role in OWNER and not who.key.shop_id,
            "shop_text": shop_text,
            "payment_id_text": payment_id_text,
            "state_tag": state_tag,
            "state_name": state_name,
            "channel_name": channel_name,
            **values,
        }
        return self.pages.shown(request, f"console/{template}", refusal, **around)

    def _is_there(self, section: Section) -> bool:
        wired = {"callbacks": self.has_callbacks, "campaigns": self.has_campaigns}
        return wired.get(section.name, True)

    async def look(self, decide: Any) -> Any:
        """What is kept in memory, loaded first where it is not."""
        return await warmed(self.institution.node.journal, decide)

    async def act(self, decide: Any) -> Any:
        """Decide, and go on when that is durable."""
        return await decided(self.institution.node.journal, decide)

    async def shops(self, who: SignedInStaff) -> list[Shop]:
        found: list[Shop] = await self.look(lambda: self.institution.merchants.shops(who.key))
        return found

    async def shop_names(self, who: SignedInStaff) -> dict[int, str]:
        """The names of the shops that somebody sees, by their ids."""
        return {shop.id: shop.name for shop in await self.shops(who)}

    def router(
        self,
        handlers: Sequence[ControllerRouterHandler],
        roles: Collection[Role] = INSIDE,
        right: Right = Right.READ,
        *,
        is_act: bool = True,
    ) -> Router:
        """Handlers for staff of these roles alone; `is_act` as in `staff_guard`."""

        async def known(request: AnyRequest) -> SignedInStaff:
            who: SignedInStaff = request.auth
            if Role(who.member.role) not in roles:
                raise Refusal(MerchantReason.ROLE_MAY_NOT, role=str(who.member.role), right=right.value)
            return who

        guards = [staff_guard(self.institution, self.pages, right, is_act=is_act), guarded(known)]
        return self.pages.router("/console", handlers, STAFF, guards)


def has(who: SignedInStaff, section: Section) -> bool:
    """Whether a section is in somebody's menu."""
    return Role(who.member.role) in section.roles and (section.of_one_shop or not who.key.shop_id)


def shop_text(shop_id: int) -> str:
    """A shop's id as pages write it; empty: none."""
    return id_text(SHOP_PREFIX, shop_id) if shop_id else ""
