"""Packets of people here: each share once, the sum exact, the rest back."""

from functools import partial
from hashlib import blake2b

import pytest

from hutong.codes.plate import red_packet_plate_id
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.payments.statement import LineKind
from hutong.kernel.errors import Reason, Refusal
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import PacketDraft, PacketState, RedPacketLimits, packet_plate
from hutong.marketing.red_packets.split import SplitKind, commitment, shares
from hutong.runtime.shelf import warmed
from tests.institution.payments.neighbours import Person
from tests.institution.payments.world import now
from tests.marketing.red_packets.packet_world import DAY_S, KEY, House, PacketWorld

LUCKY, EQUAL = SplitKind.LUCKY, SplitKind.EQUAL


@pytest.fixture
def jing() -> House:
    return PacketWorld("jing")["jing"]


def people(house: House, count: int) -> list[Person]:
    return [house.user() for _ in range(count)]


def refused(house: House, person: Person, packet_id: int) -> Reason:
    claims = house.red_packets.claims
    with pytest.raises(Refusal) as caught:
        house.decide(lambda: claims.claim(person.id, packet_plate(packet_id, KEY), lambda *_: None))
    return caught.value.reason


def not_given(house: House, sender: Person, draft: PacketDraft) -> Refusal:
    with pytest.raises(Refusal) as caught:
        house.give(sender, draft)
    return caught.value


def test_a_lucky_packet_goes_to_everybody_as_its_seed_says(jing: House) -> None:
    sender, friends = jing.user(100_000), people(jing, 7)
    draft = jing.draft(sender, 8_888, 7, LUCKY, greeting="恭喜发财")
    packet = jing.give(sender, draft)
    assert (packet.state, jing.inside(packet), jing.balance(sender.wallet_account)) == (PacketState.OPEN, 8_888, 91_112)
    promised = packet.commitment
    got = [jing.open(friend, packet).amount for friend in friends]
    assert sum(got) == 8_888
    assert min(got) >= 1
    assert [jing.balance(friend.wallet_account) for friend in friends] == got
    over = jing.newest(packet)
    assert (over.state, jing.inside(packet)) == (PacketState.EMPTY, 0)
    assert commitment(packet.id, over.seed) == promised
    assert shares(LUCKY, 8_888, 7, packet.id, over.seed) == got


def test_an_equal_packet_is_equal(jing: House) -> None:
    sender, friends = jing.user(100_000), people(jing, 3)
    packet = jing.give(sender, jing.draft(sender, 600, 3, EQUAL))
    assert [jing.open(friend, packet).amount for friend in friends] == [200, 200, 200]
    impossible = not_given(jing, sender, jing.draft(sender, 601, 3, EQUAL))
    assert impossible.reason is RedPacketReason.RED_PACKET_SPLIT_IMPOSSIBLE


def test_each_claims_once_however_often_they_ask(jing: House) -> None:
    sender, friend = jing.user(100_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 1_000, 2, LUCKY))
    first = jing.open(friend, packet)
    assert jing.open(friend, packet) == first
    jing.world.restart("jing")
    assert jing.open(friend, packet) == first
    assert jing.balance(friend.wallet_account) == first.amount
    jing.open(jing.user(), packet)
    assert jing.open(friend, packet) == first  # And when it is empty, too.
    assert refused(jing, jing.user(), packet.id) is RedPacketReason.RED_PACKET_EMPTY


def test_what_nobody_claimed_is_the_senders_again_after_a_day(jing: House) -> None:
    sender, friend = jing.user(100_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 1_000, 5, LUCKY))
    got = jing.open(friend, packet).amount
    jing.world.tick(DAY_S - 1)
    assert jing.inside(packet) == 1_000 - got
    jing.world.tick(1)
    over = jing.newest(packet)
    assert (over.state, over.returned, jing.inside(packet)) == (PacketState.EXPIRED, 1_000 - got, 0)
    assert jing.balance(sender.wallet_account) == 100_000 - got
    assert refused(jing, jing.user(), packet.id) is RedPacketReason.RED_PACKET_EXPIRED
    jing.world.tick(DAY_S)
    assert jing.balance(sender.wallet_account) == 100_000 - got
    told = [(to, type_) for to, type_, _ in jing.neighbours.said if "red_packet" in type_]
    assert told == [(sender.id, "red_packet.returned")]


def test_a_share_is_claimed_to_the_last_instant_and_not_behind_it_though_the_rest_has_not_gone_back_yet(
    jing: House,
) -> None:
    sender, friend = jing.user(100_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 1_000, 5, LUCKY))
    assert packet.expires_ns - packet.created_ns == DAY_S * 10**9
    jing.world.clock.advance(ns=packet.expires_ns - 1 - jing.world.clock.now_ns())
    got = jing.open(friend, packet).amount
    jing.world.clock.advance(ns=1)
    assert refused(jing, jing.user(), packet.id) is RedPacketReason.RED_PACKET_EXPIRED
    assert jing.packets.state_now(jing.newest(packet)) is PacketState.EXPIRED
    assert jing.open(friend, packet).amount == got  # Who has a share is told of it whenever they ask.
    assert jing.inside(packet) == 1_000 - got
    jing.world.tick(1)
    assert (jing.inside(packet), jing.balance(sender.wallet_account)) == (0, 100_000 - got)


def test_a_packet_ends_though_the_node_slept_through_its_end(jing: House) -> None:
    sender = jing.user(100_000)
    packet = jing.give(sender, jing.draft(sender, 1_000, 5, LUCKY))
    for days in (9, 1):
        jing.world.clock.advance(seconds=days * DAY_S)
        jing.world.restart("jing")
        jing.world.tick(1)
        assert (jing.newest(packet).state, jing.balance(sender.wallet_account)) == (PacketState.EXPIRED, 100_000)
    jing.world.tick(DAY_S)
    assert jing.packets.noted_day == jing.world.clock.now_ns() // (DAY_S * 10**9) - 1


def test_a_packet_that_the_balance_does_not_cover_failed(jing: House) -> None:
    sender = jing.user(500)
    draft = jing.draft(sender, 1_000, 5, LUCKY)
    packet = jing.give(sender, draft)
    assert (packet.state, packet.reason) == (PacketState.FAILED, PaymentReason.BALANCE_INSUFFICIENT.name)
    jing.pay_in(sender.wallet_account, 1_000)
    assert jing.give(sender, draft).state == PacketState.FAILED
    assert refused(jing, jing.user(), packet.id) is RedPacketReason.RED_PACKET_NOT_OPEN
    assert jing.packets._usages.of(sender.id, sender.wallet_account).year_spent == 0


def test_what_a_clock_that_was_put_back_over_midnight_counted_is_given_back_where_it_was_counted(jing: House) -> None:
    sender = jing.user(1_500)
    jing.world.clock.advance(seconds=16 * 3_600 + 1)  # It is the second of January in Shanghai,
    jing.give(sender, jing.draft(sender, 1_000, 5, LUCKY))
    jing.world.clock.ns -= 10 * 10**9  # and here the first again.
    assert jing.give(sender, jing.draft(sender, 1_000, 5, LUCKY)).state == PacketState.FAILED
    assert sum(jing.packets._usages.of(sender.id, sender.wallet_account).today) == 1_000


def test_the_same_id_again_is_the_same_packet_and_other_content_is_refused(jing: House) -> None:
    sender, other = jing.user(100_000), jing.user(100_000)
    draft = jing.draft(sender, 1_000, 5, LUCKY, greeting="新年好")
    packet = jing.give(sender, draft)
    assert jing.give(sender, draft) == packet
    assert jing.balance(sender.wallet_account) == 99_000
    for field, value in {"amount": 1_005, "count": 4, "kind": EQUAL, "greeting": "", "to_user_id": other.id}.items():
        changed = {"kind": LUCKY, "amount": 1_000, "count": 5, "greeting": "新年好", field: value}
        said = not_given(jing, sender, PacketDraft(packet_id=packet.id, **changed))  # type: ignore[arg-type]
        assert (said.reason, said.facts["field"]) == (RedPacketReason.RED_PACKET_ID_TAKEN, field)
    assert not_given(jing, other, draft).facts == {"field": "packet_id"}


def test_who_sends_counts_towards_the_limits_and_needs_the_pin(jing: House) -> None:
    poor = jing.user(200_000, tier=1)
    needs = not_given(jing, poor, PacketDraft(packet_id=jing.node.mint.mint(), kind=EQUAL, amount=30_000, count=2))
    assert needs.reason is PaymentReason.PIN_NEEDED
    free = PacketDraft(packet_id=jing.node.mint.mint(), kind=EQUAL, amount=20_000, count=2)
    assert jing.give(poor, free).state == PacketState.OPEN
    jing.give(poor, jing.draft(poor, 80_000, 4, EQUAL))
    over = not_given(jing, poor, jing.draft(poor, 1, 1, EQUAL))
    assert (over.reason, over.facts["left"]) == (PaymentReason.ANNUAL_LIMIT_EXCEEDED, 0)
    jing.world.restart("jing")
    again = not_given(jing, poor, jing.draft(poor, 1, 1, EQUAL))
    assert again.reason is PaymentReason.ANNUAL_LIMIT_EXCEEDED
    jing.world.tick(DAY_S)
    assert jing.give(poor, jing.draft(poor, 80_000, 4, EQUAL)).state == PacketState.OPEN  # All of it came back.


def test_a_packet_for_one_person_is_nobody_elses(jing: House) -> None:
    sender, friend, stranger = jing.user(100_000), jing.user(), jing.user()
    packet = jing.give(sender, jing.draft(sender, 520, 1, EQUAL, to_user_id=friend.id))
    assert jing.waiting(friend) == [packet.id]
    for person in (stranger, sender):
        assert refused(jing, person, packet.id) is RedPacketReason.RED_PACKET_NOT_YOURS
    assert jing.open(friend, packet).amount == 520
    assert jing.waiting(friend) == []
    told = [(to, type_) for to, type_, _ in jing.neighbours.said if "red_packet" in type_]
    assert told[0] == (friend.id, "red_packet.received")
    two = not_given(jing, sender, jing.draft(sender, 520, 2, EQUAL, to_user_id=friend.id))
    assert two.reason is RedPacketReason.RED_PACKET_FOR_ONE
    oneself = not_given(jing, sender, jing.draft(sender, 520, 1, EQUAL, to_user_id=sender.id))
    assert oneself.reason is RedPacketReason.RED_PACKET_TO_ONESELF


def test_a_sender_may_open_a_packet_for_several_and_none_for_one(jing: House) -> None:
    sender = jing.user(100_000)
    group = jing.give(sender, jing.draft(sender, 1_000, 2, EQUAL))
    assert jing.open(sender, group).amount == 500
    alone = jing.give(sender, jing.draft(sender, 1_000, 1, EQUAL))
    assert refused(jing, sender, alone.id) is RedPacketReason.RED_PACKET_NOT_YOURS
    jing.packets.limits = RedPacketLimits(sender_may_claim=False)
    another = jing.give(sender, jing.draft(sender, 1_000, 2, EQUAL))
    assert refused(jing, sender, another.id) is RedPacketReason.RED_PACKET_NOT_YOURS


def test_links_are_not_guessed(jing: House) -> None:
    sender, thief = jing.user(100_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 1_000, 2, EQUAL))
    own = jing.packets.link(packet)
    before = jing.journal.position
    claims = jing.red_packets.claims
    for _ in range(200):
        plate = red_packet_plate_id(jing.randomness.randbytes(15))
        with pytest.raises(Refusal) as caught:
            now(warmed(jing.journal, lambda plate=plate: claims.claim(thief.id, plate, lambda *_: None)))  # type: ignore[misc]
        assert caught.value.reason is RedPacketReason.RED_PACKET_UNKNOWN
    assert (jing.journal.position, jing.inside(packet)) == (before, 1_000)
    assert own.rpartition("/")[2] not in str(jing.store.rows), "no table holds what opens a packet"


def test_a_link_follows_from_no_packets_id_without_the_nodes_key(jing: House) -> None:
    """Ids are shown to whoever has opened a packet, and end up in logs: none of them makes a link."""
    sender, guest = jing.user(10_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 600, 3, EQUAL))
    own = packet_plate(packet.id, KEY)
    told = packet.id.to_bytes(16, "big")
    bare = (blake2b(told, digest_size=15, person=b"hutong packet"), blake2b(told, digest_size=15))
    guesses = [red_packet_plate_id(each.digest()) for each in bare]
    guesses += [packet_plate(packet.id, key) for key in (b"", KEY + b"1", told)]
    for guess in guesses:
        assert guess != own
        with pytest.raises(Refusal) as caught:
            jing.decide(partial(jing.red_packets.claims.claim, guest.id, guess, lambda *_: None))
        assert caught.value.reason is RedPacketReason.RED_PACKET_UNKNOWN
    assert jing.inside(packet) == 600


def test_the_limits_of_a_packet_can_be_reached_and_not_passed(jing: House) -> None:
    sender = jing.user(10_000_000)
    assert jing.give(sender, jing.draft(sender, 40_000, 2, LUCKY)).state == PacketState.OPEN
    assert jing.give(sender, jing.draft(sender, 2, 2, LUCKY)).state == PacketState.OPEN
    for amount, count, reason in (
        (40_001, 2, RedPacketReason.RED_PACKET_TOO_MUCH),
        (1, 2, RedPacketReason.RED_PACKET_SPLIT_IMPOSSIBLE),
        (100, 0, RedPacketReason.RED_PACKET_COUNT_OUT_OF_RANGE),
        (20_001, 20_001, RedPacketReason.RED_PACKET_COUNT_OUT_OF_RANGE),
        (0, 1, PaymentReason.AMOUNT_NOT_POSITIVE),
    ):
        assert not_given(jing, sender, jing.draft(sender, amount, count, LUCKY)).reason is reason


def test_frozen_people_neither_send_nor_open(jing: House) -> None:
    sender = jing.user(100_000)
    packet = jing.give(sender, jing.draft(sender, 1_000, 2, EQUAL))
    frozen = Person(jing.node.mint.mint(), frozen=True)
    jing.users[frozen.id] = frozen
    assert refused(jing, frozen, packet.id) is PaymentReason.ACCOUNT_REFUSED
    assert not_given(jing, frozen, jing.draft(frozen, 100, 1, EQUAL)).reason is PaymentReason.ACCOUNT_REFUSED
    jing.users[sender.id] = Person(sender.id, frozen=True)
    jing.world.tick(DAY_S)  # What is one's own comes back all the same.
    assert jing.balance(sender.wallet_account) == 100_000


def test_statements_say_what_came_from_packets_and_went_into_them(jing: House) -> None:
    sender, friend = jing.user(100_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 1_000, 2, EQUAL))
    jing.open(friend, packet)
    assert now(jing.packets.held_of(sender.id)) == 500
    jing.world.tick(DAY_S)
    assert now(jing.packets.held_of(sender.id)) == 0

    def lines(person: Person) -> list[tuple[LineKind, str, int]]:
        page = now(jing.payments.statements.statement(person.wallet_account, before=None, limit=9))
        return [(line.kind, line.direction.value, line.amount) for line in page.lines]

    red = LineKind.RED_PACKET
    assert lines(friend) == [(red, "IN", 500)]
    assert lines(sender) == [(red, "IN", 500), (red, "OUT", 1_000), (LineKind.PAID_IN, "IN", 100_000)]
