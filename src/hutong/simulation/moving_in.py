"""The first day, while nothing goes wrong yet: institutions are admitted, and people and merchants move in."""

from functools import partial
from typing import Any

from hutong.institution.merchants.merchant import MerchantProfile
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.user import Evidence, Tier
from hutong.kernel.clock import NS_PER_S
from hutong.kernel.money import Currency
from hutong.runtime.journal import durable
from hutong.runtime.shelf import decided, warmed
from hutong.simulation.cast import PIN, Cast, Merchant, Person
from hutong.simulation.marketing import found_marketing
from hutong.simulation.place import Place
from hutong.simulation.software import plate_base
from hutong.simulation.tills import found_tills
from hutong.simulation.world import INSTITUTIONS, World
from hutong.switch.fees import FeeRule
from hutong.switch.node import SwitchNode

CAP = 4_000_000
OPENING = 3_000_000  # What everybody has, in fen.
PEOPLE, MERCHANTS = 4, 2  # Of each institution.
MCCS = ("5812", "5411", "5999")
_WITHIN_NS = 600 * NS_PER_S


def move_in(world: World) -> None:
    """Boot everything, and let everybody move in."""
    world.boot()
    world.loop.run(_admit(world), _WITHIN_NS)
    world.cast = world.loop.run(_everybody(world), _WITHIN_NS)
    if world.has_marketing:
        world.loop.run(found_marketing(world), _WITHIN_NS)
        world.loop.run(found_tills(world), _WITHIN_NS)
    world.loop.run_until(world.now_ns + 61 * NS_PER_S)  # Who just registered could mint ids of an hour ago.


async def _admit(world: World) -> None:
    """What the scheme's operator does on the first day."""
    software = world.switch.software
    assert isinstance(software, SwitchNode)
    admission = software.admission
    for node_id, prefix in INSTITUTIONS.items():
        admission.admit(node_id, node_id, node_id, "")
        admission.grant_cap(world.mint(), node_id, Currency.CNY, CAP, _deaf)
        admission.register_form(node_id, f"digits:{prefix}:18")
        admission.register_form(node_id, f"url:{plate_base(node_id)}/q/")
    rules = [FeeRule(interchange_bps=20, switch_fee_bps=5), FeeRule("5411", interchange_bps=0, switch_fee_bps=3)]
    admission.publish_fees("first", world.switch.clock.now_ns(), rules)
    await durable(software.node.journal)


async def _everybody(world: World) -> Cast:
    """Let everybody move in, while nothing goes wrong yet."""
    cast = Cast()
    for place in world.institutions:
        for number in range(PEOPLE):
            cast.people.append(await _person(world, place, len(cast.people), Tier.I if number == 0 else Tier.III))
        for number in range(MERCHANTS):
            cast.merchants.append(await _merchant(world, place, number))
    bankers = [person for person in cast.people if person.place is world.bank]
    for number, person in enumerate(cast.people):
        if person.place is not world.bank:
            await _link(world, person, bankers[number % len(bankers)])
    return cast


async def _person(world: World, place: Place, number: int, tier: Tier) -> Person:
    institution, journal = place.software, place.software.node.journal
    people = institution.people
    phone = f"+861380013{number:04d}"
    device_id, code_id, pay_in_id = world.mint(), world.mint(), world.mint()
    await decided(journal, lambda: people.request_code(phone, Purpose.SIGN_IN))
    signed_in = await decided(
        journal,
        lambda: people.register(
            phone=phone,
            name=f"明{number}",
            code=world.telephone.codes[phone],
            registration_id="first",
            device_id=device_id,
            device_name="phone",
        ),
    )
    user_id = signed_in.user.id
    if tier is not Tier.I:
        await decided(
            journal, lambda: people.raise_tier(user_id, tier, Evidence.FACE_TO_FACE, signed_in.user.name, "operator")
        )
    await people.pins.set_pin(user_id, PIN)
    keys = await warmed(journal, lambda: people.codes.payment_code_keys(user_id, signed_in.device_id))
    code = await decided(journal, lambda: people.codes.make_personal_code(user_id, code_id))
    await decided(journal, lambda: institution.payments.pay_in(pay_in_id, user_id, OPENING, _deaf))
    text = people.codes.plate_text(code)
    return Person(place, user_id, signed_in.token, device_id, text, {0: keys.head_today}, keys.seed)


async def _merchant(world: World, place: Place, number: int) -> Merchant:
    institution, journal = place.software, place.software.node.journal
    merchants = institution.merchants
    profile = MerchantProfile(
        reference=f"M{number}",
        legal_name=f"Noodles {number} Ltd",
        name=f"老王面馆{number}",
        latin_name="Lao Wang",
        city="北京",
        latin_city="Beijing",
        mcc=MCCS[world.chance.randrange(len(MCCS))],
    )
    fee_bps = world.chance.choice((60, 38, 100))
    merchant = await decided(journal, lambda: merchants.onboard(profile, fee_bps))
    key, _ = await decided(journal, lambda: merchants.issue_owner_key(merchant.id, "till"))
    plate = await decided(journal, lambda: institution.plates.hang(key, "counter"))
    text = institution.plates.texts(plate)[0]
    return Merchant(place, merchant.id, key, text)


async def _link(world: World, person: Person, banker: Person) -> None:
    """The person's own account at the bank: money comes under its mandate and goes to its code."""
    bank, wallet = banker.place.software, person.place.software
    grant = partial(bank.payments.mandates.grant, banker.user_id, person.place.node_id, 2_000_000, "wallet")
    _, mandate = await decided(banker.place.software.node.journal, grant)
    account_id = world.mint()
    link = partial(
        wallet.payments.bank_link.link, person.user_id, account_id, name="bank", mandate=mandate, code=banker.code
    )
    account: Any = await decided(person.place.software.node.journal, link)
    person.bank_account_id = account.id


def _deaf(_answer: Any) -> None:
    pass
