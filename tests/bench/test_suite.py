"""That every part measures what it says; how fast this machine is, no test asserts."""

from pathlib import Path

import pytest

import hutong
from hutong.bench.suite import PARTS, BenchReason, Extent, measure
from hutong.kernel.errors import Refusal

SHORT = Extent(
    clients=(32,),
    ledger_s=0.05,
    payments_s=0.3,
    echo_s=0.1,
    codes_s=0.02,
    growth_s=0.05,
    past_accounts=12_000,
    past_transfers=2_000,
    reconciled_lines=20_000,
    settlement_s=0.2,
    past_payments=2_000,
    coupons_s=0.3,
    gateway_s=0.3,
    gateway_phones=8,
    claimants=16,
    packets=40,
    packets_warm_s=0.05,
    marketing_s=0.4,
    marketing_rounds=1,
)
NAMES = {
    "echo": {"echo_c256_per_s"},
    "ledger": {
        "ledger_c16_per_s",
        "ledger_c256_per_s",
        "ledger_c1024_per_s",
        "ledger_b100_per_s",
        "ledger_b1000_per_s",
        "ledger_b8000_per_s",
        "ledger_hot_b8000_per_s",
        "copy_b8000_per_s",
    },
    "payments": {
        "pay_onus_c32_per_s",
        "pay_onus_c32_p99_ms",
        "pay_interop_c32_per_s",
        "pay_interop_c32_p99_ms",
        "pay_interop_fees_c32_per_s",
    },
    "processes": {"pay_interop_processes_c32_per_s", "pay_interop_processes_c32_p99_ms"},
    "codes": {"mpm_parse_us", "mpm_build_us", "picture_read_ms"},
    "reconciliation": {"reconcile_s"},
    "growth": {
        "growth_young_c256_per_s",
        "growth_wide_c256_per_s",
        "growth_old_c256_per_s",
        "growth_old_start_s",
        "growth_old_unchecked_start_s",
        "growth_old_network_start_s",
        "growth_young_pay_onus_per_s",
        "growth_wide_pay_onus_to_young",
        "growth_old_pay_onus_to_young",
    },
    "storm": {
        "storm_messages_per_s",
        "storm_enquiries_to_calm",
        "storm_consults_to_calm",
        "storm_replays_to_calm",
        "storm_forgeries_to_calm",
    },
    "settlement": {
        "settle_close_s",
        "settle_with_per_s",
        "settle_without_per_s",
        "settle_rounds_with_per_s",
        "settle_rounds_with_p99_ms",
    },
    "gateway": {
        "told_steady_per_s",
        "told_most_per_s",
        "gateway_order_per_s",
        "native_order_per_s",
        "gateway_code_per_s",
        "native_code_per_s",
        "native_code_first_per_s",
    },
    "packets": {"packet_claims_per_s", "packet_claims_p50_ms", "packet_claims_p99_ms"},
    "coupons": {"coupon_claim_c1000_per_s", "coupon_claim_c1000_p99_ms", "coupon_claim_most_per_s"},
    "marketing": {
        "marketing_onus_without_per_s",
        "marketing_onus_with_per_s",
        "marketing_interop_without_per_s",
        "marketing_interop_with_per_s",
        "marketing_onus_with_to_without",
        "marketing_interop_with_to_without",
        "marketing_decision_first_ms",
        "marketing_decision_new_us",
        "marketing_decision_known_us",
        "marketing_decisions_given",
    },
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_gives_its_figures_by_name(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(hutong.__file__).parents[1]))  # For the processes it starts.
    said: list[str] = []
    facts, figures = measure((part,), SHORT, lambda text, *_: said.append(text))
    assert figures.values.keys() >= NAMES[part]
    assert [name for name in NAMES[part] if figures.values[name] <= 0] == []
    assert [name for name, value in figures.values.items() if name.endswith("not_completed") and value] == []
    assert facts["cores"]
    assert facts["postgresql"]
    assert said


def test_a_part_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(Refusal) as refused:
        measure(("ledger", "weather"), SHORT, lambda *_: None)
    assert refused.value.reason is BenchReason.PART_UNKNOWN
