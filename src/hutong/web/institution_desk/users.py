"""Users: found, known better, frozen, forgotten. A search shows little of them; the whole is a look of its own, and noted."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.institution.chart import AccountCode
from hutong.institution.people.phone import masked_phone
from hutong.institution.people.reasons import PeopleReason
from hutong.institution.people.user import Evidence, Tier, User
from hutong.institution.people.views import DEVICE_PREFIX, USER_PREFIX
from hutong.kernel.errors import KernelReason, Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.ledger.transfer import TIMESTAMP_MAX
from hutong.operators.operator import Operator, Role
from hutong.runtime.http import HttpReason
from hutong.web.form import Form
from hutong.web.institution_desk.parts import DeskParts
from hutong.web.institution_desk.wordings import EVIDENCES, TIERS
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

NAV = "users"
_WHY_MAX = 200
_PAGE = 30
_EVIDENCES = {each.value: each for each in Evidence}
_NOBODY = {PeopleReason.USER_UNKNOWN, PeopleReason.PHONE_MALFORMED, *KernelReason}


def user_pages(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    """`/desk/users`, and each one's page below it."""
    return desk.router(f"{HOME}/users", [_search(desk, parts), *_user(desk, parts)])


def _search(desk: Desk, parts: DeskParts) -> ControllerRouterHandler:
    people = parts.institution.people

    def listed(users: Sequence[User]) -> list[dict[str, Any]]:
        return [
            {
                "id": id_text(USER_PREFIX, user.id),
                "name": user.masked_name,
                "phone": masked_phone(user.phone) if user.phone else "",
                "user": user,
            }
            for user in users
        ]

    async def newest(before_ns: int) -> tuple[Sequence[User], int | None]:
        """Users by the wallets that were opened before a time; and where the next page begins."""
        wallets = await parts.books.accounts(AccountCode.WALLET, before_ns=before_ns, limit=_PAGE)
        older = wallets[-1].timestamp if len(wallets) == _PAGE else None
        return await people.users(account.user_data_128 for account in wallets), older

    @get()
    async def find(request: AnyRequest) -> Response[str]:
        form = Form(dict(request.query_params))
        words = form.text("words", length_max=70)
        error, older = "", None
        if words:
            try:
                found: Sequence[User] = await people.search(words)
            except Refusal as refusal:
                if refusal.reason not in _NOBODY:
                    raise
                found, error = [], desk.pages.words(request).refusal(refusal)
        else:
            found, older = await newest(form.number("before") if form.text("before") else TIMESTAMP_MAX)
        values: dict[str, Any] = {
            "words": words,
            "found": listed(found),
            "older": older,
            "error": error,
            "tiers": TIERS,
        }
        return desk.render(request, "institution_desk/users.html", NAV, **values)

    return find


def _user(desk: Desk, parts: DeskParts) -> list[ControllerRouterHandler]:
    people = parts.institution.people

    async def page(request: AnyRequest, user_id: int, refusal: Refusal | None = None) -> Response[str]:
        user = await desk.answer(lambda: people.user(user_id))
        account = await parts.books.account(user.wallet_account)
        values: dict[str, Any] = {
            "user": user,
            "id": id_text(USER_PREFIX, user.id),
            "balance": account.credits_posted - account.debits_posted,
            "held": account.debits_pending,
            "opened_ns": account.timestamp,
            "devices": [
                (id_text(DEVICE_PREFIX, device.id), device)
                for device in await desk.answer(lambda: people.devices.devices(user_id))
            ],
            "tiers": TIERS,
            "evidences": [(each.value, said, TIERS[each.proves]) for each, said in EVIDENCES.items()],
            "evidence": EVIDENCES[_EVIDENCES[user.evidence]],
        }
        return desk.shown(request, "institution_desk/user.html", NAV, refusal, **values)

    @get("/{user_id:str}")
    async def show(request: AnyRequest, user_id: FromPath[str]) -> Response[str]:
        return await page(request, parse_id(USER_PREFIX, user_id))

    @post("/{user_id:str}")
    async def act(request: AnyRequest, user_id: FromPath[str]) -> Response[Any]:
        form = await desk.pages.form(request)
        id_ = parse_id(USER_PREFIX, user_id)
        try:
            await _act(desk, parts, form, id_, request.auth)
        except Refusal as refusal:
            return await page(request, id_, refusal)
        return desk.pages.go(f"{HOME}/users/{user_id}")

    return [show, act]


async def _act(desk: Desk, parts: DeskParts, form: Form, id_: int, operator: Operator) -> None:
    people, by = parts.institution.people, operator.name
    match form.text("act"):
        case "freeze":
            await desk.answer(partial(people.freeze, id_, form.needed("why", length_max=_WHY_MAX), operator=by))
        case "unfreeze":
            await desk.answer(partial(people.unfreeze, id_, form.needed("why", length_max=_WHY_MAX), operator=by))
        case "raise":
            tier, evidence, name = _tier(form), _evidence(form), form.needed("name", length_max=_WHY_MAX)
            await desk.answer(partial(people.raise_tier, id_, tier, evidence, name, by))
        case "lost":
            device_id = parse_id(DEVICE_PREFIX, form.needed("device"))
            await desk.answer(partial(people.devices.report_lost, id_, device_id))
        case "erase":
            operator.check_role(Role.ADMIN)
            form.needed("why", length_max=_WHY_MAX)
            await desk.answer(partial(people.user, id_))  # With it the act is noted, before anything is gone.
            await parts.institution.erasure.erase(id_)
        case _:
            raise Refusal(HttpReason.FIELD_INVALID, field="act", problem="no such act")


def _tier(form: Form) -> Tier:
    """Refuses FIELD_INVALID."""
    return Tier(form.number("tier", least=min(Tier), most=max(Tier)))


def _evidence(form: Form) -> Evidence:
    """Refuses FIELD_INVALID."""
    found = _EVIDENCES.get(form.text("evidence"))
    if found is None:
        raise Refusal(HttpReason.FIELD_INVALID, field="evidence", problem="no evidence we know")
    return found
