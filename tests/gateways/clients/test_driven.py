"""The page that says what each client is driven through is what tests play."""

from pathlib import Path

import pytest

from tests.gateways.clients.stories import FIRST, PLAYED, page

DOCS = Path(__file__).parents[3] / "docs/gateways"


@pytest.mark.parametrize(("name", "language"), [("driven.md", 0), ("driven.zh-CN.md", 1)])
def test_the_page_is_what_is_played(pytestconfig: pytest.Config, name: str, language: int) -> None:
    if pytestconfig.getoption("--write-docs"):
        (DOCS / name).write_text(page(language))
    assert (DOCS / name).read_text() == page(language), "make docs"


def test_every_client_that_is_played_is_told_of() -> None:
    assert {row.client for row in PLAYED} <= {*FIRST}
