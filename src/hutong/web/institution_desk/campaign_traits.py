"""What campaigns' rules may ask of a person or merchant beside what the institution knows: found by id, said on one page."""

from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.institution.merchants.views import MERCHANT_PREFIX
from hutong.institution.people.views import USER_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import parse_id
from hutong.marketing.campaigns.trait import WORD_LENGTH_MAX, TraitOf
from hutong.marketing.marketing import Marketing
from hutong.web.form import Form
from hutong.web.operator import HOME, Desk
from hutong.web.page import AnyRequest

_NAV, _PATH = "campaigns", f"{HOME}/campaigns/traits"
_ID_LENGTH_MAX = 40


def trait_pages(desk: Desk, marketing: Marketing) -> ControllerRouterHandler:
    """`/desk/campaigns/traits`: whose they are is asked first."""
    parties = marketing.campaign_edge.parties

    async def shown(request: AnyRequest, form: Form, refusal: Refusal | None = None) -> Response[str]:
        values: dict[str, Any] = {
            "id": form.text("id", length_max=_ID_LENGTH_MAX),
            "found": None,
            "words": "",
            "city": "",
            "shared": "",
        }
        if values["id"]:
            try:
                of, id_ = _who(values["id"])
                found = await desk.answer(partial(parties.said, of, id_))
            except Refusal as unknown:
                refusal = refusal or unknown
            else:
                values |= {"found": of.value, "words": ", ".join(sorted(found.told)), "city": found.home_city}
                values["shared"] = ", ".join(found.told_elsewhere)
        return desk.shown(request, "institution_desk/campaign_traits.html", _NAV, refusal, **values)

    @get()
    async def leaf(request: AnyRequest) -> Response[str]:
        return await shown(request, Form(dict(request.query_params)))

    @post()
    async def say(request: AnyRequest) -> Response[Any]:
        form = await desk.pages.form(request)
        try:
            of, id_ = _who(form.needed("id", length_max=_ID_LENGTH_MAX))
            words, shared = _words(form.text("words")), _words(form.text("shared"))
            city = form.text("city", length_max=WORD_LENGTH_MAX) if of is TraitOf.PERSON else ""
            await desk.answer(partial(parties.say, of, id_, words, city, shared if of is TraitOf.MERCHANT else None))
        except Refusal as refusal:
            return await shown(request, form, refusal)
        return desk.pages.go(f"{_PATH}?id={form.text('id')}")

    return desk.router(_PATH, [leaf, say])


def _words(text: str) -> list[str]:
    return [each.strip() for each in text.replace("，", ",").split(",") if each.strip()]


def _who(text: str) -> tuple[TraitOf, int]:
    """Refuses ID_OF_OTHER_KIND, ID_MALFORMED."""
    if text.startswith(f"{MERCHANT_PREFIX}_"):
        return TraitOf.MERCHANT, parse_id(MERCHANT_PREFIX, text)
    return TraitOf.PERSON, parse_id(USER_PREFIX, text)
