"""Money that merchants ask people of other institutions to hold: asked at the till, agreed to, taken in parts, let go, ended."""

from functools import partial
from typing import Any

from hutong.codes.plate import PATH, hold_plate_id
from hutong.institution import chart
from hutong.institution.holds.authorisation import AuthorisationState, Offer, ReleaseState
from hutong.institution.holds.hold import Hold, HoldState
from hutong.institution.requests.draft import RequestDraft
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import Channel
from hutong.simulation.cast import Merchant, Person, payment_code
from hutong.simulation.line import SILENCE, Respond
from hutong.simulation.parts import pin_token, said, some_merchant, think
from hutong.simulation.software import plate_base
from hutong.simulation.world import World

_AMOUNTS = (900, 30_000, 30_000, 4_000_000)
_OFFER_S = 300
_RECENT = 8


async def ask_to_hold(world: World) -> str:
    """A till reads the phone of somebody from elsewhere, and asks to hold; the phone asks its person, who says yes, no or nothing."""
    merchant = some_merchant(world)
    person = world.chance.choice([each for each in world.cast.people if each.place is not merchant.place])
    offer = Offer(
        id=world.mint(),
        amount=world.chance.choice(_AMOUNTS),
        currency="CNY",
        creditor_name="老王旅馆",
        title="押金",
        is_open=True,
        expires_ns=world.now_ns + _OFFER_S * NS_PER_S,
    )
    world.offers.holds[merchant.place.node_id][offer.id] = offer
    world.offers.asked_to_hold.append((merchant, offer.id))
    if world.chance.random() < 0.4:
        return await _open_link(world, merchant, offer)
    code = payment_code(person, world.now_ns)
    asked = await world.line.decide(merchant.place, lambda node: node.holds.authorisations.ask(offer, code))
    if isinstance(asked, Refusal) or asked is SILENCE:
        return said(asked)
    for _ in range(3):
        await think(world, 5)
        waiting = await world.line.decide(person.place, partial(_waiting, person))
        for hold in waiting if isinstance(waiting, list) else ():
            await _answer(world, person, hold)
    return "asked"


async def _open_link(world: World, merchant: Merchant, offer: Offer) -> str:
    """It shows a link instead: two people from elsewhere open it, and each may say yes; one of them is held to it, or nobody."""
    link = f"{plate_base(merchant.place.node_id)}{PATH}{hold_plate_id(offer.id)}"
    others = [each for each in world.cast.people if each.place is not merchant.place]
    first, second = world.chance.sample(others, 2)
    if world.chance.random() < 0.4:
        world.beside(_open(world, second, link), "open_hold")
    return await _open(world, first, link)


async def _open(world: World, person: Person, link: str) -> str:
    hold = await world.line.ask_errand(person.place, lambda node: node.holds.look(person.user_id, link), tries=3)
    if not isinstance(hold, Hold):
        return said(hold)
    await think(world, 9)
    if hold.user_id == person.user_id and hold.state == HoldState.WAITING:
        await _answer(world, person, hold)
    return "opened"


async def take_of_hold(world: World) -> str:
    """The merchant asks to be paid out of what is held: a part, all, more than there is; lets some go, or all."""
    if not world.offers.asked_to_hold:
        return "nothing yet"
    merchant, id_ = world.chance.choice(world.offers.asked_to_hold[-_RECENT:])
    known = await world.line.decide(merchant.place, lambda node: node.holds.authorisations.all.get(id_))
    if isinstance(known, Refusal) or known in (None, SILENCE) or known.state != AuthorisationState.HELD:
        return "not held"
    what = world.chance.choice(("take", "take", "take", "let go", "end"))
    if what == "take":
        amount = world.chance.choice((1, known.amount // 3, known.amount // 3, known.amount))
        return await _take(world, merchant, known.token, amount)
    release_id, amount = world.mint(), 0 if what == "end" else known.amount // 4
    answer = await world.line.decide(
        merchant.place, lambda node: node.holds.authorisations.release(id_, release_id, amount)
    )
    return said(answer) if isinstance(answer, Refusal) or answer is SILENCE else what


async def _answer(world: World, person: Person, hold: Any) -> None:
    if world.chance.random() < 0.15:
        await world.line.decide(person.place, lambda node: node.holds.holds.decline(person.user_id, hold.id))
        return
    token = await pin_token(world, person, hold.id, hold.amount, hold.text)
    if isinstance(token, str):
        await world.line.decide(person.place, lambda node: node.holds.holds.agree(person.user_id, hold.id, token))


async def _take(world: World, merchant: Merchant, token: str, amount: int) -> str:
    draft = RequestDraft(reference=f"H{world.mint():x}", amount=amount, channel=Channel.PAYMENT_CODE, payer_code=token)

    def verb(institution: Any, respond: Respond) -> None:
        institution.tills.charge(merchant.key, draft, respond)

    answer = await world.line.ask(merchant.place, verb)
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    return f"take: {answer.state}"


def _waiting(person: Person, node: Any) -> Any:
    return [each for each in node.holds.holds.of_person(person.user_id) if each.state == HoldState.WAITING]


def check_holds(world: World) -> None:
    """What is held is what both sides say: no more is paid and let go than was held, and the ledger has what is left."""
    for place in world.institutions:
        view = world.audit.nodes[place.node_id]
        completed = view.outcomes["payment_outcomes"]
        paid: dict[int, int] = {}
        for row in view.rows["payments"].values():
            if row.held_id and completed.get(row.id):
                paid[row.held_id] = paid.get(row.held_id, 0) + row.paid
        for hold in view.rows["holds"].values():
            inside = view.books.credit_of(chart.held_account(hold.id))
            there = world.audit.nodes[hold.creditor_agent].rows["authorisations"].get(hold.hold_id)
            about = f"{place.node_id}: hold {hold.id:032x} of {hold.amount} is {hold.state}"
            if hold.under_way or hold.state in {HoldState.HOLDING, HoldState.ENDING} or inside != hold.left:
                world.audit.say(f"{about}, {hold.under_way} is under way, {hold.left} left, and {inside} is inside")
            if hold.taken != paid.get(hold.id, 0) or hold.taken + hold.released > hold.amount:
                world.audit.say(
                    f"{about}, {hold.taken} was taken and {hold.released} let go; paid was {paid.get(hold.id, 0)}"
                )
            if there is not None and there.debtor_agent == place.node_id and hold.held_ns:
                told = there.taken, there.released
                if told != (hold.taken, hold.released):
                    world.audit.say(f"{about}; its merchant's side says {told} was taken and let go")
            stands = (
                there is not None and there.debtor_agent == place.node_id and there.state == AuthorisationState.HELD
            )
            if hold.state == HoldState.HELD and not stands:
                world.audit.say(f"{about}, and nobody there knows")
        for release in view.rows["authorisation_releases"].values():
            if release.state == ReleaseState.WANTED:
                world.audit.say(f"{place.node_id}: release {release.id:032x} is wanted for ever")
