"""People of other institutions open packets too: each once, each share there in the end, or the sender's again."""

from functools import partial

import pytest

from hutong.institution.chart import red_packet_account
from hutong.institution.recalls.dispute import dispute_id_of
from hutong.institution.recalls.recall import RecallOrder
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_link import Claim, claim_text, read_claim
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState, RedPacket
from hutong.marketing.red_packets.split import SplitKind
from hutong.scheme.messages import CodeConsult, CodeResolve, ConsultStatus
from tests.institution.payments.neighbours import Person
from tests.institution.recalls.cases import do
from tests.marketing.red_packets.packet_world import DAY_S, House, PacketWorld

LUCKY, EQUAL = SplitKind.LUCKY, SplitKind.EQUAL
REFERENCE = "0" * 32


@pytest.fixture
def world() -> PacketWorld:
    return PacketWorld("jing", "wei", "zhi")


def given(world: PacketWorld, amount: int = 1_000, count: int = 3) -> tuple[House, Person, RedPacket, str]:
    jing = world["jing"]
    sender = jing.user(100_000)
    packet = jing.give(sender, jing.draft(sender, amount, count, LUCKY, greeting="恭喜发财"))
    return jing, sender, packet, jing.packets.link(packet)


def not_opened(house: House, person: Person, link: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        house.open_link(person, link)
    return caught.value


def ask(house: House, code: str) -> str:
    """Have a node consult a code; returns the consult's id."""
    consult_id = f"{house.node.mint.mint():032x}"
    house.journal.tell("switch", CodeConsult(consult_id=consult_id, code=code, debtor_agent=house.node_id))
    return consult_id


def asked(world: PacketWorld, code: str, agent: str = "wei") -> CodeResolve:
    """What the packet's institution says to another node's consult, as the switch hands it over."""
    said: list[CodeResolve] = []
    post = world.post

    def watch(sender: str, peer: str, messages: list[object]) -> None:
        said.extend(each for each in messages if sender == "jing" and isinstance(each, CodeResolve))
        post(sender, peer, messages)  # type: ignore[arg-type]

    world.post = watch  # type: ignore[method-assign, assignment]
    consult_id = ask(world[agent], code)
    world.flush()
    world.settle()
    world.post = post  # type: ignore[method-assign]
    (answer,) = [each for each in said if each.consult_id == consult_id]
    return answer


def test_three_institutions_share_a_packet(world: PacketWorld) -> None:
    jing, sender, packet, link = given(world)
    here, there, yonder = jing.user(), world["wei"].user(), world["zhi"].user()
    got = [jing.open(here, packet).amount]
    for house, person in ((world["wei"], there), (world["zhi"], yonder)):
        view = house.open_link(person, link)
        assert (view.sender_name, view.greeting, view.institution) == ("*明", "恭喜发财", "jing")
        got.append(view.amount)
    assert sum(got) == 1_000
    assert jing.balance(here.wallet_account) == got[0]
    assert world["wei"].balance(there.wallet_account) == got[1]
    assert world["zhi"].balance(yonder.wallet_account) == got[2]
    assert (jing.newest(packet).state, jing.inside(packet)) == (PacketState.EMPTY, 0)
    assert [each.state for each in jing.claims(packet)] == [ClaimState.PAID] * 3
    assert [each.amount for each in jing.claims(packet)] == jing.newest(packet).shares() == got
    assert world["wei"].open_link(there, link).state is ClaimState.PAID
    assert world["wei"].balance(there.wallet_account) == got[1]
    assert all(place.balanced() for place in world.places.values())
    assert jing.balance(sender.wallet_account) == 99_000


def test_what_stands_on_a_packet_can_be_read_before_it_is_opened(world: PacketWorld) -> None:
    _, _, packet, link = given(world, 500, 1)
    wei, friend = world["wei"], world["wei"].user()
    look = wei.look(friend, link)
    assert (look.sender_name, look.greeting, look.state, look.claimed) == ("*明", "恭喜发财", PacketState.OPEN, None)
    assert look.expires_at_ms == packet.expires_ns // 1_000_000
    wei.open_link(friend, link)
    over = wei.look(friend, link)
    assert (over.state, over.claimed.amount if over.claimed else 0) == (PacketState.EMPTY, 500)
    assert not_opened(wei, wei.user(), link).reason is RedPacketReason.RED_PACKET_EMPTY


def test_a_wallet_that_knows_no_packets_is_told_that_there_is_nothing_to_pay(world: PacketWorld) -> None:
    *_, link = given(world)
    answer = asked(world, link)
    assert (answer.status, answer.reason_name, answer.amount) == (ConsultStatus.REFUSED, "CODE_IS_RED_PACKET", 0)
    assert (answer.creditor_name, answer.remittance) == ("*明", "恭喜发财")


def test_a_claim_repeated_by_the_network_is_one_share(world: PacketWorld) -> None:
    jing, _, packet, link = given(world)
    wei, friend = world["wei"], world["wei"].user()
    text = claim_text(link, Claim(REFERENCE, wei.own_codes[friend.id]))
    first, second = asked(world, text), asked(world, text)
    assert (first.status, first.amount, first.request_id) == (ConsultStatus.FOUND, second.amount, second.request_id)
    assert len(jing.claims(packet)) == 1
    assert wei.balance(friend.wallet_account) == first.amount
    # The same person with another code of theirs, and another person's share of the same packet.
    other = wei.user()
    assert asked(world, claim_text(link, Claim(REFERENCE, wei.own_codes[other.id]))).amount == first.amount
    assert wei.balance(other.wallet_account) == 0
    asked(world, claim_text(link, Claim("1" * 32, wei.own_codes[other.id])))
    assert len(jing.claims(packet)) == 2
    # Who is called the same by another institution is somebody else.
    zhi = world["zhi"]
    asked(world, claim_text(link, Claim(REFERENCE, zhi.own_codes[zhi.user().id])), "zhi")
    assert len(jing.claims(packet)) == 3


def test_nobody_claims_for_an_account_elsewhere_or_for_what_is_no_persons(world: PacketWorld) -> None:
    jing, _, packet, link = given(world)
    wei, zhi = world["wei"], world["zhi"]
    shop = wei.asks(wei.merchant(), code="https://wei.example/q/M1")
    assert shop.is_static
    wrong = {
        claim_text(link, Claim(REFERENCE, zhi.own_codes[zhi.user().id])): "RED_PACKET_PAYEE_ELSEWHERE",
        claim_text(link, Claim(REFERENCE, "https://wei.example/q/M1")): "RED_PACKET_CLAIM_MALFORMED",
        claim_text(link, Claim(REFERENCE, "https://wei.example/q/unknown")): "CODE_NOT_RESOLVED",
        claim_text(link, Claim(REFERENCE, link)): "CODE_NOT_RESOLVED",
        f"{link}?for={REFERENCE}": "RED_PACKET_CLAIM_MALFORMED",
        f"{link}?for=short&to=x": "RED_PACKET_CLAIM_MALFORMED",
        f"{link}?": "RED_PACKET_CLAIM_MALFORMED",
        f"{link}?for={REFERENCE}&for={REFERENCE}": "RED_PACKET_CLAIM_MALFORMED",
        f"{link[:-3]}QQQ?for={REFERENCE}&to=x": "CODE_UNKNOWN",
    }
    for text, reason in wrong.items():
        answer = asked(world, text)
        assert (answer.status, answer.reason_name) == (ConsultStatus.REFUSED, reason), text
    assert jing.claims(packet) == []
    assert jing.inside(packet) == 1_000


def test_a_packet_for_somebody_here_is_nobodys_elsewhere(world: PacketWorld) -> None:
    jing = world["jing"]
    sender, friend = jing.user(10_000), jing.user()
    packet = jing.give(sender, jing.draft(sender, 520, 1, EQUAL, to_user_id=friend.id))
    wei = world["wei"]
    no = not_opened(wei, wei.user(), jing.packets.link(packet))
    assert no.reason is RedPacketReason.RED_PACKET_NOT_YOURS


def test_who_comes_too_late_from_elsewhere_hears_it(world: PacketWorld) -> None:
    _, _, _, link = given(world)
    world.tick(DAY_S)
    wei = world["wei"]
    assert not_opened(wei, wei.user(), link).reason is RedPacketReason.RED_PACKET_EXPIRED


def test_a_share_that_was_refused_is_sent_again_until_it_is_there(world: PacketWorld) -> None:
    jing, _, packet, link = given(world, 900, 3)
    wei, friend = world["wei"], world["wei"].user()
    code = wei.codes[wei.own_codes[friend.id]]
    deliver, refusing = world.deliver, [True]

    def closed_for_a_while(letter: tuple[str, str, object]) -> None:
        if refusing[0] and type(letter[2]).__name__ == "CreditTransfer" and letter[1] == "wei":
            wei.codes_closed(code)
        deliver(letter)  # type: ignore[arg-type]

    world.deliver = closed_for_a_while  # type: ignore[method-assign]
    assert wei.open_link(friend, link).state is ClaimState.SENDING
    assert (wei.balance(friend.wallet_account), [each.attempt for each in jing.claims(packet)]) == (0, [0])
    refusing[0] = False
    wei.codes_opened(code)
    for _ in range(6):
        world.later(5)
    (claim,) = jing.claims(packet)
    assert (claim.state, claim.attempt >= 1, wei.balance(friend.wallet_account)) == (
        ClaimState.PAID,
        True,
        claim.amount,
    )
    assert wei.open_link(friend, link).state is ClaimState.PAID
    assert jing.inside(packet) == 900 - claim.amount


def test_a_share_that_nobody_takes_for_a_day_is_the_senders_again(world: PacketWorld) -> None:
    jing, sender, packet, link = given(world, 900, 3)
    wei, friend = world["wei"], world["wei"].user()
    code_id = wei.codes[wei.own_codes[friend.id]]
    deliver = world.deliver

    def closed(letter: tuple[str, str, object]) -> None:
        if type(letter[2]).__name__ == "CreditTransfer" and letter[1] == "wei":
            wei.codes_closed(code_id)
        deliver(letter)  # type: ignore[arg-type]

    world.deliver = closed  # type: ignore[method-assign]
    wei.open_link(friend, link)
    world.later(DAY_S)
    for _ in range(4):
        world.later(3_600)
    (claim,) = jing.claims(packet)
    assert claim.state == ClaimState.GIVEN_UP
    assert (jing.inside(packet), jing.balance(sender.wallet_account)) == (0, 100_000)
    assert jing.newest(packet).returned == 900
    assert not_opened(wei, friend, link).reason is RedPacketReason.RED_PACKET_NOT_DELIVERED
    assert jing.packets.unfinished == {}


def recalled(world: PacketWorld, packet: RedPacket, amount: int = 0) -> None:
    """The sender's institution asks a share back that crossed, and the other's desk gives it."""
    jing, wei = world["jing"], world["wei"]
    (claim,) = [each for each in jing.claims(packet) if each.agent]
    order = RecallOrder(recall_id=jing.node.mint.mint(), payment_id=claim.payment_id, amount=amount, reason="FRAD")
    do(jing, lambda: jing.recalls.recalls.open("duty", order))
    world.settle()
    dispute_id = dispute_id_of(order.recall_id, "jing")
    do(wei, lambda: wei.recalls.disputes.accept("desk", dispute_id, amount))
    world.settle()


@pytest.mark.parametrize("over", [False, True])
def test_a_share_that_is_recalled_is_the_senders_at_once(world: PacketWorld, over: bool) -> None:
    jing, sender, packet, link = given(world, 900, 3)
    wei, friend = world["wei"], world["wei"].user()
    got = wei.open_link(friend, link).amount
    if over:
        world.later(DAY_S)
    before = jing.balance(sender.wallet_account)
    recalled(world, packet)
    assert wei.balance(friend.wallet_account) == 0
    assert jing.balance(sender.wallet_account) == before + got
    (claim,) = jing.claims(packet)
    assert (claim.state, claim.amount, claim.returned) == (ClaimState.PAID, got, got)
    newest = jing.newest(packet)
    assert newest.returned == (900 if over else got)
    assert (newest.state, jing.inside(packet)) == ((PacketState.EXPIRED, 0) if over else (PacketState.OPEN, 900 - got))
    assert wei.open_link(friend, link).amount == got  # It was claimed: nobody is given another share for it.
    assert len(jing.claims(packet)) == 1
    world.later(DAY_S)
    assert (jing.inside(packet), jing.newest(packet).returned) == (0, 900)
    assert jing.balance(sender.wallet_account) == 100_000
    assert all(place.balanced() for place in world.places.values())


def test_a_part_that_is_recalled_leaves_the_rest_where_it_is_and_a_restart_sends_nothing_twice(
    world: PacketWorld,
) -> None:
    jing, sender, packet, link = given(world, 900, 1)
    wei, friend = world["wei"], world["wei"].user()
    wei.open_link(friend, link)
    recalled(world, packet, 300)
    for _ in range(2):
        world.restart("jing")
        world.flush()
        assert jing.balance(sender.wallet_account) == 100_000 - 600
        (claim,) = world["jing"].claims(packet)
        assert (claim.returned, world["jing"].newest(packet).returned) == (300, 300)
    assert wei.balance(friend.wallet_account) == 600
    assert world["jing"].inside(packet) == 0


@pytest.mark.parametrize("who", ["jing", "wei", "switch"])
def test_a_crash_between_any_two_messages_of_a_recall_leaves_nothing_in_the_packet(who: str) -> None:
    for at in range(10):
        world = PacketWorld("jing", "wei", immediate=False)
        jing, wei = world["jing"], world["wei"]
        sender, friend = jing.user(100_000), wei.user()
        world.flush()
        packet = jing.give(sender, jing.draft(sender, 900, 1, EQUAL))
        ask(wei, claim_text(jing.packets.link(packet), Claim(REFERENCE, wei.own_codes[friend.id])))
        for _ in range(4):
            world.later(1)
        assert wei.balance(friend.wallet_account) == 900
        order = RecallOrder(
            recall_id=jing.node.mint.mint(), payment_id=jing.claims(packet)[0].payment_id, amount=0, reason="FRAD"
        )
        do(jing, partial(jing.recalls.recalls.open, "duty", order))
        for _ in range(4):
            world.later(1)
        dispute_id = dispute_id_of(order.recall_id, "jing")
        do(wei, partial(wei.recalls.disputes.accept, "desk", dispute_id, 0))
        world.flush()
        delivered = 0
        while world.letters:
            if delivered == at:
                world.restart(who)
                world.flush()
            world.deliver(world.letters.pop(0))
            world.flush()
            delivered += 1
        for _ in range(8):
            world.later(60)
        assert jing.balance(sender.wallet_account) == 100_000, at
        assert (jing.inside(packet), jing.newest(packet).returned) == (0, 900), at
        assert jing.claims(packet)[0].returned == 900, at
        assert world["wei"].balance(friend.wallet_account) == 0, at


@pytest.mark.parametrize("who", ["jing", "wei", "switch"])
def test_a_crash_between_any_two_messages_loses_no_share(who: str) -> None:
    """Every node is killed before, and behind, every message of a claim; the money is somewhere, once, and then there."""
    for at in range(14):
        world = PacketWorld("jing", "wei", immediate=False)
        jing, wei = world["jing"], world["wei"]
        sender, friend = jing.user(100_000), wei.user()
        world.flush()
        packet = jing.give(sender, jing.draft(sender, 900, 3, EQUAL))
        text = claim_text(jing.packets.link(packet), Claim(REFERENCE, wei.own_codes[friend.id]))

        ask(wei, text)
        world.flush()
        delivered = 0
        while world.letters:
            if delivered == at:
                world.restart(who)
                world.flush()
            world.deliver(world.letters.pop(0))
            world.flush()
            delivered += 1
        for _ in range(8):
            ask(wei, text)
            world.later(3)
        assert len(jing.claims(packet)) == 1, at
        assert wei.balance(friend.wallet_account) == 300, at
        assert jing.inside(packet) == 600, at
        (account,) = jing.accounts(red_packet_account(packet.id))
        assert account.debits_pending == 0, at


@pytest.mark.parametrize(
    "text", ["", "for=", "for=a&to=b", f"for={REFERENCE}&to=", f"for={REFERENCE}&to=a&x=1", f"to=a&for={'x' * 36}"]
)
def test_a_malformed_claim_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_claim(text)
    assert caught.value.reason is RedPacketReason.RED_PACKET_CLAIM_MALFORMED


def test_a_claim_is_read_back_as_it_was_written() -> None:
    claim = Claim(REFERENCE, "https://wei.example/q/P123?x=1&y=京")
    assert read_claim(claim_text("https://jing.example/q/G1", claim).partition("?")[2]) == claim
