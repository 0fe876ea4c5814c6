"""What commands print for people to read."""

import pytest
from rich.text import Text

from hutong.cli.output import show_facts, show_rows


def test_what_people_wrote_is_shown_as_they_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A name in brackets would else vanish from the screen, and half a mark would end the command."""
    show_facts("[shop]", [("name", "面馆 [red]老张[/b]")])
    show_rows("", ("", "name"), [(Text("ok", "green"), "[bold]Noodles[/]")])
    shown = capsys.readouterr().out
    assert "[shop]" in shown
    assert "面馆 [red]老张[/b]" in shown
    assert "[bold]Noodles[/]" in shown
    assert "ok" in shown
