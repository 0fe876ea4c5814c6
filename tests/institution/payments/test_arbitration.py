"""
Every way a message can be lost, repeated, overtaken, late or cut off, and a node killed at every point: real nodes.

Each row of the table is one fault in an otherwise quiet payment, return or request to pay: which message, between whom
(D the debtor agent, S the switch, C the creditor agent), what happens to it, and how all ends. `late` comes when all is
over; `cut` also loses whatever goes the same way until two minutes later, behind every deadline.
"""

import pytest

from hutong.institution.payments.payment import PAYMENT_OUTCOMES
from hutong.institution.payments.refund import REFUND_OUTCOMES, RefundOrder
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import AnyMessage, PaymentStatus, RequestStatus
from hutong.scheme.standing import Nudge
from tests.institution.payments.trouble import STATIC, Trouble, _terms
from tests.institution.payments.world import Institution, Switch

TABLE = """
payment  pacs.008 D>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
payment  pacs.008 S>C       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
payment  pacs.002-ACSP C>S  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
payment  pacs.002-ACSC S>D  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
payment  pacs.002-ACSC S>C  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
return   pacs.004 C>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
return   pacs.004 S>D       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
return   pacs.002-ACSP D>S  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
return   pacs.002-ACSC S>C  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
return   pacs.002-ACSC S>D  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
charge   pain.013 C>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut NOTHING
charge   pain.013 S>D       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut NOTHING
charge   pacs.008 D>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
charge   pacs.008 S>C       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
charge   pacs.002-ACSP C>S  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
charge   pacs.002-ACSC S>D  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
charge   pacs.002-ACSC S>C  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
waiting  pain.013 C>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut NOTHING
waiting  pain.013 S>D       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut NOTHING
waiting  pain.014-PDNG D>S  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
waiting  pain.014-PDNG S>C  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
waiting  pacs.008 D>S       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
waiting  pacs.008 S>C       lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
waiting  pacs.002-ACSP C>S  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut REJECTED
waiting  pacs.002-ACSC S>D  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
waiting  pacs.002-ACSC S>C  lost COMPLETED  repeated COMPLETED  overtaken COMPLETED  late COMPLETED  cut COMPLETED
"""
FAULTS = ("lost", "repeated", "overtaken", "late", "cut")
ROWS = [line.split() for line in TABLE.splitlines() if line]
SCENARIOS = [(row[0], row[1], row[2], row[i], row[i + 1]) for row in ROWS for i in range(3, len(row), 2)]
Letter = tuple[str, str, AnyMessage]
WHO = {"jing": "D", "switch": "S", "wei": "C"}
_STEPS_MAX = 40


def named(letter: Letter) -> tuple[str, str]:
    """The message and its way, as the table has them."""
    sender, peer, message = letter
    status = f"-{message.status.value}" if isinstance(message, PaymentStatus | RequestStatus) else ""
    return f"{message.__struct_config__.tag}{status}", f"{WHO[sender]}>{WHO[peer]}"


class Scenario(Trouble):
    """One payment, return or request to pay, a letter at a time."""

    def __init__(self, kind: str) -> None:
        super().__init__(seed=7)
        self.kind = kind
        self.cut: tuple[str, str] | None = None
        self.held: list[Letter] = []
        self.trace: list[tuple[str, str]] = []
        if kind == "return":
            self._order(900)
            self.calm()
            self.trace.clear()

    def _order(self, amount: int) -> None:
        quote = self.jing.payments.consults.quote(self.payers[0], _terms(self.wei, STATIC))
        order = self.jing.order(quote, amount)
        self.orders.append((self.payers[0], order))
        self.jing.pay(self.payers[0], order)

    def begin(self) -> None:
        match self.kind:
            case "payment":
                self._order(900)
            case "return":
                payment = self.orders[0][1].payment_id
                refund = RefundOrder(refund_id=self.wei.node.mint.mint(), payment_id=payment, amount=400)
                self.refunds.append(refund)
                self._refund(refund)
            case "charge" | "waiting":
                self.random.choice = lambda among: among[self.kind == "waiting"]  # type: ignore[assignment, method-assign]
                self.charge()

    def letters(self) -> list[Letter]:
        """Make durable what was decided; what is then under way. A payer who is asked agrees."""
        self.world.flush()
        if self.kind == "waiting" and not self.world.letters:
            self.approve()
            self.world.flush()
        if self.cut is not None:
            self.world.letters = [letter for letter in self.world.letters if letter[:2] != self.cut]
        return self.world.letters

    def calm(self) -> None:
        """Deliver everything as it comes."""
        for _ in range(_STEPS_MAX):
            if not self.letters():
                return
            letter = self.world.letters.pop(0)
            self.trace.append(named(letter))
            self.world.deliver(letter)
        raise AssertionError("it never ends")

    def go_wrong(self, message: str, way: str, fault: str) -> None:
        """Deliver as it comes, but for the first letter of this name."""
        while self.letters():
            letter = self.world.letters.pop(0)
            if named(letter) == (message, way):
                break
            self.world.deliver(letter)
        else:
            raise AssertionError(f"no {message} {way} came")
        match fault:
            case "repeated":
                self.world.deliver(letter)
                self.world.flush()
                self.world.deliver(letter)
            case "overtaken":
                if self.letters():
                    self.world.deliver(self.world.letters.pop(0))
                    self.world.flush()
                self.world.deliver(letter)
            case "late":
                self.held.append(letter)
            case "cut":
                self.cut = letter[:2]

    def mend(self) -> None:
        """Two minutes, in which the cut stays; then all is well, and what was late comes."""
        for seconds in [3] * 10 + [30] * 3:
            self.calm()
            self.world.tick(seconds)
        self.calm()
        self.cut = None
        for letter in self.held:
            self.world.deliver(letter)
        self.calm()
        for _ in range(4):
            self.world.tick(300)
            self.calm()

    def outcome(self) -> str:
        table, node = (REFUND_OUTCOMES, self.wei) if self.kind == "return" else (PAYMENT_OUTCOMES, self.jing)
        rows = [row for _, row in node.store.rows[table.name]]
        return {0: "NOTHING", 1: "COMPLETED" if rows and rows[0].completed else "REJECTED"}[len(rows)]

    def check(self) -> None:
        """Safe, alike everywhere, and nothing unknown: no node has anything to show as stuck."""
        self.check_safety()
        self.check_agreement()
        for node in (self.jing, self.wei):
            assert node.payments.oversight.undecided() == []
        assert self.world.switch.switch.oversight.undecided() == []


def test_the_table_has_every_message_of_every_kind_and_every_fault() -> None:
    for kind in ("payment", "return", "charge", "waiting"):
        scenario = Scenario(kind)
        scenario.begin()
        scenario.calm()
        scenario.check()
        assert scenario.outcome() == "COMPLETED"
        rows = [row for row in ROWS if row[0] == kind]
        assert sorted(set(scenario.trace)) == sorted((row[1], row[2]) for row in rows)
        assert all(tuple(row[3::2]) == FAULTS for row in rows)


@pytest.mark.parametrize(("kind", "message", "way", "fault", "ends"), SCENARIOS)
def test_a_message_goes_wrong_and_all_ends_alike(kind: str, message: str, way: str, fault: str, ends: str) -> None:
    scenario = Scenario(kind)
    scenario.begin()
    scenario.go_wrong(message, way, fault)
    scenario.mend()
    scenario.check()
    assert scenario.outcome() == ends


@pytest.mark.parametrize("node", ["jing", "switch", "wei"])
@pytest.mark.parametrize("kind", ["payment", "return", "charge", "waiting"])
@pytest.mark.parametrize("durable", [True, False])
def test_a_node_is_killed_at_every_point_and_forgets_nothing_it_said(kind: str, node: str, durable: bool) -> None:
    steps = 0
    while True:
        scenario = Scenario(kind)
        scenario.begin()
        for _ in range(steps):
            if not scenario.letters():
                return  # It was over before.
            scenario.world.deliver(scenario.world.letters.pop(0))
        if durable:
            scenario.world.flush()
        scenario.world.restart(node)
        scenario.mend()
        scenario.check()
        steps += 1


def test_an_answer_that_comes_when_the_switch_has_rejected_changes_nothing() -> None:
    """The creditor agent accepted in time, its answer took until behind the deadline: both give up alike."""
    scenario = Scenario("payment")
    scenario.begin()
    scenario.go_wrong("pacs.002-ACSP", "C>S", "cut")
    (here,) = scenario.wei.payments.oversight.undecided()
    (there,) = scenario.world.switch.switch.oversight.undecided()
    assert (here.state, here.owner, there.state, there.owner) == ("ACCEPTED", "switch", "RESERVED", "wei")
    assert here.id == there.id
    scenario.world.clock.advance(seconds=61)
    assert [each.owner for each in scenario.world.switch.switch.oversight.undecided()] == ["switch"]
    scenario.mend()
    scenario.check()
    story = scenario.world.switch.switch.oversight.story(scenario.orders[0][1].payment_id)
    assert [(moment.state, moment.note) for moment in story][1:] == [("REJECTED", "DEADLINE_PASSED")]


def test_an_operator_has_what_is_stuck_asked_about_again_and_moves_nothing_by_it() -> None:
    scenario = Scenario("payment")
    scenario.begin()
    scenario.go_wrong("pacs.002-ACSC", "S>D", "cut")
    scenario.calm()
    (stuck,) = scenario.jing.payments.oversight.undecided()
    assert (stuck.kind, stuck.role, stuck.state, stuck.owner) == ("PAYMENT", "DEBTOR_AGENT", "HELD", "switch")
    assert _nudged(scenario.jing, Nudge()) == []  # Not old enough.
    assert _nudged(scenario.jing, Nudge(id=stuck.id)) == [stuck.id]
    scenario.calm()
    assert scenario.jing.payments.oversight.undecided() == [stuck]  # Still cut.
    scenario.cut = None
    assert _nudged(scenario.jing, Nudge(older_ms=0)) == [stuck.id]
    scenario.calm()
    scenario.check()
    assert scenario.outcome() == "COMPLETED"
    with pytest.raises(Refusal, match="PAYMENT_UNKNOWN"):
        _nudged(scenario.jing, Nudge(id=stuck.id))


def test_the_switch_offers_again_what_its_operator_nudges() -> None:
    scenario = Scenario("payment")
    scenario.begin()
    scenario.go_wrong("pacs.008", "S>C", "lost")
    (stuck,) = scenario.world.switch.switch.oversight.undecided()
    assert _nudged(scenario.world.switch, Nudge(id=stuck.id)) == [stuck.id]
    scenario.calm()
    assert scenario.outcome() == "COMPLETED"
    scenario.check()


def _nudged(place: Institution | Switch, nudge: Nudge) -> list[str]:
    oversight = place.payments.oversight if isinstance(place, Institution) else place.switch.oversight
    nudged: list[str] = []
    place.node.decide(lambda: nudged.extend(each.id for each in oversight.nudge(nudge)))
    return nudged
