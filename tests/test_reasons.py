"""Every reason for a no, in the whole package: what the edges rely on without asking."""

import importlib
import pkgutil
import re

import pytest

import hutong
from hutong.kernel.errors import Kind, Reason


def reasons() -> list[type[Reason]]:
    """Every `Reason` enum there is; importing every module is the only way to know."""
    for module in pkgutil.walk_packages(hutong.__path__, "hutong."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [Reason]
    for kind_of_reason in found:
        found += kind_of_reason.__subclasses__()
    return [
        kind_of_reason
        for kind_of_reason in found
        if kind_of_reason.__module__.startswith("hutong.") and len(kind_of_reason)
    ]


@pytest.mark.parametrize("reason_type", reasons(), ids=lambda reason_type: reason_type.__name__)
def test_a_reason_says_everything_the_edges_need(reason_type: type[Reason]) -> None:
    assert vars(reason_type).get("__doc__"), "say what these are the reasons for"
    assert list(reason_type) == list(reason_type.__members__.values()), "two rows became one"
    for reason in reason_type:
        assert re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+", reason.name), "a name says what is wrong, in words"
        assert type(reason.kind) is Kind, reason.name
        # The shape of ISO 20022's ExternalStatusReason1Code; NARR means: see the name.
        assert re.fullmatch(r"[A-Z]{2}(\d\d|[A-Z]{2})", reason.iso_code), reason.name


def test_a_name_means_the_same_kind_of_no_everywhere() -> None:
    kinds: dict[str, set[Kind]] = {}
    for reason_type in reasons():
        for reason in reason_type:
            kinds.setdefault(reason.name, set()).add(reason.kind)
    assert {name: kind for name, kind in kinds.items() if len(kind) > 1} == {}, "clients match on the name alone"
