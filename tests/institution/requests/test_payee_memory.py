"""A remembered payee is the payee as things stand."""

from hypothesis import given
from hypothesis import strategies as st

from hutong.institution.requests.payee import Payee, PayeeKind
from hutong.institution.requests.payee_memory import PayeeMemory
from hutong.scheme.messages import Channel

FEE_CHANGES_NS = 50


def payee(plate_id: int, fee_bps: int) -> Payee:
    return Payee(
        request_id=plate_id,
        account=1,
        name="胡同面馆",
        kind=PayeeKind.MERCHANT,
        fee_bps=fee_bps,
        currency="CNY",
        channel=Channel.STATIC_CODE,
        is_static=True,
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(0, 100)), max_size=30))
def test_it_tells_what_working_it_out_anew_would_tell(steps: list[tuple[bool, int, int]]) -> None:
    changes = 0

    def work_out(plate_id: int, now_ns: int) -> tuple[Payee, int]:
        later = now_ns >= FEE_CHANGES_NS
        return payee(plate_id, 10 * changes + later), 2**63 if later else FEE_CHANGES_NS

    memory = PayeeMemory(work_out, lambda: changes)
    for changed, plate_id, now_ns in steps:
        changes += changed
        assert memory.of(plate_id, now_ns) == work_out(plate_id, now_ns)[0]


def test_it_is_worked_out_once() -> None:
    asked: list[int] = []

    def work_out(plate_id: int, now_ns: int) -> tuple[Payee, int]:
        asked.append(now_ns)
        return payee(plate_id, 0), 2**63

    memory = PayeeMemory(work_out, lambda: 7)
    assert memory.of(1, 10) is memory.of(1, 11)
    assert asked == [10]
