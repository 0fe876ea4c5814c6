"""
What people do with what marketing offers them, and what sponsors and operators do with it: acts, as in `acts`.

Coupons and daily draws are used by paying: most of it is done by the acts that pay.
"""

from functools import partial
from typing import Any

from msgspec.structs import replace

from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.marketing.campaigns.budget import Caps
from hutong.marketing.campaigns.campaign import CampaignKind, CampaignTerms, Side
from hutong.marketing.campaigns.rules import RuleRow, RuleTable
from hutong.marketing.coupons.claim_service import Claimant
from hutong.marketing.coupons.coupon import Coupon
from hutong.marketing.red_packets.red_packet import PACKET_PREFIX, PacketDraft, PacketState, RedPacket
from hutong.marketing.red_packets.split import SplitKind
from hutong.marketing.red_packets.views import ClaimView
from hutong.simulation.acts import MIX, RECENT
from hutong.simulation.cash import send_cash
from hutong.simulation.cast import Person
from hutong.simulation.holding import ask_to_hold, take_of_hold
from hutong.simulation.inviting import appeal, bring_friend
from hutong.simulation.line import SILENCE, Respond
from hutong.simulation.marketing import campaign_draft
from hutong.simulation.parts import PIN_FREE, pay_code, pin_token, said, small, some_merchant, somebody, think
from hutong.simulation.place import Place
from hutong.simulation.plates import change_ones_mind
from hutong.simulation.programmes import join_programme
from hutong.simulation.telling import say_of_merchant
from hutong.simulation.tills import coupon_at_till
from hutong.simulation.world import Mix, World

_RUSH = 20  # How many open one packet at once.
_ENDED = frozenset({CampaignKind.DISCOUNT.value, CampaignKind.DRAW.value})


# Coupons.


async def claim_coupon(world: World) -> str:
    """By a tap or by a code, which somebody may have used; at times from another's phone, at times twice at once."""
    template = world.chance.choice(world.offers.templates)
    person, claim_id = _of(world, template.place), world.mint()
    device = _of(world, template.place) if world.chance.random() < 0.2 else person
    who = Claimant(person.user_id, device.device_id)
    code = world.chance.choice(template.codes) if template.codes else ""
    if code and world.chance.random() < 0.05:
        code = f"{code[:-1]}{'0' if code[-1] != '0' else '1'}"  # A slip of the finger.

    def claim(node: Any) -> Any:
        claims = node.marketing.coupons.claims
        return claims.claim_by_code(claim_id, code, who) if code else claims.claim(claim_id, template.id, who)

    if world.chance.random() < 0.2:
        world.beside(world.line.decide(template.place, claim))
    answer = await world.line.decide(template.place, claim)
    if isinstance(answer, Coupon):
        world.marketing_audit.told_coupon(template.place.node_id, answer)
        world.offers.coupons.append((person, answer.id))
    return said(answer)


async def send_coupon(world: World) -> str:
    """An operator sends somebody a coupon."""
    template = world.chance.choice(world.offers.templates)
    person, claim_id = _of(world, template.place), world.mint()

    def send(node: Any) -> Any:
        return node.marketing.coupons.claims.send(claim_id, template.id, person.user_id)

    answer = await world.line.decide(template.place, send)
    if isinstance(answer, Coupon):
        world.offers.coupons.append((person, answer.id))
    return said(answer)


async def give_coupon(world: World) -> str:
    """Somebody gives a coupon on, perhaps one that is used meanwhile."""
    if not world.offers.coupons:
        return "nothing yet"
    person, coupon_id = world.chance.choice(world.offers.coupons[-RECENT:])
    friend = _of(world, person.place)

    def give(node: Any) -> Any:
        return node.marketing.coupons.claims.give(coupon_id, person.user_id, friend.user_id)

    answer = await world.line.decide(person.place, give)
    if isinstance(answer, Coupon):
        world.offers.coupons.append((friend, coupon_id))
    return said(answer)


async def pay_with_coupon(world: World) -> str:
    """One that the payer has, or had; none at all; or two at once, of which one payment gets it."""
    if not world.offers.coupons:
        return "nothing yet"
    payer, coupon_id = world.chance.choice(world.offers.coupons[-RECENT:])
    chosen = () if world.chance.random() < 0.1 else (coupon_id,)
    amount = world.chance.choice((90, 130, 131, 250, 520, 777))
    if world.chance.random() < 0.3:
        other = some_merchant(world)
        world.beside(pay_code(world, payer, other.plate, amount, other, chosen=chosen))
    merchant = some_merchant(world)
    return await pay_code(world, payer, merchant.plate, amount, merchant, chosen=chosen)


# Red packets.


async def send_packet(world: World) -> str:
    """For one or many, equal or by luck, down to a fen each; at times more than the sender has."""
    sender, packet_id = somebody(world), world.mint()
    count = world.chance.choice((1, 1, 2, 3, 5, 8, 12))
    each = world.chance.choice((1, 1, 7, 100, 2_500))
    kind = world.chance.choice((SplitKind.EQUAL, SplitKind.LUCKY))
    spare = world.chance.randrange(2 * each) if kind is SplitKind.LUCKY else 0
    to_user = _of(world, sender.place).user_id if count == 1 and world.chance.random() < 0.4 else None
    draft = PacketDraft(
        packet_id=packet_id,
        kind=kind,
        amount=count * each + spare,
        count=count,
        greeting="恭喜发财",
        to_user_id=to_user,
    )
    if draft.amount > PIN_FREE:
        token = await pin_token(world, sender, packet_id, draft.amount, id_text(PACKET_PREFIX, packet_id))
        if not isinstance(token, str):
            return said(token)
        draft = replace(draft, pin_token=token)

    def create(node: Any, respond: Respond) -> None:
        node.red_packets.packets.create(sender.user_id, draft, respond)

    world.line.asked.append((sender.place, create))
    answer = await world.line.ask(sender.place, create)
    if not isinstance(answer, RedPacket):
        return said(answer)
    world.marketing_audit.told_packet(sender.place.node_id, answer)
    if answer.state == PacketState.OPEN:
        link = await world.line.decide(sender.place, lambda node: node.red_packets.packets.link(answer))
        if link is not SILENCE:
            world.offers.links.append((sender, packet_id, link))
    return answer.state


async def open_packet(world: World) -> str:
    """Anybody who has the link, wherever their wallet is, once or again."""
    if not world.offers.links:
        return "nothing yet"
    _, _, link = world.chance.choice(world.offers.links[-12:])
    return await _open(world, somebody(world), link)


async def rush_packet(world: World) -> str:
    """Everybody opens one packet in the same second."""
    if not world.offers.links:
        return "nothing yet"
    _, _, link = world.chance.choice(world.offers.links[-4:])
    for _ in range(_RUSH):
        world.beside(_open(world, somebody(world), link), open_packet.__name__)
    return "done"


async def _open(world: World, person: Person, link: str) -> str:
    errand = partial(_claimed, person.user_id, link)
    answer = await world.line.ask_errand(person.place, errand, tries=3)
    if isinstance(answer, ClaimView):
        before = world.offers.shares.setdefault((person.user_id, link), answer.amount)
        if before != answer.amount:
            world.audit.say(f"{person.user_id:032x} was told of a share of {before}, and then of {answer.amount}")
        return answer.state
    return said(answer)


async def _claimed(user_id: int, link: str, node: Any) -> Any:
    return await node.red_packets.claim(user_id, link)


# Sponsors and operators.


async def steer_campaign(world: World) -> str:
    """An operator pauses a campaign, lets it go on, changes its budgets of a day or place, or ends it and begins another like it."""
    place, pick = world.chance.choice(world.institutions), world.chance.random()
    verb = world.chance.choice(("pause", "begin", "begin", "begin", "revise", "end"))
    found = await world.line.decide(place, lambda node: _picked(node, pick, _ENDED if verb == "end" else ()))
    if isinstance(found, Refusal) or found in (None, SILENCE):
        return said(found)
    if verb == "revise":
        caps = replace(found.told.caps, day=world.chance.choice((0, 500, 1_500)))
        if world.chance.random() < 0.5:
            caps = replace(
                caps, place=world.chance.choice((0, 100, 400)), place_is=world.chance.choice(("city", "shop"))
            )
        terms = replace(found.told, caps=caps)
        answer = await world.line.decide(place, lambda node: node.marketing.campaigns.revise(found.id, terms))
    else:
        answer = await world.line.decide(place, lambda node: getattr(node.marketing.campaigns, verb)(found.id))
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    if verb == "end" and found.merchant_id == 0:
        kind, side = CampaignKind(found.kind), Side(found.side)
        another = campaign_draft(world, place, found.shares, found.budget, found.told, kind=kind, side=side)
        await _begun(world, place, another)
    return verb


async def contest_budget(world: World) -> str:
    """Two campaigns are begun at once, each for nearly all that their sponsor has left: one of them gets it."""
    place, pick = world.chance.choice(world.institutions), world.chance.random()
    sponsor = await world.line.decide(place, lambda node: _sponsor(node, pick))
    if isinstance(sponsor, Refusal) or sponsor is SILENCE:
        return said(sponsor)
    left = await world.line.ask_errand(place, lambda node: node.marketing.sponsors.balance(sponsor.id))
    if not isinstance(left, int) or left < 2:
        return "nothing left"
    rows = (RuleRow(off=world.chance.choice((2, 30))),)
    terms = CampaignTerms(rules=RuleTable(rows=rows), caps=Caps(times_day=3), partial=True)
    merchant_id, side = sponsor.merchant_id, Side.PAYEE if sponsor.merchant_id else Side.PAYER
    for _ in range(2):
        budget = min(900, left - world.chance.randrange(left // 2))
        draft = campaign_draft(world, place, [(sponsor.id, 1)], budget, terms, side=side, merchant_id=merchant_id)
        world.beside(_begun(world, place, draft))
    return "begun"


async def pay_sponsor(world: World) -> str:
    """A sponsor pays in or takes back, a merchant from and to what it sold; asked again, it is the same."""
    place, pick, id_ = world.chance.choice(world.institutions), world.chance.random(), world.mint()
    verb, amount = world.chance.choice(("deposit", "withdraw")), world.chance.choice((1, 300, 2_000))
    merchant = some_merchant(world)
    if merchant.place is place:
        sponsor = await world.line.decide(
            place, lambda node: node.marketing.sponsors.of_merchant(merchant.merchant_id, "老王面馆")
        )
    else:
        sponsor = await world.line.decide(place, lambda node: _sponsor(node, pick))
    if isinstance(sponsor, Refusal) or sponsor is SILENCE:
        return said(sponsor)

    def move(node: Any, respond: Respond) -> None:
        getattr(node.marketing.sponsors, verb)(id_, sponsor.id, amount, respond)

    world.line.asked.append((place, move))
    return said(await world.line.ask(place, move) or verb)


async def say_phrase(world: World) -> str:
    """Somebody puts a phrase of their own into their draws, from tomorrow on."""
    person, phrase = somebody(world), f"运气{world.chance.randrange(100)}"
    return said(await world.line.decide(person.place, lambda node: node.marketing.draws.say(person.user_id, phrase)))


async def _begun(world: World, place: Place, draft: Any) -> Any:
    answer = await world.line.decide(place, lambda node: node.marketing.campaigns.draft(draft))
    if isinstance(answer, Refusal) or answer is SILENCE:
        return answer
    await think(world, 1)
    begin = partial(_asked_to_begin, draft.id)
    return await world.line.ask(place, begin)


def _asked_to_begin(campaign_id: int, node: Any, respond: Respond) -> None:
    node.marketing.campaigns.begin(campaign_id, answer=respond)


def _picked(node: Any, pick: float, kinds: Any) -> Any:
    found = [each for each in node.marketing.campaigns.everything() if not kinds or each.kind in kinds]
    return found[int(pick * len(found))] if found else None


def _sponsor(node: Any, pick: float) -> Any:
    found = node.marketing.sponsors.everybody()
    return found[int(pick * len(found))]


def _of(world: World, place: Place) -> Person:
    return world.chance.choice([person for person in world.cast.people if person.place is place])


async def pay_same_amount(world: World) -> str:
    """Somebody pays, and at once again: twice in one moment for what there is once a day, or once a person."""
    payer, merchant, amount = somebody(world), some_merchant(world), small(world)
    world.beside(pay_code(world, payer, merchant.plate, amount, merchant))
    return await pay_code(world, payer, merchant.plate, amount, merchant)


MARKETING_MIX: Mix = (  # Beside the thousand of what is not marketing.
    *MIX,
    (60, claim_coupon),
    (8, send_coupon),
    (20, give_coupon),
    (60, pay_with_coupon),
    (30, pay_same_amount),
    (60, change_ones_mind),
    (40, send_packet),
    (90, open_packet),
    (6, rush_packet),
    (14, bring_friend),
    (10, appeal),
    (24, join_programme),
    (20, say_of_merchant),
    (40, ask_to_hold),
    (80, take_of_hold),
    (40, coupon_at_till),
    (50, send_cash),
    (14, steer_campaign),
    (8, contest_budget),
    (10, pay_sponsor),
    (4, say_phrase),
)
