"""The table of steps: what the page draws is what is done."""

import re
from pathlib import Path

import pytest

from hutong.kernel.errors import Refusal
from hutong.switch.lifecycle.stage import LEADS, Stage, Step, next_stage, possible
from hutong.switch.participant import ParticipantStatus

PAGE = Path(__file__).parents[3] / "docs" / "participants.md"


@pytest.mark.parametrize("stage", [None, *Stage])
@pytest.mark.parametrize("step", Step)
def test_a_step_leads_on_or_is_refused_by_name(stage: Stage | None, step: Step) -> None:
    if (stage, step) in LEADS:
        assert next_stage("yun", stage, step) is LEADS[stage, step]
        return
    with pytest.raises(Refusal, match="STEP_OUT_OF_ORDER") as refused:
        next_stage("yun", stage, step)
    assert refused.value.facts["possible"] == ", ".join(each.value for each in possible(stage))


def test_nobody_comes_back_once_left() -> None:
    assert possible(Stage.LEFT) == [Step.DEPART]
    assert LEADS[Stage.LEFT, Step.DEPART] is Stage.LEFT


def test_nobody_is_admitted_between_application_and_certificate() -> None:
    before = {stage for (stage, step), _ in LEADS.items() if step is Step.ADMIT}
    assert before == {None, Stage.CERTIFIED}


def test_every_status_of_a_participant_is_a_stage() -> None:
    assert {status.value for status in ParticipantStatus} < {stage.value for stage in Stage}


def test_the_page_draws_the_table() -> None:
    drawn = set(re.findall(r"^    (\S+) --> (\w+): (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    names = {(stage.value if stage else "[*]", after.value, step.value) for (stage, step), after in LEADS.items()}
    assert drawn == {each for each in names if each[0] != each[1]}
