"""The samples' last week: lived once, in its own days, with books that balance."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from hutong.app.moving_in import MovingIn
from hutong.app.network import DEMO_NETWORK
from hutong.app.node_client import NodeClient
from hutong.app.put_clock import PutClock
from hutong.app.sample_life import DAYS, Neighbourhood, has_no_past, show_samples, were_made
from hutong.app.samples import HISTORY, NEWLY_COME, PEOPLE, STALLS, ZHOU, Stall
from hutong.app.up import RunningNetwork, Trial, running_network
from hutong.kernel.clock import NS_PER_DAY, NS_PER_S, SystemClock
from hutong.runtime.address import Address
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings
from tests.app.promised import all_is_there, campaigns, packets_and_coupons_are_no_more
from tests.network.audit import audit_when_quiet
from tests.network.conftest import new_database


class _MinutesLater:
    def now_ns(self) -> int:
        return SystemClock().now_ns() + 120 * NS_PER_S


def test_a_clock_that_was_put_back_only_goes_forward() -> None:
    clock = PutClock()
    now_ns = clock.now_ns()
    clock.put_back(3)
    begins_ns = clock.now_ns()
    assert 2 * NS_PER_DAY < now_ns - begins_ns < 4 * NS_PER_DAY
    clock.put_to(clock.of(2, "12:00"))
    assert clock.now_ns() >= clock.of(2, "12:00")
    clock.put_to(clock.of(3, "12:00"))
    assert clock.now_ns() >= clock.of(2, "12:00")
    clock.put_to(clock.of(-2, "12:00"))
    assert clock.behind_ns == 0


def test_the_history_is_in_its_order_and_among_the_samples() -> None:
    times = [(-deed.days_ago, deed.clock) for deed in HISTORY]
    assert times == sorted(times)
    assert max(deed.days_ago for deed in HISTORY) <= DAYS
    for deed in HISTORY:
        assert deed.payer in (*PEOPLE, ZHOU)
        assert deed.payer is not ZHOU or (-deed.days_ago, deed.clock) > (-NEWLY_COME[0], NEWLY_COME[1])
        assert deed.payee in (*PEOPLE, *STALLS)
        assert isinstance(deed.payee, Stall) == (deed.way != "person")
        assert deed.back <= deed.amount


def test_samples_live_a_week_and_are_made_once(postgres: Address, tmp_path: Path) -> None:
    address = new_database(postgres)
    settings = Settings(data_directory=tmp_path, ports=dict.fromkeys((spec.node for spec in DEMO_NETWORK.nodes), 0))

    async def scenario() -> None:
        assert await has_no_past(Database(address, "switch"))
        clock = PutClock()
        clock.put_back(DAYS)
        async with AsyncExitStack() as stack:
            trial = Trial(clock, moving_in=MovingIn(lambda: clock.behind_ns > 0))
            running = await stack.enter_async_context(running_network(settings, DEMO_NETWORK, address, trial))
            assert not await were_made(running)
            await _others_are_told_that_it_starts(running)
            told: list[str] = []
            patient = NodeClient(running["jing"].url, running["jing"].operator_token, starting=told.append)
            asking = asyncio.create_task(patient.get("/v1/operator/settlement"))
            await Neighbourhood(running, clock).live(lambda _: None)
            assert clock.behind_ns == 0
            assert await asking is not None
            assert told == [running["jing"].url]
            await patient.close()
            await _everybody_comes_in(running)
            assert await were_made(running)
            show_samples(running)
            _everybody_is_shown(running)
            await all_is_there(running)
            windows = running["switch"].site.node.windows.windows()
            assert len({row.settles_on for row in windows if row.payments}) > DAYS // 2
        assert not await has_no_past(Database(address, "switch"))

        # What was cut off before its end is taken up by the next start. A code is texted once a minute.
        clock = PutClock(_MinutesLater())
        async with AsyncExitStack() as stack:
            running = await stack.enter_async_context(running_network(settings, DEMO_NETWORK, address, Trial(clock)))
            assert await were_made(running)
            before = await campaigns(running)
            await Neighbourhood(running, clock).live(lambda _: None)
            again = await campaigns(running)
            assert {name: each["campaign_id"] for name, each in again.items()} == {
                name: each["campaign_id"] for name, each in before.items()
            }
            await packets_and_coupons_are_no_more(running)

    asyncio.run(scenario())
    assert audit_when_quiet(address.url).wrong == []


async def _others_are_told_that_it_starts(running: RunningNetwork) -> None:
    """At every door: hot or not, page or API, with the operator's own token."""
    for node in running.nodes.values():
        operator = {"authorization": f"Bearer {node.operator_token}"}
        async with httpx.AsyncClient(base_url=node.url) as client:
            for method, path, more in (
                ("GET", "/v1/operator/audit", {"headers": operator}),
                ("POST", "/v1/payments", {"headers": operator, "json": {"payment_id": "pay_1"}}),
                ("POST", "/scheme/v1/envelopes", {"json": {}}),
                ("POST", "/v3/pay/transactions/native", {"json": {}}),
                ("GET", "/wallet", {"headers": {"hutong-moving-in": ""}}),
                ("GET", "/nowhere", {"headers": {"hutong-moving-in": "f" * 32}}),
            ):
                no = await client.request(method, path, **more)
                assert (no.status_code, no.headers["retry-after"]) == (503, "1"), (path, no.text)
                if path.startswith("/v3/") and "reason" not in no.json():
                    assert no.json()["code"] == "SERVICE_UNAVAILABLE"  # An institution says it in the vendor's words.
                else:
                    assert no.json()["reason"] == "NODE_STARTING"
            page = await client.get("/", headers={"accept": "text/html,*/*;q=0.8"})
            assert (page.status_code, page.headers["retry-after"]) == (503, "1")
            assert "正在启动" in page.text
            assert "This page opens by itself" in page.text
            style = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
            assert (await client.get(style)).status_code == 200
            assert (await client.get("/health/live")).status_code == 200
            ready = await client.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json()["checks"]["samples"] == "people are moving in"


async def _everybody_comes_in(running: RunningNetwork) -> None:
    for node in running.nodes.values():
        async with httpx.AsyncClient(base_url=node.url) as client:
            assert (await client.get("/health/ready")).status_code == 200
            assert (await client.get("/", headers={"accept": "text/html"})).status_code == 200
            refused = await client.post("/v1/payments", json={})
            assert refused.json()["reason"] != "NODE_STARTING"


def _everybody_is_shown(running: RunningNetwork) -> None:
    shown: set[str] = set()
    for node in running.nodes.values():
        assert node.site.sandbox is not None
        shown |= {person.phone for person in node.site.sandbox.people()}
    assert {person.phone for person in PEOPLE} <= shown
