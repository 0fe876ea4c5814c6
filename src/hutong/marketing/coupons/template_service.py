"""Making templates of coupons, changing what may change, and their codes."""

from collections.abc import Iterator

import msgspec

from hutong.kernel.errors import Refusal
from hutong.kernel.text import check_text
from hutong.marketing.coupons.code import BATCHES_MAX, CODES_MAX, CodeBatch, CodeHandout, Codes
from hutong.marketing.coupons.ports import Campaigns
from hutong.marketing.coupons.reasons import CouponReason
from hutong.marketing.coupons.repository import CouponRepository
from hutong.marketing.coupons.stock import Stock
from hutong.marketing.coupons.template import (
    NAME_LENGTH_MAX,
    CodeKind,
    CouponTemplate,
    CouponTerms,
    TemplateState,
    check_stock,
)
from hutong.runtime.node import NodeRuntime

COUPON_CAMPAIGN = "COUPON"
_encode = msgspec.json.Encoder(order="deterministic").encode


class TemplateService:
    """Templates, their stock and their codes. Where a `merchant_id` is asked for, others' templates are unknown to it."""

    def __init__(self, node: NodeRuntime, repository: CouponRepository, campaigns: Campaigns, codes: Codes) -> None:
        self._clock = node.clock
        self._all = repository
        self._campaigns = campaigns
        self._codes = codes
        self._stocks: dict[int, Stock] = {}
        self._series: dict[int, CodeBatch] = {}

    async def start(self) -> None:
        """Read how many of each were claimed: one look a template, however many claims there are."""
        self._series = {batch.series: batch for batch in self._all.batches.everything()}
        for template in self._all.templates.everything():
            newest = await self._all.newest_claim(template.id)
            if newest is not None:
                self.stock(template.id).read(newest)

    def create(
        self, template_id: int, campaign_id: int, name: str, terms: CouponTerms, stock: int, merchant_id: int = 0
    ) -> CouponTemplate:
        """
        A template of coupons, from now on to be claimed; a merchant's is of one of its own campaigns.

        Refuses:  the text refusals; COUPON_TERMS_UNSOUND, naming the field; CAMPAIGN_UNKNOWN, also for another's;
                  COUPON_CAMPAIGN_NOT_FOR_COUPONS; COUPON_TEMPLATE_OTHERWISE, naming the field that differs.
        Repeats:  the template as it is now.
        """
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        terms.check()
        check_stock(stock)
        campaign = self._campaigns.campaign(campaign_id)
        now_ns = self._clock.now_ns()
        template = CouponTemplate(
            id=template_id,
            campaign_id=campaign_id,
            merchant_id=campaign.merchant_id,
            name=name,
            terms=_encode(terms),
            stock=stock,
            state=TemplateState.ACTIVE.value,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        known = self._all.templates.get(template_id)
        if known is not None:
            if merchant_id and known.merchant_id != merchant_id:
                raise Refusal(CouponReason.COUPON_TEMPLATE_OTHERWISE, field="template_id")
            _check_same(known, template)
            return known
        if (merchant_id and campaign.merchant_id != merchant_id) or campaign.kind != COUPON_CAMPAIGN:
            raise Refusal(CouponReason.COUPON_CAMPAIGN_NOT_FOR_COUPONS, field="campaign_id")
        self._all.templates.put(template)
        return template

    def create_for_till(
        self, template_id: int, merchant_id: int, name: str, terms: CouponTerms, stock: int
    ) -> CouponTemplate:
        """
        A template of coupons that their merchant takes: of no campaign, paid for by no budget.

        Refuses:  the text refusals; COUPON_TERMS_UNSOUND, naming the field.
        """
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        terms.check(at_till=True)
        check_stock(stock)
        now_ns = self._clock.now_ns()
        template = CouponTemplate(
            id=template_id,
            campaign_id=0,
            merchant_id=merchant_id,
            name=name,
            terms=_encode(terms),
            stock=stock,
            state=TemplateState.ACTIVE.value,
            created_ns=now_ns,
            changed_ns=now_ns,
        )
        self._all.templates.put(template)
        return template

    def rename(self, template_id: int, name: str) -> CouponTemplate:
        """Call a template for the till otherwise. Refuses COUPON_TEMPLATE_UNKNOWN; the text refusals."""
        check_text("name", name, length_max=NAME_LENGTH_MAX)
        template = self.template(template_id)
        assert template.is_for_till
        if template.name == name:
            return template
        return self._put(template, msgspec.structs.replace(template, name=name, changed_ns=self._clock.now_ns()))

    def restock(self, template_id: int, stock: int, merchant_id: int = 0) -> CouponTemplate:
        """
        Let another number be claimed in all.

        Refuses:  COUPON_TEMPLATE_UNKNOWN, COUPON_TERMS_UNSOUND, COUPON_STOCK_BELOW_CLAIMED.
        Repeats:  nothing changes.
        """
        template = self.template(template_id, merchant_id)
        return self._put(template, template.stocked(stock, self.stock(template_id).claimed, self._clock.now_ns()))

    def move(self, template_id: int, state: TemplateState, merchant_id: int = 0) -> CouponTemplate:
        """
        Pause, resume or end the claiming. What was claimed stays good: that was promised.

        Refuses:  COUPON_TEMPLATE_UNKNOWN, COUPON_NOT_ON_OFFER.
        Repeats:  nothing changes.
        """
        template = self.template(template_id, merchant_id)
        return self._put(template, template.moved_to(state, self._clock.now_ns()))

    def template(self, template_id: int, merchant_id: int = 0) -> CouponTemplate:
        """Refuses COUPON_TEMPLATE_UNKNOWN."""
        template = self._all.templates.get(template_id)
        if template is None or (merchant_id and template.merchant_id != merchant_id):
            raise Refusal(CouponReason.COUPON_TEMPLATE_UNKNOWN)
        return template

    def templates(self, merchant_id: int = 0) -> list[CouponTemplate]:
        """All, or a merchant's own, oldest first."""
        return [
            template
            for template in self._all.templates.everything()
            if not merchant_id or template.merchant_id == merchant_id
        ]

    def stock(self, template_id: int) -> Stock:
        """How many of a template were claimed."""
        return self._stocks.setdefault(template_id, Stock())

    # Codes.

    def make_codes(self, batch_id: int, template_id: int, count: int, by: str, merchant_id: int = 0) -> CodeBatch:
        """
        So many codes of a template; of a shared code there is one.

        Refuses:  COUPON_TEMPLATE_UNKNOWN; COUPON_TAKES_NO_CODES; COUPON_TERMS_UNSOUND; COUPON_CODES_TOO_MANY;
                  COUPON_CODES_OTHERWISE, naming the field.
        Repeats:  the batch as it was made.
        """
        template = self.template(template_id, merchant_id)
        kind = template.told.code
        if kind is CodeKind.NONE or template.is_for_till:
            raise Refusal(CouponReason.COUPON_TAKES_NO_CODES)
        if not 0 < count <= (1 if kind is CodeKind.SHARED else CODES_MAX):
            raise Refusal(CouponReason.COUPON_TERMS_UNSOUND, field="count")
        known = self._all.batches.get(batch_id)
        if known is not None:
            for field, value in (("template_id", template_id), ("count", count)):
                if getattr(known, field) != value:
                    raise Refusal(CouponReason.COUPON_CODES_OTHERWISE, field=field)
            return known
        if len(self._series) >= BATCHES_MAX:
            raise Refusal(CouponReason.COUPON_CODES_TOO_MANY)
        batch = CodeBatch(
            id=batch_id,
            template_id=template_id,
            series=len(self._series),
            count=count,
            shared=kind is CodeKind.SHARED,
            made_by=by,
            created_ns=self._clock.now_ns(),
        )
        self._all.batches.put(batch)
        self._series[batch.series] = batch
        return batch

    def batches(self, template_id: int, merchant_id: int = 0) -> list[CodeBatch]:
        """The batches of a template's codes, oldest first. Refuses COUPON_TEMPLATE_UNKNOWN."""
        return self._all.batches.find("template_id", self.template(template_id, merchant_id).id)

    def batch(self, batch_id: int, merchant_id: int = 0) -> CodeBatch:
        """Refuses COUPON_CODES_UNKNOWN."""
        batch = self._all.batches.get(batch_id)
        if batch is None or (merchant_id and self.template(batch.template_id).merchant_id != merchant_id):
            raise Refusal(CouponReason.COUPON_CODES_UNKNOWN)
        return batch

    def hand_out(self, batch_id: int, by: str, merchant_id: int = 0) -> CodeBatch:
        """
        Note that a batch's codes leave as a file, by a page: a browser that is left open tells nobody what they were.

        Refuses:  COUPON_CODES_UNKNOWN; COUPON_CODES_HANDED_OUT, saying by whom. Whoever may make codes gets them again by API.
        """
        batch = self.batch(batch_id, merchant_id)
        known = self._all.handouts.get(batch_id)
        if known is not None:
            raise Refusal(CouponReason.COUPON_CODES_HANDED_OUT, by=known.taken_by)
        self._all.handouts.put(CodeHandout(id=batch_id, taken_by=by, taken_ns=self._clock.now_ns()))
        return batch

    def handout(self, batch_id: int) -> CodeHandout | None:
        """When a batch's codes left by a page, and with whom; None: not yet."""
        return self._all.handouts.get(batch_id)

    def codes(self, batch: CodeBatch, first: int = 0, count: int = CODES_MAX) -> Iterator[str]:
        """The codes of a batch from a number on: made again from the node's key, for they are kept nowhere."""
        for number in range(first, min(first + count, batch.count)):
            yield self._codes.code(batch.series, number)

    def batch_of(self, code: str) -> tuple[CodeBatch, int]:
        """The batch of a code and its number there. Refuses COUPON_CODE_WRONG."""
        series, number = self._codes.read(code)
        batch = self._series.get(series)
        if batch is None or number >= batch.count:
            raise Refusal(CouponReason.COUPON_CODE_WRONG, field="code")
        return batch, number

    def _put(self, template: CouponTemplate, changed: CouponTemplate) -> CouponTemplate:
        if changed is not template:
            self._all.templates.put(changed)
        return changed


def _check_same(known: CouponTemplate, wanted: CouponTemplate) -> None:
    for field in ("campaign_id", "name", "terms"):
        if getattr(known, field) != getattr(wanted, field):
            raise Refusal(CouponReason.COUPON_TEMPLATE_OTHERWISE, field=field)
