"""Who lives in the network: people with wallets and bank accounts, and merchants with plates."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.institution.merchants.merchant import MerchantProfile
from hutong.institution.merchants.staff_key import StaffKey
from hutong.institution.people.one_time_code import Purpose
from hutong.institution.people.user import Evidence, Tier
from hutong.runtime.shelf import decided, warmed
from hutong.simulation.place import Place

if TYPE_CHECKING:
    from hutong.simulation.world import World

PIN = "274913"
OPENING = 3_000_000  # What everybody has, in fen.
PEOPLE, MERCHANTS = 4, 2  # Of each institution.
MCCS = ("5812", "5411", "5999")


@dataclass(slots=True)
class Person:
    """Somebody with a wallet at one institution, and the phone with it."""

    place: Place
    user_id: int
    token: str
    device_id: int = 0
    code: str = ""  # To be paid by.
    head_of: dict[int, str] = field(default_factory=dict)  # By day: what payment codes begin with.
    seed: bytes = b""
    bank_account_id: int = 0


@dataclass(slots=True)
class Merchant:
    """Somebody who sells: at one institution, with a key for tills and a plate on the wall."""

    place: Place
    merchant_id: int
    key: StaffKey
    plate: str
    requests: list[tuple[int, str]] = field(default_factory=list)  # Asked for by code: id and text.


@dataclass(slots=True)
class Cast:
    """Everybody."""

    people: list[Person] = field(default_factory=list)
    merchants: list[Merchant] = field(default_factory=list)


async def settle_in(world: "World") -> Cast:
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


async def _person(world: "World", place: Place, number: int, tier: Tier) -> Person:
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


async def _merchant(world: "World", place: Place, number: int) -> Merchant:
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


async def _link(world: "World", person: Person, banker: Person) -> None:
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


def payment_code(person: Person, now_ns: int) -> str:
    """What the person's phone shows, offline."""
    return PaymentCodeGenerator(person.head_of[0], person.seed).generate(now_ns)


def _deaf(_answer: Any) -> None:
    pass
