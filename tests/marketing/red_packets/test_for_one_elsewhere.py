"""A packet for one person of another institution: named by a code of theirs, and claimed by nobody else."""

import pytest

from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_link import Claim, claim_text
from hutong.marketing.red_packets.reasons import RedPacketReason
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState, RedPacket
from hutong.marketing.red_packets.split import SplitKind
from hutong.scheme.messages import ConsultStatus
from tests.institution.payments.neighbours import Person
from tests.marketing.red_packets.packet_world import DAY_S, House, PacketWorld
from tests.marketing.red_packets.test_crossing import REFERENCE, asked, not_opened

CODES_NAME = "老王面馆"  # Of every code that a test makes.
NOT_YOURS = RedPacketReason.RED_PACKET_NOT_YOURS


class Pair:
    """Who sends is at jing; whom it is for, and others, at wei."""

    def __init__(self) -> None:
        self.world = PacketWorld("jing", "wei", "zhi")
        self.jing, self.wei, self.zhi = (self.world[name] for name in ("jing", "wei", "zhi"))
        self.sender, self.friend, self.other = self.jing.user(100_000), self.wei.user(), self.wei.user()

    def given(self, code: str, amount: int = 520) -> tuple[RedPacket, str]:
        draft = self.jing.draft(self.sender, amount, 1, SplitKind.EQUAL, to_elsewhere=self.jing.named(code))
        packet = self.jing.give(self.sender, draft)
        assert packet.state == PacketState.OPEN
        return packet, self.jing.packets.link(packet)


@pytest.fixture
def pair() -> Pair:
    return Pair()


def test_the_one_it_is_for_opens_it_and_nobody_else(pair: Pair) -> None:
    packet, link = pair.given(pair.wei.own_codes[pair.friend.id])
    assert (packet.to_agent, packet.to_name) == ("wei", CODES_NAME)
    at: list[tuple[House, Person]] = [
        (pair.wei, pair.other),
        (pair.zhi, pair.zhi.user()),
        (pair.jing, pair.jing.user()),
        (pair.jing, pair.sender),
    ]
    for house, person in at:
        assert not_opened(house, person, link).reason is NOT_YOURS
    assert pair.wei.open_link(pair.friend, link).amount == 520
    assert pair.wei.balance(pair.friend.wallet_account) == 520
    assert [each.state for each in pair.jing.claims(packet)] == [ClaimState.PAID]
    assert pair.wei.open_link(pair.friend, link).amount == 520, "and again it is the same one"
    assert pair.wei.balance(pair.friend.wallet_account) == 520


def test_whichever_code_of_theirs_was_scanned(pair: Pair) -> None:
    codes = [pair.wei.another_code(pair.friend) for _ in range(3)]
    pair.wei.another_code(pair.other)
    _, link = pair.given(codes[1])
    assert not_opened(pair.wei, pair.other, link).reason is NOT_YOURS
    assert pair.wei.open_link(pair.friend, link).amount == 520
    assert pair.wei.balance(pair.friend.wallet_account) == 520


def test_who_opens_the_link_sees_whether_it_is_for_them(pair: Pair) -> None:
    packet, link = pair.given(pair.wei.another_code(pair.friend))
    seen = {
        name: (look.is_for_me, look.is_for_another)
        for name, look in (
            ("friend", pair.wei.look(pair.friend, link)),
            ("other", pair.wei.look(pair.other, link)),
            ("here", pair.jing.look(pair.jing.user(), link)),
        )
    }
    assert seen == {"friend": (True, False), "other": (False, True), "here": (False, True)}
    assert not pair.wei.look(pair.friend, link).claimed
    draft = pair.jing.draft(pair.sender, 100, 1, SplitKind.EQUAL)
    anybodys = pair.jing.packets.link(pair.jing.give(pair.sender, draft))
    look = pair.wei.look(pair.other, anybodys)
    assert (look.is_for_me, look.is_for_another) == (False, False)
    assert packet.to_code_id == pair.wei.codes[pair.wei.more_codes[pair.friend.id][0]]


def test_nobody_is_told_whom_it_is_for_but_the_institution_that_knows_already(pair: Pair) -> None:
    packet, link = pair.given(pair.wei.own_codes[pair.friend.id])
    assert packet.to_code_id is not None
    code_id = f"{packet.to_code_id:032x}"
    for agent in ("wei", "zhi"):
        answer = asked(pair.world, link, agent)
        assert (answer.status, answer.reason_name) == (ConsultStatus.REFUSED, "CODE_IS_RED_PACKET")
        assert answer.request_id != code_id
        assert bool(answer.request_id.strip("0")) is (agent == "wei")
        assert CODES_NAME not in (answer.creditor_name, answer.remittance)
    other = asked(pair.world, pair.given(pair.wei.own_codes[pair.friend.id])[1])
    assert other.request_id != asked(pair.world, link).request_id, (
        "two packets do not show that they are for one person"
    )


def test_the_packets_institution_asks_whose_the_code_is_whatever_the_other_says(pair: Pair) -> None:
    """As an institution would that claims it for another of its people, or with another's code."""
    packet, link = pair.given(pair.wei.own_codes[pair.friend.id])
    thief = claim_text(link, Claim(REFERENCE, pair.wei.own_codes[pair.other.id]))
    assert asked(pair.world, thief).reason_name == "RED_PACKET_NOT_YOURS"
    zhi = pair.zhi.user()
    thief = claim_text(link, Claim(REFERENCE, pair.wei.own_codes[pair.friend.id]))
    assert asked(pair.world, thief, "zhi").reason_name == "RED_PACKET_NOT_YOURS"
    thief = claim_text(link, Claim(REFERENCE, pair.zhi.own_codes[zhi.id]))
    assert asked(pair.world, thief).reason_name == "RED_PACKET_PAYEE_ELSEWHERE"
    assert pair.jing.inside(packet) == 520


def test_a_code_that_names_no_person_is_refused(pair: Pair) -> None:
    plate, priced = "https://wei.example/q/shop", "https://wei.example/q/priced"
    pair.wei.asks(pair.wei.merchant(), code=plate)
    pair.wei.asks(user=pair.friend, code=priced, amount=100, mcc="0000")
    for code in (plate, priced):
        with pytest.raises(Refusal) as refused:
            pair.jing.named(code)
        assert refused.value.reason is RedPacketReason.RED_PACKET_NAMES_NOBODY
    with pytest.raises(Refusal) as refused:
        pair.jing.named("https://nobody.example/q/1")
    assert refused.value.reason is PaymentReason.CODE_NOT_RESOLVED


def test_it_is_one_share_and_one_packet_however_often_it_is_sent(pair: Pair) -> None:
    there = pair.jing.named(pair.wei.own_codes[pair.friend.id])
    with pytest.raises(Refusal) as refused:
        pair.jing.give(pair.sender, pair.jing.draft(pair.sender, 500, 2, SplitKind.EQUAL, to_elsewhere=there))
    assert refused.value.reason is RedPacketReason.RED_PACKET_FOR_ONE
    draft = pair.jing.draft(pair.sender, 500, 1, SplitKind.EQUAL, to_elsewhere=there)
    assert pair.jing.give(pair.sender, draft) == pair.jing.give(pair.sender, draft)
    another = pair.jing.named(pair.wei.own_codes[pair.other.id])
    same_id = {"packet_id": draft.packet_id, "to_elsewhere": another}
    anew = pair.jing.draft(pair.sender, 500, 1, SplitKind.EQUAL, **same_id)
    with pytest.raises(Refusal) as refused:
        pair.jing.give(pair.sender, anew)
    assert (refused.value.reason.name, refused.value.facts["field"]) == ("RED_PACKET_ID_TAKEN", "to_code")


def test_what_they_do_not_open_in_a_day_goes_back(pair: Pair) -> None:
    packet, link = pair.given(pair.wei.own_codes[pair.friend.id])
    pair.world.restart("jing")
    for _ in range(26):
        pair.world.tick(DAY_S // 24)
    assert pair.jing.newest(packet).state == PacketState.EXPIRED
    assert pair.jing.balance(pair.sender.wallet_account) == 100_000
    assert not_opened(pair.wei, pair.friend, link).reason is RedPacketReason.RED_PACKET_EXPIRED
