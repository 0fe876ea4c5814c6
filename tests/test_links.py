"""Every link of the documentation leads somewhere: to a file of the checkout, and to a heading that it has."""

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
_LINK = re.compile(r"\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)|(?:src|srcset|href)=\"([^\"]+)\"")
_FENCED = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)
_NAMED = re.compile(r"<a (?:id|name)=\"([^\"]+)\"")


def links(page: Path) -> list[str]:
    """What it links to, code and other places on the web apart."""
    text = _CODE.sub("", _FENCED.sub("", page.read_text(encoding="utf-8")))
    found = [one or other for one, other in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z][a-z0-9+.-]*:", link)]


def anchors(page: Path) -> set[str]:
    """What a link to a part of it may say, as it is shown on the web: one heading, one name; the second of a kind is numbered."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    known: Counter[str] = Counter()
    found = set(_NAMED.findall(text))
    for heading in _HEADING.findall(text):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{name}-{known[name]}" if known[name] else name)
        known[name] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        path, _, part = link.partition("#")
        there = (page.parent / unquote(path)).resolve() if path else page
        gone = not there.exists() or not there.is_relative_to(ROOT)
        if gone or (part and there.suffix == ".md" and unquote(part) not in anchors(there)):
            broken.append(link)
    assert broken == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One thing: two\n[here](#one-thing-two) `[code](no)` [there](gone.md#x)\n```\n[no](no)\n```\n")
    assert links(page) == ["#one-thing-two", "gone.md#x"]
    assert anchors(page) == {"one-thing-two"}
