"""What the creditor's side accepts of the switch, and what it refuses: durably, by name, the same however often it is asked."""

from typing import Any

import msgspec
import pytest

from hutong.institution import chart
from hutong.scheme.messages import (
    AnyMessage,
    Channel,
    CreditTransfer,
    PaymentStatus,
    RequestToPay,
    StatusRequest,
    TransactionStatus,
    id_hex,
)
from tests.institution.payments.world import Institution, World

COMPLETED, REJECTED, ACCEPTED = TransactionStatus.COMPLETED, TransactionStatus.REJECTED, TransactionStatus.ACCEPTED


class Offered:
    """Wei, and whatever the switch says to it; nothing it says arrives anywhere."""

    def __init__(self, **asks: Any) -> None:
        self.world = World("wei")
        self.wei: Institution = self.world["wei"]
        self.merchant = self.wei.merchant()
        self.asks = self.wei.asks(self.merchant, fee_bps=60, **asks)
        self.world.posting = True
        self.message = CreditTransfer(
            payment_id=id_hex(self.wei.node.mint.mint()),
            request_id=id_hex(self.asks.id),
            amount=10_000,
            currency="CNY",
            settlement=9_975,
            interchange=20,
            switch_fee=5,
            fee_version="v1",
            channel=self.asks.channel,
            mcc="5812",
            debtor_agent="jing",
            creditor_agent="wei",
            debtor_name="*明",
            accepted_at_ms=0,
            expires_at_ms=self.world.clock.now_ns() // 1_000_000 + 60_000,
        )

    def say(self, message: AnyMessage) -> list[AnyMessage]:
        """Tell wei something as the switch does; its answers."""
        self.wei.receive("switch", [message])
        answers = [answer for _, _, answer in self.world.letters]
        self.world.letters.clear()
        return answers

    def offer(self, **changes: Any) -> PaymentStatus:
        (answer,) = self.say(msgspec.structs.replace(self.message, **changes))
        assert isinstance(answer, PaymentStatus)
        return answer

    def decide(self, status: TransactionStatus, **fields: Any) -> list[AnyMessage]:
        told = PaymentStatus(payment_id=self.message.payment_id, originator="jing", status=status)
        return self.say(msgspec.structs.replace(told, **fields))

    @property
    def got(self) -> tuple[int, int]:
        (account,) = self.wei.accounts(chart.merchant_account(self.merchant))
        return account.credits_pending, account.credits_posted


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"request_id": "f" * 32}, "CODE_NOT_RESOLVED"),
        ({"creditor_agent": "zhi"}, "RETURN_MISMATCH"),
        ({"currency": "USD"}, "CURRENCY_DIFFERS"),
        ({"settlement": 9_976}, "SHARES_UNSOUND"),
        ({"interchange": 9_995, "settlement": 0}, "SHARES_UNSOUND"),
        ({"creditor_discount": 1, "settlement": 9_974}, "DISCOUNT_GONE"),
        ({"channel": Channel.DYNAMIC_CODE}, "CHANNEL_DIFFERS"),
        ({"mcc": "4111"}, "MCC_DIFFERS"),  # A trade of which the debtor agent gets more interchange.
        ({"channel": Channel.WITHDRAWAL}, "CHANNEL_DIFFERS"),
        ({"expires_at_ms": 0}, "REQUEST_EXPIRED"),
        ({"debtor_name": "a\0b"}, "TEXT_HAS_ODD_CHARACTERS"),
        ({"remittance": "\u202e"}, "TEXT_HAS_ODD_CHARACTERS"),
    ],
)
def test_what_does_not_hold_is_refused_for_good(changes: dict[str, Any], reason: str) -> None:
    at = Offered()
    said = at.offer(**changes)
    assert (said.status, said.reason_name) == (REJECTED, reason)
    assert said.reason
    at.world.restart("wei")
    assert at.offer() == said, "who said no does not say yes to the same payment"
    assert at.got == (0, 0)


def test_a_dynamic_codes_amount_is_checked_at_this_end_too() -> None:
    at = Offered(amount=10_001, kind=Channel.DYNAMIC_CODE.value)
    assert at.offer().reason_name == "AMOUNT_DIFFERS"


def test_an_accepted_payment_is_final_only_when_the_switch_says_so() -> None:
    at = Offered()
    assert at.offer().status is ACCEPTED
    assert at.offer().status is ACCEPTED
    assert at.got == (9_940, 0)
    assert at.wei.neighbours.said == []
    at.decide(TransactionStatus.PENDING)
    at.decide(COMPLETED, originator="zhi")
    assert at.got == (9_940, 0)
    at.decide(COMPLETED)
    at.decide(COMPLETED)
    at.decide(REJECTED)
    assert at.got == (0, 9_940)
    assert [type_ for _, type_, _ in at.wei.neighbours.said] == ["payment.completed"]


def test_a_rejected_payment_frees_its_request_for_another() -> None:
    at = Offered(amount=10_000, kind=Channel.DYNAMIC_CODE.value)
    at.offer()
    other = id_hex(at.wei.node.mint.mint())
    assert at.offer(payment_id=other).status is REJECTED
    at.decide(REJECTED)
    assert at.got == (0, 0)
    another = id_hex(at.wei.node.mint.mint())
    assert at.offer(payment_id=another).status is ACCEPTED


def test_a_rejection_that_overtakes_its_payment_leaves_a_tombstone() -> None:
    at = Offered()
    assert at.decide(REJECTED) == []
    assert at.offer().reason_name == "NEVER_ACCEPTED"
    assert at.got == (0, 0)


@pytest.mark.parametrize("last_byte", ["00", "d8"])
def test_the_tombstone_holds_whatever_a_strangers_id_ends_in(last_byte: str) -> None:
    """That our own payments end in a zero byte is our custom; the scheme's ids are 80 random bits."""
    at = Offered()
    at.message = msgspec.structs.replace(at.message, payment_id=at.message.payment_id[:-2] + last_byte)
    assert at.decide(REJECTED) == []
    assert at.offer().reason_name == "NEVER_ACCEPTED"
    assert at.got == (0, 0)


def test_another_agents_payment_of_the_same_id_changes_nothing() -> None:
    at = Offered()
    at.offer()
    assert at.offer(debtor_agent="zhi").reason_name == "ID_TAKEN"
    at.decide(COMPLETED)
    assert at.got == (0, 9_940)


def test_who_is_not_told_says_so_again_and_then_asks() -> None:
    at = Offered()
    at.offer()
    at.world.tick(2)
    at.world.tick(4)
    first, second = [message for _, _, message in at.world.letters]
    assert isinstance(first, PaymentStatus)
    assert second == StatusRequest(payment_id=at.message.payment_id, originator="jing")


def test_nobody_but_the_switch_is_heard() -> None:
    at = Offered()
    at.wei.receive("jing", [at.message])
    assert at.world.letters == []
    assert at.got == (0, 0)


@pytest.mark.parametrize("code", ["mandate:wei:" + "0" * 31, "mandate:wei", "mandate:wei:é" + "0" * 31, "", "\0"])
def test_a_request_to_pay_by_no_code_at_all_is_told_no(code: str) -> None:
    at = Offered()
    asked = RequestToPay(
        request_id="0" * 31 + "7",
        code=code,
        amount=1,
        currency="CNY",
        channel=Channel.TOP_UP,
        mcc="0000",
        creditor_agent="jing",
        creditor_name="x",
        expires_at_ms=at.message.expires_at_ms,
    )
    (answer,) = at.say(asked)
    assert getattr(answer, "status", None) is REJECTED
    assert getattr(answer, "reason_name", "")
