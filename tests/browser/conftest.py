"""
Pages as people use them: the whole network running in this process, and a real Chromium.

`town` is the network, with its samples: one for all files that a worker runs, so a test that counts makes its own people
and shops (`town.street.payer(...)`, `town.street.till(...)`). `person` opens a browser for somebody;
whatever that browser complains of (an error in a script, a violation of the policy, an answer of 500) fails the test.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright

from hutong.app.put_clock import PutClock
from hutong.app.sample_life import DAYS, Neighbourhood, show_samples
from hutong.app.up import RunningNetwork, Trial
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from hutong.web.sandbox import Sandbox
from tests.browser.camera import film
from tests.browser.eyes import PHONE, OpenBrowser, Visitor, Watch
from tests.network.audit import audit_when_quiet
from tests.network.conftest import NetworkThread, new_database, reserves_are_known
from tests.network.street import Street

NODES = ("switch", "jing", "wei", "zhi", "yun")
_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
)
# The first is the same engine without windows around its pages, and takes less than half the processor's time.
_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_NONE = "no browser: scripts/browser installs one (as root Debian's chromium-headless-shell, else Playwright's own); make test runs it"
_WAIT_MS = 60_000  # As `street.until`.
_UP_S = 200  # On a machine with much else to do.
_TEST_S = 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a worker brings the network up, lets a week pass in it and starts a browser. Each waits patiently."""
    expect.set_options(timeout=_WAIT_MS)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_TEST_S))


@dataclass(frozen=True)
class BrowserTown:
    """The network as pages show it, and as its APIs do."""

    running: RunningNetwork
    street: Street
    plates: Mapping[str, str]  # What hangs at the samples' shops, by `Stall.key`.

    def url(self, node: str) -> str:
        return self.running[node].url

    def operator_token(self, node: str) -> str:
        return self.running[node].operator_token

    def sandbox(self, node: str) -> Sandbox:
        found = self.running[node].site.sandbox
        assert found is not None
        return found


@pytest.fixture(scope="session")
def town(postgres: Address, run_directory: Path) -> Iterator[BrowserTown]:
    """The demo's network, audited when all tests are through."""
    address = new_database(postgres)
    directory = run_directory / f"browser-{os.getpid()}"
    directory.mkdir()
    settings = Settings(data_directory=directory, ports=dict.fromkeys(NODES, 0))
    clock = PutClock()
    clock.put_back(DAYS)
    network = NetworkThread(settings, address, Trial(clock))
    network.start()
    assert network.up.wait(_UP_S)
    if network.failed is not None:
        raise network.failed
    street = Street(network.doors, address.url)
    samples = Neighbourhood(network.running, clock)
    asyncio.run_coroutine_threadsafe(samples.live(lambda _: None), network.loop).result(_UP_S)
    show_samples(network.running)
    reserves_are_known(street, NODES[1:])
    yield BrowserTown(network.running, street, samples.plates)
    wrong = audit_when_quiet(address.url).wrong
    street.close()
    network.end()
    shutil.rmtree(directory, ignore_errors=True)
    assert wrong == []


@contextmanager
def launched(playwright: Playwright, *flags: str) -> Iterator[Browser]:
    own = next((path for name in _NAMES if (path := shutil.which(name))), None)
    try:
        # It opens our own pages alone, and many machines give neither root nor an ordinary user a sandbox.
        browser = playwright.chromium.launch(executable_path=own, args=[*_FLAGS, *flags], chromium_sandbox=False)
    except Error as error:
        pytest.fail(f"{_NONE}\n{error}", pytrace=False)
    yield browser
    browser.close()


# Not longer than a file: while Playwright's loop lives, nothing else may run one in this thread.
@pytest.fixture(scope="module")
def playwright(town: BrowserTown) -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as opened:
        yield opened


@pytest.fixture
def person(town: BrowserTown, playwright: Playwright, browser: Browser, tmp_path: Path) -> Iterator[OpenBrowser]:
    """
    `person("jing", language="en", viewport=DESK, dark=True, sees="text of a code")`: a browser of somebody's own.

    What `sees` names is in front of its camera.
    """
    visitors: list[Visitor] = []
    with ExitStack() as stack:

        def opened(
            node: str,
            *,
            language: str = "zh-CN",
            viewport: dict[str, int] = PHONE,
            dark: bool = False,
            sees: str = "",
        ) -> Visitor:
            theirs, seen = browser, None
            if sees:
                seen = film(sees, tmp_path / f"camera-{len(visitors)}.mjpeg")
                flags = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={seen}")
                theirs = stack.enter_context(launched(playwright, *flags))
            context = theirs.new_context(
                base_url=town.url(node),
                locale=language,
                viewport={"width": viewport["width"], "height": viewport["height"]},
                color_scheme="dark" if dark else "light",
                has_touch=viewport["width"] < 800,
                timezone_id="Asia/Shanghai",
                permissions=["camera"] if sees else [],
            )
            stack.callback(context.close)
            context.set_default_timeout(_WAIT_MS)
            watch = Watch()
            watch.over(context)
            visitors.append(Visitor(node, context.new_page(), context, watch, seen))
            return visitors[-1]

        yield opened
        complaints = [f"{visitor.node}: {each}" for visitor in visitors for each in visitor.watch.found]
    assert not complaints, "\n".join(complaints)
