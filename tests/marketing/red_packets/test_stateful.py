"""
Whatever happens in whatever order, with a crash anywhere: a packet's money is somewhere, once.

People of two institutions open packets of one; clocks go on; messages are lost and repeated; nodes are killed with whatever
was not durable. Then everything heals, and the books are compared with who holds what.
"""

from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hutong.kernel.errors import Refusal
from hutong.marketing.red_packets.claim_link import Claim, claim_text
from hutong.marketing.red_packets.red_packet import ClaimState, PacketState, RedPacket, packet_plate
from hutong.marketing.red_packets.split import SplitKind
from hutong.scheme.messages import CodeConsult
from tests.institution.payments.neighbours import Person
from tests.marketing.red_packets.packet_world import DAY_S, KEY, House, PacketWorld

START = 100_000


class Packets(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = PacketWorld("jing", "wei", immediate=False)
        self.jing, self.wei = self.world["jing"], self.world["wei"]
        self.senders = [self.jing.user(START) for _ in range(2)]
        self.friends = [self.jing.user() for _ in range(3)]
        self.strangers = [self.wei.user() for _ in range(2)]
        self.world.flush()
        self.drafts: dict[int, tuple[Person, Any]] = {}
        self.promised: dict[
            int, int
        ] = {}  # What was told a person here, once it was durable: (packet, person) -> amount.

    def _decide(self, house: House, decision: Any) -> None:
        with suppress(Refusal):
            house.decide(decision)

    @rule(who=st.integers(0, 1), amount=st.integers(1, 60_000), count=st.integers(1, 4))
    def give(self, who: int, amount: int, count: int) -> None:
        sender = self.senders[who]
        draft = self.jing.draft(sender, max(amount, count), count, SplitKind.LUCKY)
        self.drafts[draft.packet_id] = sender, draft
        self._decide(self.jing, lambda: self.jing.packets.create(sender.id, draft, lambda _: None))

    @precondition(lambda self: self.drafts)
    @rule(data=st.data())
    def give_again(self, data: st.DataObject) -> None:
        sender, draft = self.drafts[data.draw(st.sampled_from(sorted(self.drafts)))]
        self._decide(self.jing, lambda: self.jing.packets.create(sender.id, draft, lambda _: None))

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), who=st.integers(0, 4))
    def open(self, data: st.DataObject, who: int) -> None:
        packet_id = data.draw(st.sampled_from(sorted(self.drafts)))
        person = [*self.senders, *self.friends][who]
        key = packet_id ^ person.id

        def told(_packet: RedPacket, claim: Any) -> None:
            assert self.promised.setdefault(key, claim.amount) == claim.amount

        plate = packet_plate(packet_id, KEY)
        self._decide(self.jing, lambda: self.jing.red_packets.claims.claim(person.id, plate, told))

    @precondition(lambda self: self.drafts)
    @rule(data=st.data(), who=st.integers(0, 1))
    def open_elsewhere(self, data: st.DataObject, who: int) -> None:
        packet_id = data.draw(st.sampled_from(sorted(self.drafts)))
        self._ask(packet_id, self.strangers[who])

    def _ask(self, packet_id: int, person: Person) -> None:
        link = f"https://jing.example/q/{packet_plate(packet_id, KEY)}"
        text = claim_text(link, Claim(f"{person.id:032x}", self.wei.own_codes[person.id]))
        consult_id = f"{self.wei.node.mint.mint():032x}"
        self.wei.journal.tell("switch", CodeConsult(consult_id=consult_id, code=text, debtor_agent="wei"))
        self.wei.journal.seal()

    @rule()
    def flush(self) -> None:
        self.world.flush()

    @rule(at=st.integers(0, 5), how=st.sampled_from(["deliver", "repeat", "lose"]))
    def network(self, at: int, how: str) -> None:
        letters = self.world.letters
        if not letters:
            return
        letter = letters[at % len(letters)] if how == "repeat" else letters.pop(at % len(letters))
        if how != "lose":
            self.world.deliver(letter)

    @rule()
    def settle(self) -> None:
        self.world.flush()
        self.world.settle()

    @rule(name=st.sampled_from(["jing", "wei", "switch"]))
    def crash(self, name: str) -> None:
        self.world.restart(name)

    @rule(seconds=st.sampled_from([3, 70, DAY_S // 2]))
    def time_goes_by(self, seconds: int) -> None:
        self.world.tick(seconds)

    @invariant()
    def the_ledgers_balance(self) -> None:
        if hasattr(self, "world"):
            assert all(place.balanced() for place in self.world.places.values())

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.flush()
        for _ in range(12):
            self.world.later(5)
        self._check_packets()
        for _ in range(3):
            self.world.later(DAY_S)
            for _ in range(8):
                self.world.later(600)
        self._check_ended()

    def _packets(self) -> list[RedPacket]:
        found = []
        for packet_id in self.drafts:
            try:
                found.append(self.jing.newest_of(packet_id))
            except Refusal:  # Refused, or lost in a crash before it was durable.
                continue
        return found

    def _check_packets(self) -> None:
        for packet in self._packets():
            claims = self.jing.claims(packet)
            assert len({claim.claimant_key for claim in claims}) == len(claims)
            assert [claim.number for claim in claims] == list(range(len(claims)))
            assert [claim.amount for claim in claims] == packet.shares()[: len(claims)]
            paid = sum(claim.amount for claim in claims if claim.state == ClaimState.PAID)
            is_filled = packet.state in (PacketState.OPEN, PacketState.EMPTY, PacketState.EXPIRED)
            assert self.jing.inside(packet) == (packet.amount - packet.returned - paid if is_filled else 0)

    def _check_ended(self) -> None:
        got = {person.id: 0 for person in [*self.senders, *self.friends, *self.strangers]}
        sent = {sender.id: 0 for sender in self.senders}
        strangers = 0
        for packet in self._packets():
            assert packet.state in (PacketState.EMPTY, PacketState.EXPIRED, PacketState.FAILED)
            claims = self.jing.claims(packet)
            assert {claim.state for claim in claims} <= {ClaimState.PAID.value, ClaimState.GIVEN_UP.value}
            kept = sum(claim.amount for claim in claims if claim.state == ClaimState.PAID)
            assert packet.returned == packet.amount - kept
            assert packet.state == PacketState.FAILED or self.jing.inside(packet) == 0
            sent[packet.sender_id] += kept
            for claim in claims:
                if claim.user_id:
                    got[claim.user_id] += claim.amount
                    assert self.promised.get(packet.id ^ claim.user_id, claim.amount) == claim.amount
                elif claim.state == ClaimState.PAID:
                    strangers += claim.amount
        for sender in self.senders:
            assert self.jing.balance(sender.wallet_account) == START - sent[sender.id] + got[sender.id]
        for friend in self.friends:
            assert self.jing.balance(friend.wallet_account) == got[friend.id]
        assert sum(self.wei.balance(each.wallet_account) for each in self.strangers) == strangers
        assert self.jing.packets.unfinished == {}


TestPackets = Packets.TestCase
TestPackets.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
