"""The first page of every node, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.eyes import DESK, PHONE, OpenBrowser, look


@pytest.mark.parametrize("node", ["switch", "jing"])
@pytest.mark.parametrize(
    ("viewport", "language", "dark"), [(PHONE, "zh-CN", False), (PHONE, "en", True), (DESK, "zh-CN", True)]
)
def test_a_first_page_looks_right(
    person: OpenBrowser, node: str, viewport: dict[str, int], language: str, dark: bool
) -> None:
    visitor = person(node, viewport=viewport, language=language, dark=dark)
    visitor.go("/")
    expect(visitor.page.locator("html")).to_have_attribute("lang", language)
    visitor.looks_right()


BAD = {
    '<img src="data:,">': "critical: Images must have alternative text",
    "<p style='color: #999; background: #fff'>pale</p>": "serious: Elements must meet minimum color contrast",
    "<p style='width: 5000px'>wide</p>": "pixels hang over the right edge",
}


@pytest.mark.parametrize("part", BAD)
def test_what_keeps_somebody_out_is_seen(person: OpenBrowser, part: str) -> None:
    visitor = person("jing", language="en")
    visitor.watch.forgives = True
    page = visitor.page
    page.set_content(f"<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{part}</main>")
    with pytest.raises(AssertionError, match=BAD[part]):
        look(page)


def test_the_reader_changes_the_language(person: OpenBrowser) -> None:
    page = person("jing", language="en").go("/")
    page.get_by_role("link", name="中文").click()
    page.get_by_role("heading", name="京付").first.wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_what_a_camera_sees_is_played(person: OpenBrowser) -> None:
    page = person("jing", sees="https://jing.hutong.example/q/x").go("/")
    size = page.evaluate(
        "navigator.mediaDevices.getUserMedia({video: true}).then((s) => s.getVideoTracks()[0].getSettings().width)"
    )
    assert size == 640
