import subprocess
import sys

import pytest

from hutong.kernel.errors import KernelReason, Kind, Reason, Refusal


class TeaReason(Reason):
    """Two rows that say the same, and one that leaves its code out."""

    TOO_HOT = Kind.REFUSED, "AM23"
    TOO_COLD = Kind.REFUSED, "AM23"
    SPILT_IT = (Kind.CONFLICT,)


def test_rows_with_equal_values_stay_two_reasons() -> None:
    assert [reason.name for reason in TeaReason] == ["TOO_HOT", "TOO_COLD", "SPILT_IT"]
    assert len({*TeaReason}) == 3
    assert TeaReason(TeaReason.TOO_COLD.value) is TeaReason.TOO_COLD


def test_a_row_carries_its_kind_and_code() -> None:
    assert TeaReason.TOO_COLD.kind is Kind.REFUSED
    assert TeaReason.TOO_COLD.iso_code == "AM23"
    assert TeaReason.SPILT_IT.iso_code == "NARR"


def test_a_refusal_says_its_reason_and_facts() -> None:
    refusal = Refusal(KernelReason.AMOUNT_MALFORMED, amount="1e3", field="amount")
    assert refusal.reason is KernelReason.AMOUNT_MALFORMED
    assert refusal.facts == {"amount": "1e3", "field": "amount"}
    assert str(refusal) == "AMOUNT_MALFORMED: amount=1e3, field=amount"
    assert str(Refusal(KernelReason.ID_MALFORMED)) == "ID_MALFORMED"


def test_a_fact_may_have_any_name() -> None:
    assert Refusal(TeaReason.TOO_HOT, reason="milk", self="ours").facts == {"reason": "milk", "self": "ours"}


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_hutong_refuses_to_run_without_its_assertions(flag: str) -> None:
    started = subprocess.run([sys.executable, flag, "-c", "import hutong"], capture_output=True, text=True, check=False)
    assert started.returncode == 1
    assert "do not run it under python -O" in started.stderr
