"""
How the samples' campaigns begin, and what people do with them: through the nodes' APIs, as everybody.

What is there already is not made again: campaigns, coupons' templates and red packets are known by their names.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from hutong.app.sample_means import Means
from hutong.app.sample_offers import (
    AFTERNOON,
    CLAIMS,
    COUPONS,
    JOINED,
    OWN,
    PACKETS,
    PROMOTIONS,
    REGULARS,
    SPONSORS,
    VOUCHERS,
    Claim,
    OwnPromotion,
    Packet,
    Promotion,
    Sponsor,
)
from hutong.app.sample_visits import Visits
from hutong.app.samples import SMALL, Resident
from hutong.app.wallet import Wallet
from hutong.kernel.clock import NS_PER_MS


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that somebody does at an instant."""

    at_ns: int
    happen: Callable[[], Awaitable[Any]]


async def invitation_of(inviter: Wallet) -> str:
    """The code of somebody's invitation."""
    (campaign,) = (await inviter.client.get("/v1/me/invitations"))["campaigns"]
    asked = {"campaign_id": campaign["campaign_id"]}
    return str((await inviter.client.post("/v1/me/invitations", asked))["code"])


class SampleMarketing:
    """Of a neighbourhood whose shops are open."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._templates: dict[str, str] = {}
        self._programme = ""
        self._visits = Visits(means)

    async def begin(self) -> None:
        """Sponsors pay in, campaigns start, small shops are known as such; who comes every day opens a wallet."""
        await asyncio.gather(*(self._visits.come(regular) for regular in REGULARS), *map(self._tag, SMALL))
        sponsors = {each.reference: await self._sponsor(each) for each in SPONSORS}
        for node in dict.fromkeys(each.node for each in PROMOTIONS):
            desk = self._means.operator(node)
            known = {each["name"]: each["campaign_id"] for each in await desk.get("/v1/operator/campaigns")}
            for promotion in (each for each in PROMOTIONS if each.node == node):
                id_ = known.get(promotion.name) or await self._draft(promotion, sponsors)
                await desk.post(f"/v1/operator/campaigns/{id_}/start")
                if promotion is COUPONS:
                    await self._offer_coupons(id_)
                if promotion is AFTERNOON:
                    self._programme = id_
        for stall in JOINED:
            await self._means.tills[stall.key].post(f"/v1/merchant/programmes/{self._programme}/join")

    def happenings(self) -> Iterator[Happening]:
        """What comes of it in the week behind."""
        of = self._means.clock.of
        for claim in CLAIMS:
            yield Happening(of(claim.days_ago, claim.clock), partial(self._claim, claim))
        for packet in PACKETS:
            yield Happening(of(packet.days_ago, packet.clock), partial(self._fill, packet))
        yield Happening(of(OWN.days_ago, OWN.clock), partial(self._begin_own, OWN))
        yield from (Happening(*each) for each in self._visits.happenings())

    # Campaigns

    async def _sponsor(self, sponsor: Sponsor) -> str:
        desk = self._means.operator(sponsor.node)
        told = {"reference": sponsor.reference, "kind": sponsor.kind, "name": sponsor.name}
        made = str((await desk.post("/v1/operator/sponsors", told))["sponsor_id"])
        paid_in = {"deposit_id": self._means.id_of("dep", sponsor.reference), "amount": sponsor.deposit_minor}
        await desk.post(f"/v1/operator/sponsors/{made}/deposits", paid_in)
        return made

    async def _tag(self, stall: Any) -> None:
        path = f"/v1/operator/merchants/{self._means.merchants[stall.key]}/tags"
        await self._means.operator(stall.node).put(path, {"words": ["small"]})

    async def _draft(self, promotion: Promotion, sponsors: dict[str, str]) -> str:
        draft = {
            "campaign_id": self._means.new_id("cmp"),
            "name": promotion.name,
            "kind": promotion.kind,
            "side": promotion.side,
            "sponsors": [
                {"sponsor_id": sponsors[each.reference], "proportion": share} for each, share in promotion.sponsors
            ],
            "budget": promotion.budget_minor,
            "terms": promotion.terms,
            "ends_at_ms": self._end_of_day_ms(promotion.days_left),
        }
        return str((await self._means.operator(promotion.node).post("/v1/operator/campaigns", draft))["campaign_id"])

    async def _begin_own(self, own: OwnPromotion) -> None:
        """In the three steps of the console: what it gives, its money, its start."""
        till = self._means.tills[own.stall.key]
        if own.name in {each["name"] for each in await till.get("/v1/merchant/campaigns")}:
            return
        draft = {
            "campaign_id": self._means.new_id("cmp"),
            "name": own.name,
            "budget": own.budget_minor,
            "terms": own.terms,
            "ends_at_ms": self._end_of_day_ms(own.days_left),
        }
        made = (await till.post("/v1/merchant/campaigns", draft))["campaign_id"]
        deposit = {"deposit_id": self._means.id_of("dep", own.name), "amount": own.budget_minor}
        await till.post("/v1/merchant/budget/deposits", deposit)
        await till.post(f"/v1/merchant/campaigns/{made}/start")

    def _end_of_day_ms(self, days_left: int) -> int:
        return self._means.clock.of(-days_left - 1, "00:00") // NS_PER_MS

    # Coupons

    async def _offer_coupons(self, campaign_id: str) -> None:
        desk = self._means.operator(COUPONS.node)
        known = await desk.get("/v1/operator/coupon-templates")
        self._templates = {each["name"]: each["template_id"] for each in known}
        for voucher in VOUCHERS:
            if voucher.name not in self._templates:
                id_ = self._templates[voucher.name] = self._means.new_id("ctp")
                template = {
                    "template_id": id_,
                    "campaign_id": campaign_id,
                    "name": voucher.name,
                    "terms": voucher.terms,
                    "stock": voucher.stock,
                }
                await desk.post("/v1/operator/coupon-templates", template)

    async def _claim(self, claim: Claim) -> None:
        wallet = self._means.wallets[claim.person.key]
        coupon_id = self._means.id_of("cpn", f"{claim.days_ago}/{claim.clock}")
        body = {"coupon_id": coupon_id, "template_id": self._templates[claim.voucher.name]}
        await wallet.client.post("/v1/me/coupons", body)
        if claim.given_to is not None:
            await wallet.client.post(f"/v1/me/coupons/{coupon_id}/give", {"phone": claim.given_to.phone})

    # Red packets

    async def _fill(self, packet: Packet) -> None:
        """Fill it, and have it opened by whoever does."""
        sender = self._means.wallets[packet.sender.key]
        sent = await sender.client.get("/v1/me/red-packets", role="sent")
        if packet.greeting in {each.get("greeting") for each in sent}:
            return
        body = {
            "packet_id": self._means.new_id("rpk"),
            "kind": packet.kind,
            "amount": packet.amount,
            "count": packet.count,
            "greeting": packet.greeting,
            "to_code": "" if packet.to is None else self._means.plates[packet.to.key],
        }
        link = (await sender.client.post("/v1/me/red-packets", body))["link"]
        for person in packet.opened_by:
            await self._open(person, link)

    async def _open(self, person: Resident, link: str) -> None:
        await self._means.wallets[person.key].client.post("/v1/me/red-packets/claims", {"link": link})
