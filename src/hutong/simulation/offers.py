"""What people have heard of, or have in their hands: coupons, links of red packets, friends whom they brought."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from hutong.institution.holds.authorisation import Offer
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S
from hutong.simulation.cast import Merchant, Person
from hutong.simulation.place import Place

# A day, and so short that packets end while everything goes wrong.
PACKET_LIFE_NS: Mapping[str, int] = {"jing": NS_PER_DAY, "wei": 45 * NS_PER_S, "yun": 10 * NS_PER_S}


@dataclass(slots=True)
class Template:
    """Coupons that may be claimed: by a tap, or by a code that somebody has on a slip of paper."""

    place: Place
    id: int
    codes: list[str]


@dataclass(slots=True)
class Offers:
    """What people have heard of, or have in their hands."""

    templates: list[Template] = field(default_factory=list)
    coupons: list[tuple[Person, int]] = field(default_factory=list)  # Who claimed which.
    at_tills: list[tuple[Place, int]] = field(default_factory=list)  # Templates of merchants' own coupons.
    till_codes: list[tuple[int, str]] = field(default_factory=list)  # That people were sent: by template, letters.
    holds: dict[str, dict[int, Offer]] = field(default_factory=lambda: defaultdict(dict))  # By institution and id.
    asked_to_hold: list[tuple[Merchant, int]] = field(default_factory=list)
    cash: list[tuple[Merchant, str]] = field(default_factory=list)  # Campaigns of merchants, by their numbers.
    links: list[tuple[Person, int, str]] = field(default_factory=list)  # Of red packets: from whom, id and link.
    shares: dict[tuple[int, str], int] = field(default_factory=dict)  # By person and link, what they were told.
    referred: list[tuple[Person, int]] = field(default_factory=list)  # Whom somebody brought.
    friends: int = 0
