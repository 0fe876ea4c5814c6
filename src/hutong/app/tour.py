"""The stage of the demo: what is printed, what is checked, and who acts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hutong.app.node_client import NodeClient, NodeRefused
from hutong.app.up import RunningNetwork
from hutong.app.wallet import Phone, Wallet, decided
from hutong.codes.picture import read_picture
from hutong.kernel.clock import SystemClock
from hutong.kernel.ids import IdMint, id_text, system_randomness
from hutong.kernel.money import Currency, format_amount


class NotTrue(Exception):  # noqa: N818  # What the demo is there to find out.
    """Something the demo promises was not so."""


def yuan(minor: int) -> str:
    """An amount of Chinese money as people read it."""
    sign = "-" if minor < 0 else ""
    return f"{sign}¥{format_amount(abs(minor), Currency.CNY)}"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone, at one institution."""

    name: str
    node: str
    user_id: str
    pin: str
    wallet: Wallet

    def __str__(self) -> str:
        return f"{self.name} ({self.node})"


@dataclass(frozen=True, slots=True)
class Till:
    """A merchant's till: its staff key, and whose it is."""

    name: str
    node: str
    merchant_id: str
    client: NodeClient

    def __str__(self) -> str:
        return f"{self.name} ({self.node})"

    async def balance(self) -> int:
        """What the institution owes the merchant."""
        balance: int = (await self.client.get("/v1/merchant/balance"))["balance"]
        return balance


@dataclass(slots=True)
class Tour:
    """A network, a directory for pictures, and everybody who acts."""

    network: RunningNetwork
    pictures: Path
    console: Console
    clock: SystemClock = field(default_factory=SystemClock)
    mint: IdMint = field(init=False)
    clients: list[NodeClient] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    tills: list[Till] = field(default_factory=list)
    checked: int = 0
    _steps: int = 0

    def __post_init__(self) -> None:
        self.mint = IdMint(self.clock, system_randomness())

    def new_id(self, prefix: str) -> str:
        return id_text(prefix, self.mint.mint())

    def step(self, title: str) -> None:
        """Begin the next step."""
        self._steps += 1
        self.console.print(f"\n[bold cyan]{self._steps}. {title}[/]")

    def say(self, text: str) -> None:
        """One line of what happens."""
        self.console.print(f"   {escape(text)}")

    def show(self, table: Table) -> None:
        """A table, below the step's lines."""
        self.console.print(table)

    def check(self, claim: str, *, holds: bool, seen: object = "") -> None:
        """State what must be so, and stop the demo when it is not."""
        if not holds:
            raise NotTrue(f"{claim} (seen: {seen})" if seen != "" else claim)
        self.checked += 1
        self.console.print(f"   [green]✓[/] {escape(claim)}")

    def client(self, node: str, token: str = "") -> NodeClient:
        """A client of a node, closed when the tour ends."""
        client = NodeClient(self.network[node].url, token)
        self.clients.append(client)
        return client

    def operator(self, node: str) -> NodeClient:
        """A client of a node in its operator's name."""
        return self.client(node, self.network[node].operator_token)

    async def close(self) -> None:
        """Let go of all connections."""
        for client in self.clients:
            await client.close()

    def keep(self, name: str, picture: bytes) -> Path:
        """Leave a picture file in the directory."""
        path = self.pictures / name
        path.write_bytes(picture)
        self.say(f"wrote {path.name}, {len(picture) // 1024 + 1} KiB")
        return path

    async def scan(self, path: Path) -> str:
        """What a phone's camera reads from a picture file."""
        (text,) = await asyncio.to_thread(lambda: read_picture(path.read_bytes()))
        self.say(f"read {path.name}: {text[:76]}{'…' if len(text) > 76 else ''}")
        return text

    async def register(self, name: str, node: str, phone: str, pin: str) -> Person:
        """Somebody registers, sets a PIN and fetches what payment codes are made from."""
        door = self.client(node)
        await door.post("/v1/users/codes", {"phone": phone})
        sent = self.network[node].site.codes.last("+86" + phone).code
        device_id = self.new_id("dev")
        signed = await door.post(
            "/v1/users",
            {
                "phone": phone,
                "name": name,
                "code": sent,
                "registration_id": device_id,
                "device_id": device_id,
                "device_name": f"{name}的手机",
            },
        )
        client = self.client(node, signed["token"])
        await client.put("/v1/pin", {"pin": pin})
        wallet = Wallet(client, Phone(device_id=device_id), self.mint)
        person = Person(name, node, signed["user"]["id"], pin, wallet)
        self.people.append(person)
        return person

    async def onboard(self, node: str, name: str, latin: str, mcc: str, fee_bps: int) -> Till:
        """An institution takes a merchant on, whose head office gets a key."""
        operator = self.operator(node)
        merchant = await operator.post(
            "/v1/operator/merchants",
            {
                "reference": f"demo-{latin}",
                "legal_name": f"{name}有限公司",
                "name": name,
                "latin_name": latin,
                "city": "北京",
                "latin_city": "Beijing",
                "mcc": mcc,
                "fee_bps": fee_bps,
            },
        )
        merchant_id = merchant["merchant_id"]
        key = await operator.post(f"/v1/operator/merchants/{merchant_id}/keys", {"name": "head office"})
        till = Till(name, node, merchant_id, self.client(node, key["token"]))
        self.tills.append(till)
        return till

    async def settled(self, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """The same asked until it is decided: the caller's id makes that safe."""
        return await decided(ask)

    async def refused(self, asking: Awaitable[Any], *reasons: str) -> NodeRefused:
        """What must be refused, under one of these names."""
        try:
            await asking
        except NodeRefused as no:
            if no.reason not in reasons:
                raise NotTrue(f"refused as {no.reason} instead of {reasons[0]}: {no.message}") from None
            return no
        raise NotTrue(f"not refused as {reasons[0]}")
