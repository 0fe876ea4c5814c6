"""Who lives in the network: people with wallets and bank accounts, and merchants with plates."""

from dataclasses import dataclass, field

from hutong.codes.payment_code import PaymentCodeGenerator
from hutong.institution.merchants.staff_key import StaffKey
from hutong.simulation.place import Place

PIN = "274913"


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


def payment_code(person: Person, now_ns: int) -> str:
    """What the person's phone shows, offline."""
    return PaymentCodeGenerator(person.head_of[0], person.seed).generate(now_ns)
