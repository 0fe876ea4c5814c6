"""What people get of many lucky packets, through the service: every way to split as likely, whoever opens and in what order."""

from collections import Counter

import pytest

from hutong.marketing.red_packets.red_packet import RedPacket
from hutong.marketing.red_packets.split import SplitKind
from tests.institution.payments.neighbours import Person
from tests.marketing.red_packets.packet_world import House, PacketWorld
from tests.marketing.red_packets.test_split import CHI_SQUARED

PACKETS, AMOUNT, FRIENDS = 720, 10, 3
WAYS = 36  # Of 10 fen among 3.


class Given:
    """All packets and what came of them: by packet the shares in their order, and by friend all that they got."""

    def __init__(self) -> None:
        house = PacketWorld("jing")["jing"]
        senders = [house.user(PACKETS * AMOUNT) for _ in range(4)]
        friends = [house.user() for _ in range(FRIENDS)]
        self.seeds, self.shares = list[bytes](), list[tuple[int, ...]]()
        self.by_friend: list[list[int]] = [[] for _ in friends]
        for number in range(PACKETS):
            sender = senders[number % len(senders)]
            packet = house.give(sender, house.draft(sender, AMOUNT, FRIENDS, SplitKind.LUCKY))
            self.seeds.append(packet.seed)
            self.shares.append(self._opened(house, packet, friends, number))

    def _opened(self, house: House, packet: RedPacket, friends: list[Person], number: int) -> tuple[int, ...]:
        """In turn each of them comes first."""
        got = []
        for place in range(FRIENDS):
            friend = (number + place) % FRIENDS
            claim = house.open(friends[friend], packet)
            got.append(claim.amount)
            self.by_friend[friend].append(claim.amount)
        return tuple(got)


@pytest.fixture(scope="module")
def given() -> Given:
    return Given()


def test_no_two_packets_have_a_seed_in_common(given: Given) -> None:
    """Else whoever saw one packet of a kind to its end would know the next."""
    assert len(set(given.seeds)) == PACKETS
    assert len({seed[:8] for seed in given.seeds}) == PACKETS


def test_every_way_to_split_is_as_likely(given: Given) -> None:
    found = Counter(given.shares)
    assert (
        sum((found[way] - PACKETS / WAYS) ** 2 for way in found) * WAYS / PACKETS + (WAYS - len(found)) * PACKETS / WAYS
        < CHI_SQUARED[35]
    )


def test_whoever_opens_and_whenever_the_chances_are_the_same(given: Given) -> None:
    """By place in the queue, and by person: how often each share came up, against what is published."""
    chances = {worth: PACKETS * (AMOUNT - worth - 1) / WAYS for worth in range(1, AMOUNT - FRIENDS + 2)}
    by_place = [Counter(each[place] for each in given.shares) for place in range(FRIENDS)]
    for counts in (*by_place, *map(Counter, given.by_friend)):
        assert set(counts) <= set(chances)
        assert sum((counts[worth] - chance) ** 2 / chance for worth, chance in chances.items()) < CHI_SQUARED[8]
