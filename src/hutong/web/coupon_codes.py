"""A coupon on its own page, of a desk or of a console: how many were claimed and paid with, and its codes."""

from collections.abc import Iterator
from dataclasses import dataclass

from litestar.response import Stream

from hutong.kernel.ids import id_text, parse_id
from hutong.marketing.coupons.code import BATCH_PREFIX, CODES_MAX, CodeBatch, CodeHandout, Use
from hutong.marketing.coupons.template import TEMPLATE_PREFIX, CodeKind, CouponTemplate, TemplateState
from hutong.marketing.coupons.template_service import TemplateService
from hutong.marketing.marketing import Marketing
from hutong.web.coupon_wording import promised
from hutong.web.form import Form
from hutong.web.language import Words, phrase
from hutong.web.page import HEADERS
from hutong.web.wallet.coupons import Told, coupon_told

COUPON_STATES = {
    TemplateState.ACTIVE.value: (phrase("To be claimed"), "good"),
    TemplateState.PAUSED.value: (phrase("Paused"), "warn"),
    TemplateState.ENDED.value: (phrase("Ended"), ""),
}
COUPON_MOVES = {"pause": TemplateState.PAUSED, "resume": TemplateState.ACTIVE, "end": TemplateState.ENDED}
USUAL_COUNT = "100"
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as a list shows it."""

    id: str
    template: CouponTemplate
    told: Told
    claimed: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Codes that were made together, and what became of them."""

    id: str
    batch: CodeBatch
    use: Use
    handout: CodeHandout | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A template as its own page shows it. `code` is the one that many type, once it was made."""

    id: str
    template: CouponTemplate
    told: Told
    promised: list[tuple[str, str]]
    kind: CodeKind
    use: Use
    batches: list[Batch]
    code: str
    new_batch: str

    @property
    def takes_codes(self) -> bool:
        """Whether more codes can be made."""
        return self.kind is CodeKind.UNIQUE or (self.kind is CodeKind.SHARED and not self.batches)


def listed(_: Words, marketing: Marketing, campaign_id: int) -> list[Listed]:
    """A campaign's coupons, oldest first."""
    templates = marketing.coupons.templates
    return [
        Listed(id_text(TEMPLATE_PREFIX, each.id), each, coupon_told(_, each.told), templates.stock(each.id).claimed)
        for each in templates.templates()
        if each.campaign_id == campaign_id
    ]


async def shown(_: Words, marketing: Marketing, template_id: str, merchant_id: int = 0) -> Shown:
    """Refuses COUPON_TEMPLATE_UNKNOWN, for another merchant's, too."""
    templates = marketing.coupons.templates
    template = templates.template(parse_id(TEMPLATE_PREFIX, template_id), merchant_id)
    uses = await marketing.coupon_uses.of_template(template.id)
    made = templates.batches(template.id)
    kind = template.told.code
    return Shown(
        id=template_id,
        template=template,
        told=coupon_told(_, template.told),
        promised=promised(_, template.told, marketing.calendar.zone),
        kind=kind,
        use=Use(sum(each.claimed for each in uses.values()), sum(each.used for each in uses.values())),
        batches=[
            Batch(id_text(BATCH_PREFIX, each.id), each, uses.get(each.id, Use()), templates.handout(each.id))
            for each in made
        ],
        code=next(templates.codes(made[0])) if made and kind is CodeKind.SHARED else "",
        new_batch=id_text(BATCH_PREFIX, marketing.node.mint.mint()),
    )


def codes_wanted(form: Form, template: CouponTemplate) -> tuple[int, int]:
    """The batch that a form asks for: its id, and how many. Refuses as `Form` does."""
    batch_id = parse_id(BATCH_PREFIX, form.needed("batch", length_max=40))
    is_shared = template.told.code is CodeKind.SHARED
    return batch_id, 1 if is_shared else form.number("count", least=1, most=CODES_MAX)


def codes_file(templates: TemplateService, batch: CodeBatch) -> Stream:
    """The codes as CSV, one a line below a head: whoever has the file can claim."""
    name = f"codes-{id_text(BATCH_PREFIX, batch.id)}.csv"
    headers = HEADERS | {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Stream(_lines(templates, batch), media_type="text/csv; charset=utf-8", headers=headers)


def _lines(templates: TemplateService, batch: CodeBatch) -> Iterator[bytes]:
    yield b"code\r\n"
    for first in range(0, batch.count, _AT_ONCE):
        yield "".join(f"{code}\r\n" for code in templates.codes(batch, first, _AT_ONCE)).encode()
