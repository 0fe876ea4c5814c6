"""What is looked at in every page a test opens: what the browser complains of, and what a person would stumble over."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, WebError, expect

from tests.browser.camera import film

_AXE = Axe().axe_script
_PATIENCE_S = 60
_LIVE = re.compile("What the till says shows here at once|收银台的结果会立即显示在这里")
_PAUSE_MS = 250
# What a page cannot do without: missing, it is broken, whatever the page says.
_PARTS = {"stylesheet", "script", "image", "font", "manifest"}
# Chromium's own line for an answer of 400 and above: answers are judged by themselves.
_ANSWERED_NO = "Failed to load resource: the server responded with a status of"


@dataclass
class Watch:
    """Everything a browser has to complain of in one person's pages. `forgives` is for who cuts the line on purpose."""

    found: list[str] = field(default_factory=list)
    forgives: bool = False

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("request", self._asked)

    def _note(self, complaint: str) -> None:
        if not self.forgives:
            self.found.append(complaint)

    def _said(self, message: ConsoleMessage) -> None:
        """A violation of the policy is said here, too."""
        if message.type == "error" and not message.text.startswith(_ANSWERED_NO):
            self._note(f"console: {message.text} ({message.location.get('url', '')})")

    def _threw(self, error: WebError) -> None:
        self._note(f"page error: {error.error}")

    def _failed(self, request: Request) -> None:
        # A page that is left lets go of what it still waited for.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        is_broken = response.status >= 400 and response.request.resource_type in _PARTS
        if response.status >= 500 or is_broken:
            self._note(f"{response.request.method} {response.url}: answered {response.status}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.hostname not in {"127.0.0.1", "localhost"}:
            self._note(f"another host is asked: {request.url}")


@dataclass
class Visitor:
    """One person with a browser of their own, whose addresses begin at `node`."""

    node: str
    page: Page
    context: BrowserContext
    watch: Watch
    camera: Path | None = None  # What its camera plays, once somebody looks through it.

    def go(self, path: str) -> Page:
        self.page.goto(path)
        return self.page

    def looks_at(self, text: str) -> None:
        """From now on this code is in front of the camera: one that lives for a minute is made when it is needed."""
        assert self.camera is not None
        film(text, self.camera)

    def cut_off(self) -> None:
        """The line is lost; what the browser says of that is forgiven from now on."""
        self.watch.forgives = True
        self.context.set_offline(True)

    def back_online(self) -> None:
        self.context.set_offline(False)

    def looks_right(self) -> None:
        """Nobody is kept out, and nothing hangs over the edge of the screen."""
        look(self.page)


# Rules whose breach would be told as no more than moderate are not asked at all: they are a third of the time.
_LOOK = """async () => {
  const slight = axe._audit.rules.filter((rule) => !["serious", "critical"].includes(rule.impact));
  const rules = Object.fromEntries(slight.map((rule) => [rule.id, { enabled: false }]));
  const told = await axe.run({ resultTypes: ["violations"], rules });
  return told.violations.map((each) => [each.impact, each.help, each.nodes.slice(0, 5).map((node) => node.html.slice(0, 200))]);
}"""


def look(page: Page) -> None:
    page.evaluate(_AXE)
    found: list[list[Any]] = page.evaluate(_LOOK)
    bad = [f"{impact}: {help_}: {nodes}" for impact, help_, nodes in found if impact in {"serious", "critical"}]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        bad.append(f"{wide} pixels hang over the right edge")
    assert not bad, f"{page.url}:\n" + "\n".join(bad)


# Opens a browser for somebody new: person("jing", language="en", viewport=DESK, dark=True, sees="text of a code").
OpenBrowser = Callable[..., Visitor]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}


def comes(page: Page, path: str, wanted: Locator, count: int = 1) -> None:
    """The page is opened again until it shows so many of these: what one institution did, another's pages tell a moment later."""
    ends_at = time.monotonic() + _PATIENCE_S
    page.goto(path)
    while wanted.count() != count and time.monotonic() < ends_at:
        page.wait_for_timeout(_PAUSE_MS)
        page.goto(path)
    expect(wanted).to_have_count(count)


def scanned(page: Page, code: str) -> None:
    """
    What a scanner types that is a keyboard to the machine: no time passes between its keys, however busy the machine is.

    The page's clock is ours already (`page.clock.install()`): keys of fingers that came before are told apart by it.
    """
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
    page.keyboard.type(f"{code}\n")
    page.clock.resume()


def live_code(page: Page) -> str:
    """As `shown_code`, on a page that hears by now what becomes of it."""
    expect(page.locator("[data-state]")).to_have_text(_LIVE)
    return shown_code(page)


def shown_code(page: Page) -> str:
    """The payment code on the page that makes them; it is hidden until the first is made."""
    page.locator("[data-code]").wait_for()
    return str(page.locator("[data-code]").get_attribute("data-shows"))
