"""The page that says what is in and out is what the tables say, and whatever is out answers so."""

from pathlib import Path

import pytest

from hutong.gateways.coverage import covered, page
from tests.gateways.hall import Hall

PAGE = Path(__file__).parents[2] / "docs/gateways/coverage.md"


async def test_the_page_is_what_the_tables_say(hall: Hall, pytestconfig: pytest.Config) -> None:
    told = page(covered(hall.gateways))
    if pytestconfig.getoption("--write-docs"):
        PAGE.write_text(told)
    assert PAGE.read_text() == told, "make docs"


async def test_nothing_is_in_and_out(hall: Hall) -> None:
    for coverage in covered(hall.gateways):
        assert coverage.built
        assert not {operation.name for operation in coverage.built} & set(coverage.rest)
        assert all(operation.product for operation in coverage.built)
