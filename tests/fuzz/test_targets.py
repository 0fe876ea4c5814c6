"""What fuzzing found stays found, and seeds changed by chance find nothing: minutes of it are behind `make fuzz`."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, run, seeds

FINDS = Path(__file__).with_name("finds")


def test_what_was_found_once_is_mended() -> None:
    for find in sorted(FINDS.rglob("*.bin")):
        run(TARGETS[find.parent.name], find.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_read(name: str) -> None:
    assert seeds(name)
    for seed in seeds(name):
        run(TARGETS[name], seed)


@st.composite
def changed(draw: st.DrawFn, name: str) -> bytes:
    """A seed with some of its bytes replaced, left out or doubled; or any bytes."""
    data = draw(st.sampled_from(seeds(name)) | st.binary(max_size=80))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        until = draw(st.integers(at, min(len(data), at + 12)))
        data = data[:at] + draw(st.binary(max_size=6) | st.just(data[at:until] * 2)) + data[until:]
    return data


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_seeds_get_a_named_no(name: str, data: st.DataObject) -> None:
    run(TARGETS[name], data.draw(changed(name)))
