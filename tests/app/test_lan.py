"""A network for trying out that phones open: where plates lead, and the page that a phone sees first."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from hutong.app import lan as app_lan
from hutong.app.lan import Lan, how_phones_come_in, plates_lead_here, trust_page
from hutong.app.network import DEMO_NETWORK
from hutong.kernel.clock import SystemClock
from hutong.runtime.http_server import TlsDoor
from hutong.runtime.local_authority import local_authority
from hutong.runtime.settings import Settings


@pytest.fixture
def here(tmp_path: Path) -> Lan:
    authority = local_authority(tmp_path, "192.168.1.2", SystemClock())
    return Lan("127.0.0.1", authority, TlsDoor("127.0.0.1", authority.serving("127.0.0.1", SystemClock())))


def test_plates_lead_to_this_machine(tmp_path: Path) -> None:
    network = plates_lead_here(DEMO_NETWORK, Settings(data_directory=tmp_path), "192.168.1.2")
    assert network.node("wei").plate_base == "https://192.168.1.2:8102"
    assert "url:https://192.168.1.2:8102/q/" in network.node("wei").own_forms
    assert network.switch == DEMO_NETWORK.switch


async def test_a_phone_gets_the_certificate_and_is_led_on(tmp_path: Path, here: Lan) -> None:
    settings = replace(Settings(data_directory=tmp_path), ports={app_lan.TRUST: 0})
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(trust_page(settings, DEMO_NETWORK, here, "https://192.168.1.2:8100"))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url, trust_env=False))
        page = (await client.get("/", headers={"accept-language": "en"})).text
        assert here.authority.fingerprint in page
        assert 'href="https://192.168.1.2:8100"' in page
        assert "信任本网络" in (await client.get("/", headers={"accept-language": "zh-CN"})).text
        got = await client.get("/hutong-authority.crt")
        assert got.headers["content-type"] == "application/x-x509-ca-cert"
        assert x509.load_der_x509_certificate(got.content) == here.authority.certificate
        said = "\n".join(how_phones_come_in(here, url))
        assert url in said
        assert here.authority.fingerprint in said
