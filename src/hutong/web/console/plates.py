"""Code plates: hung, taken down, replaced, and printed, one by one or four to a sheet."""

from dataclasses import replace
from functools import partial

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from hutong.codes.plate_pdf import plates_pdf
from hutong.codes.printed_plate import Issuer, PrintedPlate, plate_svg
from hutong.institution.merchants.merchant import REFERENCE_LENGTH_MAX
from hutong.institution.merchants.plate import Origin, Plate
from hutong.institution.merchants.plate_service import PAGE_MAX
from hutong.institution.merchants.staff import SignedInStaff
from hutong.institution.merchants.views import PLATE_PREFIX, SHOP_PREFIX
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text, parse_id
from hutong.runtime.http import HttpReason
from hutong.web.console.export import check_room
from hutong.web.console.place import Console
from hutong.web.page import HEADERS, AnyRequest

_SHEET_MAX = 100


def plate_pages(console: Console) -> list[ControllerRouterHandler]:
    """`/console/plates...`: for everybody inside."""
    plates = console.institution.plates

    async def printed(request: AnyRequest, plate_ids: list[int]) -> list[PrintedPlate]:
        """What is printed of each, as it stands. Refuses as `PlateService.printed`; EXPORT_BUSY."""
        check_room(console.pool)
        brand = console.pages.brand
        issuer = Issuer(brand.name, brand.initial, brand.on_paper)
        found = [await console.look(partial(plates.printed, request.auth.key, id_)) for id_ in plate_ids]
        return [replace(each, issuer=issuer) for each in found]

    @get("/plates")
    async def show(request: AnyRequest) -> Response[str]:
        return await shown(console, request, {"reference": "", "shop": ""})

    @get("/plates/{plate_id:str}/plate.pdf")
    async def pdf(request: AnyRequest, plate_id: FromPath[str]) -> Response[bytes]:
        found = await printed(request, [parse_id(PLATE_PREFIX, plate_id)])
        return _file(await console.pool.run(partial(plates_pdf, found)), "pdf", "application/pdf")

    @get("/plates/{plate_id:str}/plate.svg")
    async def svg(request: AnyRequest, plate_id: FromPath[str]) -> Response[bytes]:
        (plate,) = await printed(request, [parse_id(PLATE_PREFIX, plate_id)])
        return _file(await console.pool.run(partial(plate_svg, plate)), "svg", "image/svg+xml")

    @get("/plates/sheet.pdf")
    async def sheet(request: AnyRequest) -> Response[bytes]:
        """Those ticked, else all that hang."""
        asked = [parse_id(PLATE_PREFIX, each) for each in request.query_params.getall("plate", [])[:_SHEET_MAX]]
        if not asked:
            hanging, _ = await plates.plates(request.auth.key, before=None, limit=PAGE_MAX)
            asked = [each.id for each in hanging if is_printable(each)][:_SHEET_MAX]
        if not asked:
            raise Refusal(HttpReason.ROUTE_UNKNOWN)
        found = await printed(request, asked)
        return _file(await console.pool.run(partial(plates_pdf, found, sheet=True)), "pdf", "application/pdf")

    return [show, sheet, pdf, svg]


def plate_changes(console: Console) -> list[ControllerRouterHandler]:
    """What only an owner does: hanging, replacing and taking down."""
    plates = console.institution.plates

    @post("/plates", status_code=200)
    async def hang(request: AnyRequest) -> Response[str]:
        form = await console.pages.form(request)
        typed = {name: form.text(name, length_max=200) for name in ("reference", "shop")}
        try:
            shop_id = parse_id(SHOP_PREFIX, typed["shop"]) if typed["shop"] else 0
            await console.act(lambda: plates.hang(request.auth.key, typed["reference"], shop_id))
        except Refusal as refusal:
            return await shown(console, request, typed, refusal)
        return console.pages.go("/console/plates")

    @post("/plates/{plate_id:str}/{act:str}", status_code=200)
    async def change(request: AnyRequest, plate_id: FromPath[str], act: FromPath[str]) -> Response[str]:
        form = await console.pages.form(request)
        id_ = parse_id(PLATE_PREFIX, plate_id)
        try:
            match act:
                case "take-down":
                    await console.act(lambda: plates.take_down(request.auth.key, id_))
                case "replace":
                    reference = form.text("reference", length_max=200)
                    await console.act(lambda: plates.replace(request.auth.key, id_, reference))
                case _:
                    raise Refusal(HttpReason.ROUTE_UNKNOWN)
        except Refusal as refusal:
            return await shown(console, request, {"reference": "", "shop": ""}, refusal)
        return console.pages.go("/console/plates")

    return [hang, change]


async def shown(
    console: Console, request: AnyRequest, typed: dict[str, str], refusal: Refusal | None = None
) -> Response[str]:
    """The list of plates, and the form for another."""
    who: SignedInStaff = request.auth
    before = request.query_params.get("before", "")
    service = console.institution.plates
    found, more = await service.plates(
        who.key, before=parse_id(PLATE_PREFIX, before) if before else None, limit=PAGE_MAX
    )
    return await console.page(
        request,
        "plates.html",
        "plates",
        refusal,
        plates=sorted(found, key=lambda plate: not plate.is_active),
        text_of={plate.id: (await console.look(partial(service.texts, plate)))[0] for plate in found},
        older=f"/console/plates?before={plate_text(more)}" if more else "",
        plate_text=plate_text,
        is_printable=is_printable,
        shops=[shop for shop in await console.shops(who) if shop.is_open],
        shop_names=await console.shop_names(who),
        typed=typed,
        reference_max=REFERENCE_LENGTH_MAX,
    )


def plate_text(plate_id: int) -> str:
    """A plate's id as pages write it."""
    return id_text(PLATE_PREFIX, plate_id)


def is_printable(plate: Plate) -> bool:
    """Whether it is ours to print, and hangs."""
    return bool(plate.is_active) and plate.origin == Origin.OWN


def _file(content: bytes, ending: str, media_type: str) -> Response[bytes]:
    headers = HEADERS | {"content-disposition": f'inline; filename="plate.{ending}"'}
    return Response(content, media_type=media_type, headers=headers)
