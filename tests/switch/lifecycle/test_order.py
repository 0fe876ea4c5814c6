"""Whatever is asked for in whatever order: a refused step changes nothing, and a taken one leads where the table says."""

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.kernel.errors import Refusal
from hutong.switch.lifecycle.application import SignedApplication
from hutong.switch.lifecycle.certificate import Certificate
from hutong.switch.lifecycle.stage import LEADS, Stage, Step
from tests.switch.lifecycle.papers import PUBLIC, application, certificate, fingerprint_of
from tests.switch.world import World

CONFIRM = "CONFIRM"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*Step, CONFIRM]), max_size=14))
def test_steps_in_any_order_keep_to_the_table(asked: list[Step | str]) -> None:
    asyncio.run(live(asked))


async def live(asked: list[Step | str]) -> None:
    world = World()
    await world.boot()
    for number, step in enumerate(asked):
        switch = world.switch
        before = switch.admission.stage("yun")
        rows = {name: len(kept) for name, kept in world.store.rows.items()}
        refused = await said_no(world, step, number)
        world.journal.flush()
        if refused:
            assert switch.admission.stage("yun") is before, (step, refused)
            assert {name: len(kept) for name, kept in world.store.rows.items()} == rows, (step, refused)
            continue
        if isinstance(step, Step):
            # Repeating a step that led here is answered as things stand.
            repeated = before is Stage.ACTIVE and step is Step.ADMIT
            assert switch.admission.stage("yun") is (before if repeated else LEADS[before, step])
        admitted = any(participant.node_id == "yun" for participant in switch.admission.participants())
        assert admitted == (switch.admission.stage("yun") in BEHIND_ADMISSION)
        await world.crash()
    valid = [key for key in world.switch.admission.keys() if key.node_id == "yun"]  # noqa: SIM118  # Rows.
    assert not valid or world.switch.admission.stage("yun") in BEHIND_ADMISSION, "no key before admission"


BEHIND_ADMISSION = {Stage.ACTIVE, Stage.SUSPENDED, Stage.LEAVING, Stage.LEFT}


async def said_no(world: World, step: Step | str, number: int) -> str:
    try:
        await take(world, step, number)
    except Refusal as refusal:
        return refusal.reason.name
    return ""


async def take(world: World, step: Step | str, number: int) -> Any:
    switch, by = world.switch, "lin"
    made, found = application(world.now_ms(), name=f"Yun {number}"), certificate(world.now_ms())
    match step:
        case Step.APPLY:
            return switch.lifecycle.apply(msgspec.convert(made, SignedApplication), by)
        case Step.CERTIFY:
            return switch.lifecycle.certify("yun", msgspec.convert(found, Certificate), {}, by)
        case Step.REJECT | Step.WITHDRAW:
            return switch.lifecycle.end_application("yun", step, by, "no")
        case Step.ADMIT:
            return switch.lifecycle.admit("yun", by, "zero cap")
        case Step.SUSPEND:
            return switch.admission.suspend("yun", by=by)
        case Step.RESUME:
            return switch.admission.resume("yun", by=by)
        case Step.LEAVE:
            return switch.exits.leave("yun", by=by, reason="", returns_for_s=0, forms_to="", consented_by="")
        case Step.DEPART:
            return await switch.exits.depart("yun", by=by, reason="")
        case _:
            return switch.lifecycle.confirm_key("yun", "yun-1", fingerprint_of(PUBLIC), by="wang", alone=False)
