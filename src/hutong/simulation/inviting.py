"""Friends that people bring: they move in while everything goes wrong, and live here from then on."""

from functools import partial
from typing import Any

from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.user import Evidence, Tier
from hutong.kernel.errors import Refusal
from hutong.marketing.campaigns.campaign import CampaignKind
from hutong.marketing.invitations.referral import ReferralState, referral_id
from hutong.simulation.cast import PIN, Person
from hutong.simulation.line import SILENCE, Respond
from hutong.simulation.parts import pay_code, said, some_merchant, somebody, think
from hutong.simulation.place import Place
from hutong.simulation.world import World

FRIENDS_MAX = 16
_PAID_IN = 40_000


async def bring_friend(world: World) -> str:
    """Somebody invites a friend, who registers with the code or names it behind that, links an account, and pays."""
    inviter = somebody(world)
    if inviter.place is world.bank or world.offers.friends >= FRIENDS_MAX:
        return "nobody to bring"
    world.offers.friends += 1
    number = world.offers.friends
    invitation = await world.line.decide(inviter.place, partial(_invite, inviter.user_id))
    if _no(invitation):
        return said(invitation)
    at_once = world.chance.random() < 0.7
    friend = await _move_in(world, inviter.place, number, invitation.code if at_once else "")
    if not isinstance(friend, Person):
        return said(friend)
    if not at_once:
        accepted = await world.line.decide(inviter.place, partial(_accept, friend.user_id, invitation.code))
        if _no(accepted):
            return said(accepted)
    world.offers.referred.append((inviter, friend.user_id))
    world.cast.people.append(friend)
    linked = await _link(world, friend)
    if _no(linked):
        return said(linked)
    await think(world, 10)
    merchant = some_merchant(world)
    return await pay_code(world, friend, merchant.plate, world.chance.choice((40, 99, 250, 777)), merchant)


async def appeal(world: World) -> str:
    """An inviter does not agree, and an operator decides."""
    if not world.offers.referred:
        return "nothing yet"
    refused = [each for each in world.offers.referred if _is_refused(world, *each)]
    inviter, friend_id = world.chance.choice(refused or world.offers.referred)
    id_, grants = referral_id(friend_id), world.chance.random() < 0.6

    def ask(node: Any) -> Any:
        return node.marketing.invitations.rewards.appeal(inviter.user_id, id_, "朋友是真的")

    def answer(node: Any) -> Any:
        rewards = node.marketing.invitations.rewards
        return rewards.grant(id_, "operator", "") if grants else rewards.uphold(id_, "operator", "看过了")

    asked = await world.line.decide(inviter.place, ask)
    if _no(asked):
        return said(asked)
    await think(world, 5)
    answered = await world.line.decide(inviter.place, answer)
    return said(answered) if _no(answered) else str(answered.state)


async def _move_in(world: World, place: Place, number: int, code: str) -> Any:
    """A new person with a wallet, money and a PIN; or why there is none."""
    phone, name = f"+861390013{number:04d}", f"友{number}"
    device_id, code_id, pay_in_id = world.mint(), world.mint(), world.mint()
    address = world.chance.choice(("192.0.2.7", "198.51.100.9", "203.0.113.3"))
    line = world.line

    def register(node: Any) -> Any:
        return node.people.register(
            phone=phone,
            name=name,
            code=world.telephone.codes.get(phone, "000000"),
            registration_id="first",
            device_id=device_id,
            device_name="phone",
            invitation=code,
            address=address,
        )

    await line.decide(place, lambda node: node.people.request_code(phone, Purpose.SIGN_IN))
    signed_in = await line.decide(place, register)
    if _no(signed_in):
        return signed_in
    user_id = signed_in.user.id
    steps: tuple[Any, ...] = (
        lambda node: node.people.raise_tier(user_id, Tier.III, Evidence.FACE_TO_FACE, name, "operator"),
        lambda node: node.people.codes.payment_code_keys(user_id, device_id),
        lambda node: node.people.codes.plate_text(node.people.codes.make_personal_code(user_id, code_id)),
    )
    _, keys, text = [await line.decide(place, step) for step in steps]
    await line.ask_errand(place, lambda node: node.people.pins.set_pin(user_id, PIN))

    def pay_in(node: Any, respond: Respond) -> None:
        node.payments.pay_in(pay_in_id, user_id, _PAID_IN, respond)

    paid_in = await line.ask(place, pay_in)
    for answer in (keys, text, paid_in):
        if _no(answer):
            return answer
    return Person(place, user_id, signed_in.token, device_id, text, {0: keys.head_today}, keys.seed)


async def _link(world: World, friend: Person) -> Any:
    """An account at the bank, of one's own or of somebody whose account others have linked, too."""
    bankers = [person for person in world.cast.people if person.place is world.bank]
    banker, account_id = world.chance.choice(bankers), world.mint()
    code = banker.code if world.chance.random() < 0.4 else ""
    granted = await world.line.decide(
        world.bank,
        lambda node: node.payments.mandates.grant(
            banker.user_id, friend.place.node_id, 2_000_000, "wallet", f"{account_id:x}"
        ),
    )
    if _no(granted):
        return granted
    account = await world.line.decide(
        friend.place,
        lambda node: node.payments.bank_link.link(
            friend.user_id, account_id, name="bank", mandate=granted[1], code=code
        ),
    )
    if not _no(account) and code:
        friend.bank_account_id = account.id
    return account


def _invite(inviter_id: int, node: Any) -> Any:
    inviting = next(each for each in node.marketing.campaigns.everything() if each.kind == CampaignKind.INVITE)
    return node.marketing.invitations.invitations.invite(inviter_id, inviting.id)


def _is_refused(world: World, inviter: Person, friend_id: int) -> bool:
    row = world.audit.nodes[inviter.place.node_id].rows["referrals"].get(referral_id(friend_id))
    return row is not None and row.state == ReferralState.REFUSED


def _accept(friend_id: int, code: str, node: Any) -> Any:
    return node.marketing.invitations.invitations.accept(friend_id, code, "192.0.2.7")


def _no(answer: Any) -> bool:
    return isinstance(answer, Refusal) or answer is SILENCE
