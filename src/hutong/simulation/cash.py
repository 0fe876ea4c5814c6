"""Money that merchants send people by campaigns: made, started, paused, ended, and given by a number, once or asked again."""

from functools import partial
from typing import Any

from hutong.gateways.account import (
    AccountState,
    AlipayAccount,
    AlipayFacts,
    AlipaySecrets,
    Caller,
    GatewayAccount,
    GatewayKind,
    MerchantKey,
)
from hutong.gateways.cash_campaigns.cash_campaign import CashCampaign, CashDraft, CashState
from hutong.gateways.cash_campaigns.cash_service import Given
from hutong.institution.merchants.staff_key import Role
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.errors import Refusal
from hutong.simulation.cast import Merchant
from hutong.simulation.line import SILENCE
from hutong.simulation.parts import said, some_merchant
from hutong.simulation.world import World

_RECENT, _REQUESTS = 6, 24
_LASTS_S = (40, *[86_400] * 3, *[20 * 86_400] * 3)
_WHAT = (*["give"] * 24, *["give unnumbered"] * 4, "make", "make", *["begin"] * 4, "pause", "end")


async def send_cash(world: World) -> str:
    """A merchant's software gives somebody money, under a number it may use again; or steers a campaign of its own."""
    what = world.chance.choice(_WHAT)
    if what == "make" or not world.offers.cash:
        return await _make(world, some_merchant(world))
    merchant, number = world.chance.choice(world.offers.cash[-_RECENT:])
    if what.startswith("give"):
        request = f"R{world.chance.randrange(_REQUESTS)}" if what == "give" else ""
        if request and world.chance.random() < 0.3:
            world.beside(_give(world, merchant, number, request))
        return await _give(world, merchant, number, request)
    answer = await world.line.ask_errand(
        merchant.place, lambda node: getattr(node.cash, what)(_software(merchant), number)
    )
    return f"{what}: {said(answer)}"


async def _make(world: World, merchant: Merchant) -> str:
    """And start it at once, if the merchant has sold enough by then."""
    now_ns, count = merchant.place.clock.now_ns(), world.chance.choice((1, 3, 12))
    draft = CashDraft(
        name="现金红包",
        message="谢谢光临",
        is_random=world.chance.random() < 0.5,
        count=count,
        total=count * world.chance.choice((1, 5, 40)),
        frequency=world.chance.choice(("D1", "D2|L3", "W2", "L50")),
        from_ns=now_ns,
        until_ns=now_ns + world.chance.choice(_LASTS_S) * NS_PER_S,
    )
    made = await world.line.ask_errand(merchant.place, lambda node: node.cash.make(_software(merchant), draft), tries=1)
    if not isinstance(made, CashCampaign):
        return said(made)
    world.offers.cash.append((merchant, made.number))
    begun = await world.line.ask_errand(
        merchant.place, lambda node: node.cash.begin(_software(merchant), made.number), tries=3
    )
    return f"begin: {said(begun)}"


async def _give(world: World, merchant: Merchant, number: str, request: str) -> str:
    # Under one number always the same person: another one is refused, and that is asked for at times.
    people = [person for person in world.cast.people if person.place is merchant.place]
    other = world.chance.random() < 0.1 or not request
    person = world.chance.choice(people) if other else people[int(request[1:]) % len(people)]
    give = partial(_given, merchant, number, person.user_id, request)
    answer = await world.line.ask_errand(merchant.place, give, tries=3 if request else 1)
    if isinstance(answer, Refusal) or answer is SILENCE:
        return said(answer)
    world.marketing_audit.cash.told(world.audit.nodes[merchant.place.node_id], answer.prize)
    return "given before" if answer.repeated else "given"


async def _given(merchant: Merchant, number: str, user_id: int, request: str, node: Any) -> Given:
    given: Given = await node.cash.give(_software(merchant), number, user_id, request)
    return given


def _software(merchant: Merchant) -> Caller:
    """What calls the gateway for a merchant: its signature has been checked."""
    row = GatewayAccount(
        id=merchant.merchant_id,
        merchant_id=merchant.merchant_id,
        shop_id=0,
        role=Role.OWNER.value,
        kind=GatewayKind.ALIPAY.value,
        number="2021000000000001",
        number_key=1,
        name="till",
        facts=b"",
        sealed=b"",
        state=AccountState.ACTIVE.value,
        created_ns=1,
        changed_ns=1,
    )
    facts = AlipayFacts(seller_id="2088000000000001", key=MerchantKey(serial="", pem=""))
    account = AlipayAccount(row, facts, AlipaySecrets(aes_key=""))
    return Caller(account, account)


def check_cash(world: World) -> None:
    """When it is over, what a campaign did not give has been brought home, and each is settled."""
    for place in world.institutions:
        rows, cash = world.audit.nodes[place.node_id].rows, place.software.cash
        for id_, row in rows["cash_campaigns"].items():
            back, state = rows["campaigns"][id_].given_back, cash.state(row)
            if row.starting or row.taken_home != back or state is not CashState.SETTLED:
                about = f"{place.node_id}: cash campaign {id_:032x} is {state.value}"
                world.audit.say(f"{about}, {back} came back of it, and {row.taken_home} went home")
