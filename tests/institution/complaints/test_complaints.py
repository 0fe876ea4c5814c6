"""Complaints from the first word to the last, across institutions and at one."""

import pytest

from hutong.institution.complaints.reasons import ComplaintReason
from hutong.institution.complaints.turn import TURNS_MAX
from hutong.institution.payments.reasons import PaymentReason
from hutong.institution.policy.policy import ComplaintTerms
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.text import TextReason
from hutong.scheme.complaint import ComplaintAct
from hutong.scheme.complaint_messages import ComplaintSaid, ComplaintTurn
from tests.institution.complaints.cases import Complained, complained
from tests.institution.recalls.cases import do

EVERYWHERE = pytest.mark.parametrize("on_us", [False, True], ids=["across", "on us"])
DAY_S = 86_400
SAY, CONTINUE, WITHDRAW, CONFIRM = (
    ComplaintAct.SAY,
    ComplaintAct.CONTINUE,
    ComplaintAct.WITHDRAW,
    ComplaintAct.CONFIRM,
)
COMPLETE, APPROVE, REFUSE = ComplaintAct.COMPLETE, ComplaintAct.APPROVE, ComplaintAct.REFUSE


@EVERYWHERE
def test_a_payer_complains_and_the_merchant_answers_refunds_and_completes(on_us: bool) -> None:
    case = complained(on_us=on_us)
    grievance = case.open()
    assert (grievance.state, grievance.is_sending, grievance.turns) == ("PDNG", False, 1)
    assert (case.complaint.asked, case.complaint.contact) == (10_000, "13800138000")
    case.answers(SAY, "抱歉")
    assert case.grievance.state == "PRCG"
    case.approves(4_000)
    case.refunds(6_000)
    assert case.complaint.is_fully_refunded
    case.answers(COMPLETE)
    assert (case.grievance.state, case.grievance.ended) == ("PRCD", "CMPL")
    case.says(CONFIRM)
    assert case.grievance.ended == "CNFM"
    assert case.here() == case.there()
    assert case.there() == [
        ("DBTR", "OPEN", 10_000, "面是凉的"),
        ("CDTR", "SAYS", 0, "抱歉"),
        ("CDTR", "APRV", 4_000, "这就退"),
        ("AGNT", "RFND", 4_000, ""),
        ("AGNT", "RFND", 6_000, ""),
        ("CDTR", "CMPL", 0, ""),
        ("DBTR", "CNFM", 0, ""),
    ]
    heard = [news for news in case.case.news(case.case.creditor) if news.startswith("complaint.")]
    assert heard[0] == "complaint.opened"
    assert "complaint.answered" in case.case.news(case.case.debtor)


def turned(case: Complained, *acts: ComplaintAct) -> None:
    for act in acts:
        if act in (COMPLETE, APPROVE, REFUSE):
            case.answers(act, "嗯")
        else:
            case.says(act, "嗯")


# What was done before, who acts, what, and why not; None: it is done.
MOVES: list[tuple[list[ComplaintAct], str, ComplaintAct, Reason | None]] = [
    ([], "payee", COMPLETE, ComplaintReason.COMPLAINT_NOT_ANSWERED),
    ([], "payee", APPROVE, None),
    ([], "payee", REFUSE, None),
    ([REFUSE], "payee", COMPLETE, None),
    ([REFUSE, COMPLETE], "payee", SAY, ComplaintReason.COMPLAINT_ENDED),
    ([REFUSE, COMPLETE], "payer", SAY, ComplaintReason.COMPLAINT_ENDED),
    ([REFUSE, COMPLETE], "payer", CONTINUE, None),
    ([REFUSE, COMPLETE], "payer", CONFIRM, None),
    ([REFUSE, COMPLETE], "payer", WITHDRAW, ComplaintReason.COMPLAINT_ENDED),
    ([REFUSE, COMPLETE, CONFIRM], "payer", CONTINUE, ComplaintReason.COMPLAINT_NOT_ENDED),
    ([REFUSE, COMPLETE, CONFIRM], "payer", CONFIRM, ComplaintReason.COMPLAINT_ENDED),
    ([REFUSE, COMPLETE, CONTINUE], "payee", COMPLETE, ComplaintReason.COMPLAINT_NOT_ANSWERED),
    ([], "payer", SAY, None),
    ([], "payer", CONTINUE, ComplaintReason.COMPLAINT_NOT_ENDED),
    ([], "payer", WITHDRAW, None),
    ([], "payer", CONFIRM, None),
    ([WITHDRAW], "payer", SAY, ComplaintReason.COMPLAINT_ENDED),
    ([WITHDRAW], "payer", CONTINUE, ComplaintReason.COMPLAINT_NOT_ENDED),
    ([WITHDRAW], "payee", SAY, ComplaintReason.COMPLAINT_ENDED),
]


@pytest.mark.parametrize(("before", "by", "act", "reason"), MOVES)
def test_each_side_does_what_it_may_and_no_more(
    before: list[ComplaintAct], by: str, act: ComplaintAct, reason: Reason | None
) -> None:
    case = complained()
    case.open()
    turned(case, *before)
    move = case.answers if by == "payee" else case.says
    if reason is None:
        move(act, "嗯")
        assert case.here()[-1][1] == act.value
    else:
        with pytest.raises(Refusal) as refused:
            move(act, "嗯")
        assert refused.value.reason is reason
    assert case.here() == case.there()


def test_a_refund_is_decided_on_only_where_one_is_asked_for() -> None:
    case = complained()
    case.open(kind="SRVC")
    with pytest.raises(Refusal) as refused:
        case.answers(APPROVE)
    assert refused.value.reason is ComplaintReason.COMPLAINT_ASKS_NO_REFUND
    assert case.complaint.asked == 0


@EVERYWHERE
def test_the_same_act_again_is_one_turn_and_other_words_under_it_are_refused(on_us: bool) -> None:
    case = complained(on_us=on_us)
    case.open()
    case.open()
    act_id, answer_id = case.case.debtor.node.mint.mint(), case.case.creditor.node.mint.mint()
    for _ in range(2):
        case.says(SAY, "还在吗", act_id=act_id)
        case.answers(SAY, "在", act_id=answer_id)
    case.says(SAY, "喂")
    case.says(SAY, "还在吗", act_id=act_id)
    approval_id = case.case.creditor.node.mint.mint()
    for _ in range(2):
        case.approves(4_000, act_id=approval_id)
    assert [act for _, act, _, _ in case.here()] == ["OPEN", "SAYS", "SAYS", "SAYS", "APRV", "RFND"]
    with pytest.raises(Refusal) as refused:
        case.answers(SAY, "不在", act_id=answer_id)
    assert (refused.value.reason, refused.value.facts) == (PaymentReason.ID_TAKEN, {"field": "text"})
    with pytest.raises(Refusal) as refused:
        case.open(kind="OTHR")
    assert (refused.value.reason, refused.value.facts) == (PaymentReason.ID_TAKEN, {"field": "kind"})


def test_an_approval_of_more_than_is_left_says_nothing_and_moves_nothing() -> None:
    case = complained()
    case.open()
    case.refunds(7_000)
    for amount, reason in ((3_001, PaymentReason.REFUND_EXCEEDS_REMAINDER), (0, PaymentReason.AMOUNT_NOT_POSITIVE)):
        with pytest.raises(Refusal) as refused:
            case.approves(amount)
        assert refused.value.reason is reason
    assert [act for _, act, _, _ in case.there()] == ["OPEN", "RFND"]
    case.approves(3_000)
    assert case.complaint.is_fully_refunded


def test_what_was_refunded_before_counts() -> None:
    case = complained()
    case.refunds(2_500)
    case.open()
    assert case.complaint.refunded == 2_500


OPENINGS: list[tuple[dict[str, object], Reason]] = [
    ({"payment_id": 1 << 8}, PaymentReason.PAYMENT_UNKNOWN),
    ({"text": ""}, TextReason.TEXT_EMPTY),
    ({"text": "长" * 501}, TextReason.TEXT_TOO_LONG),
    ({"text": "a\u202eb"}, TextReason.TEXT_HAS_ODD_CHARACTERS),
    ({"contact": "1" * 36}, TextReason.TEXT_TOO_LONG),
    ({"amount": 10_001}, PaymentReason.REFUND_EXCEEDS_REMAINDER),
    ({"pictures": ("5" * 64,) * 5}, ComplaintReason.COMPLAINT_TOO_LONG),
    ({"pictures": ("javascript:alert(1)",)}, ComplaintReason.PICTURE_UNKNOWN),
    ({"pictures": ("../../etc/passwd",)}, ComplaintReason.PICTURE_UNKNOWN),
]


@pytest.mark.parametrize(("wrong", "reason"), OPENINGS)
def test_what_is_no_complaint_is_refused_before_it_is_sent(wrong: dict[str, object], reason: Reason) -> None:
    case = complained()
    with pytest.raises(Refusal) as refused:
        case.open(**wrong)
    assert refused.value.reason is reason
    assert not case.case.debtor.complaints.grievances.grievances.everything()


def test_a_person_who_was_paid_is_not_complained_of() -> None:
    case = complained(person=True)
    with pytest.raises(Refusal) as refused:
        case.open()
    assert refused.value.reason is ComplaintReason.COMPLAINT_NEEDS_A_MERCHANT


def test_one_at_a_time_and_so_many_a_day() -> None:
    case = complained()
    mint = case.case.debtor.node.mint
    for number in range(10):
        case.open(grievance_id=mint.mint())
        with pytest.raises(Refusal) as refused:
            case.open(grievance_id=mint.mint())
        assert refused.value.reason is ComplaintReason.COMPLAINT_ALREADY_OPEN, number
        case.order = type(case.order)(
            grievance_id=case.case.debtor.complaints.grievances.grievances.everything()[-1].id,
            payment_id=case.order.payment_id,
            kind="RFND",
            text="x",
        )
        case.says(WITHDRAW)
    with pytest.raises(Refusal) as refused:
        case.open(grievance_id=mint.mint())
    assert refused.value.reason is ComplaintReason.TOO_MANY_COMPLAINTS
    case.case.world.tick(DAY_S + 1)
    assert case.open(grievance_id=mint.mint()).state == "PDNG"


def test_after_half_a_year_it_is_too_late_and_after_fifteen_days_nothing_is_continued() -> None:
    case = complained()
    case.case.world.clock.advance(seconds=180 * DAY_S)
    case.open()
    turned(case, REFUSE, COMPLETE)
    case.case.world.clock.advance(seconds=15 * DAY_S)
    turned(case, CONTINUE, REFUSE, COMPLETE)
    case.case.world.clock.advance(seconds=15 * DAY_S + 1)
    assert case.says(CONTINUE, "还没完").refusal == "COMPLAINT_TOO_LATE"
    with pytest.raises(Refusal) as refused:
        case.open(grievance_id=case.case.debtor.node.mint.mint())
    assert refused.value.reason is ComplaintReason.COMPLAINT_TOO_LATE


def test_a_payer_complains_three_times_in_one() -> None:
    case = complained()
    case.open()
    turned(case, REFUSE, COMPLETE, CONTINUE, REFUSE, COMPLETE, CONTINUE, REFUSE, COMPLETE)
    refused = case.says(CONTINUE, "再来")
    assert (refused.is_sending, refused.refusal, refused.state) == (False, "COMPLAINT_CONTINUED_TOO_OFTEN", "PRCD")
    assert "complaint.refused" in case.case.news(case.case.debtor)
    assert case.complaint.times == 3


def test_deadlines_follow_what_was_said_and_pass_visibly() -> None:
    case = complained()
    case.open()
    clock, second = case.case.world.clock, 10**9
    terms: ComplaintTerms = case.case.creditor.complaints.complaints._terms("RFND")
    assert case.complaint.answer_by_ns == clock.now_ns() + terms.answer_hours * 3600 * second
    assert case.grievance.answer_by_ns // 10**6 == case.complaint.answer_by_ns // 10**6
    clock.advance(seconds=DAY_S)
    assert not case.complaint.is_overdue(clock.now_ns())
    due_ns = case.complaint.answer_by_ns
    case.says(SAY, "有人吗")
    assert case.complaint.answer_by_ns == due_ns
    clock.advance(seconds=1)
    assert case.complaint.is_overdue(clock.now_ns())
    case.answers(SAY, "在")
    assert case.complaint.answer_by_ns == clock.now_ns() + terms.complete_hours * 3600 * second
    case.answers(COMPLETE)
    assert case.complaint.answer_by_ns == 0


def test_the_institution_says_something_and_looks_after_it() -> None:
    case = complained()
    case.open()
    case.desk_says("我们来看看")
    service = case.case.creditor.complaints.complaints
    assert service.own(case.complaint, "duty").owner == "duty"
    assert case.here()[-1] == ("AGNT", "SAYS", 0, "我们来看看")
    assert case.grievance.state == "PDNG"


def test_a_history_has_its_end() -> None:
    case = complained()
    case.open()
    for _ in range(TURNS_MAX - 1):
        case.answers(SAY, "。")
    with pytest.raises(Refusal) as refused:
        case.answers(SAY, "。")
    assert refused.value.reason is ComplaintReason.COMPLAINT_TOO_LONG
    case.answers(COMPLETE)
    assert len(case.here()) == TURNS_MAX + 1


def test_a_complaint_survives_restarts_of_both() -> None:
    case = complained()
    case.open()
    case.answers(SAY, "在")
    for name in ("jing", "wei", "switch"):
        case.case.world.restart(name)
    case.says(SAY, "好")
    case.answers(COMPLETE)
    case.case.world.restart("jing")
    assert case.here() == case.there()
    assert len(case.here()) == 4


def test_who_is_silent_for_a_week_was_not_reached() -> None:
    case = complained()
    world = case.case.world
    world.posting = True  # Nothing is delivered.
    case.open()
    for _ in range(7 * 24 + 2):
        world.tick(3600)
        world.letters.clear()
    assert (case.grievance.state, case.grievance.refusal) == ("NOT_DELIVERED", "COMPLAINT_NOT_DELIVERED")
    with pytest.raises(Refusal) as refused:
        case.says(SAY, "喂")
    assert refused.value.reason is ComplaintReason.COMPLAINT_ENDED


def test_what_is_still_on_its_way_is_waited_for() -> None:
    case = complained()
    case.case.world.posting = True
    case.open()
    with pytest.raises(Refusal) as refused:
        case.says(SAY, "喂")
    assert refused.value.reason is ComplaintReason.COMPLAINT_STILL_SENDING


@EVERYWHERE
def test_what_names_no_picture_is_not_kept_wherever_it_comes_from(on_us: bool) -> None:
    case = complained(on_us=on_us)
    case.open()
    digest = "5" * 64
    hostile = ["javascript:alert(1)", digest, digest, "https://jing.example/2.png"]
    shown = case.complaint
    said = ComplaintSaid(
        complaint_id=f"{shown.complaint_id:032x}",
        payment_id=f"{shown.payment_id:032x}",
        debtor_agent=shown.debtor_agent,
        creditor_agent=case.case.creditor.node_id,
        number=2,
        act=SAY,
        act_id=f"{case.case.debtor.node.mint.mint():032x}",
        currency="CNY",
        text="看",
        pictures=hostile,
        at_ms=0,
    )
    do(case.case.creditor, lambda: case.case.creditor.complaints.complaints.said(said))
    assert case.here() == case.there()
    there = case.case.creditor.complaints.complaints.history(case.complaint)
    assert [turn.digests for turn in there] == [[], [digest]]
    here = case.case.debtor.complaints.grievances.history(case.grievance)
    assert [turn.digests for turn in here] == [turn.digests for turn in there]


@pytest.mark.parametrize("message", ["said", "told"])
def test_nobody_but_the_agents_of_the_payment_is_heard(message: str) -> None:
    case = complained()
    world = case.case.world
    world.posting = True
    case.open()
    said = next(letter for _, _, letter in world.letters if isinstance(letter, ComplaintSaid))
    world.posting = False
    world.settle()
    world.posting = True
    case.answers(SAY, "在")
    told = next(letter for _, _, letter in world.letters if isinstance(letter, ComplaintTurn))
    world.letters.clear()
    for sender in ("wei", "zhi") if message == "said" else ("jing", "zhi"):
        world.switch.receive(sender, [said if message == "said" else told])
    assert world.letters == []
