import pytest

from hutong.kernel.text import has_nul


@pytest.mark.parametrize("value", ["a\0b", {"a\0": 1}, {"a": ["b", {"c": "\0"}]}])
def test_nul_is_found_wherever_it_hides(value: object) -> None:
    assert has_nul(value)


@pytest.mark.parametrize("value", ["", "\\u0000", 0, None, True, {"a": ["b", {"c": 1.5}]}])
def test_what_holds_none_passes(value: object) -> None:
    assert not has_nul(value)
