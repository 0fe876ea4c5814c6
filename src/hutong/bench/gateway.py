"""
Orders and payment codes through a gateway, and the same through the institution's own API.

WeChat Pay v3: every request is signed by the merchant, verified here, and the answer signed (RSA of 2048 bits). The
merchant is at wei, who pays at jing, and the switch between them, all in one process: one core. A payment code is charged
across: the holder's institution is asked, holds the money, pays, and says so.
"""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from hutong.app.network import DEMO_NETWORK, Network
from hutong.app.node_client import NodeClient
from hutong.app.up import running_network, schema_of
from hutong.bench.figures import Cpu, Figures
from hutong.bench.posts import Post, Posts, posted
from hutong.bench.sampler import Sampler
from hutong.bench.scratch import Scratch
from hutong.bench.stage import Place, Stage, set_stage
from hutong.codes.payment_code import EARLY_STEPS, LATE_STEPS, STEP_NS, PaymentCodeGenerator
from hutong.gateways import keys
from hutong.kernel.clock import NS_PER_S, SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.runtime.database import Database
from hutong.runtime.settings import Settings

NATIVE, CODEPAY = "/v3/pay/transactions/native", "/v3/pay/transactions/codepay"
REQUESTS, CHARGES = "/v1/payment-requests", "/v1/charges"
CLIENTS = 16
_ACCOUNTS = 8
_AT_MOST_PER_S = 1500  # So many are made beforehand for each second.
_PAYERS, _SELLERS = "jing", "wei"
_NODES = Network(nodes=tuple(spec for spec in DEMO_NETWORK.nodes if spec.node in {"switch", _PAYERS, _SELLERS}))
_JSON = "content-type: application/json\r\naccept: application/json\r\nuser-agent: bench\r\n"


@dataclass(frozen=True, slots=True)
class _Account:
    """A merchant's account at the gateway, its key, and the merchant's own key to the native API."""

    mchid: str
    appid: str
    serial: str
    token: str
    key: Any

    def signed(self, path: str, body: bytes, nonce: str) -> Post:
        """As WeChat Pay's v3 has it."""
        now_s = SystemClock().now_ns() // NS_PER_S
        text = f"POST\n{path}\n{now_s}\n{nonce}\n".encode() + body + b"\n"
        told = f'mchid="{self.mchid}",nonce_str="{nonce}",timestamp="{now_s}",serial_no="{self.serial}"'
        signature = keys.sign(self.key, text)
        line = f'authorization: WECHATPAY2-SHA256-RSA2048 {told},signature="{signature}"\r\n'
        return Post(path.encode(), (line + _JSON).encode(), body)

    def native(self, path: str, body: bytes) -> Post:
        """With the staff key."""
        return Post(path.encode(), f"authorization: Bearer {self.token}\r\n{_JSON}".encode(), body)


async def measure(
    scratch: Scratch, figures: Figures, *, seconds: float, phones: int, progress: Callable[[str], None]
) -> None:
    """Orders and payment codes a second through the gateway and through the API, and what one costs."""
    progress(f"gateway: bringing up a network, with {phones} phones")
    async with _opened(scratch, phones) as (stage, accounts, url):
        for name, path, good in (("gateway_order", NATIVE, b"code_url"), ("native_order", REQUESTS, b"")):
            progress(f"gateway: {name}")
            warm_s = min(1.0, seconds / 4)
            bodies = [_order(_one_of(accounts, n), name, n) for n in range(int(_AT_MOST_PER_S * (seconds + warm_s)))]
            posts = Posts(url, _shared(accounts, path, bodies), seconds, warm_s, good)
            await _measured(scratch, figures, name, posts)
        generators = await _phones(stage)
        # Each loop has codes of its own: what a phone shows in these steps of its time. The first code of each phone
        # wakes its holder: account, phone and limits are read from the database.
        for name, path, good, steps in (
            ("native_code_first", CHARGES, b'"state":"PAID"', range(1 - LATE_STEPS, 2 - LATE_STEPS)),
            ("gateway_code", CODEPAY, b'"trade_state":"SUCCESS"', range(2 - LATE_STEPS, 0)),
            ("native_code", CHARGES, b'"state":"PAID"', range(EARLY_STEPS + 1)),
        ):
            progress(f"gateway: {name}")
            now_ns = SystemClock().now_ns()
            codes = [phone.generate(now_ns + step * STEP_NS) for step in steps for phone in generators]
            bodies = [_charge(_one_of(accounts, n), name, n, code) for n, code in enumerate(codes)]
            posts = Posts(url, _shared(accounts, path, bodies), seconds, 0.0, good)
            await _measured(scratch, figures, name, posts)
    for spec in _NODES.nodes:
        await Database(scratch.address, schema_of(spec.node)).drop()


def _one_of(accounts: list[_Account], number: int) -> _Account:
    return accounts[number % _ACCOUNTS]


def _order(account: _Account, name: str, number: int) -> bytes:
    if name.startswith("native"):
        return msgspec.json.encode({"reference": f"{name}-{number}", "amount": 1280, "remark": "two bowls of noodles"})
    return msgspec.json.encode(
        {
            "appid": account.appid,
            "mchid": account.mchid,
            "description": "two bowls of noodles",
            "out_trade_no": f"{name}-{number}",
            "notify_url": "https://shop.example/paid",
            "amount": {"total": 1280, "currency": "CNY"},
        }
    )


def _charge(account: _Account, name: str, number: int, code: str) -> bytes:
    if name.startswith("native"):
        asked = {"reference": f"{name}-{number}", "amount": 1, "way": "PAYMENT_CODE", "payer_code": code}
        return msgspec.json.encode(asked)
    return msgspec.json.encode(
        {
            "appid": account.appid,
            "mchid": account.mchid,
            "description": "a fen of noodles",
            "out_trade_no": f"{name}-{number}",
            "amount": {"total": 1, "currency": "CNY"},
            "payer": {"auth_code": code},
            "scene_info": {"store_info": {"id": "1"}},
        }
    )


def _shared(accounts: list[_Account], path: str, bodies: list[bytes]) -> list[list[Post]]:
    """Each client's share; what is signed is signed now."""
    posts = []
    for number, body in enumerate(bodies):
        account = _one_of(accounts, number)
        posts.append(
            account.signed(path, body, f"{number:032x}") if path.startswith("/v3") else account.native(path, body)
        )
    return [posts[client::CLIENTS] for client in range(CLIENTS)]


async def _phones(stage: Stage) -> list[PaymentCodeGenerator]:
    """What makes each phone's codes."""
    found = []
    for token in stage.tokens:
        async with NodeClient(stage.payer_url, token) as client:
            told = await client.get("/v1/payment-codes/keys")
        found.append(PaymentCodeGenerator(told["head_today"], base64.b64decode(told["seed"])))
    return found


async def _measured(scratch: Scratch, figures: Figures, name: str, posts: Posts) -> None:
    sampler, before = Sampler(), Cpu((scratch.postmaster_pid,))

    def warm() -> None:
        nonlocal before
        before = before.look()
        sampler.start()

    try:
        outcome = await posted(posts, warm)
    finally:
        sampler.stop()
    after = before.look()
    if not outcome.completed:
        raise RuntimeError(f"{name}: nothing was done: {next(iter(outcome.others), None)}")
    figures.note(f"{name}_per_s", outcome.per_s)
    figures.note(f"{name}_p50_ms", outcome.p50_ms)
    figures.note(f"{name}_p99_ms", outcome.p99_ms)
    figures.note(f"{name}_others", sum(outcome.others.values()))
    own_us = 1e6 * (after.own_s - before.own_s) / outcome.completed
    figures.note(f"{name}_nodes_cpu_us", own_us)
    for part, share in sampler.shares().items():
        figures.note(f"{name}_{part}_cpu_us", share * own_us)
    figures.note(f"{name}_database_cpu_us", 1e6 * (after.others_s - before.others_s) / outcome.completed)


@asynccontextmanager
async def _opened(scratch: Scratch, phones: int) -> AsyncIterator[tuple[Stage, list[_Account], str]]:
    """The network, who pays, who sells, and where."""
    settings = Settings(data_directory=scratch.directory / "gateway", ports={})
    async with running_network(settings, _NODES, scratch.address) as network:
        places = [Place(network[name].url, network[name].operator_token) for name in (_PAYERS, _SELLERS)]
        stage = await set_stage(places[0], places[1], phones)
        yield stage, await _accounts(places[1]), places[1].url


async def _accounts(place: Place) -> list[_Account]:
    mint, key = IdMint(SystemClock(), system_randomness()), keys.new_key()
    found = []
    async with NodeClient(place.url, place.operator_token) as operator:
        for number in range(_ACCOUNTS):
            profile = {"legal_name": "Hutong Noodles Ltd", "name": "胡同面馆", "latin_name": "Hutong Noodles"}
            where = {"reference": f"gateway-{number}", "city": "北京", "latin_city": "Beijing", "mcc": "5812"}
            merchant = await operator.post("/v1/operator/merchants", profile | where | {"fee_bps": 60})
            merchant_id = merchant["merchant_id"]
            issued = await operator.post(f"/v1/operator/merchants/{merchant_id}/keys", {"name": "owner"})
            asked = {
                "account_id": id_text("gwa", mint.mint()),
                "kind": "wechatpay",
                "name": "bench",
                "public_key": keys.public_pem(key.public_key()),
            }
            made = await operator.post(f"/v1/operator/merchants/{merchant_id}/gateway-accounts", asked)
            account = made["account"]
            serial = account["keys"][0]["serial"]
            found.append(_Account(account["number"], account["appids"][0], serial, issued["token"], key))
    return found
