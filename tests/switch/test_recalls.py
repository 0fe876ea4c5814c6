"""Recalls as they pass the switch: routed, recorded, refused by name; and the operator's own, by a legal order."""

import msgspec
import pytest

from hutong.institution.recalls.dispute import DisputeState, dispute_id_of
from hutong.kernel.errors import Refusal
from hutong.scheme.messages import RecallAnswer, RecallReason, RecallRequest, RecallStatus
from hutong.switch.metrics import RECALLS_OVERDUE, switch_metrics
from hutong.switch.reason import SwitchReason
from hutong.switch.recall import ASKED, Recall
from tests.institution.recalls.cases import Case, paid

DAY_MS = 86_400_000


def request(case: Case, **changes: object) -> RecallRequest:
    now_ms = case.world.clock.now_ns() // 1_000_000
    honest = RecallRequest(
        recall_id=f"{7 << 80:032x}",
        asker="jing",
        payment_id=f"{case.payment.id:032x}",
        debtor_agent="jing",
        creditor_agent="wei",
        amount=10_000,
        currency="CNY",
        reason=RecallReason.DUPLICATE,
        asked_at_ms=now_ms,
        answer_by_ms=now_ms + DAY_MS,
    )
    return msgspec.structs.replace(honest, **changes)


def heard(
    case: Case, sender: str, message: RecallRequest | RecallAnswer
) -> list[tuple[str, RecallRequest | RecallAnswer]]:
    """What the switch sends when it hears this."""
    case.world.posting = True
    case.world.letters.clear()
    case.world.switch.receive(sender, [message])
    found = [(peer, said) for _, peer, said in case.world.letters if isinstance(said, RecallRequest | RecallAnswer)]
    case.world.letters.clear()
    return found


def recalls(case: Case) -> list[Recall]:
    return case.world.switch.switch.recalls.recalls.everything()


def test_a_recall_is_passed_on_as_it_is_and_recorded() -> None:
    case = paid()
    asked = request(case)
    assert heard(case, "jing", asked) == [("wei", asked)]
    (row,) = recalls(case)
    assert (row.asker, row.creditor_agent, row.amount_minor, row.status) == ("jing", "wei", 10_000, ASKED)
    assert row.asked_ns == case.world.clock.now_ns()
    assert heard(case, "jing", asked) == [("wei", asked)]
    assert len(recalls(case)) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payment_id": "f" * 32}, SwitchReason.ORIGINAL_PAYMENT_UNKNOWN),
        ({"creditor_agent": "zhi"}, SwitchReason.ORIGINAL_PAYMENT_UNKNOWN),
        ({"currency": "USD"}, SwitchReason.ORIGINAL_PAYMENT_UNKNOWN),
        ({"amount": 10_001}, SwitchReason.RECALL_EXCEEDS_PAYMENT),
    ],
)
def test_what_fits_no_payment_is_refused_by_name_and_for_good(changes: dict[str, object], reason: SwitchReason) -> None:
    case = paid()
    for _ in range(2):
        ((peer, said),) = heard(case, "jing", request(case, **changes))
        assert isinstance(said, RecallAnswer)
        assert (peer, said.status, said.reason_name) == ("jing", RecallStatus.REJECTED, reason.name)
    assert not case.creditor.recalls.disputes.disputes.everything()
    case.world.restart("switch")
    assert [row.refused for row in recalls(case)] == [reason.name]


@pytest.mark.parametrize("sender", ["wei", "zhi"])
def test_nobody_recalls_in_anothers_name(sender: str) -> None:
    case = paid()
    assert heard(case, sender, request(case)) == []
    assert heard(case, sender, request(case, asker=sender)) == []
    assert recalls(case) == []


def test_other_content_under_the_same_id_is_told_so() -> None:
    case = paid()
    heard(case, "jing", request(case))
    ((_, said),) = heard(case, "jing", request(case, amount=5))
    assert isinstance(said, RecallAnswer)
    assert (said.status, said.reason) == (RecallStatus.PENDING, "DUPL")


ANSWERS = [
    ([("PDCR", 0)], "PDCR", 0),
    ([("PDCR", 0), ("CNCL", 10_000)], "CNCL", 10_000),
    ([("CNCL", 10_000), ("PDCR", 0)], "CNCL", 10_000),
    ([("RJCR", 0), ("PDCR", 0)], "RJCR", 0),
    ([("PECR", 4_000), ("PECR", 4_000)], "PECR", 4_000),
    ([("PECR", 10_001)], ASKED, 0),
    ([("PECR", 4_000), ("RJCR", 0)], "RJCR", 0),
]


@pytest.mark.parametrize(("told", "status", "accepted"), ANSWERS)
def test_answers_are_recorded_in_whatever_order_they_come(
    told: list[tuple[str, int]], status: str, accepted: int
) -> None:
    case = paid()
    heard(case, "jing", request(case))
    for said, amount in told:
        answer = RecallAnswer(recall_id=f"{7 << 80:032x}", asker="jing", status=RecallStatus(said), amount=amount)
        passed = heard(case, "wei", answer)
        assert [peer for peer, _ in passed] == (["jing"] if status != ASKED else [])
    (row,) = recalls(case)
    assert (row.status, row.accepted_minor) == (status, accepted)


def test_only_the_payees_node_answers() -> None:
    case = paid()
    heard(case, "jing", request(case))
    answer = RecallAnswer(recall_id=f"{7 << 80:032x}", asker="jing", status=RecallStatus.REJECTED)
    assert heard(case, "jing", answer) == []
    assert heard(case, "wei", msgspec.structs.replace(answer, recall_id="9" * 32)) == []
    assert [row.status for row in recalls(case)] == [ASKED]


async def test_a_recall_past_its_deadline_is_overdue_in_the_figures_until_it_is_decided() -> None:
    case = paid()

    async def overdue() -> object:
        (value,) = [
            value for what, _, value in await switch_metrics(case.world.switch.switch) if what is RECALLS_OVERDUE
        ]
        return value

    heard(case, "jing", request(case))
    case.world.clock.advance(seconds=86_400)
    assert await overdue() == 0
    case.world.clock.advance(seconds=1)
    assert await overdue() == 1
    answer = RecallAnswer(recall_id=f"{7 << 80:032x}", asker="jing", status=RecallStatus.REJECTED, reason="NOAS")
    heard(case, "wei", answer)
    assert await overdue() == 0


def order(case: Case, **changes: object) -> Recall:
    given = {"reason": RecallReason.FRAUD, "amount": 0, "remark": "2026-1"} | changes
    switch = case.world.switch
    found = switch.switch.recalls.order("judge", 9 << 80, "jing", case.payment.id, **given)  # type: ignore[arg-type]
    switch.journal.seal()
    return found


def test_a_legal_order_sets_money_aside_and_what_comes_back_goes_to_the_payer() -> None:
    case = paid()
    order(case)
    (dispute,) = case.creditor.recalls.disputes.disputes.everything()
    assert (dispute.asker, dispute.state, dispute.blocked) == ("switch", DisputeState.OPEN, 9_940)
    case.creditor.decide(lambda: _nothing(case.creditor.recalls.disputes.accept("desk", dispute.id)))
    (row,) = recalls(case)
    assert (row.operator, row.status, row.accepted_minor) == ("judge", "CNCL", 10_000)
    assert case.debtor.balance(case.payer.wallet_account) == 1_000_000
    assert order(case) == row


def test_a_legal_order_is_sent_until_it_is_answered_across_a_restart() -> None:
    case = paid()
    case.world.posting = True
    order(case)
    case.world.letters.clear()  # Lost.
    case.world.restart("switch")
    case.world.tick(30)
    case.world.posting = False
    case.world.settle()
    assert dispute_id_of(9 << 80, "switch") in {
        each.id for each in case.creditor.recalls.disputes.disputes.everything()
    }
    assert [row.status for row in recalls(case)] == ["PDCR"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"amount": 10_001}, "RECALL_EXCEEDS_PAYMENT"), ({"remark": "another"}, ""), ({"amount": 5}, "")],
)
def test_a_legal_order_that_cannot_be_is_refused(changes: dict[str, object], reason: str) -> None:
    case = paid()
    if reason:
        with pytest.raises(Refusal, match=reason):
            order(case, **changes)
        assert recalls(case) == []
    else:
        order(case)
        with pytest.raises(Refusal, match="SAME_ID_OTHER_CONTENT"):
            order(case, **changes)


def _nothing(_answer: object) -> None:
    pass
