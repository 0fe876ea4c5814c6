"""One payment for several merchants: all parts or none, to the fen; each gives back its own."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hutong.gateways.account import Account, Caller, GatewayKind
from hutong.gateways.combined.combined import CombinedDraft, CombinedState, PartDraft, PartTaking, TakingState, fees
from hutong.gateways.order import Dialect, TradeState
from hutong.gateways.reasons import GatewayReason
from hutong.gateways.refund import RefundDraft, RefundProgress
from hutong.gateways.splits.receiver import Receiver
from hutong.gateways.splits.split import PartDraft as SplitPart
from hutong.gateways.splits.split import SplitDraft
from hutong.institution import chart
from hutong.institution.payments.matrix import Shares
from hutong.institution.payments.reasons import PaymentReason
from hutong.kernel.errors import Reason, Refusal
from hutong.kernel.ids import id_text, seeded_randomness
from hutong.kernel.text import TextReason
from hutong.ledger import recipes
from hutong.runtime.shelf import Shelf, decided
from tests.gateways.hall import Hall, user_id
from tests.institution.merchants.shop_street import noodles
from tests.institution.payments.test_http import Phone


@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=8),
    st.integers(0, 600),
    st.integers(0, 30),
    st.integers(0, 10),
)
def test_the_parts_of_the_fee_add_up_to_it(amounts: list[int], fee_bps: int, interchange: int, switch_fee: int) -> None:
    gross = sum(amounts)
    shares = Shares(gross, 0, 0, gross * fee_bps // 10_000, min(interchange, gross // 4), min(switch_fee, gross // 4))
    if shares.sound:
        found = fees(shares, amounts)
        assert sum(found) == shares.fee
        assert all(0 <= fee <= amount for fee, amount in zip(found, amounts, strict=True))


class Mall:
    """A platform that takes payments for two stalls."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.gateways = hall.gateways
        self.sharing = hall.gateways.sharing
        self.platform = hall.caller()

    async def open(self) -> "Mall":
        self.payer = await self.hall.jing.user("+8613800138000", 1_000_000)
        self.noodles, self.tea = [await self.stall(name) for name in ("A", "B")]
        return self

    async def stall(self, reference: str) -> Caller:
        merchants, journal = self.hall.jing.institution.merchants, self.hall.jing.node.journal
        profile = msgspec.structs.replace(noodles(), reference=reference)
        merchant = await decided(journal, lambda: merchants.onboard(profile, 60))
        _, token = await decided(journal, lambda: merchants.issue_owner_key(merchant.id, "boss"))
        phone = Phone(self.hall.jing, id_text("mer", merchant.id), {"authorization": f"Bearer {token}"})
        account: Account = await self.hall.account(GatewayKind.WECHATPAY, phone)
        return Caller(account, account)

    def draft(self, number: str, *amounts: int, **more: Any) -> CombinedDraft:
        stalls = (self.noodles, self.tea, self.platform)
        parts = tuple(
            PartDraft(payee=stall, out_trade_no=f"{number}-{each}", amount=amount, description="面", **more)
            for each, (stall, amount) in enumerate(zip(stalls, amounts, strict=False))
        )
        return CombinedDraft(
            out_trade_no=number, product="NATIVE", description="集市", dialect=Dialect.WECHATPAY_V3, parts=parts
        )

    async def paid(self, number: str, *amounts: int, **more: Any) -> Any:
        placed = await self.sharing.combined.place(self.platform, self.draft(number, *amounts, **more))
        await self.hall.pay(self.payer, self.gateways.orders.code_url(placed.trade))
        return await self.sharing.combined.find(self.platform, number)

    async def balance(self, stall: Caller) -> int:
        ledger = self.hall.jing.ledger
        (account,) = await ledger.lookup_accounts([chart.merchant_account(stall.key.merchant_id)])
        return account.credits_posted - account.debits_posted

    async def refund(self, stall: Caller, part: Any, number: str, amount: int) -> Any:
        draft = RefundDraft(out_refund_no=number, amount=amount, total=part.amount, dialect="wechatpay-v3")
        return await self.sharing.part_refunds.refund(stall, part, draft, wait=True)

    async def refusal(self, errand: Any) -> Reason:
        with pytest.raises(Refusal) as refused:
            await errand
        return refused.value.reason


async def test_one_payment_reaches_every_merchant_less_its_part_of_the_fee(hall: Hall) -> None:
    mall = await Mall(hall).open()
    first = await mall.sharing.combined.place(mall.platform, mall.draft("C1", 7_000, 2_990, 10))
    again = await mall.sharing.combined.place(mall.platform, mall.draft("C1", 7_000, 2_990, 10))
    assert (again.parts, again.trade.order) == (first.parts, first.trade.order)
    assert (first.trade.state, first.trade.amount, first.combined.state) == (
        TradeState.NOT_PAID,
        10_000,
        CombinedState.WAITING,
    )
    await hall.pay(mall.payer, mall.gateways.orders.code_url(first.trade))
    paid = await mall.sharing.combined.find(mall.platform, "C1")
    assert (paid.trade.state, paid.combined.state) == (TradeState.PAID, CombinedState.HANDED_ON)
    assert [part.net for part in paid.parts] == [7_000 - 42, 2_990 - 18, 10]
    balances = [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)]
    assert balances == [part.net for part in paid.parts]
    assert len({part.trade_no for part in paid.parts}) == 3
    by_number = await mall.sharing.combined.part(mall.tea, out_trade_no="C1-1")
    assert by_number == paid.parts[1] == await mall.sharing.combined.part(mall.tea, trade_no=paid.parts[1].trade_no)
    assert (
        await mall.refusal(mall.sharing.combined.part(mall.noodles, out_trade_no="C1-1")) is GatewayReason.ORDER_UNKNOWN
    )
    assert await mall.refusal(mall.sharing.combined.find(mall.tea, "C1")) is GatewayReason.ORDER_UNKNOWN


async def test_a_combined_order_that_differs_or_makes_no_sense_is_refused(hall: Hall) -> None:
    mall = await Mall(hall).open()
    combined = mall.sharing.combined
    await combined.place(mall.platform, mall.draft("C1", 700, 300))
    twice = mall.draft("C2", 700, 300)
    twice = msgspec.structs.replace(twice, parts=twice.parts[:1] * 2)
    taken = mall.draft("C3", 700, 300)
    renamed = tuple(msgspec.structs.replace(part, out_trade_no="C1-0") for part in taken.parts[:1])
    for draft, reason in (
        (mall.draft("C1", 701, 300), GatewayReason.ORDER_DIFFERS),
        (mall.draft("C1", 700, 301), GatewayReason.ORDER_DIFFERS),
        (twice, GatewayReason.COMBINED_PARTS_WRONG),
        (mall.draft("C2"), GatewayReason.COMBINED_PARTS_WRONG),
        (mall.draft("C2", 0), GatewayReason.COMBINED_PARTS_WRONG),
        (msgspec.structs.replace(taken, parts=renamed), GatewayReason.COMBINED_NUMBER_TAKEN),
    ):
        assert await mall.refusal(combined.place(mall.platform, draft)) is reason
    await combined.close(mall.platform, "C1")
    assert (await combined.find(mall.platform, "C1")).trade.state is TradeState.CLOSED
    await combined.place(mall.platform, msgspec.structs.replace(taken, parts=renamed))


async def test_a_part_is_given_back_by_its_own_merchant_and_no_more_than_it_was(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000)
    noodles, tea = paid.parts
    first = await mall.refund(mall.tea, tea, "R1", 1_000)
    assert first.progress is RefundProgress.SUCCESS
    assert (await mall.refund(mall.tea, tea, "R1", 1_000)).row == first.row
    assert await mall.balance(mall.noodles) == noodles.net
    found, state = await mall.sharing.part_refunds.find(mall.tea, "R1")
    assert (found.id, found.refunded, state.row.told["out_refund_no"]) == (tea.id, 1_000, "R1")
    for stall, part, number, amount, reason in (
        (mall.tea, tea, "R1", 999, GatewayReason.REFUND_DIFFERS),
        (mall.tea, tea, "R2", 2_001, PaymentReason.REFUND_EXCEEDS_REMAINDER),
        (mall.noodles, tea, "R2", 1, GatewayReason.ORDER_UNKNOWN),
        (mall.tea, msgspec.structs.replace(tea, amount=1), "R2", 1, GatewayReason.REFUND_TOTAL_DIFFERS),
    ):
        assert await mall.refusal(mall.refund(stall, part, number, amount)) is reason
    await mall.refund(mall.tea, tea, "R2", 2_000)
    await mall.refund(mall.noodles, noodles, "R1", 7_000)
    assert [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)] == [0, 0, 0]
    assert (await mall.payer.get("/v1/balance"))["balance"] == 1_000_000


@pytest.mark.parametrize("to_be_split", [False, True])
async def test_what_memory_has_let_go_of_is_loaded_before_a_parts_refund_begins(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, *, to_be_split: bool
) -> None:
    """So much else was kept since it was taken that the taking is the oldest, and goes."""
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000, to_be_split=to_be_split)
    sharing, begin = mall.sharing, mall.gateways.refunds.refund
    shelves: list[Shelf[Any]] = [sharing.part_refunds.takings, sharing.combined.parts, sharing.combined.combined]
    shelves += [sharing.holds.holds, sharing.holds.takings]

    async def with_little_memory(*asked: Any, **more: Any) -> Any:
        for shelf in shelves:
            assert shelf.everything() or not to_be_split
            shelf.forget([each.id for each in shelf.everything()])
        return await begin(*asked, **more)

    monkeypatch.setattr(mall.gateways.refunds, "refund", with_little_memory)
    tea = paid.parts[1]
    assert (await mall.refund(mall.tea, tea, "R1", 1_000)).progress is RefundProgress.SUCCESS
    (taking,) = sharing.part_refunds.takings.everything()
    assert (taking.state, bool(taking.refund_id)) == (TakingState.TAKEN, True)
    left = await mall.balance(mall.tea)
    if to_be_split:
        left += await sharing.splits.unsplit(mall.tea, tea.id)
    assert left == 2_000 - 12


async def test_a_merchant_that_has_spent_it_gives_nothing_back_and_nobody_pays_for_it(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000)
    await mall.paid("C2", 1, 1, 500)  # The platform has money of its own.
    noodles, _ = paid.parts
    spend(mall, mall.noodles, 6_000)
    before = [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)]
    short = PaymentReason.MERCHANT_BALANCE_INSUFFICIENT
    assert await mall.refusal(mall.refund(mall.noodles, noodles, "R1", 7_000)) is short
    assert [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)] == before
    assert [each.state for each in mall.sharing.part_refunds.takings.everything()] == [TakingState.SHORT]
    assert (await mall.refund(mall.noodles, noodles, "R1", 500)).progress is RefundProgress.SUCCESS


async def test_what_the_taker_has_given_back_by_itself_no_part_gives_back_again(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000)
    spend(mall, mall.platform, -10_000)
    whole = RefundDraft(out_refund_no="W1", amount=10_000, dialect="wechatpay-v3")
    await mall.gateways.refunds.refund(mall.platform, paid.trade.order, whole, wait=True)
    exceeds = PaymentReason.REFUND_EXCEEDS_REMAINDER
    assert await mall.refusal(mall.refund(mall.noodles, paid.parts[0], "R1", 7_000)) is exceeds
    assert mall.sharing.part_refunds.takings.everything() == []


async def test_a_refund_that_is_refused_behind_the_taking_puts_it_back_and_may_be_tried_again(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000, to_be_split=True)
    noodles, _ = paid.parts
    frozen = await mall.sharing.splits.unsplit(mall.noodles, noodles.id)
    odd = RefundDraft(out_refund_no="R1", amount=7_000, reason="\a", dialect="wechatpay-v3")
    refused = await mall.refusal(mall.sharing.part_refunds.refund(mall.noodles, noodles, odd, wait=True))
    assert refused is TextReason.TEXT_HAS_ODD_CHARACTERS
    assert [each.state for each in mall.sharing.part_refunds.takings.everything()] == [TakingState.PUT_BACK]
    assert await mall.sharing.splits.unsplit(mall.noodles, noodles.id) == frozen
    assert [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)] == [0, 0, 0]
    assert (await mall.refund(mall.noodles, noodles, "R1", 7_000)).progress is RefundProgress.SUCCESS


async def test_a_part_that_is_to_be_split_is_frozen_split_and_refunded_as_an_order_is(hall: Hall) -> None:
    mall = await Mall(hall).open()
    courier = await hall.jing.user("+8613800138001")
    paid = await mall.paid("C1", 7_000, 3_000, to_be_split=True)
    noodles, _ = paid.parts
    assert await mall.balance(mall.noodles) == 0
    receiver = Receiver(type="PERSONAL_OPENID", account="o1", user_id=user_id(courier))
    await mall.sharing.receivers.add(mall.noodles, receiver, relation="STAFF")
    parts = (SplitPart(receiver=receiver, amount=1_000),)
    await mall.sharing.splits.split(mall.noodles, noodles.id, SplitDraft(number="S1", parts=parts))
    await mall.refund(mall.noodles, noodles, "R1", 3_000)
    left = await mall.sharing.splits.unsplit(mall.noodles, noodles.id)
    assert left == noodles.net - 1_000 - (3_000 - 18)
    short = PaymentReason.MERCHANT_BALANCE_INSUFFICIENT
    assert await mall.refusal(mall.refund(mall.noodles, noodles, "R2", 4_000)) is short
    assert await mall.sharing.splits.unsplit(mall.noodles, noodles.id) == left
    assert await mall.balance(mall.noodles) == 0


@pytest.mark.parametrize("seed", range(3))
async def test_refunds_of_parts_in_any_amounts_and_order_lose_and_make_no_fen(hall: Hall, seed: int) -> None:
    mall, random = await Mall(hall).open(), seeded_randomness(seed)
    spend(mall, mall.platform, -10)  # Rounding may ask a fen of who took the payment, and gives it back at the end.
    paid = await mall.paid("C1", *(random.randint(1, 3_000) for _ in range(3)))
    stalls = (mall.noodles, mall.tea, mall.platform)
    left = {part.id: part.amount for part in paid.parts}
    total, number = paid.trade.amount, 0
    while any(left.values()):
        stall, part = random.choice([pair for pair in zip(stalls, paid.parts, strict=True) if left[pair[1].id]])
        amount = left[part.id] if random.random() < 0.3 else random.randint(1, left[part.id])
        number += 1
        state = await mall.refund(stall, part, f"R{number}", amount)
        assert state.progress is RefundProgress.SUCCESS
        left[part.id] -= amount
        total -= amount
        assert (await mall.payer.get("/v1/balance"))["balance"] == 1_000_000 - total
        for known in mall.sharing.combined.parts.everything():
            assert known.refunded == known.amount - left[known.id]
            assert 0 <= known.taken <= known.net
    noodles, tea, platform = [await mall.balance(stall) for stall in stalls]
    assert noodles + tea + platform == 10
    assert noodles + tea <= number


async def test_what_a_crash_left_half_done_is_done_once_behind_the_restart(hall: Hall) -> None:
    mall = await Mall(hall).open()
    paid = await mall.paid("C1", 7_000, 3_000)
    noodles, _ = paid.parts
    combined, refunds = mall.sharing.combined, mall.sharing.part_refunds
    balances = [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)]
    # As the rows would stand had the node died behind the payment, and behind a taking that no refund followed.
    combined.combined.put(msgspec.structs.replace(paid.combined, state=CombinedState.PAID.value))
    for _ in range(2):
        await combined.resume()
        assert (await combined.find(mall.platform, "C1")).combined.state == CombinedState.HANDED_ON
        assert [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)] == balances
    taking = PartTaking(
        id=hall.jing.mint.mint(),
        part_id=noodles.id,
        number_key=1,
        refund_id=0,
        gross=1_000,
        amount=994,
        state=TakingState.WANTED.value,
        changed_ns=1,
    )
    refunds.takings.put(taking)
    combined.parts.put(msgspec.structs.replace(noodles, refunded=1_000, taken=994))
    hall.jing.node.journal.seal()
    for _ in range(2):
        await refunds.resume()
        assert [each.state for each in refunds.takings.everything()] == [TakingState.PUT_BACK]
        assert [await mall.balance(stall) for stall in (mall.noodles, mall.tea, mall.platform)] == balances
    assert (await mall.refund(mall.noodles, noodles, "R1", 7_000)).progress is RefundProgress.SUCCESS


def spend(mall: Mall, stall: Caller, amount: int) -> None:
    """Money leaves a stall; or comes, if it is negative."""
    jing = mall.hall.jing
    recipe = recipes.withdraw if amount > 0 else recipes.top_up
    transfer = recipe(
        jing.mint.mint(),
        reserve=jing.institution.chart.reserve,
        account=chart.merchant_account(stall.key.merchant_id),
        amount=abs(amount),
        ledger=156,
        code=31,
    )
    jing.ledger.create_transfers([transfer], lambda _: None)
    jing.node.journal.seal()
