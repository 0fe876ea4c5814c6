"""Freezing, tiers, closing: what stops a user and what does not."""

from typing import Any

import pytest

from hutong.institution.people.user import Evidence, Tier
from hutong.kernel.errors import Refusal
from hutong.kernel.ids import id_text
from hutong.runtime.tables import MemoryStore

PHONE = "+8613800138000"


async def test_an_operators_freeze_stops_paying_and_being_paid(town: Any) -> None:
    user = (await town.user()).user
    for _ in range(2):
        frozen = await town.ask(lambda: town.people.freeze(user.id, "reported", operator="duty"))
    assert frozen.why == "reported (duty)"
    await town.restart()
    frozen = await town.ask(lambda: town.people.user(user.id))
    for stopped in (frozen.may_pay, frozen.may_receive):
        with pytest.raises(Refusal, match="USER_FROZEN: by=operator"):
            stopped(town.clock.now_ns())
    with pytest.raises(Refusal, match="FROZEN_BY_OPERATOR"):
        await town.ask(lambda: town.people.unfreeze(user.id, "please"))
    lifted = await town.ask(lambda: town.people.unfreeze(user.id, "cleared up", operator="duty"))
    lifted.may_pay()
    lifted.may_receive()


async def test_a_users_own_freeze_stops_paying_alone(town: Any) -> None:
    user = (await town.user()).user
    frozen = await town.ask(lambda: town.people.freeze(user.id, "phone lost"))
    frozen.may_receive()
    with pytest.raises(Refusal, match="USER_FROZEN: by=user"):
        frozen.may_pay()
    # Whoever froze last, both must be lifted.
    await town.ask(lambda: town.people.freeze(user.id, "reported", operator="duty"))
    still = await town.ask(lambda: town.people.unfreeze(user.id, "cleared up", operator="duty"))
    with pytest.raises(Refusal, match="USER_FROZEN: by=user"):
        still.may_pay()
    lifted = await town.ask(lambda: town.people.unfreeze(user.id, "found again"))
    lifted.may_pay()


@pytest.mark.parametrize(
    ("tier", "evidence", "no"),
    [
        (Tier.I, Evidence.PHONE, None),
        (Tier.II, Evidence.PHONE, "TIER_EVIDENCE_INSUFFICIENT: proves=1, tier=2"),
        (Tier.II, Evidence.SOURCES_3, None),
        (Tier.III, Evidence.SOURCES_3, "TIER_EVIDENCE_INSUFFICIENT: proves=2, tier=3"),
        (Tier.III, Evidence.SOURCES_5, None),
        (Tier.II, Evidence.FACE_TO_FACE, None),
        (Tier.III, Evidence.FACE_TO_FACE, None),
    ],
)
async def test_a_tier_is_what_its_evidence_proves(town: Any, tier: Tier, evidence: Evidence, no: str | None) -> None:
    user = (await town.user()).user
    if no is not None:
        with pytest.raises(Refusal, match=no):
            await town.ask(lambda: town.people.raise_tier(user.id, tier, evidence, "王晓明", "duty"))
        return
    raised = await town.ask(lambda: town.people.raise_tier(user.id, tier, evidence, "王晓明", "duty"))
    assert (raised.tier, raised.evidence, raised.name) == (tier, evidence.value, "王晓明")
    again = await town.ask(lambda: town.people.raise_tier(user.id, tier, evidence, "王晓明", "night"))
    assert again == raised
    if tier > Tier.I:
        with pytest.raises(Refusal, match=f"TIER_NOT_RAISED: tier={tier}"):
            await town.ask(lambda: town.people.raise_tier(user.id, Tier.I, Evidence.PHONE, "王晓明", "duty"))


@pytest.mark.parametrize(("name", "masked"), [("王小明", "*小明"), ("欧阳娜娜", "*阳娜娜"), ("明", "明"), ("Li", "*i")])
async def test_a_payee_sees_a_masked_name(town: Any, name: str, masked: str) -> None:
    assert (await town.user(name=name)).user.masked_name == masked


@pytest.mark.parametrize("balance", [1, -1, 10**12])
async def test_a_wallet_with_money_in_it_is_not_closed(town: Any, balance: int) -> None:
    user = (await town.user()).user
    with pytest.raises(Refusal, match=f"BALANCE_NOT_ZERO: balance={balance}"):
        await town.ask(lambda: town.people.close(user.id, balance))
    (await town.ask(lambda: town.people.user(user.id))).may_pay()


async def test_closing_ends_everything_and_frees_the_number(town: Any) -> None:
    signed_in = await town.user()
    user = signed_in.user
    await town.people.pins.set_pin(user.id, "483915")
    code_id = town.mint.mint()
    await town.ask(lambda: town.people.codes.make_personal_code(user.id, code_id))
    for _ in range(2):
        await town.ask(lambda: town.people.close(user.id, 0))
        await town.restart()
    closed = await town.ask(lambda: town.people.user(user.id))
    for ended in (closed.may_pay, closed.may_receive):
        with pytest.raises(Refusal, match="USER_CLOSED"):
            ended()
    another_id = town.mint.mint()
    for reason, verb in (
        ("SESSION_UNKNOWN", lambda: town.people.session(signed_in.token)),
        ("DEVICE_LOST", lambda: town.people.codes.payment_code_keys(user.id, signed_in.device_id)),
        ("USER_CLOSED", lambda: town.people.codes.make_personal_code(user.id, another_id)),
        ("USER_CLOSED", lambda: town.people.freeze(user.id, "x", operator="duty")),
        ("USER_CLOSED", lambda: town.people.raise_tier(user.id, Tier.II, Evidence.SOURCES_3, "x", "duty")),
        ("USER_UNKNOWN", lambda: town.people.user_on(PHONE)),
    ):
        with pytest.raises(Refusal, match=reason):
            await town.ask(verb)
    with pytest.raises(Refusal, match="USER_CLOSED"):
        await town.people.pins.check(user.id, "483915")
    town.clock.advance(seconds=60)
    other = (await town.user()).user
    assert (other.id != user.id, other.phone, other.number) == (True, PHONE, 2)


async def test_a_frozen_user_does_not_close_the_wallet(town: Any) -> None:
    user = (await town.user()).user
    await town.ask(lambda: town.people.freeze(user.id, "reported", operator="duty"))
    with pytest.raises(Refusal, match="USER_FROZEN"):
        await town.ask(lambda: town.people.close(user.id, 0))


async def test_an_unknown_user_is_unknown(town: Any) -> None:
    with pytest.raises(Refusal, match="USER_UNKNOWN"):
        await town.ask(lambda: town.people.user(town.clock.now_ns() // 1_000_000 << 80))


async def test_secrets_are_stored_sealed(town: Any) -> None:
    signed_in = await town.user()
    keys = await town.ask(lambda: town.people.codes.payment_code_keys(signed_in.user.id, signed_in.device_id))
    store: MemoryStore = town.store
    stored = repr(store.rows).encode()
    assert keys.seed not in stored
    assert repr(keys.seed)[2:-1].encode() not in stored
    assert signed_in.token.encode() not in stored


async def test_an_operator_finds_a_user_by_number_id_or_whole_name(town: Any) -> None:
    first = (await town.user()).user
    namesake = (await town.user("+8613900139000")).user
    other = (await town.user("+8613700137000", "李华")).user
    await town.restart()
    search = town.people.search
    assert [user.id for user in await search("13800138000")] == [first.id]
    assert [user.id for user in await search(id_text("usr", other.id))] == [other.id]
    assert [user.id for user in await search("王小明")] == [namesake.id, first.id]
    assert await search("王") == []
    assert await search("") == []
    renamed = town.people.raise_tier
    await town.ask(lambda: renamed(first.id, Tier.III, Evidence.FACE_TO_FACE, "王晓明", "duty"))
    assert [user.id for user in await search("王小明")] == [namesake.id]
    for nobody in ("13800138999", id_text("usr", 1 << 80)):
        with pytest.raises(Refusal, match="USER_UNKNOWN"):
            await search(nobody)
    assert [user.id for user in await town.people.users([other.id, 1 << 80, other.id, first.id])] == [
        other.id,
        first.id,
    ]
