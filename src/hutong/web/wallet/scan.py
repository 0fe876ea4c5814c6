"""Scanning: a camera's frames, a picture or a text become a code, and the code the page that asks whether to pay it."""

import re
from functools import partial
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Response, get, post
from litestar.types import ControllerRouterHandler

from hutong.codes.code import Presented
from hutong.codes.picture import read_picture
from hutong.codes.plate import PATH, PlateKind, hold_plate_id, read_plate
from hutong.codes.scanned import read
from hutong.institution.node import InstitutionNode
from hutong.institution.payments.consult_service import CODE_LENGTH_MAX
from hutong.kernel.errors import KernelReason, Kind, Reason, Refusal
from hutong.kernel.ids import PARTS_MAX, id_text, parse_id
from hutong.web.frames import FrameReader
from hutong.web.page import HEADERS, AnyRequest, Pages
from hutong.web.wallet.consents import elsewhere_path, holds_path
from hutong.web.wallet.door import WALLET, wallet_guard
from hutong.web.wallet.red_packets import open_path

_TEMPLATE = "wallet/scan.html"
# Of an agreement, or of what a merchant asks to hold.
_CONSENT = re.compile(r"(https?://[^/?#]+)/(?:wallet/)?agreements/((?:agr|pra)_[0-9A-Z]{26})")


class ScanReason(Reason):
    """Why what was scanned leads nowhere."""

    SHOWN_BY_PAYER = Kind.REFUSED, "NARR"  # A payment code: tills charge it, nobody is paid by it.
    READER_BUSY = Kind.LIMITED, "NARR"


class Frame(msgspec.Struct, frozen=True):
    """What a camera's frame showed: where its code leads to, or nothing."""

    path: str = ""


def scan_pages(institution: InstitutionNode, pages: Pages) -> list[ControllerRouterHandler]:
    """`/wallet/scan`. Pictures are read beside the loop and kept nowhere."""
    pool = institution.pool
    frames = FrameReader(pages, pool)

    def path_of(text: str) -> str:
        """The page that asks whether to pay a code. The payment has its id from here: loading that again pays nothing twice."""
        text = text.strip()
        if _is_shown_by_payer(text):
            raise Refusal(ScanReason.SHOWN_BY_PAYER)
        if path := open_path(text):
            return path
        if path := _hold_path(text, institution.plates.site.base):
            return path
        if asked := _CONSENT.fullmatch(text):
            if asked[1] == institution.plates.site.base:
                return f"/wallet/agreements/{asked[2]}"
            if asked[2].startswith("pra_"):
                preauth_id = parse_id("pra", asked[2])
                if preauth_id % PARTS_MAX:
                    raise Refusal(KernelReason.ID_MALFORMED, field="code")
                return holds_path(f"{asked[1]}{PATH}{hold_plate_id(preauth_id)}")
            return elsewhere_path(f"{asked[1]}/agreements/{asked[2]}")
        payment_id = id_text("pay", institution.node.mint.mint())
        return f"/wallet/pay/{payment_id}?{urlencode({'code': text})}"

    @get("/wallet/scan")
    async def scan(request: AnyRequest) -> Response[str]:
        code = request.query_params.get("code", "")
        if not code:
            return pages.render(request, _TEMPLATE, nav="scan", code="")
        try:
            return pages.go(path_of(code[: CODE_LENGTH_MAX + 1]))
        except Refusal as refusal:
            return pages.again(request, _TEMPLATE, refusal, nav="scan", code="")

    @post("/wallet/scan", status_code=200)
    async def give(request: AnyRequest) -> Response[str]:
        form = await pages.form(request)
        code = ""
        try:
            code = form.text("code", length_max=CODE_LENGTH_MAX)
            if not code:
                picture = await pages.upload(request, "picture")
                _check_room(institution)
                code = (await pool.run(partial(read_picture, picture)))[0]
            return pages.go(path_of(code))
        except Refusal as refusal:
            return pages.again(request, _TEMPLATE, refusal, nav="scan", code=code)

    @post("/wallet/scan/frame", status_code=200)
    async def watch(request: AnyRequest) -> Response[bytes]:
        code = await frames.code_in(request, request.auth.user_id)
        found = Frame(path_of(code)) if code else Frame()
        return Response(msgspec.json.encode(found), media_type=MediaType.JSON, headers=HEADERS)

    return [pages.router("/", [scan, give, watch], WALLET, [wallet_guard(institution, pages)])]


def _hold_path(text: str, own: str) -> str:
    """Where a merchant's link that asks to hold money is agreed to, here or elsewhere; empty for every other code."""
    try:
        plate = read_plate(text)
    except Refusal:
        return ""
    if plate.id.kind is not PlateKind.HOLD:
        return ""
    if plate.base == own:
        return f"/wallet/agreements/{id_text('pra', plate.id.request_id)}"
    return holds_path(text)


def _check_room(institution: InstitutionNode) -> None:
    if institution.pool.is_full:
        raise Refusal(ScanReason.READER_BUSY)


def _is_shown_by_payer(text: str) -> bool:
    """Whether this is what payers show to tills: nobody is paid by it. What can't be read at all, its owner refuses."""
    try:
        return read(text).presented is Presented.BY_CONSUMER
    except Refusal:
        return False
