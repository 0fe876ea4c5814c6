"""The switch of a description: it begins as described, and from then on its own rows say who takes part."""

import msgspec
import pytest

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.wiring import introduce
from hutong.kernel.errors import Refusal
from tests.switch.world import World

KEY = bytes(range(32)).hex()


def described(public_key: str = KEY) -> Network:
    switch, jing, wei, *_ = DEMO_NETWORK.nodes
    return Network(nodes=(switch, msgspec.structs.replace(jing, public_keys=(f"jing-1:{public_key}",)), wei))


@pytest.fixture
async def world() -> World:
    world = World()
    await world.boot()
    await introduce(world.switch, described())
    return world


async def test_a_switch_starts_again_behind_a_retired_key_and_a_withdrawn_form(world: World) -> None:
    admission = world.switch.admission
    admission.retire_key("jing-1")
    admission.withdraw_form("wei", "digits:2861:20")
    admission.withdraw_form("wei", "url:https://qr.weipay.example/")
    admission.register_form("jing", "url:https://qr.weipay.example/")
    before = (admission.participants(), admission.keys(), admission.forms())
    world.journal.flush()
    await world.crash()
    await introduce(world.switch, described())
    admission = world.switch.admission
    assert (admission.participants(), admission.keys(), admission.forms()) == before
    assert admission.directory.resolve("https://qr.weipay.example/x").node == "jing"


async def test_another_key_under_a_known_id_is_refused(world: World) -> None:
    with pytest.raises(Refusal, match="KEY_CONFLICTS"):
        await introduce(world.switch, described("ff" * 32))


def described_as(name: str, url: str) -> Network:
    switch, jing, wei, *_ = DEMO_NETWORK.nodes
    return Network(nodes=(switch, msgspec.structs.replace(jing, name=name, url=url), wei))


async def test_what_the_operator_changed_stays_until_the_description_changes(world: World) -> None:
    await introduce(world.switch, described_as("Jing", "http://jing:1"))
    world.switch.admission.admit("jing", "jing", "Jing Pay", "http://jing:2")
    world.journal.flush()
    await world.crash()
    await introduce(world.switch, described_as("Jing", "http://jing:1"))
    known = world.switch.admission.participant("jing")
    assert (known.name, known.url) == ("Jing Pay", "http://jing:2")
    await introduce(world.switch, described_as("Jing", "http://jing:3"))
    assert world.switch.admission.participant("jing").url == "http://jing:3"


async def test_who_comes_by_the_description_is_on_record_as_that(world: World) -> None:
    world.journal.flush()
    (step,) = await world.switch.admission.passages("jing")
    assert (step.step, step.stage, step.taken_by) == ("ADMIT", "ACTIVE", "network description")


async def test_a_description_brings_nobody_back(world: World) -> None:
    world.switch.admission.leave("wei", 1, by="lin", reason="merged")
    await introduce(world.switch, described())
    assert world.switch.admission.participant("wei").status == "LEAVING"
    world.switch.admission.depart("wei", by="lin", reason="merged")
    await introduce(world.switch, described())
    assert world.switch.admission.participant("wei").status == "LEFT"


@pytest.mark.parametrize(("wallet", "prefixes"), [("wei", range(10, 16)), ("zhi", range(25, 31))])
async def test_payment_codes_of_the_demo_lie_where_merchants_software_looks_for_them(
    world: World, wallet: str, prefixes: range
) -> None:
    await introduce(world.switch, DEMO_NETWORK)
    owners = {world.switch.admission.directory.resolve(f"{prefix}{0:016}").node for prefix in prefixes}
    assert owners == {wallet}
    assert int(DEMO_NETWORK.node(wallet).payment_code_prefix) in prefixes
