"""
Clients nobody here wrote, run as merchants run them, against a network in which somebody pays.

A program is a merchant's: it has the client, the account's files, and a line to the test by which it asks for what is
done elsewhere (a payer pays, a day goes by). Programs run behind the names of the real services, in a private place
(`hutong gateway run`), or call a base URL.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import hutong
from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.sample_payer import PIN, WRONG_PIN, SamplePayer, sample_payer
from hutong.app.sandbox_clock import SandboxClock
from hutong.app.up import Trial
from hutong.codes.plate import read_plate
from hutong.kernel.clock import NS_PER_MS, ManualClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.address import Address
from hutong.runtime.settings import Settings
from tests.gateways.clients.complaining import complain, grievance
from tests.network.conftest import NetworkThread, new_database

ROOT = Path(__file__).parents[3]
ENVIRONMENTS = ROOT / ".gateways"
PROGRAMS = Path(__file__).parent / "programs"
NODES = ("switch", "jing", "wei", "zhi", "yun")
_PATIENCE_S = 180
_PAYERS = 12
_STRANGERS = 200  # Of whom the institution knows less go by numbers behind this one.


def environment(name: str) -> Path:
    """Where a lot of clients is installed; without it the test waits, and outside of `make test-gateways`."""
    place = ENVIRONMENTS / name
    if not os.environ.get("TEST_GATEWAYS") or not (place / "made").exists():
        pytest.skip("waits for the clients: make test-gateways installs them")
    return place


class Stage:
    """The network with its clock, a payer at each institution, and accounts of both kinds."""

    def __init__(self, network: NetworkThread, directory: Path) -> None:
        self._network = network
        self._payer = 1  # Who paid last.
        self._poor = 100  # Who was last without money.
        self._owners = 0
        self.directory = directory
        self.urls = {name: door.url for name, door in network.doors.items()}
        ports = {f"HUTONG_PORT_{name.upper()}": url.rpartition(":")[2] for name, url in self.urls.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUTONG_")}
        source = {"PYTHONPATH": str(Path(hutong.__file__).parents[1])}
        self.environ = kept | ports | source | {"HUTONG_DATA_DIRECTORY": str(directory)}

    async def reserves_are_known(self) -> None:
        """The switch tells institutions soon after the start what they prefunded."""
        for node in NODES[1:]:
            async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
                while not await operator.get("/v1/operator/settlement"):
                    await asyncio.sleep(0.1)

    def account(self, vendor: str, *options: str) -> Path:
        """A merchant's new account; the directory with its files."""
        out = Path(tempfile.mkdtemp(dir=self.directory)) / vendor
        self.hutong("gateway", "merchant", "create", "--for", vendor, "--out", str(out), "--json", *options)
        return out

    def hutong(self, *arguments: str) -> Any:
        """One command."""
        done = subprocess.run(
            [sys.executable, "-m", "hutong", *arguments],
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def play(self, program: list[str], *, private: bool = True) -> dict[str, Any]:
        """
        Run a program to its end, doing what it asks for; what it said last.

        `private` runs it behind the real names. What it asks and is answered are lines of JSON.
        """
        command = [sys.executable, "-m", "hutong", "gateway", "run", "--", *program] if private else program
        environ = {name: value for name, value in self.environ.items() if name != "PYTHONPATH" or private}
        with subprocess.Popen(
            command,
            env=environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            said: dict[str, Any] = {}
            for line in process.stdout:
                if not line.startswith("{"):
                    continue
                asked = json.loads(line)
                if "do" not in asked:
                    said = asked
                    continue
                try:
                    answer = self.do(asked)
                except NodeRefused as refused:
                    answer = {"refused": refused.reason}
                process.stdin.write(json.dumps(answer) + "\n")
                process.stdin.flush()
            process.stdin.close()
            error = process.stderr.read()
            code = process.wait(_PATIENCE_S)
        if "NAMESPACES_FORBIDDEN" in error:
            pytest.skip(f"waits for a machine that allows namespaces: {error.strip()}")
        assert code == 0, error[-6000:]
        return said

    def do(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a program can't do itself."""
        match asked["do"]:
            case "pay":
                return self._as_payer(asked, lambda payer: _pay(payer, asked))
            case "payment_code":
                if tier := asked.get("tier"):
                    stranger = _STRANGERS + len(tier)
                    return self._as_payer(asked | {"payer": stranger}, _code) | {"payer": stranger}
                if asked.get("poor"):
                    self._poor += 1
                    return self._as_payer(asked | {"payer": self._poor}, _code_of_nobody_rich)
                self._payer = self._payer % _PAYERS + 1  # A code of each in turn: nobody has to wait for the next.
                return self._as_payer(asked, _code) | {"payer": self._payer}
            case "answer":
                return self._as_payer(asked, lambda payer: _answer(payer, asked))
            case "balance":
                return self._as_payer(asked, _balance)
            case "faults":
                return asyncio.run(self._go_wrong(asked))
            case "suspend":
                return asyncio.run(self._suspend(asked))
            case "shop":
                return asyncio.run(self._shop(asked))
            case "close_shop":
                return asyncio.run(self._close_shop(asked))
            case "freeze":
                return self._as_payer(asked, lambda payer: _freeze(payer, asked))
            case "sign":
                return self._as_payer(asked, lambda payer: _sign(payer, asked))
            case "agree":
                return self._as_payer(asked, lambda payer: _agree(payer, asked))
            case "hold":
                return self._as_payer(asked, lambda payer: _hold(payer, asked))
            case "lend_plate":
                return self._as_payer(asked, lambda payer: _lend_plate(payer, asked["plate"]))
            case "ask_for_plate":
                return asyncio.run(self._ask_for_plate(asked))
            case "revoke":
                return self._as_payer(asked, lambda payer: _revoke(payer, asked["name"]))
            case "take_plate_back":
                return self._as_payer(asked, lambda payer: _take_plate_back(payer, asked["plate"]))
            case "fill":
                return self._as_payer(asked, _fill)
            case "authorise":
                return self._as_payer(asked, lambda payer: self._authorise(payer, asked))
            case "take":
                return self._as_payer(asked, lambda payer: _take(payer, asked))
            case "complain":
                return self._as_payer(asked, lambda payer: complain(payer, asked))
            case "grievance":
                return self._as_payer(asked, lambda payer: grievance(payer, asked))
            case "watch":
                return asyncio.run(self._watch(asked))
            case "clock":
                clock = self._network.trial
                assert clock is not None
                assert clock.ahead is not None
                moved = asyncio.run_coroutine_threadsafe(
                    _put_forward(clock.ahead, asked["forward_s"]), self._network.loop
                )
                return {"now": moved.result(_PATIENCE_S)}
            case "hutong":
                return dict(self.hutong(*asked["arguments"]))
        raise AssertionError(asked)

    async def _go_wrong(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What is to go wrong for an account from now on."""
        node = asked["at"]
        async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
            path = f"/v1/operator/sandbox/gateway-faults/{asked['number']}"
            return dict(await operator.put(path, asked["faults"]))

    async def _suspend(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The operator stops a merchant, or lets it go on."""
        node, what = asked["at"], "resume" if asked.get("lift") else "suspend"
        async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
            return dict(await operator.post(f"/v1/operator/merchants/{asked['merchant']}/{what}"))

    async def _shop(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A shop of the merchant's, and an account that is the shop's alone, with the key that the program has."""
        node, merchant = asked["at"], asked["merchant"]
        async with NodeClient(self.urls[node], await self._owner(node, merchant)) as owner:
            shop = await owner.post(
                "/v1/shops", {"reference": "corner", "name": "街角店", "city": "北京", "latin_city": "Beijing"}
            )
        made = {"kind": "alipay", "name": "corner", "public_key": asked["public_key"], "shop_id": shop["shop_id"]}
        async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
            now_ns = (await operator.get("/v1/sandbox/clock"))["now_ms"] * NS_PER_MS
            made["account_id"] = id_text("gwa", IdMint(ManualClock(now_ns), system_randomness()).mint())
            path = f"/v1/operator/merchants/{merchant}/gateway-accounts"
            account = await operator.post(path, made)
        return {"shop_id": shop["shop_id"], "app_id": account["account"]["number"]}

    async def _close_shop(self, asked: dict[str, Any]) -> dict[str, Any]:
        node = asked["at"]
        async with NodeClient(self.urls[node], await self._owner(node, asked["merchant"])) as owner:
            return dict(await owner.post(f"/v1/shops/{asked['shop_id']}/close"))

    async def _authorise(self, payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
        """Open a page that asks for something, signed in, and press the button; where the browser is led."""
        node = asked["at"]
        if "merchant" in asked:
            cookie = f"staff-{node}={await self._owner(node, asked['merchant'])}"
        else:
            cookie = f"wallet-{node}={payer.kept.token}"
        async with httpx.AsyncClient(base_url=self.urls[node], headers={"cookie": cookie}) as browser:
            shown = await browser.get(asked["page"])
            if proof := re.search(r'name="proof" value="(\w+)"', shown.text):
                shown = await browser.post(asked["page"], data={"proof": proof[1], "account": asked.get("account", "")})
        assert shown.status_code == 302, shown.text
        return {"led": shown.headers["location"]}

    async def _ask_for_plate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a car park's picture leads to: the plate is typed, and the page shows what any wallet scans."""
        form = {"plate_number": asked["plate"], "plate_color": "BLUE"}
        async with httpx.AsyncClient(base_url=self.urls[asked["at"]]) as browser:
            sent = await browser.post("/parking", data=form)
            page = await browser.get(sent.headers["location"])
        assert asked["plate"] in page.text, page.text
        return {"link": sent.headers["location"]}

    async def _watch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Where an account is called back about complaints: at the other gateway the vendor has a page for it."""
        node, account = asked["at"], asked["account"]
        token = await self._owner(node, account["merchant_id"])
        async with NodeClient(self.urls[node], token) as owner:
            path = f"/v1/gateway-accounts/{account['account_id']}/complaint-url"
            return dict(await owner.put(path, {"url": asked["url"]}))

    async def _owner(self, node: str, merchant_id: str) -> str:
        """The session of an owner of the merchant, just invited."""
        self._owners += 1
        phone = f"+8613600{self._owners:06}"
        invited = {"staff_id": phone, "name": "李娜", "phone": phone}
        async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
            await operator.post(f"/v1/operator/merchants/{merchant_id}/staff", invited)
            code = (await operator.get(f"/v1/operator/one-time-codes/{quote(phone, safe='')}"))["code"]
            device_id = id_text("dev", self._owners)
            body = {"phone": phone, "code": code, "pin": PIN, "device_id": device_id}
            return str((await operator.post("/v1/staff/pin", body))["token"])

    def _as_payer(
        self, asked: dict[str, Any], act: Callable[[SamplePayer], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        node = asked.get("at", "jing")

        async def acting() -> dict[str, Any]:
            async with NodeClient(self.urls[node], self._network.doors[node].operator_token) as operator:
                number = asked.get("payer", self._payer)
                kept = self.directory / "payers"
                payer = await sample_payer(
                    kept, self.urls[node], node, operator, number=number, tier=asked.get("tier", "III")
                )
                async with payer.wallet.client:
                    return await act(payer)

        return asyncio.run(acting())


async def _put_forward(ahead: SandboxClock, forward_s: int) -> str:
    """What time it is then."""
    ahead.put_forward(forward_s)
    return ahead.view().now


async def _pay(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    quote = await payer.wallet.quote(asked["code"])
    if asked.get("reject"):
        return {"state": "LEFT", **quote}
    await payer.fill(quote["amount"])
    paid = await payer.wallet.pay(quote, quote["amount"], pin=WRONG_PIN if asked.get("wrong") else PIN)
    return {"state": paid["state"], "payment_id": paid["payment_id"]}


async def _code(payer: SamplePayer) -> dict[str, Any]:
    return {"payment_code": await payer.payment_code()}


async def _code_of_nobody_rich(payer: SamplePayer) -> dict[str, Any]:
    await payer.wallet.fetch_payment_code_keys()
    return {"payment_code": payer.wallet.phone.payment_code(payer.now_ns)}


async def _freeze(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """The operator stops somebody, or lets them go on."""
    what = "unfreeze" if asked.get("lift") else "freeze"
    await payer.operator.post(f"/v1/operator/users/{payer.kept.user_id}/{what}", {"why": "looked at"})
    return {"frozen": not asked.get("lift")}


async def _answer(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    for _ in range(100):
        waiting = [each for each in await payer.wallet.waiting() if each["state"] == "WAITING"]
        if waiting:
            if asked.get("reject"):
                return await payer.decline(waiting[-1])
            return {"state": (await payer.wallet.approve(waiting[-1], PIN))["state"]}
        await asyncio.sleep(0.1)
    return {"state": "NOBODY_ASKED"}


async def _balance(payer: SamplePayer) -> dict[str, Any]:
    return {"balance": await payer.wallet.balance()}


async def _fill(payer: SamplePayer) -> dict[str, Any]:
    """Have money."""
    await payer.fill(0)
    return await _balance(payer)


async def _lend_plate(payer: SamplePayer, plate: str) -> dict[str, Any]:
    """Let car parks take what a car owes."""
    asked = await payer.wallet.client.post("/v1/parking/plates", {"plate_number": plate})
    return await _sign(payer, {"link": asked["agreement_id"]})


async def _take_plate_back(payer: SamplePayer, plate: str) -> dict[str, Any]:
    """Let them no more."""
    client = payer.wallet.client
    (mine,) = [each for each in await client.get("/v1/agreements") if plate[2:] in each.get("account_shown", "")]
    return {"state": (await client.post(f"/v1/agreements/{mine['agreement_id']}/end"))["state"]}


async def _sign(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """Say yes to an agreement that a link leads to, or a pay score's service; with a wallet elsewhere, by scanning the link."""
    id_, client = _within("agr", asked["link"]), payer.wallet.client
    if asked.get("of"):
        return await _sign_elsewhere(payer, f"https://{asked['of']}.hutong.example/agreements/{id_}")
    offered = await client.get(f"/v1/agreements/offers/{id_}")
    token = await payer.wallet.pin_token(PIN, offered["payment_id"], offered["day_max"], offered["creditor"])
    signed = await client.post(f"/v1/agreements/{id_}/sign", {"pin_token": token})
    return {"state": signed["state"], "merchant_name": signed["merchant_name"]}


async def _sign_elsewhere(payer: SamplePayer, link: str) -> dict[str, Any]:
    client = payer.wallet.client
    await payer.fill(0)
    offered = await client.post("/v1/agreements/elsewhere/look", {"link": link})
    token = await payer.wallet.pin_token(PIN, offered["payment_id"], offered["day_max"], offered["creditor"])
    return dict(await client.post("/v1/agreements/elsewhere/sign", {"link": link, "pin_token": token}))


async def _revoke(payer: SamplePayer, creditor: str) -> dict[str, Any]:
    """Take back, in a wallet elsewhere, what one merchant's institution was granted last."""
    granted = [each for each in await payer.wallet.client.get("/v1/mandates") if not each["revoked"]]
    mandate = [each for each in granted if each["name"] == creditor][-1]
    return dict(await payer.wallet.client.delete(f"/v1/mandates/{mandate['mandate_id']}"))


async def _agree(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """Let a merchant hold what a link asks for; of another institution's the payer's own holds it."""
    client = payer.wallet.client
    await payer.fill(0)
    if asked.get("of"):
        offered = await client.post("/v1/holds", {"link": asked["link"]})
        return await _agree_to_hold(payer, offered)
    id_ = id_text("pra", read_plate(asked["link"]).id.request_id)
    offered = await client.get(f"/v1/preauths/{id_}")
    token = await payer.wallet.pin_token(PIN, offered["payment_id"], offered["amount"], offered["creditor"])
    agreed = await client.post(f"/v1/preauths/{id_}/agree", {"pin_token": token})
    return {"state": agreed["state"]}


async def _agree_to_hold(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    token = await payer.wallet.pin_token(PIN, asked["payment_id"], asked["amount"], asked["creditor"])
    return dict(await payer.wallet.client.post(f"/v1/holds/{asked['hold_id']}/agree", {"pin_token": token}))


async def _hold(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """What a merchant elsewhere asked last, or holds; with `agree`, say yes to it."""
    found = (await payer.wallet.client.get("/v1/holds"))[-1]
    return await _agree_to_hold(payer, found) if asked.get("agree") else dict(found)


async def _take(payer: SamplePayer, asked: dict[str, Any]) -> dict[str, Any]:
    """Take, or decline, the last that a merchant sent."""
    sent = await payer.wallet.client.get("/v1/transfers")
    if not sent:
        return {"state": "NOTHING_SENT"}
    what = "decline" if asked.get("decline") else "take"
    taken = await payer.wallet.client.post(f"/v1/transfers/{sent[-1]['transfer_id']}/{what}")
    return {"state": taken["state"], "amount": taken["amount"]}


def _within(prefix: str, link: str) -> str:
    """The id that a link, or a text around it, has."""
    found = re.search(rf"{prefix}_[0-9A-Za-z]+", link)
    assert found is not None, link
    return found[0]


@contextmanager
def staged(postgres: Address, run_directory: Path) -> Iterator[Stage]:
    """A network with a clock of its own."""
    directory = Path(tempfile.mkdtemp(prefix="gateways-", dir=run_directory))
    ahead = SandboxClock(directory)
    settings = Settings(data_directory=directory, ports=dict.fromkeys(NODES, 0))
    network = NetworkThread(settings, new_database(postgres), Trial(ahead, ahead))
    network.start()
    assert network.up.wait(250)
    if network.failed is not None:
        raise network.failed
    stage = Stage(network, directory)
    asyncio.run(stage.reserves_are_known())
    yield stage
    network.end()
    shutil.rmtree(directory, ignore_errors=True)
